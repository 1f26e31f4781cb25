//! The public documents: credentials, achievements, issuers, status lists. No login, stable for ever.

use serde_json::Value;

use super::badge_content;
use super::context::Cx;
use super::error::Error;
use super::micro_credentials::parse_stored;
use crate::credential::document::{PublishedKey, achievement_document, issuer_document};
use crate::domain::definition::Definition;
use crate::domain::ids::{AwardId, MicroCredentialId, OrganizationId, StatusListId};
use crate::domain::organization::Organization;
use crate::domain::policy::Denied;
use crate::store::awards::Award;
use crate::store::decisions::StoredDecision;
use crate::store::micro_credentials::{CatalogueQuery, Version};
use crate::store::signing_keys::SigningKey;
use crate::store::{self, DbConn};

const fn missing(kind: &'static str) -> Error {
    Error::Denied(Denied::Hidden(kind))
}

/// The signed document of an award, byte for byte.
///
/// # Errors
/// [`Error::Denied`] while there is none.
pub fn credential(cx: &mut Cx<'_>, id: AwardId) -> Result<String, Error> {
    store::awards::find_credential(cx.conn, id)?.ok_or_else(|| missing("credential"))
}

/// What the page of a credential shows.
#[derive(Clone, Debug)]
pub struct CredentialView {
    /// The award.
    pub award: Award,
    /// The signed document.
    pub document: Value,
    /// Who issued it.
    pub issuer: Organization,
    /// The version that was earned.
    pub version: Version,
    /// Its definition.
    pub definition: Definition,
    /// How it was decided.
    pub decision: StoredDecision,
    /// Whether the earner chose to show levels.
    pub include_results: bool,
}

/// What the page of a credential shows.
///
/// # Errors
/// [`Error::Denied`] while there is no credential.
pub fn credential_view(cx: &mut Cx<'_>, id: AwardId) -> Result<CredentialView, Error> {
    let document = credential(cx, id)?;
    let award = store::awards::find(cx.conn, id)?.ok_or_else(|| missing("credential"))?;
    let decision =
        store::decisions::find(cx.conn, award.submission)?.ok_or_else(|| missing("credential"))?;
    let stored = store::submissions::find(cx.conn, award.submission)?
        .ok_or_else(|| missing("credential"))?;
    let intent = store::awards::find_intent(cx.conn, id)?.ok_or_else(|| missing("credential"))?;
    let issuer =
        store::organizations::find(cx.conn, intent.issuer)?.ok_or_else(|| missing("credential"))?;
    let version =
        store::micro_credentials::find_pinned(cx.conn, award.organization, award.version)?
            .ok_or_else(|| missing("credential"))?;
    let definition = parse_stored(&version)?.definition;
    let document = serde_json::from_str(&document).map_err(Error::internal)?;
    let include_results = stored.include_results;
    Ok(CredentialView { award, document, issuer, version, definition, decision, include_results })
}

/// A version as its public page shows it.
#[derive(Clone, Debug)]
pub struct AchievementView {
    /// The version.
    pub version: Version,
    /// Its definition.
    pub definition: Definition,
    /// Whose it is.
    pub organization: Organization,
    /// The base URL.
    pub base_url: String,
}

impl AchievementView {
    /// The Achievement as JSON-LD.
    #[must_use]
    pub fn document(&self) -> Value {
        let content = badge_content::achievement(&self.base_url, &self.version, &self.definition);
        achievement_document(&content, &badge_content::issuer(&self.base_url, &self.organization))
    }
}

/// A published version.
///
/// # Errors
/// [`Error::Denied`] for one that is not public.
pub fn achievement(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
) -> Result<AchievementView, Error> {
    let base_url = cx.installation()?.base_url;
    let version = store::micro_credentials::find_version(cx.conn, family, number)?
        .filter(|version| version.state.is_public())
        .ok_or_else(|| missing("achievement"))?;
    let definition = parse_stored(&version)?.definition;
    let organization = store::organizations::find(cx.conn, version.organization)?
        .ok_or_else(|| missing("achievement"))?;
    Ok(AchievementView { version, definition, organization, base_url })
}

/// An issuer as its public page shows it.
#[derive(Clone, Debug)]
pub struct IssuerView {
    /// The organization.
    pub organization: Organization,
    /// Its keys, the newest first.
    pub keys: Vec<SigningKey>,
    /// What it has published.
    pub catalogue: Vec<Version>,
    /// The base URL.
    pub base_url: String,
}

impl IssuerView {
    /// The Profile, which is also the document that controls the keys.
    #[must_use]
    pub fn document(&self) -> Value {
        let issuer = badge_content::issuer(&self.base_url, &self.organization);
        let keys: Vec<PublishedKey> = self
            .keys
            .iter()
            .map(|key| {
                let revoked = (key.state == "compromised").then(|| key.created_at.as_utc());
                PublishedKey::multikey(&issuer.id, &key.multikey, revoked)
            })
            .collect();
        issuer_document(&issuer, &keys)
    }
}

/// An issuer: an organization that has, or had, a signing key. Others are nobody's public business.
///
/// # Errors
/// [`Error::Denied`] for any other organization.
pub fn issuer(cx: &mut Cx<'_>, id: OrganizationId) -> Result<IssuerView, Error> {
    let base_url = cx.installation()?.base_url;
    issuer_view(cx.conn, base_url, id)
}

/// The same for a connection.
///
/// # Errors
/// [`Error::Denied`] for any other organization.
pub(super) fn issuer_view(
    conn: &mut DbConn,
    base_url: String,
    id: OrganizationId,
) -> Result<IssuerView, Error> {
    let organization = store::organizations::find(conn, id)?.ok_or_else(|| missing("issuer"))?;
    let keys = store::signing_keys::list(conn, id)?;
    if keys.is_empty() {
        return Err(missing("issuer"));
    }
    let query = CatalogueQuery { organization: Some(id), limit: 100, ..CatalogueQuery::default() };
    let catalogue = store::micro_credentials::list_catalogue(conn, &query)?;
    Ok(IssuerView { organization, keys, catalogue, base_url })
}

/// A signed status list, byte for byte.
///
/// # Errors
/// [`Error::Denied`] for one that does not exist.
pub fn status_list(cx: &mut Cx<'_>, id: StatusListId) -> Result<String, Error> {
    store::status_lists::find(cx.conn, id)?
        .and_then(|list| list.document)
        .ok_or_else(|| missing("status list"))
}

/// The catalogue with the owners.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn catalogue(
    cx: &mut Cx<'_>,
    query: &CatalogueQuery,
) -> Result<Vec<(Version, Organization)>, Error> {
    store::micro_credentials::list_catalogue(cx.conn, query)?
        .into_iter()
        .map(|version| {
            let owner = store::organizations::find(cx.conn, version.organization)?
                .ok_or_else(|| missing("organization"))?;
            Ok((version, owner))
        })
        .collect()
}

/// The number of the newest published version, when it is newer than `number`.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn newer_version(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
) -> Result<Option<i32>, Error> {
    let newest = store::micro_credentials::find_open(cx.conn, family)?;
    Ok(newest.map(|version| version.number).filter(|newest| *newest > number))
}

/// What the authors call the version that can be earned now.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn newest_label(cx: &mut Cx<'_>, family: MicroCredentialId) -> Result<Option<String>, Error> {
    Ok(store::micro_credentials::find_open(cx.conn, family)?.map(|version| version.label))
}
