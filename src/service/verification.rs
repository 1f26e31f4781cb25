//! Verifying: our own badges and other people's, with three answers.

use serde_json::Value;

use super::context::Resources;
use super::error::Error;
use super::publications;
use crate::credential::json;
use crate::credential::verify::{
    self, Documents, IMAGE_LIMIT, TEXT_LIMIT, Unavailable, Verdict, VerifyOptions,
};
use crate::domain::ids::{OrganizationId, SigningKeyId, StatusListId};
use crate::fetch::{Client, FetchError, PUBLIC_SENTENCE};
use crate::store;
use crate::store::installation::Installation;

/// The most bytes of a document that somebody else publishes.
const FETCH_LIMIT: usize = 1024 * 1024;
/// What is asked for.
const ACCEPT: &str = "application/vc, application/ld+json, application/json";

/// The most bytes of an input that begins like this: of an image more than of a text.
#[must_use]
pub fn limit_for(beginning: &[u8]) -> usize {
    let is_image = beginning.starts_with(b"\x89PNG") || beginning.starts_with(b"<");
    if is_image { IMAGE_LIMIT } else { TEXT_LIMIT }
}

/// Documents from the network, through the guarded client.
pub struct Remote<'a>(pub &'a Client);

impl Documents for Remote<'_> {
    fn fetch(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        self.0.get(url, ACCEPT, FETCH_LIMIT).map_err(|error| {
            tracing::info!(error = ?error, "a document could not be fetched");
            let code = if matches!(error, FetchError::Offline) {
                "offline"
            } else if matches!(error, FetchError::Status { status: 410 }) {
                "gone"
            } else {
                "unavailable"
            };
            Unavailable { code: code.to_owned(), detail: PUBLIC_SENTENCE.to_owned() }
        })
    }
}

/// Our own documents from the database, everybody else's from the network. No connection is held during a fetch.
struct OwnFirst<'a> {
    resources: &'a Resources,
    installation: Option<Installation>,
}

impl OwnFirst<'_> {
    /// The path below one of our base URLs.
    fn own_path<'u>(&self, url: &'u str) -> Option<&'u str> {
        let fixed = self.installation.iter().map(|installation| installation.base_url.as_str());
        let aliases = self.resources.base_url_aliases.iter().map(String::as_str);
        fixed.chain(aliases).find_map(|base| url.strip_prefix(base)?.strip_prefix('/'))
    }

    fn find_own(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(installation) = &self.installation else { return Ok(None) };
        let mut conn = self.resources.database.connection()?;
        let base_url = &installation.base_url;
        if let Some(name) = path.strip_prefix("issuers/") {
            let (id, file) = name.split_once('/').unwrap_or((name, ""));
            let Ok(id) = id.parse::<OrganizationId>() else { return Ok(None) };
            let view = publications::issuer_view(&mut conn, base_url.clone(), id)?;
            return Ok(match file {
                "" => Some(view.document()?),
                "did.json" => Some(view.did_document()?),
                "jwks.json" => Some(view.jwks()?),
                _ => None,
            }
            .map(into_bytes));
        }
        if let Some(id) = path.strip_prefix("keys/").and_then(|id| id.parse::<SigningKeyId>().ok())
        {
            let Some(key) = store::signing_keys::find_public(&mut conn, id)? else {
                return Ok(None);
            };
            return Ok(Some(into_bytes(publications::key_of(base_url, &key)?)));
        }
        if let Some(id) =
            path.strip_prefix("revocation-lists/").and_then(|id| id.parse::<OrganizationId>().ok())
        {
            let list = publications::revocation_list_of(&mut conn, base_url, id)?;
            return Ok(Some(into_bytes(list)));
        }
        if let Some(id) =
            path.strip_prefix("status-lists/").and_then(|id| id.parse::<StatusListId>().ok())
        {
            let list = store::status_lists::find(&mut conn, id)?;
            return Ok(list.and_then(|list| list.document).map(String::into_bytes));
        }
        if let Some(id) = path.strip_prefix("credentials/") {
            let id = id.strip_suffix(".json").unwrap_or(id);
            let Ok(id) = id.parse() else { return Ok(None) };
            return Ok(store::credentials::find_credential(&mut conn, id)?.map(String::into_bytes));
        }
        Ok(None)
    }
}

fn into_bytes(document: Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

impl Documents for OwnFirst<'_> {
    fn fetch(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        let Some(path) = self.own_path(url) else {
            return Remote(&self.resources.fetch).fetch(url);
        };
        match self.find_own(path) {
            Ok(Some(document)) => Ok(document),
            Err(Error::Gone(_)) => Err(Unavailable {
                code: "gone".to_owned(),
                detail: "The document was withdrawn by its issuer.".to_owned(),
            }),
            Ok(None) | Err(Error::Denied(_)) => Err(Unavailable {
                code: "not-found".to_owned(),
                detail: "There is no such document here.".to_owned(),
            }),
            Err(error) => {
                tracing::error!(error = ?error, "an own document could not be read");
                Err(Unavailable {
                    code: "unavailable".to_owned(),
                    detail: PUBLIC_SENTENCE.to_owned(),
                })
            }
        }
    }
}

/// `POST /verify`: the verdict on a badge, a wrapper with an expectation, or the badge at a URL.
///
/// # Errors
/// [`Error::Unverifiable`] for what is no badge at all.
pub fn verify(resources: &Resources, input: &[u8]) -> Result<Verdict, Error> {
    let installation = store::installation::find(&mut *resources.database.connection()?)?;
    let allow_http = installation.as_ref().is_some_and(|installation| installation.is_demo);
    let documents = OwnFirst { resources, installation };
    let options = VerifyOptions { allow_http, ..VerifyOptions::at(resources.now().as_utc()) };
    verify_input(input, &documents, options)
}

/// Verifies what was given: the badge itself, or `{"credential": …, "expect": {"email": …}}`, or `{"url": …}`.
///
/// # Errors
/// [`Error::Unverifiable`] for what is no badge at all, [`Error::Invalid`] for a wrapper that is not one.
pub fn verify_input(
    input: &[u8],
    documents: &dyn Documents,
    mut options: VerifyOptions,
) -> Result<Verdict, Error> {
    let Some(wrapper) = read_wrapper(input) else {
        return Ok(verify::verify(input, documents, &options)?);
    };
    let Value::Object(members) = &wrapper else {
        return Ok(verify::verify(input, documents, &options)?);
    };
    if let Some(unknown) =
        members.keys().find(|name| !matches!(name.as_str(), "credential" | "url" | "expect"))
    {
        let pointer = format!("/{unknown}");
        return Err(Error::invalid(
            &pointer,
            "unknown-field",
            "send credential or url, and if you like expect.email",
        ));
    }
    if let Some(expect) = members.get("expect") {
        options.expect_email = Some(read_expectation(expect)?);
    }
    match (members.get("credential"), members.get("url")) {
        (Some(Value::String(text)), None) => {
            Ok(verify::verify(text.as_bytes(), documents, &options)?)
        }
        (Some(credential @ Value::Object(_)), None) => {
            Ok(verify::verify(credential.to_string().as_bytes(), documents, &options)?)
        }
        // A page that cannot be had, or holds no badge, says nothing about a badge.
        (None, Some(Value::String(url))) => Ok(match documents.fetch(url) {
            Ok(document) => {
                verify::verify(&document, documents, &options).unwrap_or_else(|_no_badge| {
                    verify::cannot_read("no-badge", "There is no badge at this address.", &options)
                })
            }
            Err(unavailable) => verify::cannot_read("unavailable", &unavailable.detail, &options),
        }),
        (Some(_), Some(_) | None) | (None, Some(_) | None) => Err(Error::invalid(
            "/credential",
            "credential",
            "send either credential (an object or a text) or url (a text)",
        )),
    }
}

/// The input as a wrapper, if it is one: a JSON object without `@context` that has one of the wrapper's members.
fn read_wrapper(input: &[u8]) -> Option<Value> {
    if input.len() > TEXT_LIMIT {
        return None;
    }
    let value = json::parse(input, &json::LIMITS).ok()?;
    let members = value.as_object()?;
    let is_wrapper = !members.contains_key("@context")
        && (members.contains_key("credential") || members.contains_key("url"));
    is_wrapper.then_some(value)
}

fn read_expectation(expect: &Value) -> Result<String, Error> {
    let members = expect.as_object().filter(|members| members.keys().all(|name| name == "email"));
    match members.and_then(|members| members.get("email")).and_then(Value::as_str) {
        Some(email) => Ok(email.to_owned()),
        None => {
            Err(Error::invalid("/expect", "expect", "expect holds email, a text, and nothing else"))
        }
    }
}
