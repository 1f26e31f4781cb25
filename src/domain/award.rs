//! The life of an award (DOMAIN.md, 2.3).

worded_enum! {
    /// Where an award stands.
    AwardState {
        /// Earned, not signed yet.
        PendingKey = "pending_key",
        /// Signed and in force.
        Active = "active",
        /// A panel sits.
        Suspended = "suspended",
        /// Its time is over.
        Expired = "expired",
        /// Renewed by another award.
        Superseded = "superseded",
        /// Withdrawn for ever.
        Revoked = "revoked",
    }
}

worded_enum! {
    /// What can happen to an award.
    AwardEvent {
        /// Signed by the issuer.
        Sign = "sign",
        /// Withdrawn for ever.
        Revoke = "revoke",
    }
}

worded_enum! {
    /// Why an award was revoked. The public sees the code's class and the date, never the detail.
    RevocationReason {
        /// It should not have been issued.
        IssuedInError = "issued_in_error",
        /// The evidence was not what it said.
        EvidenceMisrepresented = "evidence_misrepresented",
        /// It went to the wrong person.
        IdentityMistaken = "identity_mistaken",
        /// A panel found against the earner.
        IntegrityUpheld = "integrity_upheld",
        /// The holder asked for it.
        HolderRequest = "holder_request",
    }
}

impl RevocationReason {
    /// What the public is told of the reason, in a word or two: its class and never the detail.
    #[must_use]
    pub const fn public_class(self) -> &'static str {
        match self {
            RevocationReason::IssuedInError | RevocationReason::IdentityMistaken => {
                "Issued in error"
            }
            RevocationReason::EvidenceMisrepresented | RevocationReason::IntegrityUpheld => {
                "Withdrawn after a review of the work"
            }
            RevocationReason::HolderRequest => "Withdrawn at the holder's request",
        }
    }
}

impl AwardState {
    /// What may happen in this state.
    #[must_use]
    pub const fn allowed_events(self) -> &'static [AwardEvent] {
        match self {
            AwardState::PendingKey => &[AwardEvent::Sign],
            AwardState::Active | AwardState::Suspended => &[AwardEvent::Revoke],
            AwardState::Expired | AwardState::Superseded | AwardState::Revoked => &[],
        }
    }

    /// Refuses an event that is not legal here.
    ///
    /// # Errors
    /// [`WrongAwardState`] with the events that are.
    pub fn require(self, event: AwardEvent) -> Result<(), WrongAwardState> {
        if self.allowed_events().contains(&event) {
            Ok(())
        } else {
            Err(WrongAwardState { state: self, event })
        }
    }
}

/// An event that an award's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an award that is {state} cannot take {event}")]
pub struct WrongAwardState {
    /// The state it is in.
    pub state: AwardState,
    /// What was asked.
    pub event: AwardEvent,
}
