//! One reading of a submission: a seat that is leased, a sheet that is saved and locked (DOMAIN.md, 2.5).

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::eligibility::QualificationLevel;
use super::ids::{CaseId, PersonId, ReviewId, SubmissionId};
use super::timestamp::Timestamp;

/// How long a claimed review is reserved (DOMAIN.md, 2.5).
pub const LEASE: TimeDelta = TimeDelta::hours(72);

/// How many reviews one person may hold at a time.
pub const LOAD_CAP: usize = 5;

worded_enum! {
    /// Where a review stands.
    ReviewState {
        /// A free seat.
        Open = "open",
        /// Held by one assessor.
        Leased = "leased",
        /// Final.
        Locked = "locked",
        /// The assessor stepped back.
        Recused = "recused",
        /// The lease ran out.
        Lapsed = "lapsed",
    }
}

worded_enum! {
    /// What can happen to a review.
    ReviewEvent {
        /// A longer lease.
        Renew = "renew",
        /// Saves the draft sheet.
        SaveScores = "save_scores",
        /// Makes the sheet final.
        Lock = "lock",
        /// Steps back.
        Recuse = "recuse",
    }
}

worded_enum! {
    /// What kind of reading it is.
    ReviewKind {
        /// A first or second reading.
        Reading = "reading",
        /// A third reading.
        Adjudication = "adjudication",
    }
}

impl ReviewState {
    /// What may happen in this state.
    #[must_use]
    pub const fn allowed_events(self) -> &'static [ReviewEvent] {
        match self {
            ReviewState::Leased => &[
                ReviewEvent::Renew,
                ReviewEvent::SaveScores,
                ReviewEvent::Lock,
                ReviewEvent::Recuse,
            ],
            ReviewState::Open
            | ReviewState::Locked
            | ReviewState::Recused
            | ReviewState::Lapsed => &[],
        }
    }
}

/// One line of a sheet, as its author has saved it so far.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Score {
    /// The level, none while undecided or unscorable.
    pub level: Option<u8>,
    /// The work does not allow a score.
    pub unscorable: bool,
    /// What the earner is told, after the decision.
    pub feedback: Option<String>,
}

/// The draft sheet: lines by criterion or prompt, and the words for the whole.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Sheet {
    /// Lines by criterion or prompt id.
    pub scores: BTreeMap<String, Score>,
    /// At least one strength, in the second person.
    pub overall_feedback: Option<String>,
}

/// What a sheet needs to know of one criterion or prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleOf<'a> {
    /// The criterion or prompt.
    pub id: &'a str,
    /// The lowest passing level.
    pub pass_level: u8,
    /// The highest level.
    pub top_level: u8,
}

/// Why a sheet cannot be saved or locked; `pointer` names the place in the request of `PUT …/scores`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetFault {
    /// No such criterion or prompt.
    #[error("the rubric has no criterion or prompt {id}")]
    UnknownCriterion {
        /// What was named.
        id: String,
    },
    /// No such level.
    #[error("{id} has levels 0 to {top_level}, not {level}")]
    UnknownLevel {
        /// The criterion.
        id: String,
        /// What was given.
        level: u8,
        /// The highest level.
        top_level: u8,
    },
    /// Both scored and unscorable.
    #[error("{id} has a level and is marked unscorable; choose one")]
    ScoredAndUnscorable {
        /// The criterion.
        id: String,
    },
    /// Not scored yet.
    #[error("{id} has no level yet; give one, or mark it unscorable")]
    Missing {
        /// The criterion.
        id: String,
    },
    /// Below pass without words.
    #[error("{id} is below its pass level and needs feedback that says what would show it")]
    FeedbackMissing {
        /// The criterion.
        id: String,
    },
    /// No words for the whole.
    #[error("overall_feedback is missing: name at least one strength of the work")]
    OverallFeedbackMissing,
}

impl SheetFault {
    /// The stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            SheetFault::UnknownCriterion { .. } => "unknown-criterion",
            SheetFault::UnknownLevel { .. } => "unknown-level",
            SheetFault::ScoredAndUnscorable { .. } => "scored-and-unscorable",
            SheetFault::Missing { .. } => "score-missing",
            SheetFault::FeedbackMissing { .. } => "feedback-missing",
            SheetFault::OverallFeedbackMissing => "overall-feedback-missing",
        }
    }

    /// The criterion at fault, if it is one.
    #[must_use]
    pub fn criterion(&self) -> Option<&str> {
        match self {
            SheetFault::UnknownCriterion { id }
            | SheetFault::UnknownLevel { id, .. }
            | SheetFault::ScoredAndUnscorable { id }
            | SheetFault::Missing { id }
            | SheetFault::FeedbackMissing { id } => Some(id),
            SheetFault::OverallFeedbackMissing => None,
        }
    }
}

impl Sheet {
    /// What is wrong with the sheet as a draft: unknown criteria and levels. A draft may be unfinished.
    #[must_use]
    pub fn faults_of_draft(&self, scales: &[ScaleOf<'_>]) -> Vec<SheetFault> {
        let mut faults = Vec::new();
        for (id, score) in &self.scores {
            let Some(scale) = scales.iter().find(|scale| scale.id == id) else {
                faults.push(SheetFault::UnknownCriterion { id: id.clone() });
                continue;
            };
            if let Some(level) = score.level {
                if level > scale.top_level {
                    faults.push(SheetFault::UnknownLevel {
                        id: id.clone(),
                        level,
                        top_level: scale.top_level,
                    });
                }
                if score.unscorable {
                    faults.push(SheetFault::ScoredAndUnscorable { id: id.clone() });
                }
            }
        }
        faults
    }

    /// Everything that stands between the sheet and its lock, all at once.
    #[must_use]
    pub fn faults_of_lock(&self, scales: &[ScaleOf<'_>]) -> Vec<SheetFault> {
        let mut faults = self.faults_of_draft(scales);
        for scale in scales {
            let score = self.scores.get(scale.id).cloned().unwrap_or_default();
            let below =
                score.unscorable || score.level.is_some_and(|level| level < scale.pass_level);
            if score.level.is_none() && !score.unscorable {
                faults.push(SheetFault::Missing { id: scale.id.to_owned() });
            } else if below && is_blank(score.feedback.as_deref()) {
                faults.push(SheetFault::FeedbackMissing { id: scale.id.to_owned() });
            }
        }
        if is_blank(self.overall_feedback.as_deref()) {
            faults.push(SheetFault::OverallFeedbackMissing);
        }
        faults
    }
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

/// The seat of whoever reads again what is decided; the readers, the adjudicator and those of an appeal sit before it.
pub const REREAD_SEAT: i32 = 6;

worded_enum! {
    /// Why a locked sheet is read again after the decision.
    RereadReason {
        /// By chance, to watch over work that one person scores (DOMAIN.md, 3.1).
        Backread = "backread",
        /// Its assessor was suspended for drift (DOMAIN.md, 3.5).
        Suspension = "suspension",
    }
}

/// A review as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// What is read.
    pub submission: SubmissionId,
    /// Which seat.
    pub seat: i32,
    /// A reading or an adjudication.
    pub kind: ReviewKind,
    /// Where it stands.
    pub state: ReviewState,
    /// Who holds it.
    pub assessor: Option<PersonId>,
    /// Until when.
    pub lease_expires_at: Option<Timestamp>,
    /// When it was made final.
    pub locked_at: Option<Timestamp>,
    /// What its reader was qualified by when they locked; none for somebody without a qualification.
    pub license: Option<QualificationLevel>,
    /// The appeal that it is a reading for; its reader is not told.
    pub case: Option<CaseId>,
    /// Counts its changes.
    pub revision: i32,
}

impl Review {
    /// A seat that nobody has taken yet.
    #[must_use]
    pub const fn open(id: ReviewId, submission: SubmissionId, seat: i32) -> Review {
        Review {
            id,
            submission,
            seat,
            kind: ReviewKind::Reading,
            state: ReviewState::Open,
            assessor: None,
            lease_expires_at: None,
            locked_at: None,
            license: None,
            case: None,
            revision: 1,
        }
    }

    /// Whether it is one of the independent readings that the decision rests on.
    #[must_use]
    pub fn is_first_or_second(&self) -> bool {
        self.kind == ReviewKind::Reading && self.case.is_none() && !self.is_reread()
    }

    /// Whether it checks another sheet after the decision. Its reader is not told.
    #[must_use]
    pub const fn is_reread(&self) -> bool {
        self.seat == REREAD_SEAT
    }

    /// Refuses an event that the review's state, or the end of its lease, does not allow.
    ///
    /// # Errors
    /// [`WrongReviewState`] with the events that are legal.
    pub fn require(&self, event: ReviewEvent, now: Timestamp) -> Result<(), WrongReviewState> {
        let state = self.state_at(now);
        if state.allowed_events().contains(&event) {
            Ok(())
        } else {
            Err(WrongReviewState { state, event })
        }
    }

    /// The review as it stands at a moment: lapsed from the second on in which its lease ends.
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Review {
        Review { state: self.state_at(now), ..self }
    }

    fn state_at(&self, now: Timestamp) -> ReviewState {
        if self.is_lapsed(now) { ReviewState::Lapsed } else { self.state }
    }

    /// Whether the lease has run out, even if nobody has written it down yet.
    #[must_use]
    pub fn is_lapsed(&self, now: Timestamp) -> bool {
        self.state == ReviewState::Leased && self.lease_expires_at.is_none_or(|until| until <= now)
    }
}

/// An event that a review's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a review that is {state} cannot take {event}")]
pub struct WrongReviewState {
    /// The state it is in.
    pub state: ReviewState,
    /// What was asked.
    pub event: ReviewEvent,
}
