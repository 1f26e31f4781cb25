//! Passwords: argon2id behind a small gate, so that logins cannot take all memory and both cores.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::error::{Broken, Error, Fault};

/// At most so many hashes at once: 19 MiB each.
const RUNNING: usize = 2;
/// At most so many wait for their turn.
const WAITING: usize = 20;
/// For so long.
const PATIENCE: Duration = Duration::from_secs(5);
/// The shortest password (NIST SP 800-63B, 5.1.1.2, asks for 8; people may choose phrases).
const SHORTEST: usize = 10;
/// The longest, so that hashing cannot be made slow.
const LONGEST: usize = 200;

#[derive(Default)]
struct Load {
    running: usize,
    waiting: usize,
}

/// The gate. Every hash goes through it, also that of an account that does not exist.
pub struct PasswordGate {
    load: Mutex<Load>,
    freed: Condvar,
    /// The hash of a password that nobody has: checking it takes as long as checking a real one.
    decoy: String,
}

struct Turn<'a>(&'a PasswordGate);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.load.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
        self.0.freed.notify_one();
    }
}

impl PasswordGate {
    /// A gate with nobody inside.
    ///
    /// # Errors
    /// [`Error::Internal`] when hashing does not work on this machine.
    pub fn new() -> Result<PasswordGate, Error> {
        let decoy = hash_now(&super::keyring::random_token())?;
        Ok(PasswordGate { load: Mutex::default(), freed: Condvar::new(), decoy })
    }

    fn enter(&self) -> Result<Turn<'_>, Error> {
        let deadline = Instant::now() + PATIENCE;
        let mut load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        if load.running >= RUNNING && load.waiting >= WAITING {
            return Err(Error::Busy);
        }
        load.waiting += 1;
        while load.running >= RUNNING {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                load.waiting -= 1;
                return Err(Error::Busy);
            }
            load = self.freed.wait_timeout(load, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        load.waiting -= 1;
        load.running += 1;
        Ok(Turn(self))
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::Busy`] when the gate is full.
    pub fn hash(&self, password: &str) -> Result<String, Error> {
        let _turn = self.enter()?;
        hash_now(password)
    }

    /// Whether the password belongs to the hash. Without a hash it takes as long and says no.
    ///
    /// # Errors
    /// [`Error::Busy`] when the gate is full.
    pub fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, Error> {
        let _turn = self.enter()?;
        let parsed = PasswordHash::new(hash.unwrap_or(&self.decoy))
            .map_err(|_bad| Error::internal(Broken("a stored password hash cannot be read")))?;
        let is_right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
        Ok(is_right && hash.is_some())
    }
}

fn hash_now(password: &str) -> Result<String, Error> {
    let hash = Argon2::default()
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
    let detail = format!("the password needs {SHORTEST} to {LONGEST} characters; a short sentence is fine");
    Err(Error::Invalid {
        code: "password-length",
        summary: detail.clone(),
        faults: vec![Fault::new(pointer, "password-length", detail)],
    })
}
