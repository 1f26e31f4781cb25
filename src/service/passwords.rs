//! Passwords: argon2id, with a bound on wrong ones. How many are hashed at once is bounded before the door, in `http`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use chrono::TimeDelta;

use super::error::{Broken, Error, Fault};
use crate::domain::timestamp::Timestamp;

/// So many wrong passwords for one address …
const WRONG: u32 = 30;
/// … in so long, then nothing is tried for the rest of it.
const WINDOW: TimeDelta = TimeDelta::minutes(5);
/// How many addresses are watched at a time.
const WATCHED: usize = 10_000;
/// The shortest password (NIST SP 800-63B, 5.1.1.2, asks for 8; people may choose phrases).
const SHORTEST: usize = 10;
/// The longest, so that hashing cannot be made slow.
const LONGEST: usize = 200;

/// Checks and hashes passwords.
pub struct Passwords {
    /// With what new passwords are hashed. A stored hash says itself with what it was made.
    hasher: Argon2<'static>,
    /// The hash of a password that nobody has: checking it takes as long as checking a real one.
    decoy: String,
    /// Wrong passwords by hashed address, known or not, since when.
    wrong: Mutex<HashMap<String, (Timestamp, u32)>>,
}

impl Passwords {
    /// Nothing wrong yet, and 19 MiB and two passes for each hash.
    ///
    /// # Errors
    /// [`Error::Internal`] when hashing does not work on this machine.
    pub fn new() -> Result<Passwords, Error> {
        Passwords::with_params(Params::DEFAULT)
    }

    /// The same at another cost: tests that sign thousands of people in take the least.
    ///
    /// # Errors
    /// [`Error::Internal`] when hashing does not work on this machine.
    pub fn with_params(params: Params) -> Result<Passwords, Error> {
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash_with(&hasher, &super::keyring::random_token())?;
        Ok(Passwords { hasher, decoy, wrong: Mutex::default() })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::Internal`] when hashing fails.
    pub fn hash(&self, password: &str) -> Result<String, Error> {
        hash_with(&self.hasher, password)
    }

    /// Whether the password belongs to the hash. Without a hash it takes as long and says no.
    ///
    /// # Errors
    /// [`Error::Internal`] when the stored hash cannot be read.
    pub fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, Error> {
        let parsed = PasswordHash::new(hash.unwrap_or(&self.decoy))
            .map_err(|_bad| Error::internal(Broken("a stored password hash cannot be read")))?;
        let is_right = self.hasher.verify_password(password.as_bytes(), &parsed).is_ok();
        Ok(is_right && hash.is_some())
    }

    /// Refuses an address whose passwords were wrong too often, whether there is such an account or not.
    ///
    /// # Errors
    /// [`Error::TooManyTries`].
    pub fn require_patience(&self, address: &str, now: Timestamp) -> Result<(), Error> {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        match wrong.get(&super::keyring::token_sha256(address)) {
            Some((since, count)) if *count >= WRONG && since.plus(WINDOW) > now => {
                let left = (since.plus(WINDOW).as_utc() - now.as_utc()).num_seconds();
                Err(Error::TooManyTries { seconds: u32::try_from(left).unwrap_or(1).max(1) })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Remembers a wrong password, or forgets the wrong ones after a right one.
    pub fn record(&self, address: &str, is_right: bool, now: Timestamp) {
        let key = super::keyring::token_sha256(address);
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if is_right {
            wrong.remove(&key);
            return;
        }
        if wrong.len() >= WATCHED {
            wrong.retain(|_, (since, _)| since.plus(WINDOW) > now);
        }
        if wrong.len() >= WATCHED {
            return;
        }
        let entry = wrong.entry(key).or_insert((now, 0));
        if entry.0.plus(WINDOW) <= now {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

fn hash_with(hasher: &Argon2<'_>, password: &str) -> Result<String, Error> {
    let hash = hasher
        .hash_password(password.as_bytes())
        .map_err(|_failed| Error::internal(Broken("a password could not be hashed")))?;
    Ok(hash.to_string())
}

/// Refuses a password that is too short or too long.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_new(password: &str, pointer: &str) -> Result<(), Error> {
    let length = password.chars().count();
    if (SHORTEST..=LONGEST).contains(&length) {
        return Ok(());
    }
    let detail =
        format!("the password needs {SHORTEST} to {LONGEST} characters; a short sentence is fine");
    Err(Error::Invalid {
        code: "password-length",
        summary: detail.clone(),
        faults: vec![Fault::new(pointer, "password-length", detail)],
    })
}
