//! Organizations: who is below whom.

use url::Url;

use super::audit::Change;
use super::context::{Cx, above, new_uuid, organizations_of_branches};
use super::error::{Error, Fault};
use super::members;
use crate::domain::ids::OrganizationId;
use crate::domain::organization::{Organization, OrganizationKind};
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::timestamp::Timestamp;
use crate::store::signing_keys::SigningKey;
use crate::store::{self, DbConn};

/// What a new organization is told.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The organization above it.
    pub parent_id: Option<OrganizationId>,
    /// Its web site.
    pub url: Option<String>,
    /// Its public address.
    pub email: Option<String>,
}

/// The organization with its policy subject.
///
/// # Errors
/// [`Error::NotFound`].
pub fn load(conn: &mut DbConn, id: OrganizationId) -> Result<(Organization, Subject), Error> {
    let organization = store::organizations::find(conn, id)?
        .ok_or(Error::Denied(Denied::Hidden("organization")))?;
    let subject = Subject {
        kind: "organization",
        organization: id,
        above: above(conn, id)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Branch,
    };
    Ok((organization, subject))
}

/// `POST /organizations`: adds an organization below one that the caller administers.
///
/// # Errors
/// [`Error::Invalid`] with everything that is wrong, [`Error::Denied`] without the role above it.
pub fn create(cx: &mut Cx<'_>, new: &NewOrganization) -> Result<Organization, Error> {
    policy::require_somewhere(&cx.actor, "create_organization")?;
    let mut faults = Vec::new();
    if let Err(Error::Invalid { faults: found, .. }) = members::check_name(&new.name, "/name") {
        faults.extend(found);
    }
    let kind = OrganizationKind::parse(&new.kind);
    if kind.is_none() {
        let kinds: Vec<&str> = OrganizationKind::ALL.iter().map(|kind| kind.as_str()).collect();
        faults.push(Fault::new(
            "/kind",
            "unknown-kind",
            format!("the kind is one of {}", kinds.join(", ")),
        ));
    }
    if let Some(url) = &new.url
        && !Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
    {
        faults.push(Fault::new("/url", "not-a-url", "the web address must begin with https://"));
    }
    if let Some(email) = &new.email
        && let Err(Error::Invalid { faults: found, .. }) = members::check_email(email, "/email")
    {
        faults.extend(found);
    }
    let Some(parent) = new.parent_id else {
        faults.push(Fault::new(
            "/parent_id",
            "parent-missing",
            "name the organization that this one belongs to",
        ));
        return Err(invalid(faults));
    };
    let Some(kind) = kind.filter(|_| faults.is_empty()) else { return Err(invalid(faults)) };
    let (_, subject) = load(cx.conn, parent)?;
    policy::require(&cx.actor, "create_organization", &subject)?;
    let organization = Organization {
        id: OrganizationId::from_uuid(new_uuid()),
        parent: Some(parent),
        name: new.name.trim().to_owned(),
        kind,
        url: new.url.clone(),
        email: new.email.clone(),
        revision: 1,
    };
    let now = cx.now;
    cx.write(|conn| {
        create_with_key(conn, &organization, None, now)?;
        let change =
            Change::new("create_organization", Some(parent), "organization", organization.id)
                .with("kind", kind);
        Ok((organization.clone(), change))
    })
}

fn invalid(faults: Vec<Fault>) -> Error {
    Error::Invalid {
        code: "invalid-organization",
        summary: "the organization cannot be added like this".to_owned(),
        faults,
    }
}

/// Adds an organization, with an issuer key if it has one from the start. Without one it issues in the name of the nearest
/// organization above that has.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn create_with_key(
    conn: &mut DbConn,
    organization: &Organization,
    key: Option<&SigningKey>,
    now: Timestamp,
) -> Result<(), Error> {
    store::organizations::create(conn, organization, now)?;
    if let Some(key) = key {
        store::signing_keys::create(conn, key)?;
    }
    Ok(())
}

/// `GET /organizations/{id}`.
///
/// # Errors
/// [`Error::Denied`] for an organization of somebody else's branch, as for one that does not exist.
pub fn find(cx: &mut Cx<'_>, id: OrganizationId) -> Result<Organization, Error> {
    let (organization, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "read_organization", &subject)?;
    Ok(organization)
}

/// `GET /organizations`: those of the caller's branches.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list(cx: &mut Cx<'_>, after: Option<&str>, limit: i64) -> Result<Vec<Organization>, Error> {
    cx.signed_in()?;
    let among = organizations_of_branches(cx.conn, &cx.actor)?;
    Ok(store::organizations::list(cx.conn, &among, after, limit)?)
}

/// `PUT /organizations/{id}/issuing`: stops signing for an organization and everything below it, or lets it go on.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn switch_issuing(cx: &mut Cx<'_>, id: OrganizationId, stopped: bool) -> Result<(), Error> {
    let (_, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "switch_issuing", &subject)?;
    cx.write(|conn| {
        store::organizations::switch_issuing(conn, id, stopped)?;
        Ok((
            (),
            Change::new("switch_issuing", Some(id), "organization", id).with("stopped", stopped),
        ))
    })
}
