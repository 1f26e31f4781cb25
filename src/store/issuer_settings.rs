//! How organizations issue, and the artwork of their badges.

use diesel::prelude::*;

use super::schema::{issuer_settings, organization_artworks};
use super::{DbConn, StoreError};
use crate::domain::ids::OrganizationId;
use crate::domain::issuing::{IdentifierMethod, IssuerSettings, KeyAlgorithm, StatusMethod};
use crate::domain::timestamp::Timestamp;

/// The settings of an organization, if it has ever set any.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<IssuerSettings>, StoreError> {
    let row: Option<(String, String, String, i32)> = issuer_settings::table
        .find(organization.to_string())
        .select((
            issuer_settings::identifier,
            issuer_settings::jwt_algorithm,
            issuer_settings::status_method,
            issuer_settings::revision,
        ))
        .first(conn)
        .optional()?;
    row.map(|(identifier, algorithm, status, revision)| {
        let corrupt =
            |column| StoreError::corrupt("issuer_settings", &organization.to_string(), column);
        Ok(IssuerSettings {
            identifier: IdentifierMethod::parse(&identifier)
                .ok_or_else(|| corrupt("identifier"))?,
            jwt_algorithm: KeyAlgorithm::parse(&algorithm)
                .ok_or_else(|| corrupt("jwt_algorithm"))?,
            status_method: StatusMethod::parse(&status).ok_or_else(|| corrupt("status_method"))?,
            revision,
        })
    })
    .transpose()
}

/// Stores settings over those that were read at `settings.revision`.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else has set them since.
pub fn save(
    conn: &mut DbConn,
    organization: OrganizationId,
    settings: IssuerSettings,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = (
        issuer_settings::identifier.eq(settings.identifier.as_str()),
        issuer_settings::jwt_algorithm.eq(settings.jwt_algorithm.as_str()),
        issuer_settings::status_method.eq(settings.status_method.as_str()),
        issuer_settings::revision.eq(settings.revision + 1),
        issuer_settings::updated_at.eq(now.naive()),
    );
    let unchanged = issuer_settings::table
        .find(organization.to_string())
        .filter(issuer_settings::revision.eq(settings.revision));
    if diesel::update(unchanged).set(values).execute(conn)? == 1 {
        return Ok(());
    }
    if settings.revision != 0 {
        return Err(StoreError::Stale);
    }
    diesel::insert_into(issuer_settings::table)
        .values((issuer_settings::organization_id.eq(organization.to_string()), values))
        .execute(conn)
        .map_err(StoreError::outrun)?;
    Ok(())
}

/// The artwork of an organization's badges: a PNG that was made by ourselves from what was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredArtwork {
    /// The image.
    pub png: Vec<u8>,
    /// Lower-case hex of its SHA-256.
    pub sha256: String,
}

/// The artwork of an organization, if it has one.
///
/// # Errors
/// [`StoreError`].
pub fn find_artwork(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<StoredArtwork>, StoreError> {
    let row: Option<(Vec<u8>, String)> = organization_artworks::table
        .find(organization.to_string())
        .select((organization_artworks::png, organization_artworks::sha256))
        .first(conn)
        .optional()?;
    Ok(row.map(|(png, sha256)| StoredArtwork { png, sha256 }))
}

/// Stores an organization's artwork, in place of any it had.
///
/// # Errors
/// [`StoreError`].
pub fn save_artwork(
    conn: &mut DbConn,
    organization: OrganizationId,
    artwork: &StoredArtwork,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = organization_artworks::table.find(organization.to_string());
    let n_rows = diesel::update(row)
        .set((
            organization_artworks::png.eq(&artwork.png),
            organization_artworks::sha256.eq(&artwork.sha256),
            organization_artworks::revision.eq(organization_artworks::revision + 1),
            organization_artworks::updated_at.eq(now.naive()),
        ))
        .execute(conn)?;
    if n_rows == 0 {
        diesel::insert_into(organization_artworks::table)
            .values((
                organization_artworks::organization_id.eq(organization.to_string()),
                organization_artworks::png.eq(&artwork.png),
                organization_artworks::sha256.eq(&artwork.sha256),
                organization_artworks::revision.eq(1),
                organization_artworks::updated_at.eq(now.naive()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Takes an organization's artwork away. Returns whether there was one.
///
/// # Errors
/// [`StoreError`].
pub fn delete_artwork(conn: &mut DbConn, organization: OrganizationId) -> Result<bool, StoreError> {
    let row = organization_artworks::table.find(organization.to_string());
    Ok(diesel::delete(row).execute(conn)? > 0)
}
