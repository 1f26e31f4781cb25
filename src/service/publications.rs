//! The public documents: credentials, achievements, issuers, status lists. No login, stable for ever.

use serde_json::Value;

use super::award_basis::{self, Basis, StackWork};
use super::badge_content;
use super::context::Cx;
use super::error::Error;
use super::issuer_identity::{IssuerIdentity, did_web, issuer_url, key_url};
use super::micro_credentials::parse_stored;
use super::{issuer_settings, signing_keys};
use crate::credential::document::{
    PublishedKey, RevokedCredential, achievement_document, did_document, issuer_document, jwks,
    key_document, revocation_list as revocation_list_document,
};
use crate::domain::definition::Definition;
use crate::domain::ids::{
    AwardId, MicroCredentialId, OrganizationId, SigningKeyId, StackId, StatusListId,
};
use crate::domain::issuing::{IssuerSettings, KeyAlgorithm, KeyState};
use crate::domain::organization::Organization;
use crate::domain::policy::Denied;
use crate::store::awards::Award;
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
    store::credentials::find_credential(cx.conn, id)?.ok_or_else(|| missing("credential"))
}

/// The badge of an award as a JWT, byte for byte.
///
/// # Errors
/// [`Error::Denied`] while there is none.
pub fn credential_jwt(cx: &mut Cx<'_>, id: AwardId) -> Result<String, Error> {
    store::credentials::find_jwt(cx.conn, id)?.ok_or_else(|| missing("credential"))
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
    /// What it rests on.
    pub basis: Basis,
    /// Whether there is a JWT beside the document.
    pub has_jwt: bool,
}

/// What the page of a credential shows.
///
/// # Errors
/// [`Error::Denied`] while there is no credential.
pub fn credential_view(cx: &mut Cx<'_>, id: AwardId) -> Result<CredentialView, Error> {
    let document = credential(cx, id)?;
    let award = store::awards::find(cx.conn, id)?.ok_or_else(|| missing("credential"))?;
    let intent =
        store::credentials::find_intent(cx.conn, id)?.ok_or_else(|| missing("credential"))?;
    let issuer =
        store::organizations::find(cx.conn, intent.issuer)?.ok_or_else(|| missing("credential"))?;
    let basis = award_basis::load(cx.conn, &award)?;
    let document = serde_json::from_str(&document).map_err(Error::internal)?;
    let has_jwt = store::credentials::find_jwt(cx.conn, id)?.is_some();
    Ok(CredentialView { award, document, issuer, basis, has_jwt })
}

/// A stack as its public page shows it.
#[derive(Clone, Debug)]
pub struct StackView {
    /// The stack.
    pub work: StackWork,
    /// Whose it is.
    pub organization: Organization,
    /// The base URL.
    pub base_url: String,
}

impl StackView {
    /// Its id, as it stands in badges.
    #[must_use]
    pub fn id(&self) -> String {
        badge_content::stack_url(&self.base_url, self.work.stack.id)
    }

    /// The Achievement as JSON-LD.
    #[must_use]
    pub fn document(&self) -> Value {
        let content = badge_content::stack_achievement(&self.base_url, &self.work);
        let id = issuer_url(&self.base_url, self.organization.id);
        achievement_document(&content, &badge_content::issuer(&id, &self.organization))
    }
}

/// A stack that is or was published.
///
/// # Errors
/// [`Error::Denied`] for one that is not public.
pub fn stack(cx: &mut Cx<'_>, id: StackId) -> Result<StackView, Error> {
    let base_url = cx.installation()?.base_url;
    let stack = store::stacks::find(cx.conn, id)?
        .filter(|stack| stack.state.is_public())
        .ok_or_else(|| missing("stack"))?;
    let organization =
        store::organizations::find(cx.conn, stack.organization)?.ok_or_else(|| missing("stack"))?;
    let work = award_basis::of_stack(cx.conn, stack, Vec::new())?;
    Ok(StackView { work, organization, base_url })
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
    /// Its id, as it stands in badges.
    #[must_use]
    pub fn id(&self) -> String {
        let version = &self.version;
        badge_content::achievement_url(&self.base_url, version.micro_credential, version.number)
    }

    /// The Achievement as JSON-LD.
    #[must_use]
    pub fn document(&self) -> Value {
        let content = badge_content::achievement(&self.base_url, &self.version, &self.definition);
        let id = issuer_url(&self.base_url, self.organization.id);
        achievement_document(&content, &badge_content::issuer(&id, &self.organization))
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
    /// How it issues.
    pub settings: IssuerSettings,
    /// The base URL.
    pub base_url: String,
}

impl IssuerView {
    /// The identifier under which it issues now.
    ///
    /// # Errors
    /// [`Error::Internal`] for a base URL that is none.
    pub fn identifier(&self) -> Result<String, Error> {
        let https = issuer_url(&self.base_url, self.organization.id);
        let newest = self
            .keys
            .iter()
            .find(|key| key.algorithm == KeyAlgorithm::EdDsa && key.state == KeyState::Active);
        let Some(newest) = newest else { return Ok(https) };
        let method = self.settings.identifier;
        let identity = IssuerIdentity::of(&self.base_url, self.organization.id, method, newest)?;
        Ok(identity.id().to_owned())
    }

    /// The keys as they are named under an identifier: each Ed25519 key for proofs, and every key for JWTs.
    fn published(&self, id: &str) -> Result<Vec<PublishedKey>, Error> {
        let identity = IssuerIdentity::from_id(id);
        let mut published = Vec::new();
        for key in &self.keys {
            let revoked = key.compromised_at.map(|moment| moment.as_utc());
            if key.algorithm == KeyAlgorithm::EdDsa {
                published.push(PublishedKey::multikey(id, &key.multikey, revoked));
            }
            let kid = identity.kid(&self.base_url, key);
            published.push(PublishedKey::jwk(&kid, signing_keys::public_jwk(key)?, revoked));
        }
        Ok(published)
    }

    /// The Profile, which is also the document that controls the keys.
    ///
    /// # Errors
    /// [`Error::Internal`] for a stored key that is none.
    pub fn document(&self) -> Result<Value, Error> {
        let id = issuer_url(&self.base_url, self.organization.id);
        let issuer = badge_content::issuer(&id, &self.organization);
        Ok(issuer_document(&issuer, &self.published(&id)?))
    }

    /// The DID document of its `did:web`, whether or not it issues under that now: badges that name it stay verifiable.
    ///
    /// # Errors
    /// [`Error::Internal`] for a stored key that is none.
    pub fn did_document(&self) -> Result<Value, Error> {
        let did = did_web(&self.base_url, self.organization.id)?;
        Ok(did_document(&did, &self.published(&did)?))
    }

    /// The keys with which it signs JWTs, without those that are given up.
    ///
    /// # Errors
    /// [`Error::Internal`] for a stored key that is none.
    pub fn jwks(&self) -> Result<Value, Error> {
        Ok(jwks(&self.published(&issuer_url(&self.base_url, self.organization.id))?))
    }
}

/// One key as a bare JWK.
///
/// # Errors
/// [`Error::Gone`] for a key that is given up: nobody must take it from here any more.
pub fn key(cx: &mut Cx<'_>, id: SigningKeyId) -> Result<Value, Error> {
    let base_url = cx.installation()?.base_url;
    let key =
        store::signing_keys::find_public(cx.conn, id)?.ok_or_else(|| missing("signing key"))?;
    key_of(&base_url, &key)
}

/// The same for a key that was read.
///
/// # Errors
/// [`Error::Gone`] for a key that is given up.
pub(super) fn key_of(base_url: &str, key: &SigningKey) -> Result<Value, Error> {
    if key.state == KeyState::Compromised {
        return Err(Error::Gone("key"));
    }
    let url = key_url(base_url, key);
    let issuer = issuer_url(base_url, key.organization);
    Ok(key_document(&issuer, &PublishedKey::jwk(&url, signing_keys::public_jwk(key)?, None)))
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
    let settings = issuer_settings::of_issuer(conn, id)?;
    Ok(IssuerView { organization, keys, catalogue, settings, base_url })
}

/// A signed status list, byte for byte, with an embedded proof or as a JWT.
///
/// # Errors
/// [`Error::Denied`] for one that does not exist.
pub fn status_list(cx: &mut Cx<'_>, id: StatusListId, as_jwt: bool) -> Result<String, Error> {
    store::status_lists::find(cx.conn, id)?
        .and_then(|list| if as_jwt { list.jwt } else { list.document })
        .ok_or_else(|| missing("status list"))
}

/// The list of an issuer's revoked badges in the form of 1EdTech. A suspended badge stands on it until it is reinstated.
///
/// # Errors
/// [`Error::Denied`] for an issuer none of whose badges names the list.
pub fn revocation_list(cx: &mut Cx<'_>, id: OrganizationId) -> Result<Value, Error> {
    let base_url = cx.installation()?.base_url;
    revocation_list_of(cx.conn, &base_url, id)
}

/// The same for a connection.
///
/// # Errors
/// [`Error::Denied`] for an issuer none of whose badges names the list.
pub(super) fn revocation_list_of(
    conn: &mut DbConn,
    base_url: &str,
    id: OrganizationId,
) -> Result<Value, Error> {
    if !store::credentials::has_revocation_list(conn, id)? {
        return Err(missing("revocation list"));
    }
    let ended = store::credentials::list_ended_of_issuer(conn, id)?;
    let revoked: Vec<RevokedCredential> = ended
        .into_iter()
        .map(|(award, reason)| RevokedCredential {
            id: badge_content::credential_url(base_url, award),
            reason: reason.map(|reason| reason.public_class().to_owned()),
        })
        .collect();
    let url = badge_content::revocation_list_url(base_url, id);
    Ok(revocation_list_document(&url, &issuer_url(base_url, id), &revoked))
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
