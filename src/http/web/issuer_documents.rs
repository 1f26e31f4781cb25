//! What a verifier reads about an issuer: its keys in every form, and its lists.

use actix_web::{HttpRequest, HttpResponse, web};

use super::negotiation::{Form, document, negotiate, read_suffix};
use crate::domain::ids::{OrganizationId, SigningKeyId, StatusListId};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::{Meta, Path};
use crate::service::Error;
use crate::service::publications;

/// `GET /issuers/{organization_id}/did.json`: the DID document of the issuer's `did:web`.
pub async fn read_did_document(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    let body = app
        .run(&meta, "read_did_document", move |cx| publications::issuer(cx, id)?.did_document())
        .await?;
    Ok(document(&request, "application/did+json", body.to_string()))
}

/// `GET /issuers/{organization_id}/jwks.json`: the keys with which the issuer signs JWTs (RFC 7517, section 5).
pub async fn read_jwks(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    let body = app.run(&meta, "read_jwks", move |cx| publications::issuer(cx, id)?.jwks()).await?;
    Ok(document(&request, "application/jwk-set+json", body.to_string()))
}

/// `GET /keys/{signing_key_id}`: one bare JWK, the document of a `kid`. A key that is given up is gone.
pub async fn read_key(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<SigningKeyId>,
) -> Result<HttpResponse, Problem> {
    let body = app.run(&meta, "read_key", move |cx| publications::key(cx, id)).await?;
    Ok(document(&request, "application/jwk+json", body.to_string()))
}

/// `GET /status-lists/{id}`: the signed list, with an embedded proof or as a JWT.
pub async fn read_status_list(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(name): Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, suffix) = read_suffix(&name);
    let id: StatusListId =
        id.parse().map_err(|_no_id| Problem::from(Error::NotFound("status list")))?;
    // A list has no page: a browser gets the JSON as well.
    let (form, media_type) =
        match negotiate(&request, suffix, &[Form::Json, Form::Jwt, Form::Page])? {
            (Form::Page, _) => (Form::Json, "application/json"),
            chosen => chosen,
        };
    let body = app
        .run(&meta, "read_status_list", move |cx| {
            publications::status_list(cx, id, form == Form::Jwt)
        })
        .await?;
    Ok(document(&request, media_type, body))
}

/// `GET /revocation-lists/{organization_id}`: the list of 1EdTech, which names revoked badges. It is not signed.
pub async fn read_revocation_list(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    let body = app
        .run(&meta, "read_revocation_list", move |cx| publications::revocation_list(cx, id))
        .await?;
    Ok(document(&request, "application/json", body.to_string()))
}
