//! Status lists: a random place for each badge, and the signed list.

use super::badge_content::{issuer_url, status_list_url};
use super::context::{Resources, new_uuid};
use super::error::{Broken, Error};
use super::signing_keys;
use crate::credential::document::multikey_id;
use crate::credential::status_list::{self, MIN_ENTRIES, StatusList, StatusListContent};
use crate::domain::ids::{OrganizationId, StatusListId};
use crate::domain::timestamp::Timestamp;
use crate::store::status_lists::StoredList;
use crate::store::{self, DbConn};

/// A list with room, and a random place on it that nobody has had. A list that is half full gets no more badges, so that random
/// places stay easy to find and hard to guess.
///
/// # Errors
/// [`Error::Internal`] when the database fails or a new list cannot be signed.
pub fn take_place(
    conn: &mut DbConn,
    resources: &Resources,
    base_url: &str,
    issuer: OrganizationId,
    now: Timestamp,
) -> Result<(StatusListId, i32), Error> {
    let mut open = None;
    if let Some(newest) = store::status_lists::list(conn, issuer)?.into_iter().next()
        && store::awards::count_indexes(conn, newest.id)? < i64::from(newest.size) / 2
    {
        open = Some(newest);
    }
    let list = match open {
        Some(list) => list,
        None => {
            let size = i32::try_from(MIN_ENTRIES).unwrap_or(i32::MAX);
            let list = StoredList {
                id: StatusListId::from_uuid(new_uuid()),
                organization: issuer,
                size,
                document: None,
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
        if !store::awards::is_index_taken(conn, list.id, index)? {
            return Ok((list.id, index));
        }
    }
}

/// Signs the list as it is now and stores it, in the caller's transaction.
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
    let key = store::signing_keys::find_active(conn, list.organization)?.ok_or_else(|| {
        Error::CannotIssue(
            "no signing key: a key custodian makes one before the status list can be signed"
                .to_owned(),
        )
    })?;
    let size = usize::try_from(list.size).map_err(Error::internal)?;
    let mut bits = StatusList::new(size).map_err(Error::internal)?;
    for index in store::awards::list_revoked_indexes(conn, list.id)? {
        bits.set(usize::try_from(index).map_err(Error::internal)?, true)
            .map_err(Error::internal)?;
    }
    let issuer = issuer_url(base_url, list.organization);
    let content = StatusListContent {
        id: status_list_url(base_url, list.id),
        issuer: issuer.clone(),
        valid_from: now.as_utc(),
        purpose: "revocation".to_owned(),
        list: bits,
    };
    let method = multikey_id(&issuer, &key.multikey);
    let secret = signing_keys::open(resources, &key)?;
    let signed =
        status_list::publish(&secret, &content, &method, now.as_utc()).map_err(Error::internal)?;
    Ok(store::status_lists::save_published(conn, list, &signed.document, now)?)
}

/// The list that a badge is on.
///
/// # Errors
/// [`Error::Internal`] when it is not there.
pub fn find(conn: &mut DbConn, id: StatusListId) -> Result<StoredList, Error> {
    store::status_lists::find(conn, id)?
        .ok_or_else(|| Error::internal(Broken("a badge on a status list that is not there")))
}
