//! Working days.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body_word;
use crate::domain::calendar::{Calendar, CalendarError, Weekday};
use crate::domain::ids::OrganizationId;
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path};
use crate::service::{Error, calendars};

/// Days off in a row.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakBody {
    /// The first, as `2026-12-21`.
    #[schema(format = "date")]
    first: String,
    /// The last.
    #[schema(format = "date")]
    last: String,
}

/// When an organization works.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarBody {
    /// The days of the week on which nobody works, monday to sunday.
    weekend: Vec<String>,
    /// Single days off, as `2026-11-26`.
    #[serde(default)]
    holidays: Vec<String>,
    /// School breaks.
    #[serde(default)]
    breaks: Vec<BreakBody>,
}

impl From<&Calendar> for CalendarBody {
    fn from(calendar: &Calendar) -> CalendarBody {
        let words = |day: &Weekday| day.to_string();
        CalendarBody {
            weekend: calendar.weekend().iter().map(words).collect(),
            holidays: calendar.holidays().iter().map(ToString::to_string).collect(),
            breaks: calendar
                .breaks()
                .iter()
                .map(|(first, last)| BreakBody { first: first.to_string(), last: last.to_string() })
                .collect(),
        }
    }
}

fn parse_date(pointer: &str, word: &str) -> Result<NaiveDate, Error> {
    NaiveDate::parse_from_str(word, "%Y-%m-%d")
        .map_err(|_bad| Error::invalid(pointer, "not-a-date", "write a date as 2026-11-26"))
}

fn parse(body: &CalendarBody) -> Result<Calendar, Error> {
    let weekend: BTreeSet<Weekday> = body
        .weekend
        .iter()
        .enumerate()
        .map(|(index, word)| {
            body_word(&format!("/weekend/{index}"), word, Weekday::parse, Weekday::ALL)
        })
        .collect::<Result<_, Error>>()?;
    let holidays = body
        .holidays
        .iter()
        .enumerate()
        .map(|(index, word)| parse_date(&format!("/holidays/{index}"), word))
        .collect::<Result<_, Error>>()?;
    let breaks = body
        .breaks
        .iter()
        .enumerate()
        .map(|(index, days)| {
            let first = parse_date(&format!("/breaks/{index}/first"), &days.first)?;
            Ok((first, parse_date(&format!("/breaks/{index}/last"), &days.last)?))
        })
        .collect::<Result<_, Error>>()?;
    Calendar::new(weekend, holidays, breaks).map_err(|error| {
        let (pointer, code) = match error {
            CalendarError::NoWorkingDay => ("/weekend".to_owned(), "no-working-day"),
            CalendarError::BreakBackwards { index } => {
                (format!("/breaks/{index}/last"), "break-backwards")
            }
            CalendarError::TooMany => ("/holidays".to_owned(), "too-many"),
        };
        Error::invalid(&pointer, code, error.to_string())
    })
}

fn answer((calendar, revision): (Calendar, i32)) -> Result<Answer, Error> {
    Ok(Answer::json(200, &CalendarBody::from(&calendar))?.with_revision(revision))
}

/// `GET /api/v1/organizations/{id}/calendar`
pub async fn read_calendar(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_calendar", move |cx| answer(calendars::find(cx, organization)?)).await
}

/// `PUT /api/v1/organizations/{id}/calendar`
pub async fn put_calendar(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    if_match: IfMatch,
    body: JsonBody<CalendarBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "put_calendar", parts, move |cx| {
        // Who may not know of the organization is told that first.
        calendars::find(cx, organization)?;
        let calendar = parse(&body.value)?;
        match calendars::put(cx, organization, &calendar, if_match.0) {
            Err(Error::Stale) => {
                let (current, _) = calendars::find(cx, organization)?;
                let current = CalendarBody::from(&current);
                Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
            }
            other => Ok(answer(other?)?.into()),
        }
    })
    .await
}
