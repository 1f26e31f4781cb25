//! From the intent to issue a badge to its signed forms, and its places on status lists.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::awards::Award;
use super::error::parse_ids;
use super::schema::{
    awards, credential_jwts, credentials, issuance_intents, signing_keys, suspension_places,
};
use super::{DbConn, StoreError};
use crate::domain::award::{AwardState, RevocationReason};
use crate::domain::ids::{AwardId, OrganizationId, PersonId, SigningKeyId, StatusListId};
use crate::domain::issuing::{KeyState, ListPurpose};
use crate::domain::timestamp::Timestamp;

/// What was decided before signing: with the same intent, the same bytes are signed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The award.
    pub award: AwardId,
    /// The issuer.
    pub issuer: OrganizationId,
    /// Its key.
    pub signing_key: SigningKeyId,
    /// The status list.
    pub status_list: StatusListId,
    /// The place on it, used once.
    pub status_index: i32,
    /// SHA-256 of the canonical form of the unsigned document.
    pub canonical_sha256: String,
    /// The unsigned document.
    pub unsigned_document: String,
    /// When; also `created` of the proof.
    pub created_at: Timestamp,
}

/// Stores an intent.
///
/// # Errors
/// [`StoreError::Duplicate`] when the award has one, or the place on the list is taken.
pub fn create_intent(conn: &mut DbConn, new: &Intent) -> Result<(), StoreError> {
    diesel::insert_into(issuance_intents::table)
        .values((
            issuance_intents::award_id.eq(new.award.to_string()),
            issuance_intents::issuer_id.eq(new.issuer.to_string()),
            issuance_intents::signing_key_id.eq(new.signing_key.to_string()),
            issuance_intents::status_list_id.eq(new.status_list.to_string()),
            issuance_intents::status_index.eq(new.status_index),
            issuance_intents::canonical_sha256.eq(&new.canonical_sha256),
            issuance_intents::unsigned_document.eq(&new.unsigned_document),
            issuance_intents::created_at.eq(new.created_at.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("intent"))?;
    Ok(())
}

/// The intent of an award.
///
/// # Errors
/// [`StoreError`].
pub fn find_intent(conn: &mut DbConn, award: AwardId) -> Result<Option<Intent>, StoreError> {
    type IntentRow = (String, String, String, String, i32, String, String, NaiveDateTime);
    let row: Option<IntentRow> =
        issuance_intents::table.find(award.to_string()).first(conn).optional()?;
    row.map(
        |(_, issuer, key, list, status_index, canonical_sha256, unsigned_document, created_at)| {
            let corrupt =
                |column| StoreError::corrupt("issuance_intents", &award.to_string(), column);
            Ok(Intent {
                award,
                issuer: issuer.parse().map_err(|_bad| corrupt("issuer_id"))?,
                signing_key: key.parse().map_err(|_bad| corrupt("signing_key_id"))?,
                status_list: list.parse().map_err(|_bad| corrupt("status_list_id"))?,
                status_index,
                canonical_sha256,
                unsigned_document,
                created_at: Timestamp::from_naive(created_at),
            })
        },
    )
    .transpose()
}

/// Whether a place on a status list is taken.
///
/// # Errors
/// [`StoreError`].
pub fn is_index_taken(
    conn: &mut DbConn,
    list: StatusListId,
    purpose: ListPurpose,
    index: i32,
) -> Result<bool, StoreError> {
    Ok(match purpose {
        ListPurpose::Revocation => diesel::select(diesel::dsl::exists(
            issuance_intents::table
                .filter(issuance_intents::status_list_id.eq(list.to_string()))
                .filter(issuance_intents::status_index.eq(index)),
        ))
        .get_result(conn)?,
        ListPurpose::Suspension => diesel::select(diesel::dsl::exists(
            suspension_places::table
                .filter(suspension_places::status_list_id.eq(list.to_string()))
                .filter(suspension_places::status_index.eq(index)),
        ))
        .get_result(conn)?,
    })
}

/// How many places of a status list are taken.
///
/// # Errors
/// [`StoreError`].
pub fn count_indexes(
    conn: &mut DbConn,
    list: StatusListId,
    purpose: ListPurpose,
) -> Result<i64, StoreError> {
    Ok(match purpose {
        ListPurpose::Revocation => issuance_intents::table
            .filter(issuance_intents::status_list_id.eq(list.to_string()))
            .count()
            .get_result(conn)?,
        ListPurpose::Suspension => suspension_places::table
            .filter(suspension_places::status_list_id.eq(list.to_string()))
            .count()
            .get_result(conn)?,
    })
}

/// The places of a status list whose bits are set: on a list for suspensions those of suspended awards, on one for revocations those of
/// revoked awards, and of suspended ones that have no place on a list for suspensions.
///
/// # Errors
/// [`StoreError`].
pub fn list_set_indexes(
    conn: &mut DbConn,
    list: StatusListId,
    purpose: ListPurpose,
) -> Result<Vec<i32>, StoreError> {
    let suspended = AwardState::Suspended.as_str();
    if purpose == ListPurpose::Suspension {
        return Ok(suspension_places::table
            .inner_join(awards::table.on(awards::id.eq(suspension_places::award_id)))
            .filter(suspension_places::status_list_id.eq(list.to_string()))
            .filter(awards::state.eq(suspended))
            .select(suspension_places::status_index)
            .load(conn)?);
    }
    Ok(issuance_intents::table
        .inner_join(awards::table.on(awards::id.eq(issuance_intents::award_id)))
        .left_join(
            suspension_places::table.on(suspension_places::award_id.eq(issuance_intents::award_id)),
        )
        .filter(issuance_intents::status_list_id.eq(list.to_string()))
        .filter(
            awards::state.eq(AwardState::Revoked.as_str()).or(awards::state
                .eq(suspended)
                .and(suspension_places::award_id.nullable().is_null())),
        )
        .select(issuance_intents::status_index)
        .load(conn)?)
}

/// Gives a badge its place on a list for suspensions.
///
/// # Errors
/// [`StoreError::Duplicate`] when the place is taken.
pub fn save_suspension_place(
    conn: &mut DbConn,
    award: AwardId,
    list: StatusListId,
    index: i32,
) -> Result<(), StoreError> {
    diesel::insert_into(suspension_places::table)
        .values((
            suspension_places::award_id.eq(award.to_string()),
            suspension_places::status_list_id.eq(list.to_string()),
            suspension_places::status_index.eq(index),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("suspension place"))?;
    Ok(())
}

/// The list for suspensions that a badge is on, if it is on one.
///
/// # Errors
/// [`StoreError`].
pub fn find_suspension_list(
    conn: &mut DbConn,
    award: AwardId,
) -> Result<Option<StatusListId>, StoreError> {
    let id: Option<String> = suspension_places::table
        .find(award.to_string())
        .select(suspension_places::status_list_id)
        .first(conn)
        .optional()?;
    let corrupt = || StoreError::corrupt("suspension_places", &award.to_string(), "status_list_id");
    id.map(|id| id.parse().map_err(|_bad| corrupt())).transpose()
}

/// A signed badge in both forms.
#[derive(Clone, Copy, Debug)]
pub struct SignedForms<'a> {
    /// The document with its embedded proof.
    pub document: &'a str,
    /// Lower-case hex of its SHA-256.
    pub sha256: &'a str,
    /// The key of the proof.
    pub signing_key: SigningKeyId,
    /// The same as a JWT.
    pub jwt: &'a str,
    /// Lower-case hex of its SHA-256.
    pub jwt_sha256: &'a str,
    /// The key of the JWT.
    pub jwt_signing_key: SigningKeyId,
}

/// Stores the signed badge and makes the award active.
///
/// # Errors
/// [`StoreError::Duplicate`] when there is one, [`StoreError::Stale`] when the award does not wait any more.
pub fn save_credential(
    conn: &mut DbConn,
    award: &Award,
    signed: &SignedForms<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(credentials::table)
        .values((
            credentials::award_id.eq(award.id.to_string()),
            credentials::document.eq(signed.document),
            credentials::sha256.eq(signed.sha256),
            credentials::signing_key_id.eq(Some(signed.signing_key.to_string())),
            credentials::issued_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("credential"))?;
    save_jwt(conn, award.id, signed)?;
    let waiting = awards::table
        .find(award.id.to_string())
        .filter(awards::organization_id.eq(award.organization.to_string()))
        .filter(awards::state.eq(AwardState::PendingKey.as_str()));
    let n_rows = diesel::update(waiting)
        .set((
            awards::state.eq(AwardState::Active.as_str()),
            awards::issued_at.eq(Some(now.naive())),
            awards::revision.eq(awards::revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Stores the JWT of a badge, in place of any it had.
fn save_jwt(conn: &mut DbConn, award: AwardId, signed: &SignedForms<'_>) -> Result<(), StoreError> {
    let key = signed.jwt_signing_key.to_string();
    let values = (
        credential_jwts::signing_key_id.eq(&key),
        credential_jwts::token.eq(signed.jwt),
        credential_jwts::sha256.eq(signed.jwt_sha256),
    );
    let row = credential_jwts::table.find(award.to_string());
    if diesel::update(row).set(values).execute(conn)? == 0 {
        diesel::insert_into(credential_jwts::table)
            .values((credential_jwts::award_id.eq(award.to_string()), values))
            .execute(conn)
            .map_err(StoreError::duplicate("credential"))?;
    }
    Ok(())
}

/// Replaces the served copies of a badge by others that say the same, signed with other keys.
///
/// # Errors
/// [`StoreError::Stale`] when there is none.
pub fn replace_credential(
    conn: &mut DbConn,
    award: AwardId,
    signed: &SignedForms<'_>,
) -> Result<(), StoreError> {
    let n_rows = diesel::update(credentials::table.find(award.to_string()))
        .set((
            credentials::document.eq(signed.document),
            credentials::sha256.eq(signed.sha256),
            credentials::signing_key_id.eq(Some(signed.signing_key.to_string())),
        ))
        .execute(conn)?;
    save_jwt(conn, award, signed)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// The signed document of an award, byte for byte.
///
/// # Errors
/// [`StoreError`].
pub fn find_credential(conn: &mut DbConn, award: AwardId) -> Result<Option<String>, StoreError> {
    Ok(credentials::table
        .find(award.to_string())
        .select(credentials::document)
        .first(conn)
        .optional()?)
}

/// The badge of an award as a JWT, byte for byte.
///
/// # Errors
/// [`StoreError`].
pub fn find_jwt(conn: &mut DbConn, award: AwardId) -> Result<Option<String>, StoreError> {
    Ok(credential_jwts::table
        .find(award.to_string())
        .select(credential_jwts::token)
        .first(conn)
        .optional()?)
}

/// Forgets what was decided about badges that were to be signed with this key and are not signed: it is decided anew.
///
/// # Errors
/// [`StoreError`].
pub fn delete_unsigned_intents(conn: &mut DbConn, key: SigningKeyId) -> Result<(), StoreError> {
    let unsigned: Vec<String> = issuance_intents::table
        .left_join(credentials::table.on(credentials::award_id.eq(issuance_intents::award_id)))
        .filter(issuance_intents::signing_key_id.eq(key.to_string()))
        .filter(credentials::award_id.nullable().is_null())
        .select(issuance_intents::award_id)
        .load(conn)?;
    for award in unsigned {
        diesel::delete(suspension_places::table.find(&award)).execute(conn)?;
        diesel::delete(issuance_intents::table.find(&award)).execute(conn)?;
    }
    Ok(())
}

fn award_ids(ids: Vec<String>) -> Result<Vec<AwardId>, StoreError> {
    parse_ids("credentials", "award_id", ids)
}

/// The awards whose served copies were signed with this key, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_signed_by(conn: &mut DbConn, key: SigningKeyId) -> Result<Vec<AwardId>, StoreError> {
    let key = key.to_string();
    let ids: Vec<String> = credentials::table
        .left_join(credential_jwts::table.on(credential_jwts::award_id.eq(credentials::award_id)))
        .filter(
            credentials::signing_key_id
                .eq(Some(key.clone()))
                .or(credential_jwts::signing_key_id.nullable().eq(Some(key))),
        )
        .order(credentials::award_id)
        .select(credentials::award_id)
        .load(conn)?;
    award_ids(ids)
}

/// The keys that are given up.
fn compromised_keys(conn: &mut DbConn) -> Result<Vec<String>, StoreError> {
    Ok(signing_keys::table
        .filter(signing_keys::state.eq(KeyState::Compromised.as_str()))
        .select(signing_keys::id)
        .load(conn)?)
}

/// The people with a badge whose served copy was signed with a key that is given up, by id, those `after` one.
///
/// # Errors
/// [`StoreError`].
pub fn list_earners_of_compromised(
    conn: &mut DbConn,
    after: Option<PersonId>,
    limit: i64,
) -> Result<Vec<PersonId>, StoreError> {
    let keys = compromised_keys(conn)?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let among: Vec<Option<String>> = keys.into_iter().map(Some).collect();
    // Every id is greater than the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = awards::table
        .inner_join(credentials::table.on(credentials::award_id.eq(awards::id)))
        .left_join(credential_jwts::table.on(credential_jwts::award_id.eq(awards::id)))
        .filter(awards::earner_id.gt(after))
        .filter(
            credentials::signing_key_id
                .eq_any(among.clone())
                .or(credential_jwts::signing_key_id.nullable().eq_any(among)),
        )
        .select(awards::earner_id)
        .distinct()
        .order(awards::earner_id)
        .limit(limit)
        .load(conn)?;
    parse_ids("awards", "earner_id", ids)
}

/// The awards of an earner whose served copies were signed with keys that are given up, by id.
///
/// # Errors
/// [`StoreError`].
pub fn list_compromised_of(
    conn: &mut DbConn,
    earner: PersonId,
) -> Result<Vec<AwardId>, StoreError> {
    let keys = compromised_keys(conn)?;
    let among: Vec<Option<String>> = keys.iter().cloned().map(Some).collect();
    let ids: Vec<String> = awards::table
        .inner_join(credentials::table.on(credentials::award_id.eq(awards::id)))
        .left_join(credential_jwts::table.on(credential_jwts::award_id.eq(awards::id)))
        .filter(awards::earner_id.eq(earner.to_string()))
        .filter(
            credentials::signing_key_id
                .eq_any(among.clone())
                .or(credential_jwts::signing_key_id.nullable().eq_any(among)),
        )
        .order(awards::id)
        .select(awards::id)
        .load(conn)?;
    award_ids(ids)
}

/// Gives a badge other places on status lists.
///
/// # Errors
/// [`StoreError`].
pub fn move_places(
    conn: &mut DbConn,
    award: AwardId,
    revocation: (StatusListId, i32),
    suspension: Option<(StatusListId, i32)>,
) -> Result<(), StoreError> {
    diesel::update(issuance_intents::table.find(award.to_string()))
        .set((
            issuance_intents::status_list_id.eq(revocation.0.to_string()),
            issuance_intents::status_index.eq(revocation.1),
        ))
        .execute(conn)?;
    diesel::delete(suspension_places::table.find(award.to_string())).execute(conn)?;
    match suspension {
        Some((list, index)) => save_suspension_place(conn, award, list, index),
        None => Ok(()),
    }
}

/// Stores what a badge says from now on.
///
/// # Errors
/// [`StoreError`].
pub fn save_moved_document(
    conn: &mut DbConn,
    award: AwardId,
    unsigned_document: &str,
    canonical_sha256: &str,
) -> Result<(), StoreError> {
    diesel::update(issuance_intents::table.find(award.to_string()))
        .set((
            issuance_intents::unsigned_document.eq(unsigned_document),
            issuance_intents::canonical_sha256.eq(canonical_sha256),
        ))
        .execute(conn)?;
    Ok(())
}

/// How the text of a badge shows that it names a 1EdTech revocation list. In a text of its own the quotation marks would be escaped.
const ON_REVOCATION_LIST: &str = "%\"type\":\"1EdTechRevocationList\"%";

/// Whether an issuer has badges that name its 1EdTech revocation list.
///
/// # Errors
/// [`StoreError`].
pub fn has_revocation_list(conn: &mut DbConn, issuer: OrganizationId) -> Result<bool, StoreError> {
    let naming = issuance_intents::table
        .filter(issuance_intents::issuer_id.eq(issuer.to_string()))
        .filter(issuance_intents::unsigned_document.like(ON_REVOCATION_LIST));
    Ok(diesel::select(diesel::dsl::exists(naming)).get_result(conn)?)
}

/// The revoked and suspended awards whose badges name the issuer's 1EdTech revocation list, with the reason of a revocation, by id. Others
/// are on bitstrings, which name nobody.
///
/// # Errors
/// [`StoreError`].
pub fn list_ended_of_issuer(
    conn: &mut DbConn,
    issuer: OrganizationId,
) -> Result<Vec<(AwardId, Option<RevocationReason>)>, StoreError> {
    let rows: Vec<(String, Option<String>)> = awards::table
        .inner_join(issuance_intents::table.on(issuance_intents::award_id.eq(awards::id)))
        .filter(issuance_intents::issuer_id.eq(issuer.to_string()))
        .filter(issuance_intents::unsigned_document.like(ON_REVOCATION_LIST))
        .filter(
            awards::state.eq_any([AwardState::Revoked.as_str(), AwardState::Suspended.as_str()]),
        )
        .order(awards::id)
        .select((awards::id, awards::revocation_reason))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, reason)| {
            let award = id.parse().map_err(|_bad| StoreError::corrupt("awards", &id, "id"))?;
            let reason = reason
                .map(|word| {
                    RevocationReason::parse(&word)
                        .ok_or_else(|| StoreError::corrupt("awards", &id, "revocation_reason"))
                })
                .transpose()?;
            Ok((award, reason))
        })
        .collect()
}

/// The awards that have a badge, by id, those `after` one.
///
/// # Errors
/// [`StoreError`].
pub fn list_issued(
    conn: &mut DbConn,
    after: Option<AwardId>,
    limit: i64,
) -> Result<Vec<AwardId>, StoreError> {
    // Every id is greater than the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = credentials::table
        .filter(credentials::award_id.gt(after))
        .order(credentials::award_id)
        .limit(limit)
        .select(credentials::award_id)
        .load(conn)?;
    award_ids(ids)
}
