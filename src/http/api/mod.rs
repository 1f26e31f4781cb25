//! The JSON API: one file for each resource. Parses requests, runs one use case, renders its answer.

pub mod ai_use;
pub mod answers;
pub mod artwork;
pub mod assessors;
pub mod audit_events;
pub mod awards;
pub mod bank_comments;
pub mod bank_items;
pub mod calendars;
pub mod calibration;
pub mod cases;
pub mod co_earners;
pub mod coachings;
pub mod cohorts;
pub mod conflicts;
pub mod contributions;
pub mod credit;
pub mod endorsements;
pub mod evidence;
pub mod external_badges;
pub mod frameworks;
pub mod funnel;
pub mod inventory;
pub mod issuer_settings;
pub mod members;
pub mod micro_credentials;
pub mod operator;
pub mod organizations;
pub mod program_readiness;
pub mod programs;
pub mod proposals;
pub mod recognitions;
pub mod rehearsals;
pub mod reports;
pub mod reviews;
pub mod screenings;
pub mod sessions;
pub mod signing_keys;
pub mod stacks;
pub mod submissions;
pub mod succession;
pub mod templates;
pub mod trusted_issuers;
pub mod uploads;
pub mod verify;

use actix_web::HttpResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::Answer;
use super::problem::Problem;
use super::request::page_limit;
use crate::service::{Cx, Error, Fault};

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// What every list takes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A page as it was asked for.
#[derive(Clone, Debug)]
pub struct Paging {
    /// How many items, not counting the one that tells whether there are more.
    pub limit: i64,
    /// The key after which it begins.
    pub after: Option<String>,
}

impl Paging {
    /// Reads limit and cursor.
    ///
    /// # Errors
    /// `invalid` for a limit out of range or a cursor that is not ours.
    pub fn new(limit: Option<i64>, cursor: Option<&str>) -> Result<Paging, Problem> {
        let after = cursor.map(decode_cursor).transpose()?;
        Ok(Paging { limit: page_limit(limit)?, after })
    }

    /// One item more than the page has.
    #[must_use]
    pub const fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// Cuts what was fetched to the page. `key` gives the key of an item.
    pub fn page<S, T: ToSchema>(
        &self,
        mut fetched: Vec<S>,
        key: impl Fn(&S) -> String,
        view: impl Fn(S) -> T,
    ) -> Page<T> {
        let size = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = fetched.len() > size;
        fetched.truncate(size);
        let next_cursor =
            fetched.last().filter(|_| has_more).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
        Page { items: fetched.into_iter().map(view).collect(), next_cursor }
    }
}

impl PageQuery {
    /// Reads limit and cursor.
    ///
    /// # Errors
    /// `invalid` for a limit out of range or a cursor that is not ours.
    pub fn paging(&self) -> Result<Paging, Problem> {
        Paging::new(self.limit, self.cursor.as_deref())
    }
}

fn decode_cursor(cursor: &str) -> Result<String, Problem> {
    let decoded =
        URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    // Keys are ids or numbers.
    let is_key = |key: &String| {
        (1..=64).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    decoded.filter(is_key).ok_or_else(bad_cursor)
}

/// What is said about a cursor that is not ours.
#[must_use]
pub fn bad_cursor() -> Problem {
    let detail = "take the cursor from next_cursor of the page before, or leave it out";
    Problem::new("invalid", detail).with_errors(vec![Fault::new("", "cursor", detail)])
}

/// A word of the query that stands for a state or another closed set.
///
/// # Errors
/// `invalid` for a word that is not one of them.
pub fn parse_word<T>(
    name: &str,
    word: Option<&str>,
    parse: fn(&str) -> Option<T>,
    known: &[T],
) -> Result<Option<T>, Problem>
where
    T: std::fmt::Display,
{
    match word {
        None => Ok(None),
        Some(word) => parse(word).map(Some).ok_or_else(|| {
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            let detail = format!("{name} is one of {}", known.join(", "));
            Problem::new("invalid", detail.clone()).with_errors(vec![Fault::new("", name, detail)])
        }),
    }
}

/// Reads the object of an answer that is given again.
///
/// # Errors
/// What reading it says now: who may not see it any more does not see it here either.
pub fn read_again(cx: &mut Cx<'_>, kind: &str, id: &str, status: u16) -> Result<Answer, Error> {
    let gone = |_no_id| Error::NotFound("resource");
    match kind {
        "review" => reviews::read_again(cx, id.parse().map_err(gone)?, status),
        "submission" => submissions::read_again(cx, id.parse().map_err(gone)?, status),
        "evidence" => evidence::read_again(cx, id, status),
        "coaching" => coachings::read_again(cx, id.parse().map_err(gone)?, status),
        "invitee" => cohorts::read_again(cx, id),
        "co_earner" => co_earners::read_again(cx, id, status),
        "shared_evidence" => co_earners::shared_again(cx, id.parse().map_err(gone)?, status),
        _ => Err(Error::NotFound("resource")),
    }
}

/// A word of a body that stands for one of a few things.
///
/// # Errors
/// [`Error::Invalid`] with the words that there are.
pub(super) fn body_word<T: Copy + std::fmt::Display>(
    pointer: &str,
    word: &str,
    parse: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Result<T, Error> {
    parse(word).ok_or_else(|| {
        let known: Vec<String> = all.iter().map(ToString::to_string).collect();
        Error::invalid(pointer, "unknown-word", format!("it is one of {}", known.join(", ")))
    })
}

/// The forms of a report that has a table and a plot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv,
    Svg,
}

impl Format {
    pub(super) const ALL: [Format; 3] = [Format::Json, Format::Csv, Format::Svg];

    const fn as_str(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Svg => "svg",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A report as a file of its own.
pub(super) fn attachment(media_type: &'static str, name: &str, body: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .insert_header(("content-disposition", format!("attachment; filename=\"{name}\"")))
        .content_type(media_type)
        .body(body)
}
