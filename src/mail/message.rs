//! One letter and its form on the wire.

use std::fmt;
use std::time::SystemTime;

use lettre::Address;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue, MIME_VERSION_1_0,
};
use lettre::message::{Body, Mailbox};

use crate::mail::mailer::PermanentCause;

/// The most characters that a name or a subject keeps in a header.
const MAX_HEADER_CHARS: usize = 200;
/// The most bytes of a line without its end (RFC 5322, section 2.1.1).
const MAX_LINE_BYTES: usize = 998;

/// A letter to one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Names the letter, over all tries to send it.
    pub message_id: MessageId,
    /// When the letter was written.
    pub date: SystemTime,
    /// Whom it is for, as display text.
    pub to_name: String,
    /// Where it goes.
    pub to_address: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All else is personal, and the text may carry a token.
        f.debug_struct("Message").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// The identity of a letter, such as `0190b6c0-…@badges.example.org`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Makes the id from its two sides.
    ///
    /// Each side is letters, digits, `.`, `-` and `_`, begins with a letter or digit and has at most
    /// 100 characters. That makes the id safe as a header (RFC 5322, section 3.6.4) and as a file name.
    pub fn new(local: &str, host: &str) -> Result<MessageId, MessageIdError> {
        if is_safe_side(local) && is_safe_side(host) {
            Ok(MessageId(format!("{local}@{host}")))
        } else {
            Err(MessageIdError)
        }
    }

    /// Reads an id as it was stored in a row.
    pub fn parse(id: &str) -> Result<MessageId, MessageIdError> {
        let (local, host) = id.split_once('@').ok_or(MessageIdError)?;
        MessageId::new(local, host)
    }

    /// The id as text, without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that cannot be the identity of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message id")]
pub struct MessageIdError;

/// How the text of a letter travels when it is not plain ASCII.
#[derive(Clone, Copy)]
pub(super) enum TextForm {
    /// Encoded, so that every mail server takes it.
    Encoded,
    /// As it is, so that a person can read it and copy a link from the file.
    Readable,
}

/// Builds the letter for the wire.
pub(super) fn build(
    message: &Message,
    from: &Mailbox,
    form: TextForm,
) -> Result<lettre::Message, PermanentCause> {
    let address: Address = message.to_address.parse().map_err(|_error| PermanentCause::Address)?;
    let name = Some(one_line(&message.to_name)).filter(|name| !name.is_empty());
    lettre::Message::builder()
        .message_id(Some(format!("<{}>", message.message_id)))
        .date(message.date)
        .from(from.clone())
        .to(Mailbox::new(name, address))
        .subject(one_line(&message.subject))
        .header(AutoSubmitted)
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(body(&message.text, form))
        .map_err(|_error| PermanentCause::Form)
}

/// The text with every run of spaces, line breaks and control characters as one space, and not too long.
pub(super) fn one_line(text: &str) -> String {
    let is_break = |character: char| character.is_whitespace() || character.is_control();
    let words: Vec<&str> = text.split(is_break).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(MAX_HEADER_CHARS).collect()
}

/// The text as a body. What may travel as it is does so, and every link in it stays whole.
fn body(text: &str, form: TextForm) -> Body {
    let is_kept = |character: &char| !character.is_control() || *character == '\t';
    let lines: Vec<String> =
        text.lines().map(|line| line.chars().filter(is_kept).collect()).collect();
    let text = lines.join("\r\n");
    let is_plain = lines.iter().all(|line| line.len() <= MAX_LINE_BYTES);
    match form {
        // The lines are clean and short enough, which is all that these two encodings ask for.
        TextForm::Readable | TextForm::Encoded if is_plain && text.is_ascii() => {
            Body::dangerous_pre_encoded(text.into_bytes(), ContentTransferEncoding::SevenBit)
        }
        TextForm::Readable if is_plain => {
            Body::dangerous_pre_encoded(text.into_bytes(), ContentTransferEncoding::EightBit)
        }
        TextForm::Readable | TextForm::Encoded => Body::new(text),
    }
}

fn is_safe_side(side: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    side.len() <= 100
        && side.bytes().all(is_plain)
        && side.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

/// `Auto-Submitted: auto-generated` (RFC 3834, section 5): no vacation notice shall answer.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_value: &str) -> Result<AutoSubmitted, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(AutoSubmitted::name(), "auto-generated".to_owned())
    }
}
