//! One file on its way in.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tempfile::TempPath;

use crate::domain::audit::hex;
use crate::files::media::{limit_for, media_type_for_name, sniff};
use crate::files::seal::{CHUNK_BYTES, ChunkCipher, ChunkError, DataKey, PREFIX_BYTES, TAG_BYTES};
use crate::files::store::{FilesError, StorageName, sync_folder};
use crate::files::text::TextCheck;

/// The most bytes of a video: 2 GiB.
pub const VIDEO_LIMIT: u64 = 2 * 1024 * 1024 * 1024;
/// The most bytes of anything else: 100 MiB.
pub const OTHER_LIMIT: u64 = 100 * 1024 * 1024;

/// How many first bytes decide what a file is.
const HEAD_BYTES: usize = 4096;
/// The start of every stored file: the form of what follows.
pub(super) const FORM: &[u8; 4] = b"ASE1";

/// The most bytes a file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a video.
    pub video: u64,
    /// For anything else.
    pub other: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { video: VIDEO_LIMIT, other: OTHER_LIMIT }
    }
}

/// A file that is complete and safely on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where it is.
    pub storage_name: StorageName,
    /// SHA-256 of the content as it was sent, in lower-case hexadecimal digits.
    pub sha256: String,
    /// Bytes of the content as it was sent.
    pub size: u64,
    /// What it is, by its content and its name.
    pub media_type: &'static str,
}

/// A file that is being received.
///
/// Nothing of it is ever whole in memory or unencrypted on disk. Dropped before
/// [`Incoming::finish`], it leaves nothing behind.
pub struct Incoming {
    name: StorageName,
    file: File,
    temp: TempPath,
    sealed: PathBuf,
    cipher: ChunkCipher,
    limits: Limits,
    /// The limit of what the head shows, once there is enough of it.
    limit: Option<u64>,
    head: Vec<u8>,
    chunk: Vec<u8>,
    hasher: Sha256,
    text: TextCheck,
    size: u64,
    state: State,
}

/// Whether what was written so far can still become a file.
#[derive(Clone, Copy)]
enum State {
    Sound,
    TooLarge { limit: u64 },
    Failed,
}

impl Incoming {
    pub(super) fn new(
        name: StorageName,
        mut file: File,
        temp: TempPath,
        sealed: PathBuf,
        key: &DataKey,
        limits: Limits,
    ) -> Result<Incoming, FilesError> {
        let mut prefix = [0; PREFIX_BYTES];
        rand::fill(&mut prefix);
        file.write_all(FORM)
            .and_then(|()| file.write_all(&prefix))
            .map_err(FilesError::io("begin a file"))?;
        let cipher = ChunkCipher::new(key, prefix, associated_data(&name));
        Ok(Incoming {
            name,
            file,
            temp,
            sealed,
            cipher,
            limits,
            limit: None,
            head: Vec::with_capacity(HEAD_BYTES),
            chunk: Vec::with_capacity(CHUNK_BYTES + TAG_BYTES),
            hasher: Sha256::new(),
            text: TextCheck::new(),
            size: 0,
            state: State::Sound,
        })
    }

    /// Takes the next bytes of the file.
    ///
    /// Fails with [`FilesError::TooLarge`] as soon as there are more than the limit. The limit of
    /// the file's kind applies once 4 KiB are seen, the larger of the two until then. After a
    /// failure the file cannot be finished.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        self.check_state()?;
        let result = self.take(bytes);
        if let Err(error) = &result {
            self.state = match error {
                &FilesError::TooLarge { limit } => State::TooLarge { limit },
                FilesError::Io { .. }
                | FilesError::Empty
                | FilesError::UnsupportedType { .. }
                | FilesError::Interrupted
                | FilesError::NotFound
                | FilesError::Unauthentic => State::Failed,
            };
        }
        result
    }

    /// Ends the file, and returns once it and its name are safely on disk.
    ///
    /// `declared_file_name` is used for its ending alone, which has to agree with the content, and
    /// the media type they agree on has to be one of `allowed`; else
    /// [`FilesError::UnsupportedType`]. Fails also with [`FilesError::Empty`] and
    /// [`FilesError::TooLarge`]. A failure removes what was written.
    pub fn finish(
        mut self,
        declared_file_name: &str,
        allowed: &[&str],
    ) -> Result<Stored, FilesError> {
        self.check_state()?;
        if self.size == 0 {
            return Err(FilesError::Empty);
        }
        let media_type = self.media_type(declared_file_name, allowed)?;
        let limit = limit_for(media_type, self.limits);
        if self.size > limit {
            return Err(FilesError::TooLarge { limit });
        }
        self.write_chunk(true)?;
        self.file.sync_all().map_err(FilesError::io("finish a file"))?;
        self.temp
            .persist(self.sealed.join(self.name.as_str()))
            .map_err(|error| FilesError::io("finish a file")(error.error))?;
        sync_folder(&self.sealed).map_err(FilesError::io("finish a file"))?;
        Ok(Stored {
            storage_name: self.name,
            sha256: hex(&self.hasher.finalize()),
            size: self.size,
            media_type,
        })
    }

    fn check_state(&self) -> Result<(), FilesError> {
        match self.state {
            State::Sound => Ok(()),
            State::TooLarge { limit } => Err(FilesError::TooLarge { limit }),
            State::Failed => Err(FilesError::Interrupted),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        let most = self.limit.unwrap_or(self.limits.video.max(self.limits.other));
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.size > most {
            return Err(FilesError::TooLarge { limit: most });
        }
        let wanted = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..wanted]);
        self.text.update(bytes);
        if self.limit.is_none() && self.head.len() == HEAD_BYTES {
            let limit = sniff(&self.head, self.text.may_be_text()).limit(self.limits);
            self.limit = Some(limit);
            if self.size > limit {
                return Err(FilesError::TooLarge { limit });
            }
        }
        self.hasher.update(bytes);
        let mut rest = bytes;
        while !rest.is_empty() {
            // A full chunk waits for more, since the last one carries a mark.
            if self.chunk.len() == CHUNK_BYTES {
                self.write_chunk(false)?;
            }
            let (now, later) = rest.split_at(rest.len().min(CHUNK_BYTES - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            rest = later;
        }
        Ok(())
    }

    fn media_type(&self, file_name: &str, allowed: &[&str]) -> Result<&'static str, FilesError> {
        let found = sniff(&self.head, self.text.is_text());
        let named = media_type_for_name(file_name);
        named
            .filter(|named| found.candidates.contains(named) && allowed.contains(named))
            .ok_or_else(|| FilesError::UnsupportedType {
                found: found.label,
                named,
                allowed: allowed.iter().map(|&media_type| media_type.to_owned()).collect(),
            })
    }

    fn write_chunk(&mut self, is_last: bool) -> Result<(), FilesError> {
        self.cipher.seal(&mut self.chunk, is_last).map_err(|ChunkError| FilesError::Interrupted)?;
        self.file.write_all(&self.chunk).map_err(FilesError::io("write a file"))?;
        self.chunk.clear();
        Ok(())
    }
}

/// What every chunk is bound to, so that one file cannot stand in for another under the same key.
pub(super) fn associated_data(name: &StorageName) -> Vec<u8> {
    [FORM.as_slice(), name.as_str().as_bytes()].concat()
}
