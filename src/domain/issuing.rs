//! How an organization issues: under which identifier, with which keys, and how it publishes the end of a badge (BADGES.md).

worded_enum! {
    /// What a signing key signs with.
    KeyAlgorithm {
        /// Ed25519: embedded proofs, and JWTs where that is chosen.
        EdDsa = "EdDSA",
        /// ECDSA on P-256: JWTs.
        Es256 = "ES256",
        /// RSA: JWTs, the form that most verifiers read.
        Rs256 = "RS256",
    }
}

worded_enum! {
    /// Where a signing key stands.
    KeyState {
        /// It can sign; the newest one of its algorithm does.
        Active = "active",
        /// It signs no more; what it signed stays valid.
        Retired = "retired",
        /// Somebody else may have it: nothing that it signed is believed any more.
        Compromised = "compromised",
    }
}

worded_enum! {
    /// What can happen to a signing key.
    KeyEvent {
        /// Takes it out of use.
        Retire = "retire",
        /// Gives it up.
        Compromise = "compromise",
    }
}

impl KeyState {
    /// What may happen in this state.
    #[must_use]
    pub const fn allowed_events(self) -> &'static [KeyEvent] {
        match self {
            KeyState::Active => &[KeyEvent::Retire, KeyEvent::Compromise],
            KeyState::Retired => &[KeyEvent::Compromise],
            KeyState::Compromised => &[],
        }
    }

    /// Refuses an event that is not legal here.
    ///
    /// # Errors
    /// [`WrongKeyState`] with the state and the event.
    pub fn require(self, event: KeyEvent) -> Result<(), WrongKeyState> {
        if self.allowed_events().contains(&event) {
            Ok(())
        } else {
            Err(WrongKeyState { state: self, event })
        }
    }
}

/// An event that a key's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a signing key that is {state} cannot take {event}")]
pub struct WrongKeyState {
    /// The state it is in.
    pub state: KeyState,
    /// What was asked.
    pub event: KeyEvent,
}

worded_enum! {
    /// What kind of identifier an issuer has.
    IdentifierMethod {
        /// The https address of its profile.
        Https = "https",
        /// A `did:web` at the same address.
        DidWeb = "did_web",
        /// A `did:key`: the key is the identifier, so that a new key is a new issuer.
        DidKey = "did_key",
    }
}

worded_enum! {
    /// How the end of a badge is published.
    StatusMethod {
        /// One bitstring entry; a suspended badge shows as revoked to others until it is reinstated.
        Bitstring = "bitstring",
        /// Two bitstring entries, so that everybody can tell a suspension from a revocation.
        BitstringWithSuspension = "bitstring_with_suspension",
        /// The list of 1EdTech, which names revoked badges.
        RevocationList = "revocation_list",
    }
}

worded_enum! {
    /// What a set bit of a status list means.
    ListPurpose {
        /// Withdrawn for ever.
        Revocation = "revocation",
        /// Withdrawn for now.
        Suspension = "suspension",
    }
}

/// The settings of one issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuerSettings {
    /// Its kind of identifier.
    pub identifier: IdentifierMethod,
    /// The algorithm of its JWTs.
    pub jwt_algorithm: KeyAlgorithm,
    /// How its badges end in public.
    pub status_method: StatusMethod,
    /// Counts the changes; 0 where nobody has ever set anything.
    pub revision: i32,
}

impl IssuerSettings {
    /// What holds until somebody sets something else: what the most verifiers accept.
    pub const DEFAULT: IssuerSettings = IssuerSettings {
        identifier: IdentifierMethod::Https,
        jwt_algorithm: KeyAlgorithm::Rs256,
        status_method: StatusMethod::Bitstring,
        revision: 0,
    };

    /// Checks that the settings go together.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn check(self) -> Result<IssuerSettings, SettingsError> {
        if self.identifier == IdentifierMethod::DidKey && self.jwt_algorithm != KeyAlgorithm::EdDsa
        {
            return Err(SettingsError::DidKeyAlgorithm);
        }
        if self.identifier != IdentifierMethod::Https
            && self.status_method == StatusMethod::RevocationList
        {
            return Err(SettingsError::RevocationListHost);
        }
        Ok(self)
    }
}

/// Why settings do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A `did:key` is one Ed25519 key.
    #[error(
        "an issuer whose identifier is did_key signs JWTs with the same key: set jwt_algorithm to EdDSA"
    )]
    DidKeyAlgorithm,
    /// The list is not signed: only the host of the issuer's own address speaks for it.
    #[error(
        "a revocation list is believed because it lies on the issuer's own host, so it needs the identifier https"
    )]
    RevocationListHost,
}
