//! Reads the mail setting.

use std::net::IpAddr;
use std::time::Duration;

use lettre::SmtpTransport;
use lettre::transport::smtp::PoolConfig;
use url::{Host, Url};

/// How long one step of a conversation with the mail server may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept for the next letter.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// One letter is sent at a time.
const MAX_CONNECTIONS: u32 = 1;

/// Why the mail setting cannot be used. It never repeats the setting, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailSettingError {
    /// The sender is not an address.
    #[error("the sender is not a mail address")]
    Sender,
    /// The setting is not a URL.
    #[error("the mail server is not given as a URL")]
    Url,
    /// Neither `smtp` nor `smtps`.
    #[error("the mail server's URL must begin with smtp:// or smtps://")]
    Scheme,
    /// No host.
    #[error("the mail server's URL names no host")]
    Host,
    /// An unknown parameter, or an unknown value of `tls`.
    #[error(
        "the mail server's URL may have one parameter, tls, which is required, opportunistic or none"
    )]
    Parameter,
    /// A login that would travel in the open.
    #[error("a login to the mail server needs tls=required or smtps://")]
    LoginWithoutTls,
    /// The TLS library or the transport refused the setting.
    #[error("the mail server's URL cannot be used")]
    Unusable,
    /// The folder for `.eml` files cannot be made.
    #[error("the folder for mail cannot be made")]
    Outbox,
}

/// Makes the transport for a URL, in the forms that [`Mailer::from_setting`](super::Mailer::from_setting) lists.
pub(super) fn smtp_transport(setting: &str) -> Result<SmtpTransport, MailSettingError> {
    let mut url = Url::parse(setting).map_err(|_error| MailSettingError::Url)?;
    let is_smtps = match url.scheme() {
        "smtps" => true,
        "smtp" => false,
        _ => return Err(MailSettingError::Scheme),
    };
    let is_near = is_loopback(&url)?;
    let tls = tls_parameter(&url)?;
    let tls = match tls {
        _ if is_smtps => Tls::Required,
        Some(tls) => tls,
        None if is_near => Tls::None,
        None => Tls::Required,
    };
    let has_login = !url.username().is_empty() || url.password().is_some();
    if has_login && !is_near && !matches!(tls, Tls::Required) {
        return Err(MailSettingError::LoginWithoutTls);
    }
    // For `smtp` the transport reads no parameter as "never encrypted", and knows no "none".
    url.set_query(match tls {
        Tls::None => None,
        Tls::Opportunistic => Some("tls=opportunistic"),
        Tls::Required => Some("tls=required"),
    });
    let builder =
        SmtpTransport::from_url(url.as_str()).map_err(|_error| MailSettingError::Unusable)?;
    let pool = PoolConfig::new().max_size(MAX_CONNECTIONS).idle_timeout(IDLE_TIMEOUT);
    Ok(builder.timeout(Some(STEP_TIMEOUT)).pool_config(pool).build())
}

#[derive(Clone, Copy)]
enum Tls {
    None,
    Opportunistic,
    Required,
}

fn tls_parameter(url: &Url) -> Result<Option<Tls>, MailSettingError> {
    let mut tls = None;
    for (name, value) in url.query_pairs() {
        let value = match (name.as_ref(), value.as_ref()) {
            ("tls", "none") => Tls::None,
            ("tls", "opportunistic") => Tls::Opportunistic,
            ("tls", "required") => Tls::Required,
            _ => return Err(MailSettingError::Parameter),
        };
        if tls.replace(value).is_some() {
            return Err(MailSettingError::Parameter);
        }
    }
    Ok(tls)
}

fn is_loopback(url: &Url) -> Result<bool, MailSettingError> {
    match url.host().ok_or(MailSettingError::Host)? {
        Host::Domain("") => Err(MailSettingError::Host),
        // A scheme that is not the web's keeps an IPv4 address as text.
        Host::Domain(name) => Ok(name == "localhost"
            || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())),
        Host::Ipv4(address) => Ok(address.is_loopback()),
        Host::Ipv6(address) => Ok(address.is_loopback()),
    }
}
