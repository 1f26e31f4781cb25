//! Passwords: argon2id behind a small gate, so that logins cannot take all memory and both cores.

use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::error::{Broken, Error, Fault};
use super::gate::{Gate, Turn};

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

/// The gate. Every hash goes through it, also that of an account that does not exist.
pub struct PasswordGate {
    gate: Gate,
    /// Before whole sign-ins, so that those who wait for a hash do not hold a database connection meanwhile.
    door: Gate,
    /// The hash of a password that nobody has: checking it takes as long as checking a real one.
    decoy: String,
}

impl PasswordGate {
    /// A gate with nobody inside.
    ///
    /// # Errors
    /// [`Error::Internal`] when hashing does not work on this machine.
    pub fn new() -> Result<PasswordGate, Error> {
        let decoy = hash_now(&super::keyring::random_token())?;
        let gate = || Gate::new(RUNNING, WAITING, PATIENCE);
        Ok(PasswordGate { gate: gate(), door: gate(), decoy })
    }

    /// Waits outside, before anything else is taken, for a request that is going to hash a password.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait.
    pub fn wait(&self) -> Result<Turn<'_>, Error> {
        self.door.enter()
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::Busy`] when the gate is full.
    pub fn hash(&self, password: &str) -> Result<String, Error> {
        let _turn = self.gate.enter()?;
        hash_now(password)
    }

    /// Whether the password belongs to the hash. Without a hash it takes as long and says no.
    ///
    /// # Errors
    /// [`Error::Busy`] when the gate is full.
    pub fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, Error> {
        let _turn = self.gate.enter()?;
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
    let detail =
        format!("the password needs {SHORTEST} to {LONGEST} characters; a short sentence is fine");
    Err(Error::Invalid {
        code: "password-length",
        summary: detail.clone(),
        faults: vec![Fault::new(pointer, "password-length", detail)],
    })
}
