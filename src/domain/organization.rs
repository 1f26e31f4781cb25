//! Organizations form a tree: networks and states over districts, districts over schools and departments.

use super::ids::{OrganizationId, PersonId};

worded_enum! {
    /// What an organization is.
    OrganizationKind {
        /// Districts that work together.
        Network = "network",
        /// A state or its agency.
        State = "state",
        /// A school district.
        District = "district",
        /// A school: its members do not score one another.
        School = "school",
        /// A department: approvals count departments.
        Department = "department",
        /// A provider of professional learning.
        Provider = "provider",
    }
}

impl OrganizationKind {
    /// Whether work done below it is done for it: designers of a department write the district's definitions, assessors of one
    /// school score the other schools. Above it begins somebody else's house.
    #[must_use]
    pub const fn is_house(self) -> bool {
        matches!(self, OrganizationKind::District | OrganizationKind::Provider)
    }
}

/// Those organizations above one that work in it is done for: up to the nearest district or provider, none where there is no
/// such organization or it is one itself. `above` is the nearest first, with kinds.
#[must_use]
pub fn reach_of(
    kind: OrganizationKind,
    above: &[(OrganizationId, OrganizationKind)],
) -> Vec<OrganizationId> {
    if kind.is_house() {
        return Vec::new();
    }
    match above.iter().position(|(_, kind)| kind.is_house()) {
        Some(house) => above.iter().take(house + 1).map(|(id, _)| *id).collect(),
        None => Vec::new(),
    }
}

worded_enum! {
    /// What a person may do in an organization (DOMAIN.md, section 1). No role includes another.
    Role {
        /// Manages people and settings.
        Administrator = "administrator",
        /// Submits and receives.
        Earner = "earner",
        /// Helps an earner before submitting.
        Coach = "coach",
        /// Checks that a submission is complete.
        PreScreener = "pre_screener",
        /// Scores blind.
        Assessor = "assessor",
        /// Adjudicates, trains, keeps seed papers.
        LeadAssessor = "lead_assessor",
        /// Writes and approves definitions.
        Designer = "designer",
        /// Runs programmes and invites.
        Coordinator = "coordinator",
        /// Issues and revokes.
        IssuingOfficer = "issuing_officer",
        /// Decides appeals and integrity cases.
        ReviewPanel = "review_panel",
        /// Looks after personal data.
        DataSteward = "data_steward",
        /// Grants credit.
        CreditAuthority = "credit_authority",
        /// Reads the audit trail.
        Auditor = "auditor",
        /// Holds the issuer's keys.
        KeyCustodian = "key_custodian",
    }
}

impl Role {
    /// Whether a coordinator may give the role by inviting somebody. Roles that manage people, keys, money or control are an
    /// administrator's to give, so that nobody can raise their own rights by inviting themselves.
    #[must_use]
    pub const fn is_given_by_coordinators(self) -> bool {
        match self {
            Role::Earner
            | Role::Coach
            | Role::PreScreener
            | Role::Assessor
            | Role::LeadAssessor
            | Role::Designer => true,
            Role::Administrator
            | Role::Coordinator
            | Role::IssuingOfficer
            | Role::ReviewPanel
            | Role::DataSteward
            | Role::CreditAuthority
            | Role::Auditor
            | Role::KeyCustodian => false,
        }
    }

    /// Whether the role does the work of the whole district (or provider) it is held in. A designer of a department works on the
    /// district's definitions, an assessor of one school scores the other schools; an administrator of a school has no say above it.
    #[must_use]
    pub const fn works_upwards(self) -> bool {
        match self {
            Role::Earner
            | Role::Coach
            | Role::PreScreener
            | Role::Assessor
            | Role::LeadAssessor
            | Role::Designer
            | Role::ReviewPanel => true,
            Role::Administrator
            | Role::Coordinator
            | Role::IssuingOfficer
            | Role::DataSteward
            | Role::CreditAuthority
            | Role::Auditor
            | Role::KeyCustodian => false,
        }
    }
}

worded_enum! {
    /// The life of a membership (DOMAIN.md, 2.5).
    MembershipState {
        /// Invited, not yet accepted.
        Invited = "invited",
        /// Accepted: the only state that gives rights.
        Confirmed = "confirmed",
        /// Paused.
        Suspended = "suspended",
        /// Ended.
        Removed = "removed",
    }
}

impl MembershipState {
    /// Whether an administrator may move a membership from this state to `next`. Nobody is confirmed by anybody but themselves.
    #[must_use]
    pub const fn may_become(self, next: MembershipState) -> bool {
        match self {
            MembershipState::Invited => {
                matches!(next, MembershipState::Invited | MembershipState::Removed)
            }
            MembershipState::Confirmed | MembershipState::Suspended => {
                matches!(
                    next,
                    MembershipState::Confirmed
                        | MembershipState::Suspended
                        | MembershipState::Removed
                )
            }
            MembershipState::Removed => matches!(next, MembershipState::Removed),
        }
    }
}

/// An organization as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// The organization above it.
    pub parent: Option<OrganizationId>,
    /// Its name, as printed on badges.
    pub name: String,
    /// What it is.
    pub kind: OrganizationKind,
    /// Its web site.
    pub url: Option<String>,
    /// Its public address.
    pub email: Option<String>,
    /// Counts its changes.
    pub revision: i32,
}

/// A person's membership of one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Its id.
    pub id: super::ids::MembershipId,
    /// Where.
    pub organization: OrganizationId,
    /// Who.
    pub person: PersonId,
    /// Whether it gives rights.
    pub state: MembershipState,
    /// What the person may do there.
    pub roles: Vec<Role>,
    /// Counts its changes.
    pub revision: i32,
}
