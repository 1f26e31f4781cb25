//! Data keys, and sealing with them: whole small values, or one chunk of a file.
//!
//! The cipher is AES-256-GCM. Files use the STREAM construction (Hoang, Reyhanitabar, Rogaway and
//! Vizár, 2015): the nonce of a chunk is the file's random prefix, the chunk's number and a mark on
//! the last chunk, so that chunks cannot be reordered, repeated, left out or cut off unnoticed.

use std::fmt;

use aes_gcm::aead::{Aead, AeadInOut, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use zeroize::Zeroizing;

/// Plaintext bytes in a full chunk of a file.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes that the authentication tag adds to a chunk.
pub(super) const TAG_BYTES: usize = 16;
/// Bytes of a file's random nonce prefix.
pub(super) const PREFIX_BYTES: usize = 7;

const NONCE_BYTES: usize = 12;
/// First byte of a sealed value: the form of what follows.
const SEALED_VERSION: u8 = 1;
/// Keeps sealed values apart from file chunks, which use the same key.
const SEALED_CONTEXT: &[u8] = b"assay sealed value 1\0";

/// The key that encrypts one submission's evidence.
///
/// It is wiped when dropped and never shown. The caller wraps it for storage.
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// A new random key.
    pub fn random() -> DataKey {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(bytes.as_mut_slice());
        DataKey(bytes)
    }

    /// The key with these bytes, as they came out of their wrapping.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> DataKey {
        DataKey(bytes)
    }

    /// The bytes of the key, to be wrapped and nothing else.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&Key::<Aes256Gcm>::from(*self.0))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

/// Why a small value could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The cipher cannot take a value of this size.
    #[error("the value is too large to be sealed")]
    TooLarge,
    /// Another key, another context, or altered bytes.
    #[error("the sealed value does not belong to this key and context, or was altered")]
    Unauthentic,
}

/// Seals a small value, such as a text answer, under a submission's key.
///
/// `context` says what the value is and whom it belongs to; it is not stored, and
/// [`open_bytes`] needs the same. Two seals of one value differ.
///
/// Fails with [`SealError::TooLarge`] beyond the cipher's 64 GiB.
pub fn seal_bytes(key: &DataKey, plaintext: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE_BYTES];
    rand::fill(&mut nonce);
    let payload = Payload { msg: plaintext, aad: &sealed_context(context) };
    let ciphertext = key
        .cipher()
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|aes_gcm::Error| SealError::TooLarge)?;
    let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + ciphertext.len());
    sealed.push(SEALED_VERSION);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

/// Opens what [`seal_bytes`] made.
///
/// Fails with [`SealError::Unauthentic`] for another key, another context or altered bytes.
pub fn open_bytes(key: &DataKey, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
    let (&version, rest) = sealed.split_first().ok_or(SealError::Unauthentic)?;
    let (nonce, ciphertext) =
        rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Unauthentic)?;
    if version != SEALED_VERSION {
        return Err(SealError::Unauthentic);
    }
    let payload = Payload { msg: ciphertext, aad: &sealed_context(context) };
    key.cipher()
        .decrypt(&Nonce::from(*nonce), payload)
        .map_err(|aes_gcm::Error| SealError::Unauthentic)
}

fn sealed_context(context: &[u8]) -> Vec<u8> {
    [SEALED_CONTEXT, context].concat()
}

/// Seals or opens the chunks of one file, in order.
pub(super) struct ChunkCipher {
    cipher: Aes256Gcm,
    prefix: [u8; PREFIX_BYTES],
    associated: Vec<u8>,
    /// The number of the next chunk; `None` once the numbers have run out.
    counter: Option<u32>,
}

/// A chunk that cannot be sealed or that is not what was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkError;

impl ChunkCipher {
    /// Starts at the first chunk. `associated` is what every chunk is bound to.
    pub(super) fn new(
        key: &DataKey,
        prefix: [u8; PREFIX_BYTES],
        associated: Vec<u8>,
    ) -> ChunkCipher {
        ChunkCipher { cipher: key.cipher(), prefix, associated, counter: Some(0) }
    }

    /// Turns the plaintext in `buffer` into ciphertext and tag.
    pub(super) fn seal(&mut self, buffer: &mut Vec<u8>, is_last: bool) -> Result<(), ChunkError> {
        let nonce = self.next_nonce(is_last)?;
        self.cipher
            .encrypt_in_place(&Nonce::from(nonce), &self.associated, buffer)
            .map_err(|aes_gcm::Error| ChunkError)
    }

    /// Turns the ciphertext and tag in `buffer` into plaintext.
    pub(super) fn open(&mut self, buffer: &mut Vec<u8>, is_last: bool) -> Result<(), ChunkError> {
        let nonce = self.next_nonce(is_last)?;
        self.cipher
            .decrypt_in_place(&Nonce::from(nonce), &self.associated, buffer)
            .map_err(|aes_gcm::Error| ChunkError)
    }

    fn next_nonce(&mut self, is_last: bool) -> Result<[u8; NONCE_BYTES], ChunkError> {
        let counter = self.counter.ok_or(ChunkError)?;
        self.counter = counter.checked_add(1);
        let mut nonce = [0; NONCE_BYTES];
        nonce[..PREFIX_BYTES].copy_from_slice(&self.prefix);
        nonce[PREFIX_BYTES..NONCE_BYTES - 1].copy_from_slice(&counter.to_be_bytes());
        nonce[NONCE_BYTES - 1] = u8::from(is_last);
        Ok(nonce)
    }
}
