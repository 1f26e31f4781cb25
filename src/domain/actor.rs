//! Who asks: read afresh for each request.

use std::collections::BTreeSet;

use super::ids::{OrganizationId, PersonId, SessionId};
use super::organization::{MembershipState, OrganizationKind, Role};

/// One membership of the actor with what is needed to judge it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The organization of the membership.
    pub organization: OrganizationId,
    /// Its kind.
    pub kind: OrganizationKind,
    /// The organizations above it.
    pub above: Vec<OrganizationId>,
    /// Those of them that a role which works upwards reaches: up to the nearest district or provider.
    pub reach: Vec<OrganizationId>,
    /// Only a confirmed membership gives rights.
    pub state: MembershipState,
    /// The roles held there.
    pub roles: Vec<Role>,
}

impl Facet {
    /// Whether this membership gives the role with effect on `organization`, whose ancestors are `above`; see [`Actor::holds`].
    #[must_use]
    pub fn gives(
        &self,
        role: Role,
        organization: OrganizationId,
        above: &[OrganizationId],
    ) -> bool {
        let reaches = self.organization == organization
            || above.contains(&self.organization)
            || (role.works_upwards() && self.reach.contains(&organization));
        self.state == MembershipState::Confirmed && self.roles.contains(&role) && reaches
    }
}

/// A person who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub person: PersonId,
    /// By which sign-in.
    pub session: SessionId,
    /// Their memberships, in every state.
    pub facets: Vec<Facet>,
}

/// Who asks for an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody we know.
    Anonymous,
    /// A person.
    Person(SignedIn),
    /// The service itself: workers and the command line.
    System,
}

impl Actor {
    /// The person who asks, if it is one.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Actor::Person(signed_in) => Some(signed_in.person),
            Actor::Anonymous | Actor::System => None,
        }
    }

    /// The memberships that give rights.
    pub fn confirmed(&self) -> impl Iterator<Item = &Facet> {
        let facets: &[Facet] = match self {
            Actor::Person(signed_in) => &signed_in.facets,
            Actor::Anonymous | Actor::System => &[],
        };
        facets.iter().filter(|facet| facet.state == MembershipState::Confirmed)
    }

    /// Whether the actor holds the role with effect on `organization`, whose ancestors are `above`.
    ///
    /// A role reaches down to everything below the organization it is held in. Roles that work for the whole district
    /// ([`Role::works_upwards`]) reach up to it as well, and no further.
    #[must_use]
    pub fn holds(
        &self,
        role: Role,
        organization: OrganizationId,
        above: &[OrganizationId],
    ) -> bool {
        self.confirmed().any(|facet| facet.gives(role, organization, above))
    }

    /// Whether the actor belongs to the branch of `organization` in any confirmed role: to it, above it or below it.
    #[must_use]
    pub fn is_member_of_branch(
        &self,
        organization: OrganizationId,
        above: &[OrganizationId],
    ) -> bool {
        self.confirmed().any(|facet| {
            facet.organization == organization
                || above.contains(&facet.organization)
                || facet.above.contains(&organization)
        })
    }

    /// The organizations in which the role is held.
    pub fn organizations_with(&self, role: Role) -> impl Iterator<Item = &Facet> {
        self.confirmed().filter(move |facet| facet.roles.contains(&role))
    }

    /// The departments below any of these organizations that the actor belongs to.
    pub fn departments_below(&self, organizations: &[OrganizationId]) -> BTreeSet<OrganizationId> {
        self.confirmed()
            .filter(|facet| {
                facet.kind == OrganizationKind::Department
                    && facet.above.iter().any(|above| organizations.contains(above))
            })
            .map(|facet| facet.organization)
            .collect()
    }

    /// The first organization that the actor has joined: where events without an object of their own belong.
    #[must_use]
    pub fn home(&self) -> Option<OrganizationId> {
        self.confirmed().next().map(|facet| facet.organization)
    }
}
