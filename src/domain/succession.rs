//! Offices that no organization can be without, and when somebody has to be told about them (issue: succession).

use super::organization::Role;

/// Who can let people in, who can sign, and who can settle what readers disagree about.
pub const OFFICES: [Role; 3] = [Role::Administrator, Role::KeyCustodian, Role::LeadAssessor];

worded_enum! {
    /// What is wrong with an office.
    Concern {
        /// Nobody holds it.
        Vacant = "vacant",
        /// Nobody who holds it can be reached.
        Unreachable = "unreachable",
        /// One person holds it who can be reached: nobody when they are away.
        OneOnly = "one_only",
    }
}

/// What is wrong with an office of so many holders, so many of whom can be reached.
#[must_use]
pub const fn concern(n_holders: usize, n_reachable: usize) -> Option<Concern> {
    match (n_holders, n_reachable) {
        (0, _) => Some(Concern::Vacant),
        (_, 0) => Some(Concern::Unreachable),
        (_, 1) => Some(Concern::OneOnly),
        (_, _) => None,
    }
}

/// What an office is for, in the words of a letter.
#[must_use]
pub const fn purpose(office: Role) -> Option<&'static str> {
    match office {
        Role::Administrator => Some("manages people and settings"),
        Role::KeyCustodian => Some("keeps the keys that badges are signed with"),
        Role::LeadAssessor => Some("settles what two readers disagree about, and trains assessors"),
        Role::Earner
        | Role::Coach
        | Role::PreScreener
        | Role::Assessor
        | Role::Designer
        | Role::Coordinator
        | Role::IssuingOfficer
        | Role::ReviewPanel
        | Role::DataSteward
        | Role::CreditAuthority
        | Role::Auditor => None,
    }
}
