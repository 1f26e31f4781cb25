//! People and trees that are put into the database by the services below HTTP: for tests that need many, or a second tree.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use assay::domain::ids::{MembershipId, OrganizationId, PersonId};
use assay::domain::organization::{
    Membership, MembershipState, Organization, OrganizationKind, Role,
};
use assay::service::context::new_uuid;
use assay::service::{Error, organizations};
use assay::store;
use assay::store::people::Profile;

use super::{PASSWORD, Person, TestApp};

fn role(word: &str) -> Role {
    Role::parse(word).unwrap()
}

impl TestApp {
    /// A district that stands beside the first one: no tree holds both.
    pub fn seed_root(&self, name: &str) -> String {
        self.seed_root_of_kind(name, OrganizationKind::District)
    }

    /// The top of a tree of its own.
    pub fn seed_root_of_kind(&self, name: &str, kind: OrganizationKind) -> String {
        let organization = Organization {
            id: OrganizationId::from_uuid(new_uuid()),
            parent: None,
            name: name.to_owned(),
            kind,
            url: None,
            email: None,
            revision: 1,
        };
        self.resources
            .as_system(|cx| {
                let now = cx.now;
                store::write(cx.conn, |conn| {
                    organizations::create_with_key(conn, &organization, None, now)
                })
            })
            .unwrap();
        organization.id.to_string()
    }

    /// A confirmed member with these roles, who has signed in.
    #[track_caller]
    pub fn seed(&self, organization: &str, email: &str, roles: &[&str]) -> Person {
        let profile = Profile {
            person: PersonId::from_uuid(new_uuid()),
            name: email.to_owned(),
            email: email.to_owned(),
        };
        let membership = Membership {
            id: MembershipId::from_uuid(new_uuid()),
            organization: organization.parse().unwrap(),
            person: profile.person,
            state: MembershipState::Confirmed,
            roles: roles.iter().copied().collect::<BTreeSet<_>>().into_iter().map(role).collect(),
            revision: 1,
        };
        let hash = self.password_hash();
        self.resources
            .as_system(|cx| {
                let now = cx.now;
                store::write(cx.conn, |conn| {
                    store::people::create(conn, &profile, now)?;
                    store::people::save_password_hash(conn, profile.person, hash, now)?;
                    store::memberships::create(conn, &membership, now)?;
                    Ok::<(), Error>(())
                })
            })
            .unwrap();
        self.sign_in(email)
    }

    /// The hash of everybody's password, made once.
    fn password_hash(&self) -> &'static str {
        static HASH: OnceLock<String> = OnceLock::new();
        HASH.get_or_init(|| self.resources.passwords.hash(PASSWORD).unwrap())
    }
}
