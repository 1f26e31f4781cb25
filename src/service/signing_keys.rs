//! Issuers' signing keys.

use zeroize::Zeroizing;

use super::audit::Change;
use super::context::{Cx, Resources, new_uuid};
use super::error::Error;
use super::organizations;
use crate::credential::keys::IssuerKey;
use crate::domain::ids::{OrganizationId, SigningKeyId};
use crate::domain::policy;
use crate::domain::timestamp::Timestamp;
use crate::store::{self, DbConn};

pub use crate::store::signing_keys::SigningKey;

fn label(id: SigningKeyId) -> String {
    format!("signing_keys/{id}")
}

/// Makes a new key and wraps it. Nothing is stored yet.
///
/// # Errors
/// [`Error::Internal`] when the cipher fails.
pub fn generate(
    resources: &Resources,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<SigningKey, Error> {
    let id = SigningKeyId::from_uuid(new_uuid());
    let mut seed = Zeroizing::new([0_u8; 32]);
    rand::fill(seed.as_mut_slice());
    let multikey = IssuerKey::from_seed(&seed).public_multikey();
    let wrapped_key = resources.keyring.wrap(&seed, &label(id)).map_err(Error::internal)?;
    Ok(SigningKey {
        id,
        organization,
        multikey,
        state: "active".to_owned(),
        wrapped_key,
        created_at: now,
    })
}

/// Unwraps a key for one signature. It is wiped when dropped.
///
/// # Errors
/// [`Error::Internal`] when it does not open.
pub fn open(resources: &Resources, key: &SigningKey) -> Result<IssuerKey, Error> {
    let seed =
        resources.keyring.unwrap_key(&key.wrapped_key, &label(key.id)).map_err(Error::internal)?;
    Ok(IssuerKey::from_seed(&seed))
}

/// The organization in whose name another issues: itself if it has an active key, else the nearest above that has one.
///
/// # Errors
/// [`Error::CannotIssue`] when there is none.
pub fn find_issuer(conn: &mut DbConn, organization: OrganizationId) -> Result<SigningKey, Error> {
    let above = store::organizations::list_above(conn, organization)?;
    for candidate in std::iter::once(organization).chain(above) {
        if let Some(key) = store::signing_keys::find_active(conn, candidate)? {
            return Ok(key);
        }
    }
    Err(Error::CannotIssue(
        "no signing key: a key custodian makes one for the organization or for one above it"
            .to_owned(),
    ))
}

/// `POST /organizations/{id}/signing-keys`: a new key, which signs from now on. Older ones stay published.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn create(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<SigningKey, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "create_signing_key", &subject)?;
    let key = generate(cx.resources, organization, cx.now)?;
    cx.write(|conn| {
        store::signing_keys::create(conn, &key)?;
        let change = Change::new("create_signing_key", Some(organization), "signing_key", key.id)
            .with("multikey", &key.multikey);
        Ok((key.clone(), change))
    })
}

/// `GET /organizations/{id}/signing-keys`: every key the organization ever had, the newest first.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn list(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<Vec<SigningKey>, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "list_signing_keys", &subject)?;
    Ok(store::signing_keys::list(cx.conn, organization)?)
}
