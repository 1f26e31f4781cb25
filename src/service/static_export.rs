//! The public documents as plain files, so that badges verify when the service is gone (BADGES.md, 14; DOMAIN.md, 2.3).

use serde_json::{Value, json};

use super::badge_content::status_list_url;
use super::context::Cx;
use super::error::Error;
use super::publications::{self, AchievementView, IssuerView};
use crate::credential::contexts::BUNDLE;
use crate::credential::document::{CREDENTIAL_SCHEMA, CREDENTIAL_SCHEMA_BYTES};
use crate::domain::issuing::{IdentifierMethod, KeyState};
use crate::store;

/// One file, at its path below the base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicFile {
    /// The path, without a slash in front.
    pub path: String,
    /// What a web server should call it.
    pub media_type: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl PublicFile {
    fn json(path: String, media_type: &'static str, document: &Value) -> PublicFile {
        PublicFile { path, media_type, bytes: document.to_string().into_bytes() }
    }

    fn text(path: String, media_type: &'static str, text: String) -> PublicFile {
        PublicFile { path, media_type, bytes: text.into_bytes() }
    }
}

const JSON: &str = "application/ld+json";
const JWT: &str = "application/vc+jwt";

/// Hands out every public document: issuers with their keys in each form, status lists, achievements, the contexts and the schema, and
/// the badges themselves if they are wanted.
///
/// An issuer whose badges carry its https address is the one file `issuers/{id}`. One that has a `did:web` needs a folder of that name for
/// its `did.json`; its profile is then the folder's index file, which every web server finds.
///
/// # Errors
/// [`Error::Internal`] when the database fails, and what `emit` returns.
pub fn write_all(
    cx: &mut Cx<'_>,
    with_credentials: bool,
    emit: &mut dyn FnMut(PublicFile) -> Result<(), Error>,
) -> Result<(), Error> {
    let base_url = cx.installation()?.base_url;
    for organization in store::signing_keys::list_issuers(cx.conn)? {
        let view = publications::issuer_view(cx.conn, base_url.clone(), organization)?;
        write_issuer(cx, &view, emit)?;
    }
    for (family, number) in store::micro_credentials::list_public_numbers(cx.conn)? {
        let view: AchievementView = publications::achievement(cx, family, number)?;
        let path = format!("achievements/{family}/versions/{number}");
        emit(PublicFile::json(path, JSON, &view.document()))?;
    }
    for id in store::stacks::list_public(cx.conn)? {
        let view = publications::stack(cx, id)?;
        emit(PublicFile::json(format!("stacks/{id}"), JSON, &view.document()))?;
    }
    let mut index = Vec::new();
    for context in BUNDLE {
        // Some contexts have several addresses.
        let is_written = index.iter().any(|entry: &Value| entry["file"] == context.file);
        index.push(json!({"url": context.url, "file": context.file, "sha256": context.sha256}));
        if is_written {
            continue;
        }
        emit(PublicFile {
            path: format!("contexts/{}", context.file),
            media_type: JSON,
            bytes: context.bytes.to_vec(),
        })?;
    }
    let name = CREDENTIAL_SCHEMA.rsplit('/').next().unwrap_or(CREDENTIAL_SCHEMA);
    index.push(json!({"url": CREDENTIAL_SCHEMA, "file": name}));
    emit(PublicFile {
        path: format!("contexts/{name}"),
        media_type: "application/schema+json",
        bytes: CREDENTIAL_SCHEMA_BYTES.to_vec(),
    })?;
    let path = "contexts/index.json".to_owned();
    emit(PublicFile::json(path, "application/json", &Value::Array(index)))?;
    if with_credentials {
        write_credentials(cx, emit)?;
    }
    Ok(())
}

fn write_issuer(
    cx: &mut Cx<'_>,
    view: &IssuerView,
    emit: &mut dyn FnMut(PublicFile) -> Result<(), Error>,
) -> Result<(), Error> {
    let id = view.organization.id;
    let lists = store::status_lists::list(cx.conn, id)?;
    let is_did_web = view.settings.identifier == IdentifierMethod::DidWeb
        || lists.iter().any(|list| list.issuer.as_deref().is_some_and(is_did_web));
    let profile = view.document()?;
    if is_did_web {
        let folder = format!("issuers/{id}");
        let path = |name: &str| format!("{folder}/{name}");
        emit(PublicFile::json(path("did.json"), "application/did+json", &view.did_document()?))?;
        emit(PublicFile::json(path("jwks.json"), "application/jwk-set+json", &view.jwks()?))?;
        emit(PublicFile::text(path("index.html"), JSON, without_markup(&profile)))?;
    } else {
        emit(PublicFile::json(format!("issuers/{id}"), JSON, &profile))?;
    }
    for key in view.keys.iter().filter(|key| key.state != KeyState::Compromised) {
        let document = publications::key_of(&view.base_url, key)?;
        emit(PublicFile::json(format!("keys/{}", key.id), "application/jwk+json", &document))?;
    }
    for list in lists {
        let path = status_list_url("", list.id).trim_start_matches('/').to_owned();
        if let Some(jwt) = list.jwt {
            emit(PublicFile::text(format!("{path}.jwt"), JWT, jwt))?;
        }
        if let Some(document) = list.document {
            emit(PublicFile::text(path, "application/vc", document))?;
        }
    }
    if store::credentials::has_revocation_list(cx.conn, id)? {
        let revoked = publications::revocation_list_of(cx.conn, &view.base_url, id)?;
        emit(PublicFile::json(format!("revocation-lists/{id}"), "application/json", &revoked))?;
    }
    Ok(())
}

/// A document as JSON that stays nothing else where a host takes it for a page, whatever an organization is called.
fn without_markup(document: &Value) -> String {
    let text = document.to_string();
    text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

fn is_did_web(id: &str) -> bool {
    id.starts_with("did:web:")
}

fn write_credentials(
    cx: &mut Cx<'_>,
    emit: &mut dyn FnMut(PublicFile) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut last = None;
    loop {
        let page = store::credentials::list_issued(cx.conn, last, 200)?;
        let Some(end) = page.last() else { return Ok(()) };
        last = Some(*end);
        for id in page {
            if let Some(jwt) = store::credentials::find_jwt(cx.conn, id)? {
                emit(PublicFile::text(format!("credentials/{id}.jwt"), JWT, jwt))?;
            }
            if let Some(document) = store::credentials::find_credential(cx.conn, id)? {
                let copy = document.clone();
                emit(PublicFile::text(format!("credentials/{id}"), "application/vc", copy))?;
                let path = format!("credentials/{id}.json");
                emit(PublicFile::text(path, "application/vc", document))?;
            }
        }
    }
}
