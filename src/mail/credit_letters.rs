//! Letters about credit.
//!
//! As in [`templates`](super::templates), each is subject and text, and what people typed is put on one line first.

use askama::Template;

use super::message::one_line;

/// Credit that was taken back.
#[derive(Clone, Copy, Debug)]
pub struct CreditReversed<'a> {
    /// Whose it was.
    pub name: &'a str,
    /// Who has taken it back.
    pub authority: &'a str,
    /// What it was given for.
    pub title: &'a str,
    /// By which rule.
    pub rule: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// Writes that credit was taken back.
///
/// # Errors
/// When the template cannot be filled in.
pub fn credit_reversed(reversed: &CreditReversed<'_>) -> Result<(String, String), askama::Error> {
    let title = one_line(reversed.title);
    let subject = format!("Credit for \"{title}\" was taken back");
    let text = CreditReversedText {
        name: one_line(reversed.name),
        authority: one_line(reversed.authority),
        title,
        rule: one_line(reversed.rule),
        reason: one_line(reversed.reason),
    };
    Ok((subject, text.render()?))
}

#[derive(Template)]
#[template(path = "credit_reversed.txt", config = "src/mail/templates/askama.toml")]
struct CreditReversedText {
    name: String,
    authority: String,
    title: String,
    rule: String,
    reason: String,
}
