//! The picture of an issuer's badges.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::OrganizationId;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{Meta, Path, declared_length, read_body};
use crate::service::badge_images::{self, ARTWORK_LIMIT};

/// Artwork as it is kept.
#[derive(Serialize, ToSchema)]
pub struct ArtworkView {
    /// Where it is shown.
    path: String,
    /// Its width in pixels.
    width: u32,
    /// Its height in pixels.
    height: u32,
}

/// `PUT /api/v1/organizations/{id}/artwork`
///
/// The body is the file; what it is is told by its bytes.
pub async fn put_artwork(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<OrganizationId>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    app.run(&meta, "put_artwork", move |cx| badge_images::require_artwork(cx, id)).await?;
    let declared = declared_length(&request);
    let file = read_body(payload.into_inner(), declared, ARTWORK_LIMIT).await?;
    let _turn = app.drawing.enter().await?;
    let parts = vec![meta.target.clone().into_bytes(), file.to_vec()];
    app.write(meta, "put_artwork", parts, move |cx| {
        let (width, height) = badge_images::put_artwork(cx, id, &file)?;
        let path = format!("/issuers/{id}/artwork.png");
        Answer::json(200, &ArtworkView { path, width, height })
    })
    .await
}

/// `DELETE /api/v1/organizations/{id}/artwork`
pub async fn delete_artwork(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "delete_artwork", parts, move |cx| {
        badge_images::delete_artwork(cx, id)?;
        Ok(Answer::empty(204))
    })
    .await
}
