//! Opens everything that a use case runs with.

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::{Arc, RwLock};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::config::{KeySource, Settings, parse_key};
use crate::fetch::{Client, FetchPolicy};
use crate::files::{EvidenceStore, Stripper};
use crate::mail::Mailer;
use crate::service::Resources;
use crate::service::context::system_clock;
use crate::service::keyring::Keyring;
use crate::service::outbox::message_host;
use crate::service::passwords::Passwords;
use crate::service::tokens::TokenKeys;
use crate::store::{self, Database};

/// Opens the database, brings its tables up to date and opens everything beside it.
///
/// # Errors
/// Whatever cannot be opened, in words for the operator.
pub fn open(settings: &Settings) -> anyhow::Result<Resources> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&settings.data_dir)
        .with_context(|| {
            format!("the data folder {} cannot be made", settings.data_dir.display())
        })?;
    let database = Database::open(settings.database.clone())?;
    let n_migrations = database.migrate()?;
    if n_migrations > 0 {
        tracing::info!(migrations = n_migrations, "tables brought up to date");
    }
    let installation = store::installation::find(&mut *database.connection()?)?;
    let keyring = Keyring::new(load_key(&settings.key_source, installation.is_some())?);
    let base_url = installation.as_ref().map(|installation| installation.base_url.as_str());
    let mail_from = settings.mail_from.clone().unwrap_or_else(|| {
        let host = base_url.or(settings.base_url.as_deref()).map(message_host);
        // An address by number has no mailbox without brackets; such an installation is for trying things out.
        let name = host
            .filter(|host| host.contains(|c: char| c.is_ascii_alphabetic()) && !host.contains(':'));
        format!("Assay <no-reply@{}>", name.unwrap_or_else(|| "localhost".to_owned()))
    });
    let resources = Resources {
        evidence: EvidenceStore::open(settings.data_dir.join("evidence"))?,
        stripper: Stripper::new(
            std::env::current_exe().context("the program cannot find its own file")?,
        ),
        data_dir: settings.data_dir.clone(),
        keyring,
        mailer: Mailer::from_setting(
            settings.smtp_url.as_deref(),
            &settings.data_dir.join("mail"),
            &mail_from,
        )?,
        fetch: Client::new(FetchPolicy::default())?,
        passwords: Passwords::new()?,
        denials: crate::service::audit::DenialCounts::default(),
        token_keys: RwLock::new(TokenKeys::default()),
        base_url_aliases: settings.base_url_aliases.clone(),
        clock: system_clock(),
        at_boundary: Arc::new(|_| ()),
        database,
    };
    if installation.is_some() {
        // Tells now, and not at the first sign-in, when the key-encryption key is another one.
        resources
            .as_system(|cx| crate::service::tokens::ensure_key(cx.conn, cx.resources, cx.now))
            .context("the keys in the database do not open with ASSAY_KEY_ENCRYPTION_KEY")?;
    }
    Ok(resources)
}

/// Reads the key-encryption key, or makes it on the very first start.
fn load_key(source: &KeySource, is_initialized: bool) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    match source {
        KeySource::Value(key) => Ok(key.clone()),
        KeySource::File(path) => read_key(path),
        KeySource::DataFolder(path) if path.exists() => read_key(path),
        KeySource::DataFolder(path) if is_initialized => bail!(
            "the key-encryption key {} is missing, and without it nothing in the database opens; restore it from the backup",
            path.display()
        ),
        KeySource::DataFolder(path) => make_key(path),
    }
}

fn read_key(path: &Path) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let text =
        Zeroizing::new(std::fs::read_to_string(path).with_context(|| {
            format!("the key-encryption key {} cannot be read", path.display())
        })?);
    parse_key(&text).with_context(|| {
        format!("{} does not hold 32 bytes in base64 or hexadecimal", path.display())
    })
}

fn make_key(path: &Path) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0_u8; 32]);
    rand::fill(key.as_mut_slice());
    let text = Zeroizing::new(STANDARD.encode(key.as_slice()));
    // Written beside its place and moved there whole: a stop in between must not leave half a key. The file is the owner's alone.
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let cannot = || format!("the key-encryption key {} cannot be written", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    writeln!(file, "{}", text.as_str())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).with_context(cannot)?;
    std::fs::File::open(folder)?.sync_all()?;
    tracing::info!(
        "a key-encryption key was made in the data folder; back it up apart from the database"
    );
    Ok(key)
}
