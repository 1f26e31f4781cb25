//! The pictures of badges.

use actix_web::{HttpRequest, HttpResponse, web};

use super::negotiation::{document, entity_tag, is_known, not_modified, send};
use super::public::standing_of;
use crate::domain::ids::{AwardId, MicroCredentialId, OrganizationId};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::{Meta, Path};
use crate::service::Error;
use crate::service::badge_images::{self, BadgePictures};

/// Which picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    /// The badge as PNG.
    Png,
    /// The badge as SVG.
    Svg,
    /// The preview for other sites.
    Preview,
    /// The certificate to print.
    #[cfg(feature = "pdf")]
    Pdf,
}

/// Sends a picture of a badge. It is drawn only for who does not have it, a few at a time.
///
/// # Errors
/// 404 while there is no credential, 503 when too many are asked for at once.
pub async fn send_picture(
    app: &web::Data<App>,
    meta: &Meta,
    request: &HttpRequest,
    id: AwardId,
    picture: Picture,
) -> Result<HttpResponse, Problem> {
    let (pictures, standing) = app
        .run(meta, "read_credential", move |cx| {
            let now = cx.now;
            let pictures = badge_images::find(cx, id)?;
            let standing = standing_of(&pictures.view, now);
            Ok((pictures, standing))
        })
        .await?;
    let word = standing.ended_word();
    let etag = entity_tag(format!("{picture:?} {word:?} {}", pictures.fingerprint()).as_bytes());
    if is_known(request, &etag) {
        return Ok(not_modified(etag));
    }
    let _turn = app.drawing.enter().await?;
    let body = app.block(move |_resources| draw(&pictures, picture, word)).await?;
    let media_type = match picture {
        Picture::Png | Picture::Preview => "image/png",
        Picture::Svg => "image/svg+xml",
        #[cfg(feature = "pdf")]
        Picture::Pdf => "application/pdf",
    };
    Ok(send(etag, media_type, body))
}

/// Sends the picture of a version that can be earned, as PNG or as SVG.
///
/// # Errors
/// 404 for a version that is not public, 503 when too many are asked for at once.
pub async fn send_achievement(
    app: &web::Data<App>,
    meta: &Meta,
    request: &HttpRequest,
    (family, number): (MicroCredentialId, i32),
    as_png: bool,
) -> Result<HttpResponse, Problem> {
    let picture = app
        .run(meta, "read_achievement", move |cx| badge_images::find_achievement(cx, family, number))
        .await?;
    let etag = entity_tag(format!("{as_png} {}", picture.fingerprint()).as_bytes());
    if is_known(request, &etag) {
        return Ok(not_modified(etag));
    }
    let _turn = app.drawing.enter().await?;
    let body = app.block(move |_resources| picture.draw(as_png)).await?;
    Ok(send(etag, if as_png { "image/png" } else { "image/svg+xml" }, body))
}

fn draw(
    pictures: &BadgePictures,
    picture: Picture,
    word: Option<&'static str>,
) -> Result<Vec<u8>, Error> {
    match picture {
        Picture::Png => pictures.png(),
        Picture::Svg => pictures.svg(),
        #[cfg(feature = "pdf")]
        Picture::Pdf => {
            let said = super::public::said_of(&pictures.view);
            pictures.certificate(said, word)
        }
        Picture::Preview => pictures
            .preview(word.map_or(badge_images::Standing::Active, badge_images::Standing::Ended)),
    }
}

/// `GET /credentials/{award_id}/preview.png`
pub async fn read_preview(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<AwardId>,
) -> Result<HttpResponse, Problem> {
    send_picture(&app, &meta, &request, id, Picture::Preview).await
}

/// `GET /issuers/{organization_id}/artwork.png`
pub async fn read_artwork(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    let body = app.run(&meta, "read_artwork", move |cx| badge_images::find_artwork(cx, id)).await?;
    Ok(document(&request, "image/png", body))
}
