//! Issuers' signing keys: the public part.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::OrganizationId;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{Meta, Path};
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
    /// The public key, a Multikey.
    multikey: String,
    /// active, retired or compromised.
    state: String,
    /// Since when.
    #[schema(format = "date-time")]
    created_at: String,
}

impl From<SigningKey> for SigningKeyView {
    fn from(key: SigningKey) -> SigningKeyView {
        SigningKeyView {
            id: key.id.to_string(),
            organization_id: key.organization.to_string(),
            multikey: key.multikey,
            state: key.state,
            created_at: key.created_at.to_string(),
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

/// `POST /api/v1/organizations/{id}/signing-keys`
pub async fn create_signing_key(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "create_signing_key", parts, move |cx| {
        Answer::json(201, &SigningKeyView::from(signing_keys::create(cx, organization)?))
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
