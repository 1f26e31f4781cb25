//! How an organization issues: its settings and the artwork of its badges.

use super::audit::Change;
use super::context::Cx;
use super::error::{Error, Fault};
use super::organizations;
use crate::domain::ids::OrganizationId;
use crate::domain::issuing::{IdentifierMethod, IssuerSettings, SettingsError};
use crate::domain::policy;
use crate::store::{self, DbConn};

/// The settings that hold for an issuer.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn of_issuer(conn: &mut DbConn, issuer: OrganizationId) -> Result<IssuerSettings, Error> {
    Ok(store::issuer_settings::find(conn, issuer)?.unwrap_or(IssuerSettings::DEFAULT))
}

/// `GET /organizations/{id}/issuer-settings`.
///
/// # Errors
/// [`Error::Denied`] without a role that reads them.
pub fn find(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<IssuerSettings, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "read_issuer_settings", &subject)?;
    of_issuer(cx.conn, organization)
}

/// `PUT /organizations/{id}/issuer-settings`: counts for badges issued from now on; older ones stay as they are signed.
///
/// # Errors
/// [`Error::Invalid`] for settings that do not go together, [`Error::Stale`] when they were changed since they were read.
pub fn put(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    settings: IssuerSettings,
) -> Result<IssuerSettings, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "put_issuer_settings", &subject)?;
    let settings = settings.check().map_err(|error| {
        let (pointer, code) = match error {
            SettingsError::DidKeyAlgorithm => ("/jwt_algorithm", "did-key-algorithm"),
            SettingsError::RevocationListHost => ("/status_method", "revocation-list-host"),
        };
        Error::Invalid {
            code: "invalid-issuer-settings",
            summary: "these settings do not go together".to_owned(),
            faults: vec![Fault::new(pointer, code, error.to_string())],
        }
    })?;
    let installation = cx.installation()?;
    if settings.identifier == IdentifierMethod::DidWeb
        && !installation.base_url.starts_with("https://")
        && !installation.is_demo
    {
        return Err(Error::invalid(
            "/identifier",
            "did-web-host",
            "a did:web is resolved over https, and this installation was set up with another address",
        ));
    }
    let now = cx.now;
    cx.write(|conn| {
        store::issuer_settings::save(conn, organization, settings, now)?;
        let change =
            Change::new("put_issuer_settings", Some(organization), "organization", organization)
                .with("identifier", settings.identifier)
                .with("jwt_algorithm", settings.jwt_algorithm)
                .with("status_method", settings.status_method);
        Ok((of_issuer(conn, organization)?, change))
    })
}
