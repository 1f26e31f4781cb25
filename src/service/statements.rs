//! Statements that an organization signs beside its badges: packages for other districts, endorsements.
//!
//! They are signed with the key that signs its badges, and checked with the keys that the issuer publishes.

use serde_json::Value;

use super::context::{Cx, Resources};
use super::error::{Broken, Error};
use super::issuer_identity::{issuer_url, key_url};
use super::{signing_keys, verification};
use crate::credential::json;
use crate::credential::jwk::PublicJwk;
use crate::credential::statement::{self, Detached};
use crate::domain::ids::OrganizationId;
use crate::store;
use crate::store::signing_keys::SigningKey;

/// What kind of statement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// A package of definitions for other districts.
    Template,
    /// The word of a district that it accepts another's awards.
    Endorsement,
}

impl StatementKind {
    /// The `typ` of its signature.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            StatementKind::Template => "assay-template+jws",
            StatementKind::Endorsement => "assay-endorsement+jws",
        }
    }
}

/// Who signs for an organization: itself, or the nearest above that has a key.
pub struct Signer {
    /// The issuer's https address.
    pub issuer: String,
    /// Its name.
    pub issuer_name: String,
    /// The base URL.
    pub base_url: String,
    key: SigningKey,
}

impl Signer {
    /// Finds who signs.
    ///
    /// # Errors
    /// [`Error::CannotIssue`] without a key, or while signing is stopped.
    pub fn of(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<Signer, Error> {
        if store::organizations::is_issuing_stopped(cx.conn, organization)? {
            let detail = "signing is stopped by an issuing officer or key custodian";
            return Err(Error::CannotIssue(detail.to_owned()));
        }
        let base_url = cx.installation()?.base_url;
        let key = signing_keys::find_issuer(cx.conn, organization)?;
        let issuer = store::organizations::find(cx.conn, key.organization)?
            .ok_or_else(|| Error::internal(Broken("a key of no organization")))?;
        Ok(Signer {
            issuer: issuer_url(&base_url, key.organization),
            issuer_name: issuer.name,
            base_url,
            key,
        })
    }

    /// Signs a document.
    ///
    /// # Errors
    /// [`Error::Internal`] when the key does not open.
    pub fn sign(
        &self,
        resources: &Resources,
        kind: StatementKind,
        document: &Value,
    ) -> Result<String, Error> {
        let key = signing_keys::open_for_jwt(resources, &self.key)?;
        let kid = key_url(&self.base_url, &self.key);
        let signature =
            statement::sign(&key, &kid, kind.as_str(), document).map_err(Error::internal)?;
        // As with badges, nothing leaves that its own reader would refuse.
        let own = Detached::read(&signature, kind.as_str()).map_err(Error::internal)?;
        if !own.is_signed_by(document, &signing_keys::public_jwk(&self.key)?) {
            return Err(Error::internal(Broken("a signature that does not hold")));
        }
        Ok(signature)
    }
}

/// The base URL of an address such as `{base}/issuers/{id}`, if it is one.
fn base_of<'a>(address: &'a str, folder: &str) -> Option<&'a str> {
    let (rest, id) = address.rsplit_once('/')?;
    uuid::Uuid::try_parse(id).ok()?;
    rest.strip_suffix(folder)?.strip_suffix('/')
}

/// Checks the signature of a document with the keys that its issuer publishes: our own from the database, others' through the guarded client.
/// No connection is held meanwhile.
///
/// # Errors
/// [`Error::Invalid`] at `/signature`, with the reason.
pub fn verify(
    resources: &Resources,
    kind: StatementKind,
    issuer: &str,
    document: &Value,
    signature: &str,
) -> Result<(), Error> {
    let refused =
        |code, detail: String| Err::<(), Error>(Error::invalid("/signature", code, detail));
    let detached = match Detached::read(signature, kind.as_str()) {
        Ok(detached) => detached,
        Err(error) => return refused("bad-signature", error.to_string()),
    };
    // Addresses of exactly one form: nothing else is asked for, whatever a package names.
    let base = base_of(issuer, "issuers");
    if base.is_none() || base != base_of(&detached.kid, "keys") {
        let detail = "the key of the signature is not one of the issuer that the document names";
        return refused("not-of-issuer", detail.to_owned());
    }
    let text = match verification::fetch_document(resources, &format!("{issuer}/jwks.json"))? {
        Ok(text) => text,
        Err(_unavailable) => {
            let detail = "the keys of the issuer could not be read; try again later, or ask for the document again";
            return refused("issuer-unreachable", detail.to_owned());
        }
    };
    let keys = json::parse(&text, &json::LIMITS).unwrap_or_default();
    let found =
        keys["keys"].as_array().into_iter().flatten().find(|key| key["kid"] == detached.kid);
    let Some(key) = found.and_then(|key| PublicJwk::parse(key).ok()) else {
        let detail = "the issuer does not publish this key, or has given it up";
        return refused("unknown-key", detail.to_owned());
    };
    if detached.is_signed_by(document, &key) {
        return Ok(());
    }
    let detail = "the signature does not hold: the document was changed since it was signed";
    refused("bad-signature", detail.to_owned())
}
