//! The process model of a submission as data (DOMAIN.md, 2.2): which event leads from where to where, by whom, and on what condition.

use super::organization::Role;
use super::submission::{SubmissionEvent, SubmissionState};

/// Who brings an event about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// A person, acting in this role.
    Person(Role),
    /// The service itself.
    System,
}

impl Party {
    /// The word that stands for it in timelines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Party::Person(role) => role.as_str(),
            Party::System => "system",
        }
    }
}

worded_enum! {
    /// A condition of a transition beyond state and party. Names are those of the process model; each is checked by the use case that
    /// brings the event about.
    Guard {
        /// It is the earner's own.
        OwnAttempt = "own_attempt",
        /// Nothing required is missing.
        RequiredPartsPresent = "required_parts_present",
        /// Words, items and sizes are within their limits.
        LimitsRespected = "limits_respected",
        /// Students in it have consented.
        ConsentsGiven = "consents_given",
        /// The earner has declared that it is their own work.
        IntegrityStatement = "integrity_statement",
        /// No names were found, or the check was waived.
        NameCheckPassedOrWaived = "name_check_passed_or_waived",
        /// Nobody has begun to look at it.
        ScreeningNotStarted = "screening_not_started",
        /// Each item that is missing has a reason.
        ReasonForEachItem = "reason_for_each_item",
        /// The assessor may score this one.
        EligibleForThisSubmission = "eligible_for_this_submission",
        /// There is a reason.
        Reason = "reason",
        /// The sheets that were asked for are in.
        NumberOfSheetsRequiredByMode = "number_of_sheets_required_by_mode",
        /// The readings are settled.
        NoCriterionNeedsAdjudication = "no_criterion_needs_adjudication",
        /// The mode asks for one more reader.
        ModeAsksForAnotherReader = "mode_asks_for_another_reader",
        /// The readings differ too much somewhere.
        SomeCriterionNeedsAdjudication = "some_criterion_needs_adjudication",
        /// The adjudicator has not scored it.
        DidNotScoreThisAttempt = "did_not_score_this_attempt",
        /// No rule on conflicts of interest applies.
        NoConflict = "no_conflict",
        /// The adjudicator has seen no scores before.
        LockedBeforeSeeingScores = "locked_before_seeing_scores",
        /// What the flag rests on is written down.
        EvidenceAttached = "evidence_attached",
        /// Most of the panel think so.
        Majority = "majority",
        /// The earner was told and could reply.
        NoticeAndReplyGiven = "notice_and_reply_given",
        /// Nobody has finished reading it.
        NoSheetLocked = "no_sheet_locked",
        /// The appeal is in time.
        Within30Days = "within_30_days",
        /// It was not appealed before.
        FirstAppealOfAttempt = "first_appeal_of_attempt",
        /// No member of the panel took part before.
        MembersNotInvolvedBefore = "members_not_involved_before",
        /// What was earned stays earned.
        EarnedNotLowered = "earned_not_lowered",
        /// There are reasons in writing.
        WrittenReasons = "written_reasons",
        /// The programme's time is over; without a programme, nobody has saved it for as long as `service::idle_drafts` says.
        ProgrammeWindowOver = "programme_window_over",
        /// The earner was warned twice.
        Warned30And7Days = "warned_30_and_7_days",
    }
}

/// Where a transition leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To this state.
    State(SubmissionState),
    /// Back to where an integrity case has stopped it.
    BeforeHold,
}

/// One line of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The states that it starts from.
    pub from: &'static [SubmissionState],
    /// What happens.
    pub event: SubmissionEvent,
    /// Who may bring it about.
    pub parties: &'static [Party],
    /// What must hold besides.
    pub guards: &'static [Guard],
    /// Where it leads.
    pub to: Target,
}

const fn transition(
    from: &'static [SubmissionState],
    event: SubmissionEvent,
    parties: &'static [Party],
    guards: &'static [Guard],
    to: Target,
) -> Transition {
    Transition { from, event, parties, guards, to }
}

use Guard as G;
use Party::{Person, System};
use Role as R;
use SubmissionEvent as E;
use SubmissionState as S;

/// Every transition. Two events stand apart: a submission begins with `start`, and `resubmit` makes another one of it.
pub const TRANSITIONS: &[Transition] = &[
    transition(
        &[S::Draft],
        E::Save,
        &[Person(R::Earner)],
        &[G::OwnAttempt],
        Target::State(S::Draft),
    ),
    transition(
        &[S::Draft],
        E::Submit,
        &[Person(R::Earner)],
        &[
            G::OwnAttempt,
            G::RequiredPartsPresent,
            G::LimitsRespected,
            G::ConsentsGiven,
            G::IntegrityStatement,
            G::NameCheckPassedOrWaived,
        ],
        Target::State(S::Submitted),
    ),
    transition(
        &[S::Submitted],
        E::Recall,
        &[Person(R::Earner)],
        &[G::OwnAttempt, G::ScreeningNotStarted],
        Target::State(S::Draft),
    ),
    transition(
        &[S::Submitted],
        E::MarkIncomplete,
        &[Person(R::PreScreener)],
        &[G::ReasonForEachItem],
        Target::State(S::Returned),
    ),
    transition(
        &[S::Returned],
        E::Save,
        &[Person(R::Earner)],
        &[G::OwnAttempt],
        Target::State(S::Draft),
    ),
    transition(
        &[S::Submitted],
        E::MarkComplete,
        &[Person(R::PreScreener), System],
        &[],
        Target::State(S::Queued),
    ),
    transition(
        &[S::Queued],
        E::Claim,
        &[Person(R::Assessor)],
        &[G::EligibleForThisSubmission],
        Target::State(S::InReview),
    ),
    transition(
        &[S::InReview],
        E::RecuseOrTimeout,
        &[Person(R::Assessor), System],
        &[G::Reason],
        Target::State(S::Queued),
    ),
    transition(
        &[S::InReview],
        E::AllSheetsLocked,
        &[System],
        &[G::NumberOfSheetsRequiredByMode],
        Target::State(S::Resolving),
    ),
    transition(
        &[S::Resolving],
        E::Resolved,
        &[System],
        &[G::NoCriterionNeedsAdjudication],
        Target::State(S::Decided),
    ),
    transition(
        &[S::Resolving],
        E::NeedsSecond,
        &[System],
        &[G::ModeAsksForAnotherReader],
        Target::State(S::Queued),
    ),
    transition(
        &[S::Resolving],
        E::NeedsThird,
        &[System],
        &[G::SomeCriterionNeedsAdjudication],
        Target::State(S::Adjudication),
    ),
    transition(
        &[S::Adjudication],
        E::ThirdLocked,
        &[Person(R::LeadAssessor)],
        &[G::DidNotScoreThisAttempt, G::NoConflict, G::LockedBeforeSeeingScores],
        Target::State(S::Decided),
    ),
    transition(
        &[S::Submitted, S::Queued, S::InReview, S::Resolving, S::Adjudication],
        E::IntegrityFlag,
        &[Person(R::PreScreener), Person(R::Assessor), Person(R::LeadAssessor), System],
        &[G::EvidenceAttached],
        Target::State(S::OnHold),
    ),
    transition(
        &[S::OnHold],
        E::Cleared,
        &[Person(R::ReviewPanel)],
        &[G::Majority, G::NoticeAndReplyGiven],
        Target::BeforeHold,
    ),
    transition(
        &[S::OnHold],
        E::Upheld,
        &[Person(R::ReviewPanel)],
        &[G::Majority, G::NoticeAndReplyGiven],
        Target::State(S::Voided),
    ),
    transition(
        &[S::Draft, S::Submitted, S::Returned, S::Queued],
        E::Withdraw,
        &[Person(R::Earner)],
        &[G::OwnAttempt, G::NoSheetLocked],
        Target::State(S::Withdrawn),
    ),
    transition(
        &[S::Decided],
        E::Appeal,
        &[Person(R::Earner)],
        &[G::OwnAttempt, G::Within30Days, G::FirstAppealOfAttempt],
        Target::State(S::Appealed),
    ),
    transition(
        &[S::Appealed],
        E::Conclude,
        &[Person(R::ReviewPanel)],
        &[G::Majority, G::MembersNotInvolvedBefore, G::EarnedNotLowered, G::WrittenReasons],
        Target::State(S::Decided),
    ),
    transition(
        &[S::Draft],
        E::Inactive,
        &[System],
        &[G::ProgrammeWindowOver, G::Warned30And7Days],
        Target::State(S::Expired),
    ),
];

/// The events that are legal in a state, in the order of the table.
#[must_use]
pub fn events_from(state: SubmissionState) -> Vec<SubmissionEvent> {
    let mut events: Vec<SubmissionEvent> = TRANSITIONS
        .iter()
        .filter(|transition| transition.from.contains(&state))
        .map(|transition| transition.event)
        .collect();
    if state == S::Decided {
        events.push(E::Resubmit);
    }
    events
}

/// Where an event of this party leads from a state; none where the model has no such transition. `held_from` is the state in which an
/// integrity case has stopped the submission.
#[must_use]
pub fn target_of(
    state: SubmissionState,
    held_from: Option<SubmissionState>,
    event: SubmissionEvent,
    party: Party,
) -> Option<SubmissionState> {
    let found = TRANSITIONS.iter().find(|transition| {
        transition.event == event
            && transition.from.contains(&state)
            && transition.parties.contains(&party)
    })?;
    match found.to {
        Target::State(to) => Some(to),
        Target::BeforeHold => held_from,
    }
}
