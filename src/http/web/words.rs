//! How pages put dates, numbers, codes and links.

use chrono::NaiveDate;
use url::Url;

use crate::domain::review_policy::ReviewMode;

/// "28 November 2026": no reader can take the day for the month.
pub(super) fn date_in_words(date: &NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

/// "2026-11-28", for machines.
pub(super) fn iso_date(date: &NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

/// "Instructional coach" for `instructional_coach`.
pub(super) fn code_in_words(code: &str) -> String {
    let words = code.replace('_', " ");
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => words,
    }
}

/// The lines of a text that are not empty, each a paragraph of its own.
pub(super) fn paragraphs(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// "Two" up to nine, figures beyond.
pub(super) fn number_in_words(number: u32) -> String {
    let words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    usize::try_from(number)
        .ok()
        .and_then(|index| words.get(index))
        .map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

/// How many people read the work, as one sentence about what was done.
pub(super) fn mode_in_past(mode: ReviewMode) -> &'static str {
    match mode {
        ReviewMode::Single => "One reader scored the work against the published rubric.",
        ReviewMode::ConditionalDouble => {
            "One reader scored the work against the published rubric. A second one reads whenever a score lies next \
             to the pass level, and by random selection."
        }
        ReviewMode::DoubleBlind => {
            "Two readers scored the work independently against the published rubric, without knowing each other’s \
             scores. Where they differ on passing, a third person decides."
        }
    }
}

/// How many people read the work, as one sentence about what is done.
pub(super) fn mode_in_present(mode: ReviewMode) -> &'static str {
    match mode {
        ReviewMode::Single => "One reader scores the work.",
        ReviewMode::ConditionalDouble => {
            "One reader scores the work; a second one reads it whenever a score lies next to the pass level, and by \
             random selection."
        }
        ReviewMode::DoubleBlind => {
            "Two readers score the work independently. Neither knows the other’s scores."
        }
    }
}

/// The beginning and the end of a long code, enough to compare by eye.
pub(super) fn shortened(code: &str) -> String {
    const HEAD: usize = 10;
    const TAIL: usize = 6;
    let characters: Vec<char> = code.chars().collect();
    match (characters.get(..HEAD), characters.get(characters.len().saturating_sub(TAIL)..)) {
        (Some(head), Some(tail)) if characters.len() > HEAD + TAIL + 1 => {
            head.iter().chain(['…'].iter()).chain(tail).collect()
        }
        (_, _) => code.to_owned(),
    }
}

/// The link, if it leads to the web. A link that somebody else chose must not run a script or hide a login.
pub(super) fn web_link(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "https" | "http");
    let is_plain = url.username().is_empty() && url.password().is_none();
    (is_web && is_plain && url.has_host()).then(|| url.to_string())
}

/// A link that writes to this address, and to nothing else: an address with unusual characters gets none, since a
/// question mark would begin the headers of the letter.
pub(super) fn mail_link(address: &str) -> Option<String> {
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-' | '+')
    };
    let (name, host) = address.split_once('@')?;
    let is_address = [name, host].iter().all(|part| !part.is_empty() && part.chars().all(is_plain));
    is_address.then(|| format!("mailto:{address}"))
}

/// An address with a query, every character in its place.
pub(super) fn link_with(address: &str, pairs: &[(&str, String)]) -> String {
    match Url::parse_with_params(address, pairs) {
        Ok(url) => url.to_string(),
        Err(_no_address) => address.to_owned(),
    }
}

/// A link that begins a letter to nobody yet. In `mailto:` a space is never a plus (RFC 6068, 5).
pub(super) fn letter_link(subject: &str, body: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("subject", subject)
        .append_pair("body", &body.replace('\n', "\r\n"))
        .finish();
    format!("mailto:?{}", query.replace('+', "%20"))
}
