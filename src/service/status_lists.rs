//! Status lists: random places for each badge, and the signed lists.

use std::collections::BTreeSet;

use super::badge_content::{revocation_list_url, status_list_url};
use super::context::{Resources, new_uuid};
use super::error::{Broken, Error};
use super::issuer_identity::{IssuerIdentity, issuer_url};
use super::signing_keys::SigningKey;
use super::{issuer_settings, signing_keys};
use crate::credential::document::StatusContent;
use crate::credential::status_list::{self, MIN_ENTRIES, StatusList, StatusListContent};
use crate::domain::ids::{AwardId, OrganizationId, StatusListId};
use crate::domain::issuing::{KeyAlgorithm, KeyState, ListPurpose, StatusMethod};
use crate::domain::timestamp::Timestamp;
use crate::store::status_lists::StoredList;
use crate::store::{self, DbConn};

/// The places of one badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// How its end is published.
    method: StatusMethod,
    /// On a list for revocations. Every badge has one, so that its issuer can go back to bitstrings.
    pub revocation: (StatusListId, i32),
    /// On a list for suspensions, if its issuer tells those apart.
    pub suspension: Option<(StatusListId, i32)>,
}

/// Random places that nobody has had, on lists with room.
///
/// # Errors
/// [`Error::Internal`] when the database fails or a new list cannot be signed.
pub fn take_places(
    conn: &mut DbConn,
    resources: &Resources,
    base_url: &str,
    issuer: (OrganizationId, &IssuerIdentity),
    method: StatusMethod,
    now: Timestamp,
) -> Result<Places, Error> {
    let mut take = |purpose| take_place(conn, resources, base_url, issuer, purpose, now);
    let revocation = take(ListPurpose::Revocation)?;
    let suspension = match method {
        StatusMethod::BitstringWithSuspension => Some(take(ListPurpose::Suspension)?),
        StatusMethod::Bitstring | StatusMethod::RevocationList => None,
    };
    Ok(Places { method, revocation, suspension })
}

/// A random place on one list. A list that is half full gets no more badges, so that random places stay easy to find and hard to guess.
fn take_place(
    conn: &mut DbConn,
    resources: &Resources,
    base_url: &str,
    (organization, identity): (OrganizationId, &IssuerIdentity),
    purpose: ListPurpose,
    now: Timestamp,
) -> Result<(StatusListId, i32), Error> {
    let is_https = identity.id() == issuer_url(base_url, organization);
    let issuer = (!is_https).then(|| identity.id().to_owned());
    let newest = store::status_lists::list(conn, organization)?
        .into_iter()
        .find(|list| list.purpose == purpose && list.issuer == issuer);
    let mut open = None;
    if let Some(newest) = newest
        && store::credentials::count_indexes(conn, newest.id, purpose)? < i64::from(newest.size) / 2
    {
        open = Some(newest);
    }
    let list = match open {
        Some(list) => list,
        None => {
            let size = i32::try_from(MIN_ENTRIES).unwrap_or(i32::MAX);
            let list = StoredList {
                id: StatusListId::from_uuid(new_uuid()),
                organization,
                size,
                purpose,
                issuer,
                document: None,
                jwt: None,
                revision: 1,
            };
            store::status_lists::create(conn, &list, now)?;
            publish(conn, resources, base_url, &list, now)?;
            list
        }
    };
    loop {
        // Less than half of the places are taken: two tries on average at the most.
        let index = rand::random_range(0..list.size);
        if !store::credentials::is_index_taken(conn, list.id, purpose, index)? {
            return Ok((list.id, index));
        }
    }
}

/// What a badge says about where its end is published.
///
/// # Errors
/// [`Error::Internal`] for a place before the first.
pub fn content(
    base_url: &str,
    issuer: OrganizationId,
    places: &Places,
) -> Result<StatusContent, Error> {
    if places.method == StatusMethod::RevocationList {
        return Ok(StatusContent::RevocationList { url: revocation_list_url(base_url, issuer) });
    }
    let place = |(list, index): (StatusListId, i32)| -> Result<(String, usize), Error> {
        Ok((status_list_url(base_url, list), usize::try_from(index).map_err(Error::internal)?))
    };
    let (list_url, index) = place(places.revocation)?;
    let suspension = places.suspension.map(place).transpose()?;
    Ok(StatusContent::Bitstring { list_url, index, suspension })
}

/// The key that signs a list now, and the one that signs its JWT. Under a `did:key` it is the key that the identifier is, in use or not.
fn keys_of(
    conn: &mut DbConn,
    resources: &Resources,
    list: &StoredList,
    identity: &IssuerIdentity,
    now: Timestamp,
) -> Result<(SigningKey, SigningKey), Error> {
    let missing = || {
        Error::CannotIssue(
            "no signing key: a key custodian makes one before the status list can be signed"
                .to_owned(),
        )
    };
    if identity.is_did_key() {
        let key = store::signing_keys::list(conn, list.organization)?
            .into_iter()
            .find(|key| identity.is_signed_by(key) && key.state != KeyState::Compromised)
            .ok_or_else(missing)?;
        return Ok((key.clone(), key));
    }
    let key = store::signing_keys::find_active(conn, list.organization, KeyAlgorithm::EdDsa)?
        .ok_or_else(missing)?;
    let algorithm = issuer_settings::of_issuer(conn, list.organization)?.jwt_algorithm;
    let jwt_key = signing_keys::ensure_active(conn, resources, list.organization, algorithm, now)?;
    Ok((key, jwt_key))
}

/// Signs the list as it is now, in both forms, and stores it in the caller's transaction.
///
/// # Errors
/// [`Error::CannotIssue`] without an active key of the issuer.
pub fn publish(
    conn: &mut DbConn,
    resources: &Resources,
    base_url: &str,
    list: &StoredList,
    now: Timestamp,
) -> Result<(), Error> {
    let indexes = store::credentials::list_set_indexes(conn, list.id, list.purpose)?;
    publish_with(conn, resources, base_url, list, &indexes, now)
}

/// Publishes the lists that only this key can sign, because it is their issuer's `did:key`, a last time: with every place set.
///
/// # Errors
/// [`Error::Internal`] when they cannot be signed.
pub fn close_lists_of(
    conn: &mut DbConn,
    resources: &Resources,
    base_url: &str,
    key: &SigningKey,
    now: Timestamp,
) -> Result<(), Error> {
    for list in store::status_lists::list(conn, key.organization)? {
        let identity = list.issuer.as_deref().map(IssuerIdentity::from_id);
        if identity.is_some_and(|identity| identity.is_did_key() && identity.is_signed_by(key)) {
            let all: Vec<i32> = (0..list.size).collect();
            publish_with(conn, resources, base_url, &list, &all, now)?;
        }
    }
    Ok(())
}

fn publish_with(
    conn: &mut DbConn,
    resources: &Resources,
    base_url: &str,
    list: &StoredList,
    set_indexes: &[i32],
    now: Timestamp,
) -> Result<(), Error> {
    let identity = match &list.issuer {
        Some(id) => IssuerIdentity::from_id(id),
        None => IssuerIdentity::from_id(&issuer_url(base_url, list.organization)),
    };
    let (key, jwt_key) = keys_of(conn, resources, list, &identity, now)?;
    let size = usize::try_from(list.size).map_err(Error::internal)?;
    let mut bits = StatusList::new(size).map_err(Error::internal)?;
    for index in set_indexes {
        bits.set(usize::try_from(*index).map_err(Error::internal)?, true)
            .map_err(Error::internal)?;
    }
    let content = StatusListContent {
        id: status_list_url(base_url, list.id),
        issuer: identity.id().to_owned(),
        valid_from: now.as_utc(),
        purpose: list.purpose.as_str().to_owned(),
        list: bits,
    };
    let secret = signing_keys::open(resources, &key)?;
    let method = identity.verification_method(&key);
    let signed =
        status_list::publish(&secret, &content, &method, now.as_utc()).map_err(Error::internal)?;
    let secret = signing_keys::open_for_jwt(resources, &jwt_key)?;
    let kid = identity.kid(base_url, &jwt_key);
    let jwt = status_list::publish_jwt(&secret, &content, &kid).map_err(Error::internal)?;
    Ok(store::status_lists::save_published(conn, list, &signed.document, &jwt.token, now)?)
}

/// Publishes the lists that these awards' badges are on, each once, in the transaction that changes the awards. Awards without a badge
/// are on none.
///
/// # Errors
/// [`Error::CannotIssue`] without an active key of the issuer.
pub fn publish_changed(
    conn: &mut DbConn,
    resources: &Resources,
    base_url: &str,
    awards: &[AwardId],
    now: Timestamp,
) -> Result<(), Error> {
    let mut changed = BTreeSet::new();
    for award in awards {
        if let Some(intent) = store::credentials::find_intent(conn, *award)? {
            changed.insert(intent.status_list);
            changed.extend(store::credentials::find_suspension_list(conn, *award)?);
        }
    }
    for id in changed {
        let list = store::status_lists::find(conn, id)?
            .ok_or_else(|| Error::internal(Broken("a badge on a status list that is not there")))?;
        publish(conn, resources, base_url, &list, now)?;
    }
    Ok(())
}

/// Publishes every list of an issuer anew: after its key was given up.
///
/// # Errors
/// [`Error::CannotIssue`] without an active key of the issuer.
pub fn publish_all(
    conn: &mut DbConn,
    resources: &Resources,
    base_url: &str,
    issuer: OrganizationId,
    now: Timestamp,
) -> Result<(), Error> {
    for list in store::status_lists::list(conn, issuer)? {
        match publish(conn, resources, base_url, &list, now) {
            // A list under a did:key that is given up: nobody can speak for that identifier any more.
            Err(Error::CannotIssue(_)) if list.issuer.is_some() => {
                tracing::warn!(list = %list.id, "a status list cannot be signed any more");
            }
            other => other?,
        }
    }
    Ok(())
}
