//! `init`: the first organization, its issuer key and the first administrator.

use url::Url;

use super::audit::{self, Change};
use super::context::{Cx, new_uuid};
use super::error::Error;
use super::{members, organizations, passwords, signing_keys, tokens};
use crate::domain::ids::{MembershipId, OrganizationId, PersonId};
use crate::domain::issuing::KeyAlgorithm;
use crate::domain::organization::{
    Membership, MembershipState, Organization, OrganizationKind, Role,
};
use crate::store::installation::Installation;
use crate::store::people::Profile;
use crate::store::{self, StoreError};

/// What `init` is told.
pub struct NewInstallation {
    /// The first organization's name.
    pub organization: String,
    /// Its kind.
    pub kind: OrganizationKind,
    /// The administrator's name.
    pub name: String,
    /// The administrator's address.
    pub email: String,
    /// The administrator's password.
    pub password: String,
    /// Where badges will say they live.
    pub base_url: String,
    /// Whether it is for the demo.
    pub is_demo: bool,
}

/// What `init` made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initialized {
    /// The first organization.
    pub organization: OrganizationId,
    /// The administrator.
    pub administrator: PersonId,
    /// Where badges will say they live.
    pub base_url: String,
    /// The issuer's first public key.
    pub multikey: String,
}

/// Sets an installation up. A second time changes nothing.
///
/// # Errors
/// [`Error::AlreadyThere`] when it is set up, [`Error::Invalid`] for what is wrong with the input.
pub fn initialize(cx: &mut Cx<'_>, new: &NewInstallation) -> Result<Initialized, Error> {
    let already = || Error::AlreadyThere {
        code: "already-initialized",
        detail: "this installation is set up already; nothing was changed".to_owned(),
    };
    if store::installation::find(cx.conn)?.is_some() {
        return Err(already());
    }
    passwords::check_new(&new.password, "/password")?;
    let email = members::check_email(&new.email, "/email")?;
    members::check_name(&new.name, "/name")?;
    members::check_name(&new.organization, "/organization")?;
    let base_url = check_base_url(&new.base_url)?;
    let password_hash = cx.resources.passwords.hash(&new.password)?;
    let organization = Organization {
        id: OrganizationId::from_uuid(new_uuid()),
        parent: None,
        name: new.organization.trim().to_owned(),
        kind: new.kind,
        url: None,
        email: None,
        revision: 1,
    };
    let profile = Profile {
        person: PersonId::from_uuid(new_uuid()),
        name: new.name.trim().to_owned(),
        email,
    };
    let membership = Membership {
        id: MembershipId::from_uuid(new_uuid()),
        organization: organization.id,
        person: profile.person,
        state: MembershipState::Confirmed,
        roles: vec![Role::Administrator],
        revision: 1,
    };
    let key = signing_keys::generate(cx.resources, organization.id, KeyAlgorithm::EdDsa, cx.now)?;
    let installation = Installation { base_url: base_url.clone(), is_demo: new.is_demo };
    let now = cx.now;
    store::write(cx.conn, |conn| {
        match store::installation::create(conn, &installation, now) {
            Err(StoreError::Duplicate(_)) => return Err(already()),
            other => other?,
        }
        organizations::create_with_key(conn, &organization, Some(&key), now)?;
        store::people::create(conn, &profile, now)?;
        store::people::save_password_hash(conn, profile.person, &password_hash, now)?;
        store::memberships::create(conn, &membership, now)?;
        let change =
            Change::new("initialize", Some(organization.id), "organization", organization.id);
        audit::append(conn, Some(profile.person), &change, now)
    })?;
    tokens::ensure_key(cx.conn, cx.resources, now)?;
    Ok(Initialized {
        organization: organization.id,
        administrator: profile.person,
        base_url,
        multikey: key.multikey,
    })
}

/// A base URL in the one form that is stored: scheme, host, port if it is not the default, path without a slash at the end.
///
/// # Errors
/// [`Error::Invalid`] for anything that is no base URL.
pub fn check_base_url(text: &str) -> Result<String, Error> {
    let refuse = |detail: &str| Err(Error::invalid("/base_url", "base-url", detail));
    let Ok(url) = Url::parse(text.trim()) else {
        return refuse("the base URL is not a URL; give one like https://badges.example.org");
    };
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return refuse("the base URL must begin with https:// and name a host");
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return refuse("the base URL has no login, query or fragment");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
