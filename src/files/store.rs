//! The folder of evidence files: names, errors, opening, removing and sweeping.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::TempPath;

use crate::domain::audit::hex;
use crate::files::incoming::{Incoming, Limits};
use crate::files::reader::EvidenceReader;
use crate::files::seal::DataKey;

/// Bytes of randomness in a storage name.
const NAME_BYTES: usize = 16;

/// Evidence files under one folder.
///
/// `incoming/` holds what is still being written, `sealed/` what is complete. Only the service's
/// own account can read either, and everything in them is encrypted.
#[derive(Clone, Debug)]
pub struct EvidenceStore {
    incoming: PathBuf,
    sealed: PathBuf,
}

impl EvidenceStore {
    /// Opens the store in this folder, and makes what is missing of it.
    pub fn open(root: PathBuf) -> Result<EvidenceStore, FilesError> {
        let store = EvidenceStore { incoming: root.join("incoming"), sealed: root.join("sealed") };
        for folder in [&store.incoming, &store.sealed] {
            make_private_folder(folder).map_err(FilesError::io("make its folders"))?;
        }
        sync_folder(&root).map_err(FilesError::io("make its folders"))?;
        Ok(store)
    }

    /// Begins to receive a file for the submission with this key.
    pub fn begin(&self, key: &DataKey, limits: Limits) -> Result<Incoming, FilesError> {
        let name = StorageName::random();
        let path = self.incoming.join(name.as_str());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(FilesError::io("begin a file"))?;
        let temp = TempPath::try_from_path(path).map_err(FilesError::io("begin a file"))?;
        Incoming::new(name, file, temp, self.sealed.clone(), key, limits)
    }

    /// Opens a stored file for reading.
    ///
    /// Fails with [`FilesError::NotFound`] when there is no such file, and with
    /// [`FilesError::Unauthentic`] when its header is not one of ours. Another key shows at the
    /// first chunk.
    pub fn open_file(
        &self,
        name: &StorageName,
        key: &DataKey,
    ) -> Result<EvidenceReader, FilesError> {
        match File::open(self.sealed.join(name.as_str())) {
            Ok(file) => EvidenceReader::new(name, file, key),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(FilesError::NotFound),
            Err(error) => Err(FilesError::io("open a file")(error)),
        }
    }

    /// Removes a stored file. Returns whether there was one.
    pub fn remove(&self, name: &StorageName) -> Result<bool, FilesError> {
        match fs::remove_file(self.sealed.join(name.as_str())) {
            Ok(()) => {
                sync_folder(&self.sealed).map_err(FilesError::io("remove a file"))?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(FilesError::io("remove a file")(error)),
        }
    }

    /// Removes files that nothing refers to: unfinished ones, and stored ones that are not `known`.
    ///
    /// Only files last written before `older_than` are looked at. Between [`Incoming::finish`] and
    /// the commit of its row a file is not known yet, so leave at least the longest upload's time.
    /// Files with foreign names are counted and left alone.
    pub fn sweep(
        &self,
        known: &dyn Fn(&StorageName) -> bool,
        older_than: SystemTime,
    ) -> Result<SweepReport, FilesError> {
        let mut report = SweepReport::default();
        for (folder, is_sealed) in [(&self.incoming, false), (&self.sealed, true)] {
            for entry in fs::read_dir(folder).map_err(FilesError::io("list its files"))? {
                let entry = entry.map_err(FilesError::io("list its files"))?;
                let Some(name) =
                    entry.file_name().to_str().and_then(|name| StorageName::parse(name).ok())
                else {
                    report.foreign += 1;
                    continue;
                };
                if !is_older(&entry, older_than)? || (is_sealed && known(&name)) {
                    continue;
                }
                match fs::remove_file(entry.path()) {
                    Ok(()) if is_sealed => report.removed_orphans += 1,
                    Ok(()) => report.removed_unfinished += 1,
                    // Its upload ended in the meantime, one way or the other.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(FilesError::io("remove a file")(error)),
                }
            }
            sync_folder(folder).map_err(FilesError::io("remove a file"))?;
        }
        Ok(report)
    }

    /// Those of the names that have no stored file.
    pub fn missing(&self, names: &[StorageName]) -> Result<Vec<StorageName>, FilesError> {
        let mut missing = Vec::new();
        for name in names {
            if !self
                .sealed
                .join(name.as_str())
                .try_exists()
                .map_err(FilesError::io("look for a file"))?
            {
                missing.push(name.clone());
            }
        }
        Ok(missing)
    }
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Stored files that no row names, removed.
    pub removed_orphans: usize,
    /// Uploads that never ended, removed.
    pub removed_unfinished: usize,
    /// Files whose names are not ours, left alone.
    pub foreign: usize,
}

/// The name of a stored file: random, and unrelated to what the sender called it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageName(String);

impl StorageName {
    /// Reads a name as it was stored in a row.
    ///
    /// A name is 32 lower-case hexadecimal digits, so it can never lead out of its folder.
    pub fn parse(name: &str) -> Result<StorageName, StorageNameError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if name.len() == 2 * NAME_BYTES && name.bytes().all(is_digit) {
            Ok(StorageName(name.to_owned()))
        } else {
            Err(StorageNameError)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn random() -> StorageName {
        let mut bytes = [0; NAME_BYTES];
        rand::fill(&mut bytes);
        StorageName(hex(&bytes))
    }
}

impl std::fmt::Display for StorageName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is not the name of a stored file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a stored file")]
pub struct StorageNameError;

/// Why the evidence store cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The file system failed.
    #[error("the evidence store could not {doing}")]
    Io {
        /// What the store was about to do.
        doing: &'static str,
        /// The file system's answer.
        #[source]
        source: io::Error,
    },
    /// The file has more bytes than its kind may have.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes that such a file may have.
        limit: u64,
    },
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The content is not of an accepted kind, or not of the kind its name claims.
    #[error(
        "the content is {found} and the name says {}; accepted are {}",
        .named.unwrap_or("nothing known"),
        .allowed.join(", ")
    )]
    UnsupportedType {
        /// What the content is, in words or as a media type.
        found: &'static str,
        /// The media type that the ending of the name stands for.
        named: Option<&'static str>,
        /// The media types that are accepted here.
        allowed: Vec<String>,
    },
    /// An earlier write of the same file failed.
    #[error("an earlier part of the file could not be stored")]
    Interrupted,
    /// There is no stored file of this name.
    #[error("there is no such file")]
    NotFound,
    /// The stored bytes do not belong to this key and name, or were altered.
    #[error("the stored file does not belong to this key and name, or was altered")]
    Unauthentic,
}

impl FilesError {
    pub(super) fn io(doing: &'static str) -> impl Fn(io::Error) -> FilesError {
        move |source| FilesError::Io { doing, source }
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // One that was there already may be open to others.
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

fn is_older(entry: &fs::DirEntry, than: SystemTime) -> Result<bool, FilesError> {
    match entry.metadata().and_then(|metadata| metadata.modified()) {
        Ok(modified) => Ok(modified < than),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FilesError::io("look at a file")(error)),
    }
}
