//! Sends letters by SMTP, or puts them into a folder.

use std::fmt;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use lettre::message::Mailbox;
use lettre::{SmtpTransport, Transport};

use crate::mail::message::{Message, TextForm, build};
use crate::mail::setting::{MailSettingError, smtp_transport};

/// Sends letters from one sender.
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

enum Way {
    Smtp(SmtpTransport),
    Outbox(PathBuf),
}

impl Mailer {
    /// Reads the mail setting: the URL of a mail server, or nothing for `.eml` files in `outbox`.
    ///
    /// | URL | encryption | port unless given |
    /// | --- | --- | --- |
    /// | `smtps://user:password@host` | TLS from the start | 465 |
    /// | `smtp://user:password@host` or `…?tls=required` | STARTTLS, or no mail | 587 |
    /// | `smtp://host?tls=opportunistic` | STARTTLS if the server offers it | 587 |
    /// | `smtp://host?tls=none` | none | 25 |
    /// | `smtp://localhost`, `smtp://127.0.0.1`, `smtp://[::1]` | none unless `tls` asks for it | 25 |
    ///
    /// User and password are percent-encoded. They need TLS, except towards this machine. A path
    /// (`smtp://host/name`) is the name to give in `EHLO`. Nothing is connected to yet.
    ///
    /// `from` is an address, alone or as `Name <address>`.
    pub fn from_setting(
        smtp_url: Option<&str>,
        outbox: &Path,
        from: &str,
    ) -> Result<Mailer, MailSettingError> {
        let from = from.parse().map_err(|_error| MailSettingError::Sender)?;
        let way = match smtp_url {
            Some(url) => Way::Smtp(smtp_transport(url)?),
            None => {
                std::fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(outbox)
                    .map_err(|_error| MailSettingError::Outbox)?;
                Way::Outbox(outbox.to_owned())
            }
        };
        Ok(Mailer { from, way })
    }

    /// Sends one letter, and returns once the mail server or the folder has it. Blocks.
    ///
    /// In a folder the file is named after the message id; sending the letter again replaces it.
    /// A [`MailError::Transient`] is worth another try later, a [`MailError::Permanent`] is not.
    pub fn send(&self, message: &Message) -> Result<(), MailError> {
        let form = match &self.way {
            Way::Smtp(_) => TextForm::Encoded,
            Way::Outbox(_) => TextForm::Readable,
        };
        let letter =
            build(message, &self.from, form).map_err(|cause| MailError::Permanent { cause })?;
        match &self.way {
            Way::Smtp(transport) => {
                transport.send(&letter).map(|_response| ()).map_err(MailError::from_smtp)
            }
            Way::Outbox(folder) => {
                let path = folder.join(format!("{}.eml", message.message_id));
                replace_file(folder, &path, &letter.formatted()).map_err(|source| {
                    MailError::Transient { cause: TransientCause::Outbox { source } }
                })
            }
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.way {
            Way::Smtp(_) => "Mailer(smtp)",
            Way::Outbox(_) => "Mailer(outbox)",
        })
    }
}

/// Why a letter was not sent. Neither it nor its causes name an address.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Trying again will not help.
    #[error("the mail can never be delivered as it is")]
    Permanent {
        /// What is wrong with the letter.
        #[source]
        cause: PermanentCause,
    },
    /// Trying again later may help.
    #[error("the mail could not be delivered now")]
    Transient {
        /// What is wrong with the way.
        #[source]
        cause: TransientCause,
    },
}

/// What is wrong with a letter for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermanentCause {
    /// The receiver's address is not one.
    #[error("the receiver's address is malformed")]
    Address,
    /// The letter cannot be put into the form of a mail.
    #[error("the letter cannot be written as a mail")]
    Form,
    /// The mail server refused the letter or its receiver.
    #[error("the mail server refused it with code {code}")]
    Refused {
        /// The reply code, 500 to 599.
        code: u16,
    },
}

/// What is in the way of a letter for now.
#[derive(Debug, thiserror::Error)]
pub enum TransientCause {
    /// The mail server asks to try later.
    #[error("the mail server put it off with code {code}")]
    PutOff {
        /// The reply code, 400 to 499.
        code: u16,
    },
    /// The mail server does not let us in. The operator has to change the setting.
    #[error("the mail server refused the login with code {code}")]
    Login {
        /// The reply code.
        code: u16,
    },
    /// The mail server cannot be reached, or stopped answering.
    #[error("the connection to the mail server failed: {kind}")]
    Connection {
        /// How it failed.
        kind: io::ErrorKind,
    },
    /// No encrypted connection came about.
    #[error("the mail server offers no acceptable encryption")]
    Tls,
    /// The mail server answered with something that is not SMTP, or lacks what the letter needs.
    #[error("the mail server's answers do not fit")]
    Protocol,
    /// The file could not be written.
    #[error("the mail could not be written to its folder")]
    Outbox {
        /// The file system's answer.
        #[source]
        source: io::Error,
    },
}

impl MailError {
    /// Sorts the transport's error. Its text stays behind, since servers repeat addresses in it.
    fn from_smtp(error: lettre::transport::smtp::Error) -> MailError {
        let code = error.status().map(u16::from);
        let cause = match code {
            // The login's refusals (RFC 4954, section 6) are about us, not about the letter.
            Some(code @ (454 | 530 | 534 | 535 | 538)) => TransientCause::Login { code },
            Some(code) if error.is_permanent() => {
                return MailError::Permanent { cause: PermanentCause::Refused { code } };
            }
            Some(code) => TransientCause::PutOff { code },
            None if error.is_tls() => TransientCause::Tls,
            None if error.is_client() || error.is_response() => TransientCause::Protocol,
            None => TransientCause::Connection { kind: io_kind(&error) },
        };
        MailError::Transient { cause }
    }
}

fn io_kind(error: &lettre::transport::smtp::Error) -> io::ErrorKind {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind();
        }
        source = error.source();
    }
    io::ErrorKind::Other
}

/// Writes a file so that a reader sees all of it or its predecessor.
fn replace_file(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}
