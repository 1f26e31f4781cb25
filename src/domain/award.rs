//! The life of an award (DOMAIN.md, 2.3).

use chrono::TimeDelta;

use super::organization::Role;
use super::process::Party;
use super::timestamp::Timestamp;

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
    /// What can happen to an award. Names are those of the process model.
    AwardEvent {
        /// Signed by the issuer.
        Sign = "sign",
        /// Without force while a panel sits.
        Suspend = "suspend",
        /// In force again.
        Reinstate = "reinstate",
        /// Withdrawn for ever.
        Revoke = "revoke",
        /// Its last day has passed.
        Lapse = "lapse",
        /// A newer award takes its place.
        Renewed = "renewed",
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

worded_enum! {
    /// What the public, and the earner by mail, learn of a reason.
    RevocationClass {
        /// The issuer made a mistake.
        IssuingError = "issuing_error",
        /// The work behind it was reviewed.
        ReviewOfWork = "review_of_work",
        /// The holder asked for it.
        HolderRequest = "holder_request",
    }
}

impl RevocationReason {
    /// The class that may be told.
    #[must_use]
    pub const fn class(self) -> RevocationClass {
        match self {
            RevocationReason::IssuedInError | RevocationReason::IdentityMistaken => {
                RevocationClass::IssuingError
            }
            RevocationReason::EvidenceMisrepresented | RevocationReason::IntegrityUpheld => {
                RevocationClass::ReviewOfWork
            }
            RevocationReason::HolderRequest => RevocationClass::HolderRequest,
        }
    }

    /// What the public is told of the reason, in a word or two: its class and never the detail.
    #[must_use]
    pub const fn public_class(self) -> &'static str {
        match self.class() {
            RevocationClass::IssuingError => "Issued in error",
            RevocationClass::ReviewOfWork => "Withdrawn after a review of the work",
            RevocationClass::HolderRequest => "Withdrawn at the holder's request",
        }
    }
}

worded_enum! {
    /// A condition of a transition beyond state and party. Names are those of the process model; each is checked by the use case that
    /// brings the event about.
    AwardGuard {
        /// It was earned.
        DecisionEarned = "decision_earned",
        /// A panel sits; whoever suspends notes which.
        CaseOpen = "case_open",
        /// The panel has found for the earner; whoever reinstates notes it.
        CaseClosedInFavour = "case_closed_in_favour",
        /// A panel has decided it, or the holder wants it; whoever revokes notes which.
        PanelDecisionOrHolderRequest = "panel_decision_or_holder_request",
        /// There is a code of the reason.
        ReasonCode = "reason_code",
        /// Its end has passed.
        ExpiryDatePassed = "expiry_date_passed",
        /// A newer award was earned in time.
        RenewalEarnedWithinGrace = "renewal_earned_within_grace",
    }
}

/// One line of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwardTransition {
    /// The states that it starts from.
    pub from: &'static [AwardState],
    /// What happens.
    pub event: AwardEvent,
    /// Who may bring it about.
    pub parties: &'static [Party],
    /// What must hold besides.
    pub guards: &'static [AwardGuard],
    /// Where it leads.
    pub to: AwardState,
}

const OFFICER: Party = Party::Person(Role::IssuingOfficer);
const PANEL: Party = Party::Person(Role::ReviewPanel);

/// Every transition. Officers suspend and reinstate beside the panel (docs/decisions/0031).
pub const TRANSITIONS: &[AwardTransition] = &[
    AwardTransition {
        from: &[AwardState::PendingKey],
        event: AwardEvent::Sign,
        parties: &[OFFICER, Party::System],
        guards: &[AwardGuard::DecisionEarned],
        to: AwardState::Active,
    },
    AwardTransition {
        from: &[AwardState::Active],
        event: AwardEvent::Suspend,
        parties: &[OFFICER, PANEL],
        guards: &[AwardGuard::CaseOpen],
        to: AwardState::Suspended,
    },
    AwardTransition {
        from: &[AwardState::Suspended],
        event: AwardEvent::Reinstate,
        parties: &[OFFICER, PANEL],
        guards: &[AwardGuard::CaseClosedInFavour],
        to: AwardState::Active,
    },
    AwardTransition {
        from: &[AwardState::Active, AwardState::Suspended],
        event: AwardEvent::Revoke,
        parties: &[OFFICER],
        guards: &[AwardGuard::PanelDecisionOrHolderRequest, AwardGuard::ReasonCode],
        to: AwardState::Revoked,
    },
    AwardTransition {
        from: &[AwardState::Active],
        event: AwardEvent::Lapse,
        parties: &[Party::System],
        guards: &[AwardGuard::ExpiryDatePassed],
        to: AwardState::Expired,
    },
    AwardTransition {
        from: &[AwardState::Active, AwardState::Expired],
        event: AwardEvent::Renewed,
        parties: &[Party::System],
        guards: &[AwardGuard::RenewalEarnedWithinGrace],
        to: AwardState::Superseded,
    },
];

/// For so long after its end an award can still be renewed (DOMAIN.md, 2.4).
const GRACE: TimeDelta = TimeDelta::days(90);

/// The last moment at which an award that ends then can be renewed.
#[must_use]
pub fn renewable_until(valid_until: Timestamp) -> Timestamp {
    valid_until.plus(GRACE)
}

impl AwardState {
    /// Where an award that is stored in this state stands at a moment: one whose end has passed is expired, whether or not that was
    /// written down yet. The end itself still belongs to it, as it does to a verifier of the badge.
    ///
    /// A suspended one stays suspended until the panel has concluded.
    #[must_use]
    pub fn as_of(self, valid_until: Option<Timestamp>, now: Timestamp) -> AwardState {
        if self == AwardState::Active && valid_until.is_some_and(|until| until < now) {
            AwardState::Expired
        } else {
            self
        }
    }

    /// What may happen in this state, in the order of the table.
    #[must_use]
    pub fn allowed_events(self) -> Vec<AwardEvent> {
        TRANSITIONS
            .iter()
            .filter(|transition| transition.from.contains(&self))
            .map(|transition| transition.event)
            .collect()
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
