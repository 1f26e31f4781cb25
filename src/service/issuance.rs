//! Issuing: from an earned decision to one signed credential, whatever happens in between.
//!
//! The order is that of the security checklist: approved decision, intent (id, canonical hash, key, place on the status list), lint,
//! sign, verify the own signature, compare the hash, store with the outbox row in one commit. The intent holds the unsigned document, and
//! Ed25519 is deterministic: after a crash the same bytes are signed again, under the same id.

use serde_json::Value;

use super::audit::{self, Change};
use super::award_basis::{self, Basis};
use super::badge_content::{self, BadgeParts};
use super::context::{Boundary, Cx, Resources, profile_of};
use super::error::{Broken, Error};
use super::issuer_identity::IssuerIdentity;
use super::signing_keys::SigningKey;
use super::{issuer_settings, outbox, signing_keys, stack_awards, status_lists};
use crate::credential::document::CredentialDraft;
use crate::credential::jwt::{self, SignedJwt};
use crate::credential::lint::{Finding, LintPolicy, LintedCredential, lint};
use crate::credential::proof::{self, SignedCredential};
use crate::domain::audit::hex;
use crate::domain::award::{AwardEvent, AwardState};
use crate::domain::decision_rule::Outcome;
use crate::domain::ids::{AwardId, OrganizationId};
use crate::domain::issuing::{KeyAlgorithm, KeyState};
use crate::domain::timestamp::Timestamp;
use crate::store::awards::Award;
use crate::store::credentials::{Intent, SignedForms};
use crate::store::installation::Installation;
use crate::store::issuance_log::LogEntry;
use crate::store::{self, DbConn, StoreError};

/// How many waiting awards are read at a time; no more pages are read once so many are issued.
const PENDING_PAGE: usize = 100;

/// Issues the credential of an award that waits for it. An award that has one already is left alone.
///
/// # Errors
/// [`Error::CannotIssue`] when signing is stopped or impossible; the award keeps waiting and the worker tries again.
pub fn issue(cx: &mut Cx<'_>, id: AwardId) -> Result<(), Error> {
    let installation = cx.installation()?;
    require_signable(&installation)?;
    let award = find_award(cx.conn, id)?;
    if award.state != AwardState::PendingKey {
        return Ok(());
    }
    let intent = match store::credentials::find_intent(cx.conn, id)? {
        Some(intent) => intent,
        None => make_intent(cx, &installation, id)?,
    };
    (cx.resources.at_boundary)(Boundary::Intent);
    sign_and_store(cx, &installation, &award, &intent)
}

fn find_award(conn: &mut DbConn, id: AwardId) -> Result<Award, Error> {
    store::awards::find(conn, id)?.ok_or(Error::NotFound("award"))
}

/// BADGES.md, 14: what is signed is signed for ever, so it must say https, outside of the demo.
pub(super) fn require_signable(installation: &Installation) -> Result<(), Error> {
    if installation.base_url.starts_with("https://") || installation.is_demo {
        return Ok(());
    }
    Err(Error::CannotIssue(format!(
        "badges are signed for ever and must carry an https address; this installation was set up with {}",
        installation.base_url
    )))
}

pub(super) fn require_running(conn: &mut DbConn, award: &Award) -> Result<(), Error> {
    require_signing(conn, award.organization)
}

/// The stop switch of an organization: whatever is to be signed for it looks at this right before.
pub(super) fn require_signing(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<(), Error> {
    if store::organizations::is_issuing_stopped(conn, organization)? {
        return Err(Error::CannotIssue(
            "signing is stopped by an issuing officer or key custodian".to_owned(),
        ));
    }
    Ok(())
}

/// What an award rests on has to hold at the moment at which its badge is made.
fn require_earned(
    conn: &mut DbConn,
    award: &Award,
    basis: &Basis,
    now: Timestamp,
) -> Result<(), Error> {
    match basis {
        Basis::Submission(work) if work.decision.outcome == Outcome::Earned => Ok(()),
        Basis::Submission(_) => Err(Error::internal(Broken("an award without an earned decision"))),
        Basis::Stack(work) => stack_awards::require_met(conn, award.earner, work, now),
    }
}

/// Decides everything that the badge will say, and commits it before anything is signed.
fn make_intent(cx: &mut Cx<'_>, installation: &Installation, id: AwardId) -> Result<Intent, Error> {
    let (now, resources) = (cx.now, cx.resources);
    let base_url = &installation.base_url;
    store::write(cx.conn, |conn| {
        if let Some(intent) = store::credentials::find_intent(conn, id)? {
            return Ok(intent);
        }
        let award = find_award(conn, id)?;
        award.state.require(AwardEvent::Sign)?;
        require_running(conn, &award)?;
        let basis = award_basis::load(conn, &award)?;
        require_earned(conn, &award, &basis, now)?;
        let key = signing_keys::find_issuer(conn, award.organization)?;
        let issuer = store::organizations::find(conn, key.organization)?
            .ok_or_else(|| Error::internal(Broken("a signing key without its organization")))?;
        let earner = profile_of(conn, award.earner)?;
        let settings = issuer_settings::of_issuer(conn, key.organization)?;
        let identity = IssuerIdentity::of(base_url, key.organization, settings.identifier, &key)?;
        let places = status_lists::take_places(
            conn,
            resources,
            base_url,
            (key.organization, &identity),
            settings.status_method,
            now,
        )?;
        let mut salt = [0_u8; 16];
        rand::fill(&mut salt);
        let content = badge_content::credential(BadgeParts {
            base_url,
            award: &award,
            issuer: &issuer,
            issuer_id: identity.id(),
            basis: &basis,
            email: &earner.email,
            salt: hex(&salt),
            // Random and not our id for the person: badges of one person cannot be tied together by it.
            subject_id: uuid::Uuid::new_v4(),
            status: status_lists::content(base_url, key.organization, &places)?,
            valid_from: now,
        });
        let draft = CredentialDraft::from(&content);
        let canonical = proof::canonicalize(draft.document()).map_err(Error::internal)?;
        let intent = Intent {
            award: id,
            issuer: key.organization,
            signing_key: key.id,
            status_list: places.revocation.0,
            status_index: places.revocation.1,
            canonical_sha256: hex(&canonical.hash),
            unsigned_document: draft.document().to_string(),
            created_at: now,
        };
        match store::credentials::create_intent(conn, &intent) {
            // Two at once: on PostgreSQL the other's intent is not visible here, and is found at the next try.
            Err(StoreError::Duplicate(_)) => return Err(Error::Busy),
            other => other?,
        }
        if let Some((list, index)) = places.suspension {
            store::credentials::save_suspension_place(conn, id, list, index)?;
        }
        let change = Change::new("intend_credential", Some(award.organization), "award", id)
            .with("canonical_sha256", &intent.canonical_sha256)
            .with("signing_key", intent.signing_key);
        audit::append(conn, None, &change, now)?;
        Ok(intent)
    })
}

/// Lints, signs, checks and stores what the intent says.
fn sign_and_store(
    cx: &mut Cx<'_>,
    installation: &Installation,
    award: &Award,
    intent: &Intent,
) -> Result<(), Error> {
    let (now, resources, id) = (cx.now, cx.resources, award.id);
    let document: Value =
        serde_json::from_str(&intent.unsigned_document).map_err(Error::internal)?;
    let policy = LintPolicy { allow_http: installation.is_demo };
    let linted = lint(CredentialDraft::from_document(document), &policy)
        .map_err(|findings| refused_by_lint(id, &findings))?;
    let hash = linted.canonical_hash();
    if hex(&hash) != intent.canonical_sha256 {
        return Err(Error::internal(Broken("an intent whose document was altered")));
    }
    let key = store::signing_keys::find(cx.conn, intent.issuer, intent.signing_key)?
        .ok_or_else(|| Error::internal(Broken("an intent without its signing key")))?;
    if key.state == KeyState::Compromised {
        return Err(Error::CannotIssue(
            "the key that this badge was to be signed with is compromised".to_owned(),
        ));
    }
    let identity = IssuerIdentity::from_id(issuer_id(linted.document())?);
    let jwt_key = find_jwt_key(cx, intent.issuer, &identity, &key)?;
    // The last thing before the signature.
    require_running(cx.conn, award)?;
    let signer = Signer {
        resources,
        base_url: &installation.base_url,
        identity: &identity,
        key: &key,
        jwt_key: &jwt_key,
    };
    let signed = signer.sign(linted, intent.created_at)?;
    (resources.at_boundary)(Boundary::Sign);
    signer.verify(&signed, &hash)?;
    let host = outbox::message_host(&installation.base_url);
    let stored = store::write(cx.conn, |conn| {
        let award = find_award(conn, id)?;
        if award.state != AwardState::PendingKey {
            return Ok(());
        }
        // A key can be given up while it signs; then everything is decided anew.
        let is_current = store::credentials::find_intent(conn, id)?.as_ref() == Some(intent);
        if !is_current || is_lost(conn, &key)? || is_lost(conn, &jwt_key)? {
            return Err(Error::Busy);
        }
        match store::credentials::save_credential(conn, &award, &signer.forms(&signed), now) {
            // Somebody else has stored the same bytes.
            Err(StoreError::Duplicate(_)) => return Ok(()),
            other => other?,
        }
        let basis = award_basis::load(conn, &award)?;
        let parameters = outbox::badge_parameters(id, basis.title(), intent.issuer);
        outbox::enqueue(conn, outbox::BADGE, award.earner, &host, &parameters, now)?;
        super::renewals::supersede_after_issue(conn, &award, now)?;
        stack_awards::follow(conn, resources, &installation.base_url, &[award.earner], now)?;
        signer.log(conn, "issue_credential", &award, &signed, &intent.canonical_sha256, now)?;
        (resources.at_boundary)(Boundary::Store);
        Ok::<(), Error>(())
    });
    stored?;
    (resources.at_boundary)(Boundary::Outbox);
    tracing::info!(award = %id, "credential issued");
    Ok(())
}

/// Whether a key was given up since it was read.
fn is_lost(conn: &mut DbConn, key: &SigningKey) -> Result<bool, Error> {
    let now = store::signing_keys::find_public(conn, key.id)?;
    Ok(now.is_none_or(|key| key.state == KeyState::Compromised))
}

/// Logs what a lint found in a badge of ours; it waits until that is mended.
pub(super) fn refused_by_lint(award: AwardId, findings: &[Finding]) -> Error {
    for finding in findings {
        tracing::error!(award = %award, rule = finding.rule, pointer = finding.pointer, "a lint refuses a badge");
    }
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
    Error::CannotIssue(format!("the badge breaks the rules {}", rules.join(", ")))
}

/// The issuer's id in a document that is to be signed.
pub(super) fn issuer_id(document: &Value) -> Result<&str, Error> {
    document["issuer"]["id"]
        .as_str()
        .ok_or_else(|| Error::internal(Broken("a badge without an issuer")))
}

/// The key for the JWT of a badge: that of the issuer's algorithm, or under a `did:key` the one key there is.
pub(super) fn find_jwt_key(
    cx: &mut Cx<'_>,
    issuer: OrganizationId,
    identity: &IssuerIdentity,
    key: &SigningKey,
) -> Result<SigningKey, Error> {
    let algorithm = issuer_settings::of_issuer(cx.conn, issuer)?.jwt_algorithm;
    if identity.is_did_key() || algorithm == KeyAlgorithm::EdDsa {
        return Ok(key.clone());
    }
    // Nearly always there is one: no badge waits for the writers' turn to learn that.
    if let Some(found) = store::signing_keys::find_active(cx.conn, issuer, algorithm)? {
        return Ok(found);
    }
    let (now, resources) = (cx.now, cx.resources);
    store::write(cx.conn, |conn| {
        signing_keys::ensure_active(conn, resources, issuer, algorithm, now)
    })
}

/// A badge in both forms.
pub(super) struct Signed {
    credential: SignedCredential,
    jwt: SignedJwt,
}

/// Signs a badge in both forms under one identifier.
pub(super) struct Signer<'a> {
    pub(super) resources: &'a Resources,
    pub(super) base_url: &'a str,
    pub(super) identity: &'a IssuerIdentity,
    pub(super) key: &'a SigningKey,
    pub(super) jwt_key: &'a SigningKey,
}

impl Signer<'_> {
    /// Signs. `created` is when the proof says that it was made.
    pub(super) fn sign(
        &self,
        linted: LintedCredential,
        created: Timestamp,
    ) -> Result<Signed, Error> {
        let secret = signing_keys::open_for_jwt(self.resources, self.jwt_key)?;
        let kid = self.identity.kid(self.base_url, self.jwt_key);
        let jwt = jwt::sign(&secret, &linted, &kid).map_err(Error::internal)?;
        let secret = signing_keys::open(self.resources, self.key)?;
        let method = self.identity.verification_method(self.key);
        let credential = proof::sign(&secret, linted, &method, created.as_utc());
        Ok(Signed { credential: credential.map_err(Error::internal)?, jwt })
    }

    /// Checks both signatures with the public keys, and that they are over what was approved.
    pub(super) fn verify(&self, signed: &Signed, hash: &[u8; 32]) -> Result<(), Error> {
        proof::verify_own(&signed.credential, &self.key.multikey, hash).map_err(Error::internal)?;
        let public = signing_keys::public_jwk(self.jwt_key)?;
        jwt::verify_own(&signed.jwt, &public, hash).map_err(Error::internal)
    }

    pub(super) fn forms<'s>(&self, signed: &'s Signed) -> SignedForms<'s> {
        SignedForms {
            document: &signed.credential.document,
            sha256: &signed.credential.sha256,
            signing_key: self.key.id,
            jwt: &signed.jwt.token,
            jwt_sha256: &signed.jwt.sha256,
            jwt_signing_key: self.jwt_key.id,
        }
    }

    /// Writes both forms down: an event of the audit chain with their hashes, and the rows of the issuance log that point to it.
    pub(super) fn log(
        &self,
        conn: &mut DbConn,
        verb: &'static str,
        award: &Award,
        signed: &Signed,
        canonical_sha256: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let forms = self.forms(signed);
        let change = Change::new(verb, Some(award.organization), "award", award.id)
            .with("sha256", forms.sha256)
            .with("jwt_sha256", forms.jwt_sha256)
            .with("canonical_sha256", canonical_sha256);
        let event = audit::append(conn, None, &change, now)?;
        let entries = [
            ("vc", forms.sha256, forms.signing_key),
            ("jwt", forms.jwt_sha256, forms.jwt_signing_key),
        ];
        for (form, sha256, signing_key) in entries {
            let entry = LogEntry {
                sha256: sha256.to_owned(),
                award: award.id,
                form,
                canonical_sha256: canonical_sha256.to_owned(),
                signing_key,
                audit_event: event.clone(),
                signed_at: now,
            };
            store::issuance_log::append(conn, &entry)?;
        }
        Ok(())
    }
}

/// Issues awards that wait: what a crash or a stop has left. Returns how many; it is called again until that is none.
///
/// # Errors
/// [`Error::Internal`] when the database fails. A single award that cannot be issued is logged and does not hold the others.
pub fn issue_pending(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let (mut issued, mut last) = (0, None);
    // On past the first page: awards that have to wait, behind a stop for instance, must not stand before the others.
    while issued < PENDING_PAGE {
        let page = store::awards::list_pending(cx.conn, last, PENDING_PAGE)?;
        let Some(end) = page.last() else { break };
        last = Some(*end);
        for id in page {
            match issue(cx, id) {
                Ok(()) => issued += 1,
                Err(error @ (Error::CannotIssue(_) | Error::Busy | Error::NotInitialized)) => {
                    tracing::warn!(award = %id, %error, "an award waits for its credential");
                }
                Err(error) => {
                    tracing::error!(award = %id, error = ?error, "an award could not be issued")
                }
            }
        }
    }
    Ok(issued)
}
