//! The life of one version of a definition (DOMAIN.md, 2.5): draft, proposed, approved, published, retired.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{OrganizationId, PersonId};

worded_enum! {
    /// Where a version stands.
    VersionState {
        /// Being written.
        Draft = "draft",
        /// Somebody has voted on it.
        Proposed = "proposed",
        /// The group has approved this content.
        Approved = "approved",
        /// Public and immutable.
        Published = "published",
        /// No new submissions.
        Retired = "retired",
    }
}

worded_enum! {
    /// What can happen to a version.
    VersionEvent {
        /// A change of the text: approvals are void.
        Edit = "edit",
        /// A vote.
        Approve = "approve",
        /// Makes it public.
        Publish = "publish",
        /// Takes it out of use.
        Retire = "retire",
    }
}

impl VersionState {
    /// What may happen in this state.
    #[must_use]
    pub const fn allowed_events(self) -> &'static [VersionEvent] {
        match self {
            VersionState::Draft | VersionState::Proposed => {
                &[VersionEvent::Edit, VersionEvent::Approve]
            }
            VersionState::Approved => {
                &[VersionEvent::Edit, VersionEvent::Approve, VersionEvent::Publish]
            }
            VersionState::Published => &[VersionEvent::Retire],
            VersionState::Retired => &[],
        }
    }

    /// Refuses an event that is not legal here.
    ///
    /// # Errors
    /// [`WrongVersionState`] with the events that are.
    pub fn require(self, event: VersionEvent) -> Result<(), WrongVersionState> {
        if self.allowed_events().contains(&event) {
            Ok(())
        } else {
            Err(WrongVersionState { state: self, event })
        }
    }

    /// Whether anybody may read it.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, VersionState::Published | VersionState::Retired)
    }
}

/// An event that a version's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version that is {state} cannot take {event}")]
pub struct WrongVersionState {
    /// The state it is in.
    pub state: VersionState,
    /// What was asked.
    pub event: VersionEvent,
}

/// One valid vote on the present content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Who voted.
    pub person: PersonId,
    /// For it?
    pub approves: bool,
    /// The departments the voter belongs to.
    pub departments: BTreeSet<OrganizationId>,
}

/// How many approvals, from how many departments, publishing takes (DOMAIN.md, 2.5: the default is two of each).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalRule {
    /// Approvals needed.
    pub approvals: usize,
    /// Departments that the approvers must come from.
    pub departments: usize,
}

impl Default for ApprovalRule {
    fn default() -> ApprovalRule {
        ApprovalRule { approvals: 2, departments: 2 }
    }
}

impl ApprovalRule {
    /// Whether these votes carry the content: enough approvals, enough departments, at least one approver who is not an author.
    #[must_use]
    pub fn is_met(self, votes: &[Vote], authors: &BTreeSet<PersonId>) -> bool {
        let approvals: Vec<&Vote> = votes.iter().filter(|vote| vote.approves).collect();
        approvals.len() >= self.approvals
            && matched_departments(&approvals) >= self.departments
            && approvals.iter().any(|vote| !authors.contains(&vote.person))
    }
}

/// For how many departments a different approver can stand: one person of two departments speaks for one of them.
fn matched_departments(approvals: &[&Vote]) -> usize {
    /// Finds the voter a department, moving earlier voters to another of theirs where that makes room.
    fn place(
        voter: usize,
        approvals: &[&Vote],
        tried: &mut BTreeSet<OrganizationId>,
        taken: &mut BTreeMap<OrganizationId, usize>,
    ) -> bool {
        let Some(vote) = approvals.get(voter) else { return false };
        for department in &vote.departments {
            if !tried.insert(*department) {
                continue;
            }
            let is_free = match taken.get(department).copied() {
                None => true,
                // The depth is bounded by the number of departments: each is tried once.
                Some(other) => place(other, approvals, tried, taken),
            };
            if is_free {
                taken.insert(*department, voter);
                return true;
            }
        }
        false
    }
    let mut taken = BTreeMap::new();
    (0..approvals.len())
        .filter(|voter| place(*voter, approvals, &mut BTreeSet::new(), &mut taken))
        .count()
}
