//! One stored file on its way out.

use std::fs::File;
use std::io::{self, Read};

use crate::files::incoming::{FORM, associated_data};
use crate::files::seal::{CHUNK_BYTES, ChunkCipher, ChunkError, DataKey, PREFIX_BYTES, TAG_BYTES};
use crate::files::store::{FilesError, StorageName};

/// A stored file's content, chunk by chunk, as an iterator or through [`Read`].
///
/// Every chunk is authenticated before it is given out. That the file goes on to its true end is
/// known only at the end: an error there means that what came before was cut short. After an error
/// or the end nothing more comes.
pub struct EvidenceReader {
    file: File,
    cipher: ChunkCipher,
    /// The next chunk as it is stored; empty at the end.
    next: Vec<u8>,
    is_done: bool,
    /// What [`Read`] has not yet given out of the current chunk, and from where.
    current: Vec<u8>,
    position: usize,
}

impl EvidenceReader {
    pub(super) fn new(
        name: &StorageName,
        mut file: File,
        key: &DataKey,
    ) -> Result<EvidenceReader, FilesError> {
        let mut header = [0; FORM.len() + PREFIX_BYTES];
        file.read_exact(&mut header).map_err(unless_short)?;
        let (form, prefix) = header.split_first_chunk().ok_or(FilesError::Unauthentic)?;
        let prefix: &[u8; PREFIX_BYTES] = prefix.first_chunk().ok_or(FilesError::Unauthentic)?;
        if form != FORM {
            return Err(FilesError::Unauthentic);
        }
        let cipher = ChunkCipher::new(key, *prefix, associated_data(name));
        let mut reader = EvidenceReader {
            file,
            cipher,
            next: Vec::new(),
            is_done: false,
            current: Vec::new(),
            position: 0,
        };
        reader.next = reader.read_stored().map_err(FilesError::io("read a file"))?;
        Ok(reader)
    }

    fn next_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.is_done {
            return Ok(None);
        }
        self.is_done = true;
        let following = self.read_stored()?;
        let mut chunk = std::mem::replace(&mut self.next, following);
        let is_last = self.next.is_empty();
        self.cipher.open(&mut chunk, is_last).map_err(|ChunkError| {
            io::Error::new(io::ErrorKind::InvalidData, FilesError::Unauthentic)
        })?;
        self.is_done = is_last;
        Ok(Some(chunk))
    }

    fn read_stored(&mut self) -> io::Result<Vec<u8>> {
        let mut stored = Vec::with_capacity(CHUNK_BYTES + TAG_BYTES);
        let most = u64::try_from(CHUNK_BYTES + TAG_BYTES).unwrap_or(u64::MAX);
        (&mut self.file).take(most).read_to_end(&mut stored)?;
        Ok(stored)
    }
}

impl Iterator for EvidenceReader {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        self.next_chunk().transpose()
    }
}

impl Read for EvidenceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.current.len() {
            self.current = self.next_chunk()?.unwrap_or_default();
            self.position = 0;
        }
        let rest = &self.current[self.position..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.position += length;
        Ok(length)
    }
}

fn unless_short(error: io::Error) -> FilesError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        FilesError::Unauthentic
    } else {
        FilesError::io("read a file")(error)
    }
}
