//! The life of an assessor of one rubric as data (DOMAIN.md, 3.5): the states, the events between them, and the state that follows from
//! what is known of a person.
//!
//! A state is never stored: it follows from qualifications, modules, attempts at sets, and from the few steps that nothing else tells.

use chrono::TimeDelta;

use super::eligibility::{Qualification, QualificationState};
use super::organization::Role;
use super::process::Party;
use super::timestamp::Timestamp;

worded_enum! {
    /// Where an assessor of a rubric stands. Names are those of the process model.
    AssessorState {
        /// May begin: has not yet declared conflicts of interest.
        Invited = "invited",
        /// Learns: modules and practice.
        InTraining = "in_training",
        /// May try the qualifying sets.
        Qualifying = "qualifying",
        /// May score.
        Qualified = "qualified",
        /// May score, and a refresher is due.
        Watch = "watch",
        /// May not score until a lead assessor lets them qualify again.
        Suspended = "suspended",
        /// Is no assessor of this rubric any more.
        Released = "released",
    }
}

worded_enum! {
    /// What can happen to an assessor. Names are those of the process model.
    AssessorEvent {
        /// Declares conflicts of interest and begins.
        Accept = "accept",
        /// Has done what comes before qualifying.
        ModulesDone = "modules_done",
        /// Passes a qualifying set.
        Pass = "pass",
        /// Has used up the tries of a cycle.
        Fail = "fail",
        /// Seed papers call for a refresher.
        DriftWatch = "drift_watch",
        /// Has passed the refresher.
        Refreshed = "refreshed",
        /// Seed papers, or a lead assessor, call for a stop.
        DriftSuspend = "drift_suspend",
        /// The year is over.
        Lapse = "lapse",
        /// May qualify again after coaching.
        Requalify = "requalify",
        /// Goes, or is let go.
        Release = "release",
    }
}

worded_enum! {
    /// A condition of a transition beyond state and party. Names are those of the process model; each is checked by the use case that
    /// brings the event about.
    AssessorGuard {
        /// They have said that every tie is declared.
        ConflictDeclaration = "conflict_declaration",
        /// The module on bias is done.
        BiasModule = "bias_module",
        /// A practice set is finished, where one is in use.
        PracticeSet = "practice_set",
        /// The set qualifies.
        QualificationRule = "qualification_rule",
        /// Two sets, then coaching, then one more: all failed.
        SetsExhausted = "sets_exhausted",
        /// Drift says watch.
        WatchFlag = "watch_flag",
        /// The refresher is passed.
        RefresherPassed = "refresher_passed",
        /// Drift says suspend, or a lead assessor has a reason.
        SuspendFlagOrReason = "suspend_flag_or_reason",
        /// So long after the pass.
        After365Days = "365_days",
        /// A lead assessor has recorded coaching since the suspension.
        CoachingRecorded = "coaching_recorded",
        /// There is a reason.
        Reason = "reason",
    }
}

/// One line of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssessorTransition {
    /// The states that it starts from.
    pub from: &'static [AssessorState],
    /// What happens.
    pub event: AssessorEvent,
    /// Who may bring it about.
    pub parties: &'static [Party],
    /// What must hold besides.
    pub guards: &'static [AssessorGuard],
    /// Where it leads.
    pub to: AssessorState,
    /// The verb of its event in the audit trail.
    pub audit: &'static str,
}

const fn transition(
    from: &'static [AssessorState],
    (event, audit): (AssessorEvent, &'static str),
    parties: &'static [Party],
    guards: &'static [AssessorGuard],
    to: AssessorState,
) -> AssessorTransition {
    AssessorTransition { from, event, parties, guards, to, audit }
}

use AssessorEvent as E;
use AssessorGuard as G;
use AssessorState as S;

const ASSESSOR: Party = Party::Person(Role::Assessor);
const LEAD: Party = Party::Person(Role::LeadAssessor);

/// Every transition, per person and scoring hash. Two things stand apart: a life begins in [`AssessorState::Invited`] by itself, for
/// everybody who holds the role, and a lead assessor's invitation begins a new one after a release.
pub const TRANSITIONS: &[AssessorTransition] = &[
    transition(
        &[S::Invited],
        (E::Accept, "accept_assessing"),
        &[ASSESSOR],
        &[G::ConflictDeclaration],
        S::InTraining,
    ),
    transition(
        &[S::InTraining],
        (E::ModulesDone, "admit_assessor"),
        &[Party::System],
        &[G::BiasModule, G::PracticeSet],
        S::Qualifying,
    ),
    transition(
        &[S::Qualifying],
        (E::Pass, "qualify_assessor"),
        &[Party::System],
        &[G::QualificationRule],
        S::Qualified,
    ),
    transition(
        &[S::Qualifying],
        (E::Fail, "fail_assessor"),
        &[Party::System],
        &[G::SetsExhausted],
        S::Released,
    ),
    transition(
        &[S::Qualified],
        (E::DriftWatch, "watch_assessor"),
        &[Party::System],
        &[G::WatchFlag],
        S::Watch,
    ),
    transition(
        &[S::Watch],
        (E::Refreshed, "refresh_assessor"),
        &[Party::System],
        &[G::RefresherPassed],
        S::Qualified,
    ),
    transition(
        &[S::Qualified, S::Watch],
        (E::DriftSuspend, "suspend_assessor"),
        &[Party::System, LEAD],
        &[G::SuspendFlagOrReason],
        S::Suspended,
    ),
    transition(
        &[S::Qualified, S::Watch],
        (E::Lapse, "lapse_assessor"),
        &[Party::System],
        &[G::After365Days],
        S::InTraining,
    ),
    transition(
        &[S::Suspended],
        (E::Requalify, "requalify_assessor"),
        &[LEAD],
        &[G::CoachingRecorded],
        S::Qualifying,
    ),
    transition(
        &[S::Invited, S::InTraining, S::Qualifying, S::Qualified, S::Watch, S::Suspended],
        (E::Release, "release_assessor"),
        &[ASSESSOR, LEAD],
        &[G::Reason],
        S::Released,
    ),
];

/// An event that an assessor's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an assessor who is {state} cannot take {event}")]
pub struct IllegalAssessorEvent {
    /// The state they are in.
    pub state: AssessorState,
    /// What was asked.
    pub event: AssessorEvent,
}

impl AssessorState {
    /// The transitions that start here, in the order of the table.
    pub fn transitions(self) -> impl Iterator<Item = &'static AssessorTransition> {
        TRANSITIONS.iter().filter(move |transition| transition.from.contains(&self))
    }

    /// The events that are legal here, in the order of the table.
    #[must_use]
    pub fn allowed_events(self) -> Vec<AssessorEvent> {
        self.transitions().map(|transition| transition.event).collect()
    }

    /// The transition of an event that a party brings about here.
    ///
    /// # Errors
    /// [`IllegalAssessorEvent`] where the model has none.
    pub fn take(
        self,
        event: AssessorEvent,
        party: Party,
    ) -> Result<&'static AssessorTransition, IllegalAssessorEvent> {
        self.transitions()
            .find(|transition| transition.event == event && transition.parties.contains(&party))
            .ok_or(IllegalAssessorEvent { state: self, event })
    }

    /// Whether practice papers may be tried: everybody who has accepted and is not released.
    #[must_use]
    pub const fn may_practise(self) -> bool {
        match self {
            S::InTraining | S::Qualifying | S::Qualified | S::Watch | S::Suspended => true,
            S::Invited | S::Released => false,
        }
    }

    /// Whether a qualifying set may be tried. Who is qualified may: to exchange a provisional qualification for a full one, or to go
    /// on for another year. That changes no state.
    #[must_use]
    pub const fn may_try(self) -> bool {
        match self {
            S::Qualifying | S::Qualified | S::Watch => true,
            S::Invited | S::InTraining | S::Suspended | S::Released => false,
        }
    }
}

worded_enum! {
    /// A step that no other fact tells of.
    AssessorStep {
        /// A lead assessor has asked somebody back who was released.
        Invite = "invite",
        /// Conflicts of interest were declared.
        Accept = "accept",
        /// A suspension, by drift or by a lead assessor.
        Suspend = "suspend",
        /// A lead assessor has spoken with a suspended person.
        Coaching = "coaching",
        /// They may qualify again.
        Requalify = "requalify",
        /// They have gone.
        Release = "release",
        /// The end of a qualification was written down.
        Lapse = "lapse",
    }
}

/// What the steps of a person for a rubric come to. The order of steps counts and not their time alone: two may be of one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Engagement {
    /// When they were asked back last. What was before does not count.
    pub invited_at: Option<Timestamp>,
    /// When they accepted.
    pub accepted_at: Option<Timestamp>,
    /// Whether they were released since.
    pub is_released: bool,
    /// Whether coaching was recorded since the last suspension.
    pub is_coached: bool,
    /// Whether they may qualify again after the last suspension.
    pub is_requalifying: bool,
    /// When they were suspended last. What was passed before does not count any more.
    pub suspended_at: Option<Timestamp>,
    /// When a qualification that had ended was last written down.
    pub lapsed_at: Option<Timestamp>,
}

impl Engagement {
    /// Adds up steps, the oldest first.
    pub fn of(steps: impl IntoIterator<Item = (AssessorStep, Timestamp)>) -> Engagement {
        let mut sum = Engagement::default();
        for (step, at) in steps {
            match step {
                AssessorStep::Invite => {
                    sum = Engagement { invited_at: Some(at), ..Engagement::default() };
                }
                AssessorStep::Accept => sum.accepted_at = Some(at),
                AssessorStep::Suspend => {
                    sum.is_coached = false;
                    sum.is_requalifying = false;
                    sum.suspended_at = Some(at);
                }
                AssessorStep::Coaching => sum.is_coached = true,
                AssessorStep::Requalify => sum.is_requalifying = true,
                AssessorStep::Release => sum.is_released = true,
                AssessorStep::Lapse => sum.lapsed_at = Some(at),
            }
        }
        sum
    }

    /// Whether a qualification that was passed then still stands for something: not one from before a release.
    #[must_use]
    pub fn counts(&self, passed_at: Timestamp) -> bool {
        self.invited_at.is_none_or(|invited| passed_at >= invited)
    }

    /// Whether a set that was passed then still counts by itself: not one from before a suspension either, which only a later one ends.
    #[must_use]
    pub fn counts_alone(&self, passed_at: Timestamp) -> bool {
        self.counts(passed_at) && self.suspended_at.is_none_or(|suspended| passed_at >= suspended)
    }
}

/// How old the module on bias may be when training begins.
const MODULE_WITHIN: TimeDelta = TimeDelta::days(365);

/// What the state of an assessor follows from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AssessorRecord {
    /// What their steps come to.
    pub engagement: Engagement,
    /// Their qualification, in whatever state.
    pub qualification: Option<Qualification>,
    /// When they last did the module on bias.
    pub bias_module_at: Option<Timestamp>,
    /// Whether a practice set is in use for them.
    pub needs_practice: bool,
    /// When they last finished a practice set.
    pub practised_at: Option<Timestamp>,
    /// When they last began to try a qualifying set.
    pub tried_at: Option<Timestamp>,
    /// The end of the last cycle in which they have used up their tries; see [`super::calibration::exhausted_until`].
    pub exhausted_until: Option<Timestamp>,
}

/// What keeps somebody in training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Training {
    /// What is still to do; nothing admits them to the qualifying sets.
    pub missing: Vec<AssessorGuard>,
}

impl AssessorRecord {
    /// Since when what they did counts: the last invitation, or the end of a cycle that was over.
    fn begun_at(&self, now: Timestamp) -> Option<Timestamp> {
        let cycle = self.exhausted_until.filter(|end| *end <= now);
        self.engagement.invited_at.max(cycle)
    }

    /// The qualification, if it was passed in this life. A suspension lasts beyond the end of a cycle, until somebody is asked back.
    fn held(&self, now: Timestamp) -> Option<&Qualification> {
        self.qualification.as_ref().filter(|held| {
            let begun = match held.state {
                QualificationState::Suspended => self.engagement.invited_at,
                QualificationState::Qualified | QualificationState::Watch => self.begun_at(now),
            };
            begun.is_none_or(|begun| held.passed_at >= begun)
        })
    }

    /// The qualification that has run out, if it has.
    fn lapsed(&self, now: Timestamp) -> Option<&Qualification> {
        self.held(now)
            .filter(|held| held.state != QualificationState::Suspended && held.expires_at <= now)
    }

    /// What comes before qualifying. After a lapse all of it is done anew, and once somebody has tried a set they are through.
    #[must_use]
    pub fn training(&self, now: Timestamp) -> Training {
        let since = self.begun_at(now).max(self.lapsed(now).map(|held| held.expires_at));
        let is_since = |at: Timestamp| since.is_none_or(|since| at >= since);
        let is_recent = |at: Timestamp| since.is_none_or(|since| at > since.minus(MODULE_WITHIN));
        let mut missing = Vec::new();
        if !self.tried_at.is_some_and(is_since) {
            if !self.bias_module_at.is_some_and(is_recent) {
                missing.push(G::BiasModule);
            }
            if self.needs_practice && !self.practised_at.is_some_and(is_since) {
                missing.push(G::PracticeSet);
            }
        }
        Training { missing }
    }

    /// Where the assessor stands at a moment.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> AssessorState {
        if self.engagement.is_released {
            return S::Released;
        }
        let mut is_requalifying = false;
        if let Some(held) = self.held(now) {
            match held.state {
                QualificationState::Suspended if self.engagement.is_requalifying => {
                    is_requalifying = true;
                }
                QualificationState::Suspended => return S::Suspended,
                QualificationState::Qualified if held.expires_at > now => return S::Qualified,
                QualificationState::Watch if held.expires_at > now => return S::Watch,
                QualificationState::Qualified | QualificationState::Watch => {}
            }
        }
        if self.exhausted_until.is_some_and(|end| end > now) {
            return S::Released;
        }
        if is_requalifying {
            return S::Qualifying;
        }
        let begun = self.begun_at(now);
        let has_accepted = self
            .engagement
            .accepted_at
            .is_some_and(|accepted| begun.is_none_or(|begun| accepted >= begun));
        if !has_accepted && self.lapsed(now).is_none() {
            return S::Invited;
        }
        if self.training(now).missing.is_empty() { S::Qualifying } else { S::InTraining }
    }
}
