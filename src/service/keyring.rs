//! The key-encryption key: it wraps every other key, and is never in the database.

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::domain::audit::hex;

const NONCE_BYTES: usize = 12;

/// A wrapped key that does not open: another key-encryption key, another row, or altered bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored key does not open with the key-encryption key of this installation")]
pub struct UnwrapError;

/// Wraps and unwraps keys with AES-256-GCM, and derives the secrets of mail links.
pub struct Keyring(Zeroizing<[u8; 32]>);

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(..)")
    }
}

impl Keyring {
    /// The keyring of this key-encryption key.
    #[must_use]
    pub const fn new(key: Zeroizing<[u8; 32]>) -> Keyring {
        Keyring(key)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&Key::<Aes256Gcm>::from(*self.0))
    }

    /// Wraps a key. `label` names the row it is for and is bound into the wrapping, so that rows cannot be swapped.
    ///
    /// # Errors
    /// Only where the cipher itself fails.
    pub fn wrap(&self, key: &[u8], label: &str) -> Result<Vec<u8>, UnwrapError> {
        let mut nonce = [0_u8; NONCE_BYTES];
        rand::fill(&mut nonce);
        let sealed = self
            .cipher()
            .encrypt(&Nonce::from(nonce), Payload { msg: key, aad: label.as_bytes() })
            .map_err(|_failed| UnwrapError)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Unwraps a key of any length.
    ///
    /// # Errors
    /// [`UnwrapError`].
    pub fn unwrap_bytes(
        &self,
        wrapped: &[u8],
        label: &str,
    ) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_BYTES>().ok_or(UnwrapError)?;
        self.cipher()
            .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: label.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_failed| UnwrapError)
    }

    /// Unwraps a key of 32 bytes.
    ///
    /// # Errors
    /// [`UnwrapError`].
    pub fn unwrap_key(
        &self,
        wrapped: &[u8],
        label: &str,
    ) -> Result<Zeroizing<[u8; 32]>, UnwrapError> {
        let opened = self.unwrap_bytes(wrapped, label)?;
        let key: [u8; 32] = opened.as_slice().try_into().map_err(|_length| UnwrapError)?;
        Ok(Zeroizing::new(key))
    }

    /// The secret of an invitation's link: 256 bits that follow from the key and the invitation's id.
    ///
    /// It is derived and not stored, so that the outbox holds no secret; the database keeps its SHA-256.
    #[must_use]
    pub fn invitation_token(&self, invitation: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.derive("invitation", invitation))
    }

    /// The secret of a link by which somebody adds one item to a submission: derived as that of an invitation.
    #[must_use]
    pub fn contribution_token(&self, link: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.derive("contribution", link))
    }

    /// The code that is printed for an invitee without an address: 16 letters and digits (80 bits) that follow from the key and the id, in
    /// the alphabet of Crockford's base 32, which has no I, L, O and U.
    #[must_use]
    pub fn printed_code(&self, invitee: &str) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let bytes = self.derive("printed code", invitee);
        let bits = bytes.iter().take(10).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        (0..16)
            .rev()
            .map(|place| {
                let index = usize::try_from(bits >> (5 * place) & 31).unwrap_or(0);
                char::from(ALPHABET[index])
            })
            .collect()
    }

    /// A number from 0 to 9,999 that follows from the key and the submission's id: the same whenever it is asked, and nobody's to guess.
    #[must_use]
    pub fn draw(&self, submission: &str) -> u16 {
        let bytes = self.derive("draw", submission);
        let number = bytes.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        u16::try_from(number % 10_000).unwrap_or(0)
    }

    fn derive(&self, purpose: &str, id: &str) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_slice()) else {
            // HMAC takes keys of every length.
            return [0; 32];
        };
        mac.update(b"assay ");
        mac.update(purpose.as_bytes());
        mac.update(b"\0");
        mac.update(id.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// A new random secret of 256 bits, for a person to send back.
#[must_use]
pub fn random_token() -> String {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is stored of a secret. Looking a row up by this hash compares no secret byte by byte.
#[must_use]
pub fn token_sha256(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}
