//! What a panel is asked about a submission: an appeal of its earner, or a doubt about its integrity (DOMAIN.md, 2.4 and 2.5).

use chrono::TimeDelta;

/// For so long after the decision it can be appealed.
pub const APPEAL_WINDOW: TimeDelta = TimeDelta::days(30);
/// After so many working days the answer is due.
pub const DUE_WORKING_DAYS: u32 = 20;
/// For so many working days an earner can reply before a panel votes without.
pub const REPLY_WORKING_DAYS: u32 = 10;
/// How many people decide.
pub const PANEL: usize = 3;
/// How many fresh readers an appeal has.
pub const FRESH_READERS: usize = 2;

worded_enum! {
    /// What it is about.
    CaseKind {
        /// The earner does not agree with the decision.
        Appeal = "appeal",
        /// Somebody doubts that the work is what it says.
        Integrity = "integrity",
    }
}

worded_enum! {
    /// Where a case stands.
    CaseState {
        /// The fresh readers of an appeal, or the earner's reply, are awaited.
        Open = "open",
        /// The earner has replied.
        Replied = "replied",
        /// The panel votes.
        Voting = "voting",
        /// Decided.
        Concluded = "concluded",
    }
}

worded_enum! {
    /// What can happen to a case.
    CaseEvent {
        /// The earner replies.
        Reply = "reply",
        /// A member of the panel votes.
        Vote = "vote",
    }
}

worded_enum! {
    /// What an appeal rests on.
    Grounds {
        /// The rules were not followed.
        Procedure = "procedure",
        /// Somebody who read it should not have.
        Conflict = "conflict",
        /// The levels do not fit the work.
        Scoring = "scoring",
    }
}

worded_enum! {
    /// What a member of the panel thinks.
    Vote {
        /// The decision stands; or the doubt is right.
        Uphold = "uphold",
        /// The fresh readings count.
        Rescore = "rescore",
        /// Nothing was found.
        Clear = "clear",
    }
}

worded_enum! {
    /// What a case came to.
    CaseOutcome {
        /// The decision stands; or the doubt is right.
        Upheld = "upheld",
        /// The fresh readings count, and the result is the same.
        Rescored = "rescored",
        /// The fresh readings count, and it is earned now.
        Overturned = "overturned",
        /// Nothing was found.
        Cleared = "cleared",
    }
}

impl CaseKind {
    /// What a member of the panel may answer.
    #[must_use]
    pub const fn votes(self) -> &'static [Vote] {
        match self {
            CaseKind::Appeal => &[Vote::Uphold, Vote::Rescore],
            CaseKind::Integrity => &[Vote::Clear, Vote::Uphold],
        }
    }

    /// What can happen in a state. `is_reply_over` says that the earner has had the time to reply.
    #[must_use]
    pub const fn allowed_events(
        self,
        state: CaseState,
        is_reply_over: bool,
    ) -> &'static [CaseEvent] {
        match (self, state) {
            (CaseKind::Appeal, CaseState::Voting) => &[CaseEvent::Vote],
            (CaseKind::Appeal, CaseState::Open | CaseState::Replied)
            | (CaseKind::Appeal | CaseKind::Integrity, CaseState::Concluded) => &[],
            (CaseKind::Integrity, CaseState::Replied | CaseState::Voting) => &[CaseEvent::Vote],
            (CaseKind::Integrity, CaseState::Open) if is_reply_over => {
                &[CaseEvent::Reply, CaseEvent::Vote]
            }
            (CaseKind::Integrity, CaseState::Open) => &[CaseEvent::Reply],
        }
    }
}

/// What most of a whole panel think; none while votes are missing.
#[must_use]
pub fn majority(votes: &[Vote]) -> Option<Vote> {
    if votes.len() < PANEL {
        return None;
    }
    let count = |vote: Vote| votes.iter().filter(|other| **other == vote).count();
    votes.iter().copied().find(|vote| 2 * count(*vote) > votes.len())
}
