//! Verifying: our own badges and other people's, with three answers.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::context::Resources;
use super::error::Error;
use super::{compromise, publications};
use crate::credential::json;
use crate::credential::verify::{
    self, CheckName, Documents, IMAGE_LIMIT, Outcome, StatusWord, TEXT_LIMIT, Unavailable, Verdict,
    VerdictWord, VerifyOptions,
};
use crate::domain::award::AwardState;
use crate::domain::ids::{OrganizationId, SigningKeyId, StatusListId};
use crate::domain::issuing::KeyState;
use crate::fetch::{Bounds, Client, FetchError, PUBLIC_SENTENCE};
use crate::store;
use crate::store::installation::Installation;

/// The most bytes of a document that somebody else publishes.
const FETCH_LIMIT: usize = 1024 * 1024;
/// What is asked for.
const ACCEPT: &str = "application/vc, application/ld+json, application/json, application/did+json, application/jwk+json, \
                      application/jwk-set+json, application/vc+jwt;q=0.9";

/// The most bytes of an input that begins like this: of an image more than of a text.
#[must_use]
pub fn limit_for(beginning: &[u8]) -> usize {
    let is_image = beginning.starts_with(b"\x89PNG") || beginning.starts_with(b"<");
    if is_image { IMAGE_LIMIT } else { TEXT_LIMIT }
}

/// How long all fetches of one verification may take together.
const TIME_FOR_ALL: Duration = Duration::from_secs(10);

/// Documents from the network for one verification, through the guarded client.
#[derive(Debug)]
pub struct Remote<'a> {
    client: &'a Client,
    until: Instant,
}

impl<'a> Remote<'a> {
    /// The time for all fetches of the verification begins now.
    #[must_use]
    pub fn new(client: &'a Client) -> Remote<'a> {
        Remote::until(client, Instant::now() + TIME_FOR_ALL)
    }

    /// Whatever is not there by then is unavailable.
    #[must_use]
    pub fn until(client: &'a Client, until: Instant) -> Remote<'a> {
        Remote { client, until }
    }

    fn get(&self, url: &str, same_origin: bool) -> Result<Vec<u8>, Unavailable> {
        let until = Some(self.until);
        let bounds = Bounds { accept: ACCEPT, max_bytes: FETCH_LIMIT, same_origin, until };
        self.client.get_within(url, &bounds).map_err(|error| {
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

impl Documents for Remote<'_> {
    fn fetch(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        self.get(url, false)
    }

    fn fetch_within_origin(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        self.get(url, true)
    }
}

/// Our own documents from the database, everybody else's from the network. No connection is held during a fetch.
struct OwnFirst<'a> {
    resources: &'a Resources,
    installation: Option<Installation>,
    remote: Remote<'a>,
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
            let (id, form) = id.split_once('.').unwrap_or((id, "json"));
            let Ok(id) = id.parse() else { return Ok(None) };
            let found = match form {
                "jwt" => store::credentials::find_jwt(&mut conn, id)?,
                // The images hold this very document.
                "json" | "png" | "svg" => store::credentials::find_credential(&mut conn, id)?,
                _ => None,
            };
            return Ok(found.map(String::into_bytes));
        }
        Ok(None)
    }
}

fn into_bytes(document: Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

impl Documents for OwnFirst<'_> {
    fn fetch(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        self.own_path(url).map_or_else(|| self.remote.fetch(url), |path| self.read_own(path))
    }

    fn fetch_within_origin(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        self.own_path(url)
            .map_or_else(|| self.remote.fetch_within_origin(url), |path| self.read_own(path))
    }
}

impl OwnFirst<'_> {
    fn read_own(&self, path: &str) -> Result<Vec<u8>, Unavailable> {
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

/// A document that an issuer publishes, here or elsewhere: our own from the database.
///
/// # Errors
/// [`Error::Internal`] when the database fails. That a document cannot be had is an answer.
pub(super) fn fetch_document(
    resources: &Resources,
    url: &str,
) -> Result<Result<Vec<u8>, Unavailable>, Error> {
    let installation = store::installation::find(&mut *resources.database.connection()?)?;
    let remote = Remote::new(&resources.fetch);
    Ok(OwnFirst { resources, installation, remote }.fetch_within_origin(url))
}

/// `POST /verify`: the verdict on a badge, a wrapper with an expectation, or the badge at a URL.
///
/// Of our own badges we know more than they say: that a newer one has taken its place, and that a copy whose key was given up is genuine.
///
/// # Errors
/// [`Error::Unverifiable`] for what is no badge at all.
pub fn verify(
    resources: &Resources,
    input: &[u8],
    trusted_issuers: Option<Vec<String>>,
) -> Result<Verdict, Error> {
    let installation = store::installation::find(&mut *resources.database.connection()?)?;
    let allow_http = installation.as_ref().is_some_and(|installation| installation.is_demo);
    let remote = Remote::new(&resources.fetch);
    let documents = OwnFirst { resources, installation, remote };
    let options = VerifyOptions {
        allow_http,
        trusted_issuers,
        ..VerifyOptions::at(resources.now().as_utc())
    };
    match read_question(input, &documents, options)? {
        Question::Answered(verdict) => Ok(*verdict),
        Question::Open(open) => {
            let mut verdict = open.judge(&documents)?;
            if let Err(error) = add_own_knowledge(&documents, &open.badge, &mut verdict) {
                tracing::error!(error = ?error, "what is known of an own badge could not be read");
            }
            Ok(verdict)
        }
    }
}

/// Adds to the verdict over one of our own badges what only we know. It never makes a verdict better.
fn add_own_knowledge(
    documents: &OwnFirst<'_>,
    badge: &[u8],
    verdict: &mut Verdict,
) -> Result<(), Error> {
    let (Some(credential), Some(installation)) =
        (verdict.credential.as_mut(), &documents.installation)
    else {
        return Ok(());
    };
    let mut conn = documents.resources.database.connection()?;
    // A did:key is resolved by itself: that the key was given up is known to nobody but its owner.
    let own_key = credential.issuer.id.as_deref().and_then(|id| id.strip_prefix("did:key:"));
    if let Some(multikey) = own_key
        && store::signing_keys::find_by_multikey(&mut conn, multikey)?
            .is_some_and(|key| key.state == KeyState::Compromised)
    {
        verdict.verdict = VerdictWord::Invalid;
        for check in verdict.checks.iter_mut().filter(|check| check.name == CheckName::Issuer) {
            check.outcome = Outcome::Fail;
            check.code = "key-revoked".to_owned();
            check.detail = "The issuer has given up the key that signed.".to_owned();
        }
    }
    for check in verdict.checks.iter_mut().filter(|check| check.code == "key-revoked") {
        if let Some(url) = compromise::find_genuine(&mut conn, &installation.base_url, badge)? {
            check.code = "key-revoked-genuine".to_owned();
            check.detail = format!(
                "The issuer has given up the key that signed this copy. The badge itself is genuine: the issuer's log has it. Take the new copy from {url}."
            );
        }
    }
    let own_id = credential
        .id
        .as_deref()
        .and_then(|id| documents.own_path(id)?.strip_prefix("credentials/")?.parse().ok());
    let Some(id) = own_id else { return Ok(()) };
    let Some(award) = store::awards::find(&mut conn, id)? else { return Ok(()) };
    if verdict.verdict == VerdictWord::Valid && award.state == AwardState::Superseded {
        credential.status = StatusWord::Superseded;
    }
    // Where a badge has one entry, others cannot tell a suspension from a revocation. We can.
    if award.state == AwardState::Suspended && credential.status == StatusWord::Revoked {
        credential.status = StatusWord::Suspended;
        for check in verdict.checks.iter_mut().filter(|check| check.code == "revoked") {
            check.code = "suspended".to_owned();
            check.detail = "The issuer has suspended the credential.".to_owned();
        }
    }
    Ok(())
}

/// What is asked of the verifier.
enum Question {
    /// About this badge.
    Open(Open),
    /// About one that could not be had.
    Answered(Box<Verdict>),
}

/// A badge to be judged.
struct Open {
    badge: Vec<u8>,
    options: VerifyOptions,
    /// Whether it is what lies at an address.
    is_fetched: bool,
}

impl Open {
    fn judge(&self, documents: &dyn Documents) -> Result<Verdict, Error> {
        match verify::verify(&self.badge, documents, &self.options) {
            // A page that holds no badge says nothing about a badge.
            Err(_no_badge) if self.is_fetched => Ok(verify::cannot_read(
                "no-badge",
                "There is no badge at this address.",
                &self.options,
            )),
            judged => Ok(judged?),
        }
    }
}

/// Verifies what was given: the badge itself, or `{"credential": …, "expect": {"email": …}}`, or `{"url": …}`.
///
/// # Errors
/// [`Error::Unverifiable`] for what is no badge at all, [`Error::Invalid`] for a wrapper that is not one.
pub fn verify_input(
    input: &[u8],
    documents: &dyn Documents,
    options: VerifyOptions,
) -> Result<Verdict, Error> {
    match read_question(input, documents, options)? {
        Question::Answered(verdict) => Ok(*verdict),
        Question::Open(open) => open.judge(documents),
    }
}

fn read_question(
    input: &[u8],
    documents: &dyn Documents,
    mut options: VerifyOptions,
) -> Result<Question, Error> {
    let open = |badge: Vec<u8>, options, is_fetched| {
        Ok(Question::Open(Open { badge, options, is_fetched }))
    };
    let Some(members) = read_wrapper(input) else { return open(input.to_vec(), options, false) };
    if let Some(unknown) =
        members.keys().find(|name| !matches!(name.as_str(), "credential" | "url" | "expect"))
    {
        let pointer = format!("/{unknown}");
        return Err(Error::invalid(
            &pointer,
            "unknown-field",
            "send credential or url, and if you like expect",
        ));
    }
    if let Some(expect) = members.get("expect") {
        read_expectation(expect, &mut options)?;
    }
    match (members.get("credential"), members.get("url")) {
        (Some(Value::String(text)), None) => open(text.clone().into_bytes(), options, false),
        (Some(credential @ Value::Object(_)), None) => {
            open(credential.to_string().into_bytes(), options, false)
        }
        (None, Some(Value::String(url))) => match documents.fetch(url) {
            Ok(badge) => open(badge, options, true),
            Err(unavailable) => {
                let verdict = verify::cannot_read("unavailable", &unavailable.detail, &options);
                Ok(Question::Answered(Box::new(verdict)))
            }
        },
        (Some(_), Some(_) | None) | (None, Some(_) | None) => Err(Error::invalid(
            "/credential",
            "credential",
            "send either credential (an object or a text) or url (a text)",
        )),
    }
}

/// The input as a wrapper, if it is one: a JSON object without `@context` that has one of the wrapper's members.
fn read_wrapper(input: &[u8]) -> Option<Map<String, Value>> {
    if input.len() > TEXT_LIMIT {
        return None;
    }
    let Value::Object(members) = json::parse(input, &json::LIMITS).ok()? else { return None };
    let is_wrapper = !members.contains_key("@context")
        && (members.contains_key("credential") || members.contains_key("url"));
    is_wrapper.then_some(members)
}

/// What a question may say beside the badge.
const EXPECTATIONS: &str = "expect holds one or more of email, trusted_issuers and evidence_sha256";

/// A SHA-256 in hexadecimal.
fn read_digest(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let bytes: Vec<u8> = digits?
        .chunks_exact(2)
        .filter_map(|pair| Some(pair.first()? << 4 | pair.get(1)?))
        .collect();
    if text.len() == 64 { bytes.try_into().ok() } else { None }
}

fn read_expectation(expect: &Value, options: &mut VerifyOptions) -> Result<(), Error> {
    let refused = |pointer: &str, detail: &str| Err(Error::invalid(pointer, "expect", detail));
    let Some(members) = expect.as_object().filter(|members| !members.is_empty()) else {
        return refused("/expect", EXPECTATIONS);
    };
    for (name, value) in members {
        match (name.as_str(), value) {
            ("email", Value::String(email)) => options.expect_email = Some(email.clone()),
            ("trusted_issuers", Value::Array(issuers)) => {
                let issuers: Option<Vec<String>> =
                    issuers.iter().map(|issuer| issuer.as_str().map(str::to_owned)).collect();
                match issuers {
                    Some(issuers) => {
                        options.trusted_issuers.get_or_insert_with(Vec::new).extend(issuers);
                    }
                    None => return refused("/expect/trusted_issuers", "name issuers by their ids"),
                }
            }
            ("evidence_sha256", Value::Array(digests)) => {
                let digests: Option<Vec<[u8; 32]>> =
                    digests.iter().map(|digest| read_digest(digest.as_str()?)).collect();
                match digests {
                    Some(digests) => options.evidence_sha256 = Some(digests),
                    None => {
                        let detail = "each digest is a SHA-256 in 64 hexadecimal digits";
                        return refused("/expect/evidence_sha256", detail);
                    }
                }
            }
            ("email", _) => return refused("/expect/email", "email is a text"),
            ("evidence_sha256", _) => {
                return refused("/expect/evidence_sha256", "evidence_sha256 is a list of digests");
            }
            ("trusted_issuers", _) => {
                return refused("/expect/trusted_issuers", "trusted_issuers is a list of ids");
            }
            _ => {
                let pointer = format!("/expect/{name}");
                return refused(&pointer, EXPECTATIONS);
            }
        }
    }
    Ok(())
}
