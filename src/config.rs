//! Settings from flags and the environment, read once at the start. Every bad one is reported, not just the first.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use clap::Args;
use url::Url;
use zeroize::Zeroizing;

use crate::service::installation::check_base_url;
use crate::store::DatabaseSetting;

/// Settings as they are given.
#[derive(Args, Clone, Default)]
pub struct SettingArgs {
    /// The folder for the embedded database, evidence files and mails.
    #[arg(
        long,
        global = true,
        env = "ASSAY_DATA_DIR",
        value_name = "FOLDER",
        default_value = "./assay-data"
    )]
    pub data_dir: PathBuf,
    /// The address to listen on; port 0 picks a free one.
    #[arg(
        long,
        global = true,
        env = "ASSAY_BIND",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub bind: String,
    /// Where badges say they live; fixed at init. Defaults to the bind address.
    #[arg(long, global = true, env = "ASSAY_BASE_URL", value_name = "URL")]
    pub base_url: Option<String>,
    /// Base URLs under which this installation answers besides its own, separated by commas.
    #[arg(
        long,
        global = true,
        env = "ASSAY_BASE_URL_ALIASES",
        value_name = "URLS",
        value_delimiter = ','
    )]
    pub base_url_aliases: Vec<String>,
    /// A PostgreSQL URL; without it the embedded database in the data folder is used.
    #[arg(long, global = true, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The key that wraps all other keys: 32 bytes in base64 or hexadecimal, or a file that holds them. Made in the data folder on first start.
    #[arg(
        long,
        global = true,
        env = "ASSAY_KEY_ENCRYPTION_KEY",
        value_name = "KEY OR FILE",
        hide_env_values = true
    )]
    pub key_encryption_key: Option<String>,
    /// The mail server, smtp:// or smtps://; without it mails are written to the data folder as .eml files.
    #[arg(long, global = true, env = "ASSAY_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// The sender of all mail; no-reply at the host of the base URL unless given.
    #[arg(long, global = true, env = "ASSAY_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// What is logged, for instance info or assay=debug.
    #[arg(long, global = true, env = "ASSAY_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// Where the key-encryption key comes from.
pub enum KeySource {
    /// It was given.
    Value(Zeroizing<[u8; 32]>),
    /// It lies in a file that must exist.
    File(PathBuf),
    /// It lies in the data folder, and is made there on the first start.
    DataFolder(PathBuf),
}

/// Settings that make sense.
pub struct Settings {
    /// The data folder.
    pub data_dir: PathBuf,
    /// The address to listen on.
    pub bind: SocketAddr,
    /// The base URL, if one was given.
    pub base_url: Option<String>,
    /// Base URLs that are ours as well.
    pub base_url_aliases: Vec<String>,
    /// The database.
    pub database: DatabaseSetting,
    /// The key-encryption key.
    pub key_source: KeySource,
    /// The mail server.
    pub smtp_url: Option<String>,
    /// The sender of all mail, if one was given.
    pub mail_from: Option<String>,
    /// What is logged.
    pub log: String,
}

/// Everything that is wrong with the settings, a line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct BadSettings(pub Vec<String>);

impl Settings {
    /// Checks all settings.
    ///
    /// # Errors
    /// [`BadSettings`] with every fault.
    pub fn check(args: SettingArgs) -> Result<Settings, BadSettings> {
        let mut faults = Vec::new();
        let bind: Option<SocketAddr> = args.bind.parse().ok();
        if bind.is_none() {
            faults.push(format!(
                "--bind (ASSAY_BIND): {:?} is no address; use one like 127.0.0.1:8080",
                args.bind
            ));
        }
        let mut base = |name: &str, text: &str| match check_base_url(text) {
            Ok(url) => Some(url),
            Err(error) => {
                faults.push(format!("{name}: {error}"));
                None
            }
        };
        let base_url = args
            .base_url
            .as_deref()
            .filter(|text| !text.is_empty())
            .and_then(|text| base("--base-url (ASSAY_BASE_URL)", text));
        let base_url_aliases: Vec<String> = args
            .base_url_aliases
            .iter()
            .filter(|text| !text.is_empty())
            .filter_map(|text| base("--base-url-aliases (ASSAY_BASE_URL_ALIASES)", text))
            .collect();
        let database = match args.database_url.as_deref().filter(|text| !text.is_empty()) {
            None => Some(DatabaseSetting::Sqlite(args.data_dir.join("assay.sqlite"))),
            Some(url)
                if Url::parse(url).is_ok_and(|url| {
                    matches!(url.scheme(), "postgres" | "postgresql") && url.has_host()
                }) =>
            {
                Some(DatabaseSetting::Postgres(url.to_owned()))
            }
            Some(_) => {
                faults.push(
                    "DATABASE_URL: not a PostgreSQL URL; use postgres://user:password@host/name, or leave it out for the embedded database"
                        .to_owned(),
                );
                None
            }
        };
        let key_source = match args.key_encryption_key.as_deref().filter(|text| !text.is_empty()) {
            None => Some(KeySource::DataFolder(args.data_dir.join("key-encryption-key"))),
            Some(text) => match parse_key(text) {
                Some(key) => Some(KeySource::Value(key)),
                None if Path::new(text).is_file() => Some(KeySource::File(PathBuf::from(text))),
                None => {
                    faults.push(
                        "ASSAY_KEY_ENCRYPTION_KEY: neither 32 bytes in base64 or hexadecimal nor a file that exists".to_owned(),
                    );
                    None
                }
            },
        };
        let mail_from = args.mail_from.clone().filter(|text| !text.is_empty());
        let is_mailbox = |text: &str| text.parse::<lettre::message::Mailbox>().is_ok();
        if mail_from.as_deref().is_some_and(|text| !is_mailbox(text)) {
            faults.push("--mail-from (ASSAY_MAIL_FROM): not an e-mail address; use one like Assay <badges@example.org>".to_owned());
        }
        if args.log.parse::<tracing_subscriber::EnvFilter>().is_err() {
            faults.push(format!(
                "--log (ASSAY_LOG): {:?} is no filter; use one like info or assay=debug",
                args.log
            ));
        }
        let smtp_url = args.smtp_url.filter(|text| !text.is_empty());
        if smtp_url
            .as_deref()
            .is_some_and(|url| !(url.starts_with("smtp://") || url.starts_with("smtps://")))
        {
            faults.push(
                "--smtp-url (ASSAY_SMTP_URL): must begin with smtp:// or smtps://".to_owned(),
            );
        }
        match (bind, database, key_source) {
            (Some(bind), Some(database), Some(key_source)) if faults.is_empty() => Ok(Settings {
                data_dir: args.data_dir,
                bind,
                base_url,
                base_url_aliases,
                database,
                key_source,
                smtp_url,
                mail_from,
                log: args.log,
            }),
            _ => Err(BadSettings(faults)),
        }
    }
}

/// 32 bytes in hexadecimal or base64.
#[must_use]
pub fn parse_key(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let text = text.trim();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mut key = Zeroizing::new([0_u8; 32]);
        for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        return Some(key);
    }
    let decoded = STANDARD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .or_else(|_| URL_SAFE_NO_PAD.decode(text))
        .map(Zeroizing::new)
        .ok()?;
    let key: [u8; 32] = decoded.as_slice().try_into().ok()?;
    Some(Zeroizing::new(key))
}
