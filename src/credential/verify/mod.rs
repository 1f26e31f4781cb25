//! Verifying a badge from any issuer.
//!
//! The order is one of trust: bounded parsing, then schema and lints, then the issuer's own key document and the
//! proof, and only then anything else that the credential names. Three answers: valid, invalid, cannot tell.

mod form;
mod issuer;
mod related;
mod resolver;
mod status;
mod summary;
mod token;

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use self::form::Form;
use self::issuer::Judged;
use self::resolver::Resolver;
use self::token::{Refusal, Token};
use super::document::issuer_id;
use super::expansion::ExpansionError;
use super::json;
use super::lint::{
    Examined, LintPolicy, RULES_FOR_ANY_ISSUER, apply, is_of_open_badges, is_version_1,
};
use super::proof::{self, HashError};

pub use self::form::{IMAGE_LIMIT, TEXT_LIMIT};
pub use self::summary::{
    CredentialSummary, IssuerSummary, ResultSummary, ScoringSummary, StatusWord,
};

/// Where documents that a credential names are read.
pub trait Documents {
    /// The bytes at this URL, which has no fragment. What is fetched, and how, is for the implementation to guard.
    fn fetch(&self, url: &str) -> Result<Vec<u8>, Unavailable>;

    /// The same for a document that is believed because of its address: whoever answers has to be of the URL's own
    /// origin (scheme, host, port), so a redirect to another one is as good as no answer.
    ///
    /// Only who never follows a redirect can leave this as it is.
    fn fetch_within_origin(&self, url: &str) -> Result<Vec<u8>, Unavailable> {
        self.fetch(url)
    }
}

/// A document that could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Unavailable {
    /// A stable word.
    pub code: String,
    /// A sentence for people.
    pub detail: String,
}

/// [`Documents`] without a single one: for verifying offline.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDocuments;

impl Documents for NoDocuments {
    fn fetch(&self, _url: &str) -> Result<Vec<u8>, Unavailable> {
        Err(Unavailable { code: "offline".to_owned(), detail: "Nothing is fetched.".to_owned() })
    }
}

/// What the caller knows and asks. Its `Debug` form leaves out whose badge it should be.
#[derive(Clone)]
pub struct VerifyOptions {
    /// The time at which the credential is judged.
    pub now: DateTime<Utc>,
    /// Whose badge it should be.
    pub expect_email: Option<String>,
    /// The issuers that the caller recognises.
    pub trusted_issuers: Option<Vec<String>>,
    /// SHA-256 of each evidence file that is offered beside the badge. None at all is as good as no list.
    pub evidence_sha256: Option<Vec<[u8; 32]>>,
    /// Accept issuers whose id is `http:`, for the demo and for tests on loopback.
    pub allow_http: bool,
}

impl VerifyOptions {
    /// Judged at `now`; nothing else is asked.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> VerifyOptions {
        VerifyOptions {
            now,
            expect_email: None,
            trusted_issuers: None,
            evidence_sha256: None,
            allow_http: false,
        }
    }
}

impl fmt::Debug for VerifyOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifyOptions")
            .field("now", &self.now)
            .field("trusted_issuers", &self.trusted_issuers)
            .field("allow_http", &self.allow_http)
            .finish_non_exhaustive()
    }
}

/// Why there is no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The input is neither JSON nor a compact JWT nor a PNG or SVG image.
    #[error("the input is neither JSON, a compact JWT, a PNG nor an SVG image")]
    NotParseable,
    /// The input is JSON, but no credential.
    #[error("the input is JSON, but no credential")]
    NotACredential,
    /// The input is too long.
    #[error("the input is longer than {limit} bytes")]
    TooLarge {
        /// The limit for this kind of input.
        limit: usize,
    },
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictWord {
    /// Every check that applies passed.
    Valid,
    /// At least one check failed.
    Invalid,
    /// No check failed, but at least one could not be made.
    Indeterminate,
}

/// The seven checks, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// Can it be read within the limits?
    Parse,
    /// Does it follow the schema and the lints?
    Schema,
    /// Does the signature hold?
    Proof,
    /// Is the key the issuer's?
    Issuer,
    /// Is it valid at this time?
    ValidityPeriod,
    /// Is it neither revoked nor suspended?
    Status,
    /// Is the offered file the evidence that it names?
    EvidenceDigest,
}

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The check was made and all is well.
    Pass,
    /// The check was made and something is wrong.
    Fail,
    /// The check could not be made.
    Unknown,
    /// There is nothing to check.
    NotApplicable,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which one.
    pub name: CheckName,
    /// How it ended.
    pub outcome: Outcome,
    /// A stable word.
    pub code: String,
    /// One sentence that a person understands.
    pub detail: String,
}

/// Whether the badge is of the person asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientMatch {
    /// An identifier in the badge is this address.
    Yes,
    /// The badge names somebody else.
    No,
    /// The badge has no identifier that can be compared.
    Unknown,
    /// Nobody asked.
    NotAsked,
}

/// Whether the caller recognises the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerTrust {
    /// The issuer is on the caller's list, and the signature is the issuer's.
    Recognised,
    /// The issuer is not on the list, or it is not known to be the signer.
    Unknown,
    /// No list was given.
    NotAsked,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In one word.
    pub verdict: VerdictWord,
    /// All seven checks, once each, in the order of [`CheckName`].
    pub checks: Vec<Check>,
    /// Whether it is the right person's. Never changes the verdict.
    pub recipient_match: RecipientMatch,
    /// Whether the issuer is recognised. Never changes the verdict.
    pub issuer_trust: IssuerTrust,
    /// What the credential says; `None` when it could not be read.
    pub credential: Option<CredentialSummary>,
}

/// Outcome, code and sentence of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    outcome: Outcome,
    code: &'static str,
    detail: String,
}

impl Finding {
    fn new(outcome: Outcome, code: &'static str, detail: impl Into<String>) -> Finding {
        Finding { outcome, code, detail: detail.into() }
    }

    fn pass(detail: impl Into<String>) -> Finding {
        Finding::new(Outcome::Pass, "ok", detail)
    }

    fn fail(code: &'static str, detail: impl Into<String>) -> Finding {
        Finding::new(Outcome::Fail, code, detail)
    }

    fn unknown(code: &'static str, detail: impl Into<String>) -> Finding {
        Finding::new(Outcome::Unknown, code, detail)
    }

    fn not_checked() -> Finding {
        Finding::unknown(
            "not-checked",
            "This was not checked, because an earlier check did not pass.",
        )
    }

    fn is_pass(&self) -> bool {
        self.outcome == Outcome::Pass
    }
}

/// The seven findings under their names.
struct Findings {
    parse: Finding,
    schema: Finding,
    proof: Finding,
    issuer: Finding,
    validity_period: Finding,
    status: Finding,
    evidence_digest: Finding,
}

impl Findings {
    fn all(finding: &Finding, evidence_digest: Finding) -> Findings {
        Findings {
            parse: finding.clone(),
            schema: finding.clone(),
            proof: finding.clone(),
            issuer: finding.clone(),
            validity_period: finding.clone(),
            status: finding.clone(),
            evidence_digest,
        }
    }

    fn into_checks(self) -> Vec<Check> {
        [
            (CheckName::Parse, self.parse),
            (CheckName::Schema, self.schema),
            (CheckName::Proof, self.proof),
            (CheckName::Issuer, self.issuer),
            (CheckName::ValidityPeriod, self.validity_period),
            (CheckName::Status, self.status),
            (CheckName::EvidenceDigest, self.evidence_digest),
        ]
        .into_iter()
        .map(|(name, finding)| Check {
            name,
            outcome: finding.outcome,
            code: finding.code.to_owned(),
            detail: finding.detail,
        })
        .collect()
    }
}

/// Verifies an Open Badge, in any of its forms.
///
/// A signature says who signed, not that they may speak for a school: a page's headline needs `recipient_match`
/// and `issuer_trust` as well. A form that is not supported is [`VerdictWord::Indeterminate`], never an error.
pub fn verify(
    input: &[u8],
    documents: &dyn Documents,
    options: &VerifyOptions,
) -> Result<Verdict, InputError> {
    match form::recognise(input)? {
        Form::Unsupported(name) => Ok(unsupported(name, options)),
        Form::Unreadable(fault) => {
            let finding = Finding::fail(fault.code, fault.detail);
            Ok(unreadable(finding, options))
        }
        Form::Credential(document) => {
            let signature = Signature::Embedded;
            Ok(verify_document(&document, &signature, &Resolver::new(documents, options)))
        }
        Form::Token(text) => verify_token(&text, &Resolver::new(documents, options)),
    }
}

fn verify_token(text: &str, resolver: &Resolver<'_>) -> Result<Verdict, InputError> {
    let options = resolver.options;
    let stopped =
        |change: fn(&mut Findings, Finding), finding: Finding, document: Option<&Value>| {
            let mut findings = Findings::all(&Finding::not_checked(), offered_evidence(options));
            findings.parse = Finding::pass("The document can be read.");
            change(&mut findings, finding);
            Ok(conclude(findings, document, options))
        };
    match Token::read(text, &json::LIMITS) {
        Ok(token) => match form::credential(token.document.clone())? {
            Form::Credential(document) => {
                Ok(verify_document(&document, &Signature::Token(&token), resolver))
            }
            Form::Unsupported(name) => Ok(unsupported(name, options)),
            Form::Token(_) | Form::Unreadable(_) => Err(InputError::NotACredential),
        },
        Err(Refusal::Parse(finding)) => Ok(unreadable(finding, options)),
        Err(Refusal::Proof(finding)) => stopped(|all, one| all.proof = one, finding, None),
        Err(Refusal::Claims(finding, document)) => {
            stopped(|all, one| all.schema = one, finding, Some(&document))
        }
        Err(Refusal::NotACredential) => Err(InputError::NotACredential),
    }
}

/// Where the signature of a credential is.
enum Signature<'a> {
    /// In its `proof`.
    Embedded,
    /// Around it.
    Token(&'a Token<'a>),
}

impl Signature<'_> {
    fn judge(&self, document: &Value, hash: Option<&[u8; 32]>, resolver: &Resolver<'_>) -> Judged {
        match self {
            Signature::Embedded => issuer::judge(document, hash, resolver),
            Signature::Token(token) => issuer::judge_token(token, resolver),
        }
    }
}

/// The verdict on a badge that was only named and could not be had: cannot tell.
#[must_use]
pub fn cannot_read(code: &'static str, detail: &str, options: &VerifyOptions) -> Verdict {
    unreadable(Finding::unknown(code, detail.to_owned()), options)
}

fn unsupported(name: &str, options: &VerifyOptions) -> Verdict {
    let finding =
        Finding::unknown("unsupported-form", format!("{name} cannot be checked here yet."));
    let evidence = offered_evidence(options);
    conclude(Findings::all(&finding, evidence), None, options)
}

fn unreadable(finding: Finding, options: &VerifyOptions) -> Verdict {
    let mut findings = Findings::all(&Finding::not_checked(), offered_evidence(options));
    findings.parse = finding;
    conclude(findings, None, options)
}

fn offered_digests(options: &VerifyOptions) -> Option<&[[u8; 32]]> {
    options.evidence_sha256.as_deref().filter(|digests| !digests.is_empty())
}

fn offered_evidence(options: &VerifyOptions) -> Finding {
    match offered_digests(options) {
        Some(_) => Finding::not_checked(),
        None => {
            Finding::new(Outcome::NotApplicable, "not-offered", "No evidence file was offered.")
        }
    }
}

fn conclude(findings: Findings, document: Option<&Value>, options: &VerifyOptions) -> Verdict {
    let signed = findings.proof.is_pass() && findings.issuer.is_pass();
    let credential = document.map(|document| {
        summary::summarize(document, &findings.status, &findings.validity_period, signed)
    });
    let issuer_trust = match (&options.trusted_issuers, document) {
        (None, _) => IssuerTrust::NotAsked,
        (Some(trusted), Some(document))
            if signed
                && issuer_id(document)
                    .is_some_and(|id| trusted.iter().any(|trusted| trusted == id)) =>
        {
            IssuerTrust::Recognised
        }
        (Some(_), _) => IssuerTrust::Unknown,
    };
    let recipient_match = match (&options.expect_email, document) {
        (None, _) => RecipientMatch::NotAsked,
        (Some(_), None) => RecipientMatch::Unknown,
        (Some(email), Some(document)) => summary::match_recipient(document, email),
    };
    let checks = findings.into_checks();
    let has = |outcome| checks.iter().any(|check| check.outcome == outcome);
    let verdict = if has(Outcome::Fail) {
        VerdictWord::Invalid
    } else if has(Outcome::Unknown) {
        VerdictWord::Indeterminate
    } else {
        VerdictWord::Valid
    };
    Verdict { verdict, checks, recipient_match, issuer_trust, credential }
}

fn verify_document(
    document: &Value,
    signature: &Signature<'_>,
    resolver: &Resolver<'_>,
) -> Verdict {
    let options = resolver.options;
    let policy = LintPolicy { allow_http: options.allow_http };
    let bare = proof::unsecured(document);
    let examined = Examined::new(&bare, &policy);
    let mut findings = Findings::all(&Finding::not_checked(), evidence_digest(document, options));
    findings.parse = Finding::pass("The document can be read.");
    findings.validity_period = validity_period(document, signature, options);
    if matches!(signature, Signature::Embedded) && proof::proofs(document).is_empty() {
        findings.proof = issuer::no_proof();
    }
    let hash = match &examined.canonical {
        Ok(canonical) => {
            let faults = apply(RULES_FOR_ANY_ISSUER, &examined);
            if let Some(first) = faults.first() {
                let place =
                    if first.pointer.is_empty() { "the document" } else { first.pointer.as_str() };
                let detail = format!("At {place}: {}.", first.detail);
                findings.schema = Finding::fail(first.rule, detail);
                return conclude(findings, Some(document), options);
            }
            findings.schema = Finding::pass(if is_of_open_badges(document) {
                "The document is an Open Badge and every part of it is covered by its signature."
            } else {
                "The document is a credential, though no Open Badge, and every part of it is covered by its signature."
            });
            Some(&canonical.hash)
        }
        Err(HashError::Canonical(_) | HashError::Expansion(ExpansionError::OverBudget)) => {
            let finding = Finding::fail(
                "over-budget",
                "The document asks for more work than any badge needs.",
            );
            return unreadable(finding, options);
        }
        Err(HashError::Expansion(
            error @ (ExpansionError::UnknownContext { .. } | ExpansionError::InlineContext { .. }),
        )) => {
            let is_inline = matches!(error, ExpansionError::InlineContext { .. });
            let code = if is_inline { "inline-context" } else { "unknown-context" };
            findings.schema = Finding::unknown(code, sentence(error));
            // A token is signed as text, whatever its terms mean.
            if let Signature::Embedded = signature {
                if findings.proof.outcome == Outcome::Unknown {
                    findings.proof = findings.schema.clone();
                }
                return conclude(findings, Some(document), options);
            }
            None
        }
        Err(HashError::Expansion(
            error @ (ExpansionError::NotAnObject | ExpansionError::Context { .. }),
        )) => {
            findings.schema = Finding::fail("context", sentence(error));
            return conclude(findings, Some(document), options);
        }
    };
    let judged = signature.judge(document, hash, resolver);
    if judged.is_pass() {
        if findings.schema.is_pass()
            && let Some(finding) = related::judge(document, resolver.documents)
        {
            findings.schema = finding;
        }
        findings.status = status::judge(document, resolver);
    }
    findings.proof = judged.proof;
    findings.issuer = judged.issuer;
    conclude(findings, Some(document), options)
}

/// An error as a sentence.
fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    if let Some(first) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &first);
    }
    text.push('.');
    text
}

/// A credential is valid from the last of its beginnings to the first of its ends.
fn validity_period(
    document: &Value,
    signature: &Signature<'_>,
    options: &VerifyOptions,
) -> Finding {
    let time = |member: &str| match document.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_str()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
            .map(|time| Some(time.with_timezone(&Utc)))
            .ok_or(()),
    };
    let is_old = is_version_1(document);
    let old = |member| if is_old { time(member) } else { Ok(None) };
    let (Ok(from), Ok(until), Ok(issued), Ok(expires)) =
        (time("validFrom"), time("validUntil"), old("issuanceDate"), old("expirationDate"))
    else {
        return Finding::unknown("unreadable-date", "The dates of the credential cannot be read.");
    };
    let (not_before, not_after) = match signature {
        Signature::Embedded => (None, None),
        Signature::Token(token) => (token.not_before, token.expires),
    };
    if let Some(from) = [from, issued, not_before].into_iter().flatten().max()
        && options.now < from
    {
        let day = from.format("%Y-%m-%d");
        return Finding::fail(
            "not-yet-valid",
            format!("The credential is not valid before {day}."),
        );
    }
    if let Some(until) = [until, expires, not_after].into_iter().flatten().min()
        && until < options.now
    {
        let day = until.format("%Y-%m-%d");
        return Finding::fail("expired", format!("The credential ended on {day}."));
    }
    Finding::pass("The credential is valid at this time.")
}

fn evidence_digest(document: &Value, options: &VerifyOptions) -> Finding {
    let Some(offered) = offered_digests(options) else { return offered_evidence(options) };
    let named: Vec<[u8; 32]> = super::lint::items(document.get("evidence"))
        .iter()
        .filter_map(|(_, evidence)| evidence["digestMultibase"].as_str())
        .filter_map(super::document::parse_digest_multibase)
        .collect();
    if named.is_empty() {
        Finding::unknown("no-digest", "The credential names no evidence that can be compared.")
    } else if offered.iter().all(|digest| named.contains(digest)) {
        Finding::pass("Each offered file is evidence that the credential names.")
    } else {
        Finding::fail(
            "other-file",
            "An offered file is not the evidence that the credential names.",
        )
    }
}

/// Limits for a status list, which is one long text.
const STATUS_LIST_LIMITS: json::Limits =
    json::Limits { bytes: 1024 * 1024, depth: 16, nodes: 1_024 };
/// Limits for a revocation list, which names every badge that was ever revoked.
const REVOCATION_LIST_LIMITS: json::Limits =
    json::Limits { bytes: 1024 * 1024, depth: 16, nodes: 65_536 };
