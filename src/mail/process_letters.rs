//! Letters about a submission on its way: returned, questioned, appealed, or a coach asked for.
//!
//! As in [`templates`](super::templates), each is subject and text, and what people typed is put on one line first.

use askama::Template;
use chrono::NaiveDate;

use super::message::one_line;
use super::templates::{date_in_words, one_link};

/// What each of these letters says first: which submission, and where to read more.
#[derive(Clone, Copy, Debug)]
pub struct AboutSubmission<'a> {
    /// Who gets the letter.
    pub name: &'a str,
    /// The title of the micro-credential.
    pub title: &'a str,
    /// Whose micro-credential it is.
    pub organization: &'a str,
    /// The page of the submission.
    pub link: &'a str,
}

struct AboutText {
    name: String,
    title: String,
    organization: String,
    link: String,
}

impl From<&AboutSubmission<'_>> for AboutText {
    fn from(about: &AboutSubmission<'_>) -> AboutText {
        AboutText {
            name: one_line(about.name),
            title: one_line(about.title),
            organization: one_line(about.organization),
            link: one_link(about.link),
        }
    }
}

macro_rules! letter {
    ($(#[$meta:meta])* $name:ident($($field:ident: $kind:ty),*) $text:ident $subject:literal) => {
        $(#[$meta])*
        ///
        /// # Errors
        /// When the template cannot be filled in.
        pub fn $name(
            about: &AboutSubmission<'_>,
            $($field: $kind,)*
        ) -> Result<(String, String), askama::Error> {
            let about = AboutText::from(about);
            let subject = format!($subject, about.title);
            Ok((subject, $text { about, $($field: $field.into_text(),)* }.render()?))
        }
    };
}

/// What a template shows of a value.
trait IntoText {
    type Text;
    fn into_text(self) -> Self::Text;
}

impl IntoText for NaiveDate {
    type Text = String;
    fn into_text(self) -> String {
        date_in_words(self)
    }
}

impl IntoText for &str {
    type Text = String;
    fn into_text(self) -> String {
        one_line(self)
    }
}

impl IntoText for bool {
    type Text = bool;
    fn into_text(self) -> bool {
        self
    }
}

letter! {
    /// Writes that a submission was sent back as incomplete.
    returned() ReturnedText "Something is missing in your submission for \"{}\""
}
letter! {
    /// Writes that a question about a submission has come up, and until when its earner can answer.
    integrity_notice(date: NaiveDate) NoticeText "A question about your submission for \"{}\""
}
letter! {
    /// Writes that nothing was found against a submission.
    integrity_cleared() ClearedText "The question about your submission for \"{}\" is settled"
}
letter! {
    /// Writes that a submission was closed after a question about it.
    integrity_upheld() UpheldText "Your submission for \"{}\" was closed"
}
letter! {
    /// Writes that an appeal has arrived, and when the answer is due.
    appeal_received(date: NaiveDate) ReceivedText "We have your appeal about \"{}\""
}
letter! {
    /// Writes that an appeal is decided, and what the result is now.
    appeal_decided(earned: bool) DecidedText "Your appeal about \"{}\" is decided"
}
letter! {
    /// Writes that the earner may talk with a coach.
    coach_offered() OfferText "Would you like to talk with a coach about \"{}\"?"
}
letter! {
    /// Writes to a coach that an earner would like to talk.
    coach_wanted(earner: &str, address: &str) CoachText "Somebody would like to talk about \"{}\""
}
letter! {
    /// Writes to a coach that an earner shares an attempt with them.
    coach_asked(earner: &str, address: &str) AskedText "You are asked to look at \"{}\""
}
letter! {
    /// Writes that a colleague says to have made something together with whoever gets the letter.
    co_earner_named(earner: &str, address: &str) NamedText "Have you made this together? \"{}\""
}
letter! {
    /// Writes that a coach has said something about an attempt.
    coach_commented() CommentedText "Your coach has written about \"{}\""
}
letter! {
    /// Writes that somebody has added an item by a link.
    contributed() ContributedText "Something was added to your work for \"{}\""
}
letter! {
    /// Writes that a draft which nobody saves ends on a day.
    draft_ending(date: NaiveDate) EndingText "Your draft for \"{}\" ends soon"
}

#[derive(Template)]
#[template(path = "process/returned.txt", config = "src/mail/templates/askama.toml")]
struct ReturnedText {
    about: AboutText,
}

#[derive(Template)]
#[template(path = "process/integrity_notice.txt", config = "src/mail/templates/askama.toml")]
struct NoticeText {
    about: AboutText,
    date: String,
}

#[derive(Template)]
#[template(path = "process/integrity_cleared.txt", config = "src/mail/templates/askama.toml")]
struct ClearedText {
    about: AboutText,
}

#[derive(Template)]
#[template(path = "process/integrity_upheld.txt", config = "src/mail/templates/askama.toml")]
struct UpheldText {
    about: AboutText,
}

#[derive(Template)]
#[template(path = "process/appeal_received.txt", config = "src/mail/templates/askama.toml")]
struct ReceivedText {
    about: AboutText,
    date: String,
}

#[derive(Template)]
#[template(path = "process/appeal_decided.txt", config = "src/mail/templates/askama.toml")]
struct DecidedText {
    about: AboutText,
    earned: bool,
}

#[derive(Template)]
#[template(path = "process/coach_offered.txt", config = "src/mail/templates/askama.toml")]
struct OfferText {
    about: AboutText,
}

#[derive(Template)]
#[template(path = "process/coach_wanted.txt", config = "src/mail/templates/askama.toml")]
struct CoachText {
    about: AboutText,
    earner: String,
    address: String,
}

#[derive(Template)]
#[template(path = "process/coach_asked.txt", config = "src/mail/templates/askama.toml")]
struct AskedText {
    about: AboutText,
    earner: String,
    address: String,
}

#[derive(Template)]
#[template(path = "process/co_earner_named.txt", config = "src/mail/templates/askama.toml")]
struct NamedText {
    about: AboutText,
    earner: String,
    address: String,
}

#[derive(Template)]
#[template(path = "process/coach_commented.txt", config = "src/mail/templates/askama.toml")]
struct CommentedText {
    about: AboutText,
}

#[derive(Template)]
#[template(path = "process/contributed.txt", config = "src/mail/templates/askama.toml")]
struct ContributedText {
    about: AboutText,
}

#[derive(Template)]
#[template(path = "process/draft_ending.txt", config = "src/mail/templates/askama.toml")]
struct EndingText {
    about: AboutText,
    date: String,
}
