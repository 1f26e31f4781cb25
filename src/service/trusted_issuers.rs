//! The issuers that a district recognises: a signature says who signed, not that they may speak for a school.

use std::collections::BTreeSet;

use url::Url;

use super::audit::Change;
use super::context::{Cx, organizations_of_branches};
use super::error::{Error, Fault};
use super::issuer_identity::{did_web, issuer_url};
use super::organizations;
use crate::domain::ids::OrganizationId;
use crate::domain::issuing::KeyState;
use crate::domain::policy;
use crate::store;

/// The most issuers of one list.
const MOST: usize = 500;

/// A list with its revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuers {
    /// The ids of the issuers, as their badges name them.
    pub issuers: Vec<String>,
    /// Counts its changes; 0 where nobody has set one.
    pub revision: i32,
}

/// `GET /organizations/{id}/trusted-issuers`.
///
/// # Errors
/// [`Error::Denied`] for an organization of another tree.
pub fn find(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<TrustedIssuers, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "read_trusted_issuers", &subject)?;
    let (issuers, revision) = store::trusted_issuers::find(cx.conn, organization)?;
    Ok(TrustedIssuers { issuers, revision })
}

/// `PUT /organizations/{id}/trusted-issuers`: the whole list.
///
/// # Errors
/// [`Error::Invalid`] with every entry that is no id of an issuer, [`Error::Stale`] when it was changed since it was read.
pub fn put(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    list: TrustedIssuers,
) -> Result<TrustedIssuers, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "put_trusted_issuers", &subject)?;
    let mut faults = Vec::new();
    if list.issuers.len() > MOST {
        let detail = format!("name at most {MOST} issuers");
        faults.push(Fault::new("/issuers", "too-many", detail));
    }
    let mut seen = BTreeSet::new();
    for (index, issuer) in list.issuers.iter().enumerate().take(MOST) {
        let pointer = format!("/issuers/{index}");
        if !is_issuer_id(issuer) {
            let detail =
                "give the id of the issuer as it stands in its badges: an https address or a did";
            faults.push(Fault::new(pointer, "not-an-issuer", detail));
        } else if !seen.insert(issuer) {
            faults.push(Fault::new(pointer, "twice", "the issuer is on the list already"));
        }
    }
    if !faults.is_empty() {
        return Err(Error::Invalid {
            code: "invalid-trusted-issuers",
            summary: "the list cannot be taken like this".to_owned(),
            faults,
        });
    }
    let now = cx.now;
    cx.write(|conn| {
        store::trusted_issuers::save(conn, organization, &list.issuers, list.revision, now)?;
        let change =
            Change::new("put_trusted_issuers", Some(organization), "organization", organization)
                .with("issuers", list.issuers.len());
        let (issuers, revision) = store::trusted_issuers::find(conn, organization)?;
        Ok((TrustedIssuers { issuers, revision }, change))
    })
}

/// Whether a text can be the id of an issuer.
#[must_use]
pub fn is_issuer_id(text: &str) -> bool {
    text.len() <= 2_000
        && Url::parse(text).is_ok_and(|url| match url.scheme() {
            "https" | "http" => url.has_host(),
            scheme => scheme == "did",
        })
}

/// The issuers that whoever asks recognises: those on the lists of their organizations and of all above, and the organizations of their
/// branches themselves, but for keys that are given up. A list does not work upwards: a school cannot speak for its district. `None` for
/// strangers, who are not asked for anything.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn of_actor(cx: &mut Cx<'_>) -> Result<Option<Vec<String>>, Error> {
    if cx.actor.person().is_none() {
        return Ok(None);
    }
    let Some(installation) = store::installation::find(cx.conn)? else { return Ok(None) };
    let base_url = installation.base_url;
    let mut trusted = Vec::new();
    let listing: BTreeSet<OrganizationId> = cx
        .actor
        .confirmed()
        .flat_map(|facet| facet.above.iter().copied().chain([facet.organization]))
        .collect();
    for organization in listing {
        trusted.extend(store::trusted_issuers::find(cx.conn, organization)?.0);
    }
    for organization in organizations_of_branches(cx.conn, &cx.actor)? {
        trusted.push(issuer_url(&base_url, organization));
        trusted.push(did_web(&base_url, organization)?);
        let keys = store::signing_keys::list(cx.conn, organization)?;
        let usable = keys.iter().filter(|key| key.state != KeyState::Compromised);
        trusted.extend(usable.map(|key| format!("did:key:{}", key.multikey)));
    }
    Ok(Some(trusted))
}
