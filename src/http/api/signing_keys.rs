//! Issuers' signing keys: the public part.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body_word;
use crate::domain::ids::{OrganizationId, SigningKeyId};
use crate::domain::issuing::KeyAlgorithm;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path};
use crate::service::compromise::{self, CompromiseReport};
use crate::service::signing_keys::{self, SigningKey};

/// A signing key; the secret part never leaves.
#[derive(Serialize, ToSchema)]
pub struct SigningKeyView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The issuer.
    #[schema(format = "uuid")]
    organization_id: String,
    /// EdDSA, ES256 or RS256.
    algorithm: &'static str,
    /// The public key, a Multikey.
    multikey: String,
    /// The public key as a JWK, where JWTs name it.
    path: String,
    /// active, retired or compromised.
    state: &'static str,
    /// What can happen next.
    allowed_events: Vec<&'static str>,
    /// Since when.
    #[schema(format = "date-time")]
    created_at: String,
    /// Since when it signs no more.
    #[schema(format = "date-time")]
    retired_at: Option<String>,
    /// Since when it is given up.
    #[schema(format = "date-time")]
    compromised_at: Option<String>,
}

impl From<SigningKey> for SigningKeyView {
    fn from(key: SigningKey) -> SigningKeyView {
        SigningKeyView {
            id: key.id.to_string(),
            organization_id: key.organization.to_string(),
            algorithm: key.algorithm.as_str(),
            multikey: key.multikey,
            path: format!("/keys/{}", key.id),
            state: key.state.as_str(),
            allowed_events: key.state.allowed_events().iter().map(|event| event.as_str()).collect(),
            created_at: key.created_at.to_string(),
            retired_at: key.retired_at.map(|moment| moment.to_string()),
            compromised_at: key.compromised_at.map(|moment| moment.to_string()),
        }
    }
}

/// The keys of an organization.
#[derive(Serialize, ToSchema)]
pub struct SigningKeyList {
    /// The newest first.
    items: Vec<SigningKeyView>,
    /// Always null: an organization has few keys.
    next_cursor: Option<String>,
}

/// Which key is made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSigningKey {
    /// EdDSA (the default: badges, status lists), ES256 or RS256 (the same as JWTs).
    algorithm: Option<String>,
}

/// `POST /api/v1/organizations/{id}/signing-keys`
pub async fn create_signing_key(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    body: JsonBody<NewSigningKey>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_signing_key", parts, move |cx| {
        // Who may not make keys is told that first.
        signing_keys::list(cx, organization)?;
        let word = body.value.algorithm.as_deref().unwrap_or("EdDSA");
        let algorithm = body_word("/algorithm", word, KeyAlgorithm::parse, KeyAlgorithm::ALL)?;
        Answer::json(201, &SigningKeyView::from(signing_keys::create(cx, organization, algorithm)?))
    })
    .await
}

/// `GET /api/v1/organizations/{id}/signing-keys`
pub async fn list_signing_keys(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "list_signing_keys", move |cx| {
        let items =
            signing_keys::list(cx, organization)?.into_iter().map(SigningKeyView::from).collect();
        Answer::json(200, &SigningKeyList { items, next_cursor: None })
    })
    .await
}

/// `POST /api/v1/organizations/{id}/signing-keys/{key_id}/retire`
pub async fn retire_signing_key(
    app: web::Data<App>,
    meta: Meta,
    Path((organization, key)): Path<(OrganizationId, SigningKeyId)>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "retire_signing_key", parts, move |cx| {
        Answer::json(200, &SigningKeyView::from(signing_keys::retire(cx, organization, key)?))
    })
    .await
}

/// What giving up a key comes to.
#[derive(Serialize, ToSchema)]
pub struct CompromiseView {
    /// The key, given up.
    key: SigningKeyView,
    /// The key that signs in its place.
    successor: SigningKeyView,
    /// How many badges are signed again, under the same ids, in the next minutes.
    affected: usize,
    /// Which.
    award_ids: Vec<String>,
}

impl From<CompromiseReport> for CompromiseView {
    fn from(report: CompromiseReport) -> CompromiseView {
        CompromiseView {
            key: report.key.into(),
            successor: report.successor.into(),
            affected: report.affected.len(),
            award_ids: report.affected.iter().map(ToString::to_string).collect(),
        }
    }
}

/// `POST /api/v1/organizations/{id}/signing-keys/{key_id}/compromise`
pub async fn compromise_signing_key(
    app: web::Data<App>,
    meta: Meta,
    Path((organization, key)): Path<(OrganizationId, SigningKeyId)>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "compromise_signing_key", parts, move |cx| {
        let report = compromise::compromise(cx, organization, key)?;
        Answer::json(200, &CompromiseView::from(report))
    })
    .await
}
