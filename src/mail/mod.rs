//! Mail: a few plain letters, and the way they leave.
//!
//! A letter is written by [`templates`] and recorded by the caller as an outbox row with a
//! [`MessageId`]. [`Mailer::send`] may then be tried as often as needed: every try carries the
//! same id, so the receiving side can tell a repetition, and a folder of `.eml` files holds the
//! letter once.

pub mod credit_letters;
mod mailer;
mod message;
pub mod process_letters;
mod setting;
pub mod templates;

pub use mailer::{MailError, Mailer, PermanentCause, TransientCause};
pub use message::{Message, MessageId, MessageIdError};
pub use setting::MailSettingError;
