//! An inventory as it was on a day, signed by the organization's issuer, so that it can be checked later.

use serde_json::{Map, Value, json};

use super::super::audit::Change;
use super::super::context::{Cx, new_uuid};
use super::super::error::{Broken, Error};
use super::super::issuer_identity::{IssuerIdentity, issuer_url};
use super::super::{issuance, issuer_settings, organizations, signing_keys};
use super::{InventoryQuery, Report, report_of, require_house};
use crate::credential::jwt;
use crate::domain::ids::{OrganizationId, SnapshotId};
use crate::domain::issuing::KeyAlgorithm;
use crate::domain::policy;
use crate::store;
use crate::store::inventory::Snapshot;

/// What the header of a snapshot says that it is: no credential.
pub const SNAPSHOT_TYPE: &str = "skills-inventory+jwt";

/// `POST /organizations/{id}/inventory-snapshots`: signs the inventory as everybody sees it now. `view` writes it as it is answered.
///
/// # Errors
/// As of [`super::find`]; [`Error::CannotIssue`] while signing is stopped, without a key, or without an https address.
pub fn create_snapshot(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    view: impl Fn(&Report) -> Result<Value, Error>,
) -> Result<Snapshot, Error> {
    let (found, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "create_inventory_snapshot", &subject)?;
    let created_by = cx.signed_in()?.person;
    let installation = cx.installation()?;
    issuance::require_signable(&installation)?;
    require_house(cx, &found)?;
    let report = report_of(cx, &InventoryQuery::whole(organization), found.name)?;
    let inventory = view(&report)?;
    let base_url = installation.base_url;
    let id = SnapshotId::from_uuid(new_uuid());
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let key = signing_keys::find_issuer(conn, organization)?;
        let settings = issuer_settings::of_issuer(conn, key.organization)?;
        let identity = IssuerIdentity::of(&base_url, key.organization, settings.identifier, &key)?;
        // A did:key is its Ed25519 key and no other.
        let jwt_key = if identity.is_did_key() || settings.jwt_algorithm == KeyAlgorithm::EdDsa {
            key.clone()
        } else {
            signing_keys::ensure_active(
                conn,
                resources,
                key.organization,
                settings.jwt_algorithm,
                now,
            )?
        };
        let mut claims = Map::new();
        claims.insert("iss".to_owned(), json!(identity.id()));
        claims.insert("sub".to_owned(), json!(issuer_url(&base_url, organization)));
        claims.insert("jti".to_owned(), json!(format!("urn:uuid:{id}")));
        claims.insert("iat".to_owned(), json!(now.as_utc().timestamp()));
        claims.insert("inventory".to_owned(), inventory.clone());
        // The switch is looked at last of all.
        issuance::require_signing(conn, organization)?;
        let secret = signing_keys::open_for_jwt(resources, &jwt_key)?;
        let kid = identity.kid(&base_url, &jwt_key);
        let signed =
            jwt::sign_claims(&secret, claims, SNAPSHOT_TYPE, &kid).map_err(Error::internal)?;
        if !jwt::is_signed_by(&signed.token, &signing_keys::public_jwk(&jwt_key)?) {
            return Err(Error::internal(Broken("a snapshot whose own signature does not hold")));
        }
        let snapshot = Snapshot {
            id,
            organization,
            issuer: key.organization,
            jwt: signed.token,
            created_by,
            created_at: now,
        };
        store::inventory::create_snapshot(conn, &snapshot)?;
        let change =
            Change::new("create_inventory_snapshot", Some(organization), "inventory_snapshot", id)
                .with("sha256", &signed.sha256);
        Ok((snapshot, change))
    })
}

/// `GET /inventory-snapshots/{id}`.
///
/// # Errors
/// [`Error::NotFound`] for one of somebody else's organization.
pub fn find_snapshot(cx: &mut Cx<'_>, id: SnapshotId) -> Result<Snapshot, Error> {
    let missing = || Error::Denied(policy::Denied::Hidden("snapshot"));
    let snapshot = store::inventory::find_snapshot(cx.conn, id)?.ok_or_else(missing)?;
    let (_, subject) = organizations::load(cx.conn, snapshot.organization)?;
    let subject = policy::Subject {
        kind: "snapshot",
        visibility: policy::Visibility::Private("read_inventory_snapshot"),
        ..subject
    };
    policy::require(&cx.actor, "read_inventory_snapshot", &subject)?;
    Ok(snapshot)
}

/// `GET /organizations/{id}/inventory-snapshots`.
///
/// # Errors
/// [`Error::Denied`] for somebody else's organization.
pub fn list_snapshots(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Snapshot>, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "list_inventory_snapshots", &subject)?;
    Ok(store::inventory::list_snapshots(cx.conn, organization, after, limit)?)
}
