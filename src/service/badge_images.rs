//! The pictures of a badge: baked as PNG and SVG, and the preview that other sites show; and the issuer's artwork for them.

use sha2::{Digest, Sha256};

use super::audit::Change;
use super::award_basis::Basis;
use super::context::Cx;
use super::error::Error;
use super::organizations;
use super::publications::{self, CredentialView};
use crate::credential::bake::{Baked, bake_png, bake_svg};
use crate::domain::audit::hex;
use crate::domain::ids::{AwardId, MicroCredentialId, OrganizationId};
use crate::domain::policy::{self, Denied};
use crate::images::{Artwork, ArtworkError, BadgeFace, badge_png, draw_badge, preview_png};
use crate::store;

pub use crate::images::{ARTWORK_LIMIT, Standing};
use crate::store::issuer_settings::StoredArtwork;

/// How many pixels a drawn badge has from left to right.
const WIDTH: u32 = 600;

/// Everything that the pictures of one badge are made of. Reading it takes the database, drawing does not.
#[derive(Clone, Debug)]
pub struct BadgePictures {
    /// What the page of the badge shows.
    pub view: CredentialView,
    document: String,
    artwork: Option<StoredArtwork>,
}

impl BadgePictures {
    fn face(&self) -> BadgeFace {
        let (fingerprint, language) = match &self.view.basis {
            Basis::Submission(work) => {
                (&work.version.scoring_hash, &work.definition.about().language)
            }
            Basis::Stack(work) => (&work.stack.content_hash, &work.definition.language),
        };
        let day = self.view.award.issued_at;
        BadgeFace {
            title: self.view.basis.title().to_owned(),
            issuer_name: self.view.issuer.name.clone(),
            fingerprint: fingerprint.clone(),
            language: language.clone(),
            issued_on: day.map(|day| day.as_utc().format("%-d %B %Y").to_string()),
        }
    }

    fn artwork(&self) -> Result<Option<Artwork>, Error> {
        restore(self.artwork.as_ref())
    }

    /// What tells this state of the pictures from every other.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.document.as_bytes());
        if let Some(artwork) = &self.artwork {
            hasher.update(artwork.sha256.as_bytes());
        }
        hex(&hasher.finalize())
    }

    /// The badge as a PNG image with the signed document in it.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be drawn.
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        let drawn = badge_png(&self.face(), self.artwork()?.as_ref(), WIDTH);
        bake_png(&drawn.map_err(Error::internal)?, &Baked::Json(self.document.clone()))
            .map_err(Error::internal)
    }

    /// The badge as an SVG image with the signed document in it.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be drawn.
    pub fn svg(&self) -> Result<Vec<u8>, Error> {
        let drawn = draw_badge(&self.face(), self.artwork()?.as_ref());
        bake_svg(drawn.svg(), &Baked::Json(self.document.clone()))
            .map(String::into_bytes)
            .map_err(Error::internal)
    }

    /// The certificate to print, with the code that leads to the page of the badge. It names nobody: neither does the page.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written.
    #[cfg(feature = "pdf")]
    pub fn certificate(
        &self,
        scoring: String,
        ended: Option<&'static str>,
    ) -> Result<Vec<u8>, Error> {
        let url = self.view.document["id"].as_str().unwrap_or_default().to_owned();
        let certificate = crate::images::Certificate {
            face: self.face(),
            holder: None,
            scoring,
            status_note: ended.map(|word| format!("{word}: this badge does not count today.")),
            credential_url: url,
        };
        crate::images::certificate_pdf(&certificate, self.artwork()?.as_ref())
            .map_err(Error::internal)
    }

    /// The preview that other sites show beside a link to the badge.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be drawn.
    pub fn preview(&self, standing: Standing<'_>) -> Result<Vec<u8>, Error> {
        preview_png(&self.face(), self.artwork()?.as_ref(), standing).map_err(Error::internal)
    }
}

/// The picture of a version that can be earned: like that of its badges, but nobody's.
#[derive(Clone, Debug)]
pub struct AchievementPicture {
    face: BadgeFace,
    artwork: Option<StoredArtwork>,
}

impl AchievementPicture {
    /// What tells this state of the picture from every other.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let artwork = self.artwork.as_ref().map(|artwork| artwork.sha256.as_str());
        format!("{:?} {artwork:?}", self.face)
    }

    /// As a PNG image, or as an SVG image.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be drawn.
    pub fn draw(&self, as_png: bool) -> Result<Vec<u8>, Error> {
        let artwork = restore(self.artwork.as_ref())?;
        if as_png {
            badge_png(&self.face, artwork.as_ref(), WIDTH).map_err(Error::internal)
        } else {
            Ok(draw_badge(&self.face, artwork.as_ref()).svg().as_bytes().to_vec())
        }
    }
}

fn restore(stored: Option<&StoredArtwork>) -> Result<Option<Artwork>, Error> {
    stored.map(|stored| Artwork::restore(stored.png.clone()).map_err(Error::internal)).transpose()
}

/// What the picture of a published version is made of.
///
/// # Errors
/// [`Error::Denied`] for one that is not public.
pub fn find_achievement(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
) -> Result<AchievementPicture, Error> {
    let view = publications::achievement(cx, family, number)?;
    let artwork = store::issuer_settings::find_artwork(cx.conn, view.organization.id)?;
    let about = view.definition.about();
    let face = BadgeFace {
        title: about.title.clone(),
        issuer_name: view.organization.name.clone(),
        fingerprint: view.version.scoring_hash.clone(),
        language: about.language.clone(),
        issued_on: None,
    };
    Ok(AchievementPicture { face, artwork })
}

/// What the pictures of a badge are made of.
///
/// # Errors
/// [`Error::Denied`] while there is no credential.
pub fn find(cx: &mut Cx<'_>, id: AwardId) -> Result<BadgePictures, Error> {
    let document = publications::credential(cx, id)?;
    let view = publications::credential_view(cx, id)?;
    let artwork = store::issuer_settings::find_artwork(cx.conn, view.issuer.id)?;
    Ok(BadgePictures { view, document, artwork })
}

/// `GET /issuers/{organization_id}/artwork.png`.
///
/// # Errors
/// [`Error::Denied`] for an organization that has none.
pub fn find_artwork(cx: &mut Cx<'_>, id: OrganizationId) -> Result<Vec<u8>, Error> {
    let artwork = store::issuer_settings::find_artwork(cx.conn, id)?;
    artwork.map(|artwork| artwork.png).ok_or(Error::Denied(Denied::Hidden("artwork")))
}

/// Whether the caller may upload artwork: asked before the file is read.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn require_artwork(cx: &mut Cx<'_>, id: OrganizationId) -> Result<(), Error> {
    let (_, subject) = organizations::load(cx.conn, id)?;
    Ok(policy::require(&cx.actor, "put_artwork", &subject)?)
}

/// `PUT /organizations/{id}/artwork`: the picture of every badge of this issuer, made anew from what was uploaded, so that nothing of the
/// file but its pixels is kept. Badges already saved as images keep theirs.
///
/// # Errors
/// [`Error::Invalid`], [`Error::UnsupportedFile`] or [`Error::FileTooLarge`] for a picture that cannot be taken.
pub fn put_artwork(cx: &mut Cx<'_>, id: OrganizationId, file: &[u8]) -> Result<(u32, u32), Error> {
    require_artwork(cx, id)?;
    let artwork = Artwork::parse(file).map_err(|error| match error {
        ArtworkError::TooLarge { limit } => {
            Error::FileTooLarge { limit: u64::try_from(limit).unwrap_or(u64::MAX) }
        }
        ArtworkError::Svg | ArtworkError::NotPng => Error::UnsupportedFile(error.to_string()),
        ArtworkError::Dimensions { .. } | ArtworkError::Damaged => {
            Error::invalid("", "artwork", error.to_string())
        }
    })?;
    let size = artwork.size();
    let stored =
        StoredArtwork { sha256: hex(&Sha256::digest(artwork.png())), png: artwork.png().to_vec() };
    let now = cx.now;
    cx.write(|conn| {
        store::issuer_settings::save_artwork(conn, id, &stored, now)?;
        let change =
            Change::new("put_artwork", Some(id), "organization", id).with("sha256", &stored.sha256);
        Ok((size, change))
    })
}

/// `DELETE /organizations/{id}/artwork`: badges are drawn from their definitions again.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub fn delete_artwork(cx: &mut Cx<'_>, id: OrganizationId) -> Result<(), Error> {
    let (_, subject) = organizations::load(cx.conn, id)?;
    policy::require(&cx.actor, "delete_artwork", &subject)?;
    cx.write(|conn| {
        if !store::issuer_settings::delete_artwork(conn, id)? {
            return Err(Error::NotFound("artwork"));
        }
        Ok(((), Change::new("delete_artwork", Some(id), "organization", id)))
    })
}
