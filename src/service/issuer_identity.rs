//! Under which identifier an organization issues, and how its keys are named there (BADGES.md, 14).

use url::Url;

use super::error::{Broken, Error};
use crate::domain::ids::OrganizationId;
use crate::domain::issuing::IdentifierMethod;
use crate::store::signing_keys::SigningKey;

/// The identifier of an issuer as it stands in badges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IssuerIdentity {
    id: String,
}

/// `{base_url}/issuers/{organization_id}`.
#[must_use]
pub fn issuer_url(base_url: &str, organization: OrganizationId) -> String {
    format!("{base_url}/issuers/{organization}")
}

/// `{base_url}/keys/{signing_key_id}`: the address that answers with one bare JWK.
#[must_use]
pub fn key_url(base_url: &str, key: &SigningKey) -> String {
    format!("{base_url}/keys/{}", key.id)
}

/// The `did:web` whose document lies at `{base_url}/issuers/{organization_id}/did.json` (did:web method, 2.5.2).
///
/// # Errors
/// [`Error::Internal`] for a base URL that is none; `init` takes no such.
pub fn did_web(base_url: &str, organization: OrganizationId) -> Result<String, Error> {
    let broken = || Error::internal(Broken("a base URL that is none"));
    let url = Url::parse(&issuer_url(base_url, organization)).map_err(Error::internal)?;
    let mut did = format!("did:web:{}", url.host_str().ok_or_else(broken)?);
    if let Some(port) = url.port() {
        did.push_str(&format!("%3A{port}"));
    }
    for segment in url.path_segments().ok_or_else(broken)? {
        did.push(':');
        did.push_str(segment);
    }
    Ok(did)
}

fn did_key(key: &SigningKey) -> String {
    format!("did:key:{}", key.multikey)
}

impl IssuerIdentity {
    /// The identifier of an organization that signs with this Ed25519 key.
    ///
    /// # Errors
    /// [`Error::Internal`] for a base URL that is none.
    pub fn of(
        base_url: &str,
        organization: OrganizationId,
        method: IdentifierMethod,
        key: &SigningKey,
    ) -> Result<IssuerIdentity, Error> {
        let id = match method {
            IdentifierMethod::Https => issuer_url(base_url, organization),
            IdentifierMethod::DidWeb => did_web(base_url, organization)?,
            IdentifierMethod::DidKey => did_key(key),
        };
        Ok(IssuerIdentity { id })
    }

    /// The identifier that stands in a document already.
    #[must_use]
    pub fn from_id(id: &str) -> IssuerIdentity {
        IssuerIdentity { id: id.to_owned() }
    }

    /// The identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the identifier is the key itself.
    #[must_use]
    pub fn is_did_key(&self) -> bool {
        self.id.starts_with("did:key:")
    }

    /// Whether badges under this identifier can be signed with the key: under a `did:key` only with that very one.
    #[must_use]
    pub fn is_signed_by(&self, key: &SigningKey) -> bool {
        !self.is_did_key() || did_key(key) == self.id
    }

    /// What a proof calls the key.
    #[must_use]
    pub fn verification_method(&self, key: &SigningKey) -> String {
        format!("{}#{}", self.id, key.multikey)
    }

    /// What the header of a JWT calls the key. Under an https address it is an address of its own, since readers of JWTs fetch it.
    #[must_use]
    pub fn kid(&self, base_url: &str, key: &SigningKey) -> String {
        if self.is_did_key() {
            self.verification_method(key)
        } else if self.id.starts_with("did:") {
            format!("{}#{}", self.id, key.id)
        } else {
            key_url(base_url, key)
        }
    }
}
