//! What an earner shares with the coach whom they have asked, and when a coach can help (DOMAIN.md, section 1).

use super::submission::SubmissionState;

worded_enum! {
    /// A part of an attempt that its earner may share.
    Share {
        /// The answers to the prompts.
        Responses = "responses",
        /// The evidence.
        Evidence = "evidence",
        /// What the readers have said, and the decision, once there is one.
        Feedback = "feedback",
    }
}

/// What an earner and a coach can do together while an attempt is where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// Coaches are asked, and those who were asked say something: before the work is handed in, and once it is decided.
    Open,
    /// Those who were asked before go on, and nobody else is asked. Whoever is asked cannot read the work any more: an earner could take
    /// the readers of an appeal away.
    AskedBefore,
    /// Nothing, because the work is being read or has ended.
    Closed,
}

impl Help {
    /// What goes in a state of the attempt.
    #[must_use]
    pub const fn within(state: SubmissionState) -> Help {
        match state {
            SubmissionState::Draft | SubmissionState::Returned | SubmissionState::Decided => {
                Help::Open
            }
            SubmissionState::Appealed => Help::AskedBefore,
            SubmissionState::Submitted
            | SubmissionState::Queued
            | SubmissionState::InReview
            | SubmissionState::Resolving
            | SubmissionState::Adjudication
            | SubmissionState::OnHold
            | SubmissionState::Withdrawn
            | SubmissionState::Voided
            | SubmissionState::Expired => Help::Closed,
        }
    }

    /// The same while a case about any attempt is open, which whoever is asked could not judge either.
    #[must_use]
    pub const fn beside_a_case(self) -> Help {
        match self {
            Help::Open | Help::AskedBefore => Help::AskedBefore,
            Help::Closed => Help::Closed,
        }
    }

    /// Why no coach can be asked now; none where one can.
    #[must_use]
    pub const fn refuses_to_ask(self) -> Option<&'static str> {
        match self {
            Help::Open => None,
            Help::AskedBefore => Some(ASKED_BEFORE),
            Help::Closed => Some(NEITHER),
        }
    }

    /// Why no coach can say anything now; none where they can.
    #[must_use]
    pub const fn refuses_to_comment(self) -> Option<&'static str> {
        match self {
            Help::Open | Help::AskedBefore => None,
            Help::Closed => Some(NEITHER),
        }
    }
}

const ASKED_BEFORE: &str = "an appeal of yours, or a doubt about your work, is being looked into; ask a coach once it is decided";
const NEITHER: &str =
    "a coach helps before work is handed in and once it is decided; this is neither";
