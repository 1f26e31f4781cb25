//! Issuing: from an earned decision to one signed credential, whatever happens in between.
//!
//! The order is that of the security checklist: approved decision, intent (id, canonical hash, key, place on the status list), lint,
//! sign, verify the own signature, compare the hash, store with the outbox row in one commit. The intent holds the unsigned document, and
//! Ed25519 is deterministic: after a crash the same bytes are signed again, under the same id.

use serde_json::Value;

use super::audit::{self, Change};
use super::badge_content::{self, BadgeParts, issuer_url};
use super::context::{Boundary, Cx, profile_of};
use super::error::{Broken, Error};
use super::{outbox, signing_keys, status_lists, submissions};
use crate::credential::document::{CredentialDraft, multikey_id};
use crate::credential::lint::{LintPolicy, lint};
use crate::credential::proof;
use crate::domain::audit::hex;
use crate::domain::award::{AwardEvent, AwardState};
use crate::domain::decision_rule::Outcome;
use crate::domain::ids::AwardId;
use crate::store::awards::{Award, Intent};
use crate::store::installation::Installation;
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
    let intent = match store::awards::find_intent(cx.conn, id)? {
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
fn require_signable(installation: &Installation) -> Result<(), Error> {
    if installation.base_url.starts_with("https://") || installation.is_demo {
        return Ok(());
    }
    Err(Error::CannotIssue(format!(
        "badges are signed for ever and must carry an https address; this installation was set up with {}",
        installation.base_url
    )))
}

fn require_running(conn: &mut DbConn, award: &Award) -> Result<(), Error> {
    if store::organizations::is_issuing_stopped(conn, award.organization)? {
        return Err(Error::CannotIssue(
            "signing is stopped by an issuing officer or key custodian".to_owned(),
        ));
    }
    Ok(())
}

/// Decides everything that the badge will say, and commits it before anything is signed.
fn make_intent(cx: &mut Cx<'_>, installation: &Installation, id: AwardId) -> Result<Intent, Error> {
    let (now, resources) = (cx.now, cx.resources);
    let base_url = &installation.base_url;
    store::write(cx.conn, |conn| {
        if let Some(intent) = store::awards::find_intent(conn, id)? {
            return Ok(intent);
        }
        let award = find_award(conn, id)?;
        award.state.require(AwardEvent::Sign)?;
        require_running(conn, &award)?;
        let decision = store::decisions::find(conn, award.submission)?
            .filter(|decision| decision.outcome == Outcome::Earned)
            .ok_or_else(|| Error::internal(Broken("an award without an earned decision")))?;
        let stored = store::submissions::find(conn, award.submission)?
            .ok_or_else(|| Error::internal(Broken("an award without its submission")))?;
        let (version, definition) = submissions::pinned(conn, &stored)?;
        let key = signing_keys::find_issuer(conn, award.organization)?;
        let issuer = store::organizations::find(conn, key.organization)?
            .ok_or_else(|| Error::internal(Broken("a signing key without its organization")))?;
        let earner = profile_of(conn, award.earner)?;
        let (list, index) =
            status_lists::take_place(conn, resources, base_url, key.organization, now)?;
        let mut salt = [0_u8; 16];
        rand::fill(&mut salt);
        let content = badge_content::credential(BadgeParts {
            base_url,
            award: &award,
            issuer: &issuer,
            version: &version,
            definition: &definition,
            decision: &decision,
            include_results: stored.include_results,
            email: &earner.email,
            salt: hex(&salt),
            // Random and not our id for the person: badges of one person cannot be tied together by it.
            subject_id: uuid::Uuid::new_v4(),
            status: (list, usize::try_from(index).map_err(Error::internal)?),
            valid_from: now,
        });
        let draft = CredentialDraft::from(&content);
        let canonical = proof::canonicalize(draft.document()).map_err(Error::internal)?;
        let intent = Intent {
            award: id,
            issuer: key.organization,
            signing_key: key.id,
            status_list: list,
            status_index: index,
            canonical_sha256: hex(&canonical.hash),
            unsigned_document: draft.document().to_string(),
            created_at: now,
        };
        match store::awards::create_intent(conn, &intent) {
            // Two at once: on PostgreSQL the other's intent is not visible here, and is found at the next try.
            Err(StoreError::Duplicate(_)) => return Err(Error::Busy),
            other => other?,
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
    let linted = lint(CredentialDraft::from_document(document), &policy).map_err(|findings| {
        for finding in &findings {
            tracing::error!(award = %id, rule = finding.rule, pointer = finding.pointer, "a lint refuses a badge");
        }
        let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
        Error::CannotIssue(format!("the badge breaks the rules {}", rules.join(", ")))
    })?;
    let hash = linted.canonical_hash();
    if hex(&hash) != intent.canonical_sha256 {
        return Err(Error::internal(Broken("an intent whose document was altered")));
    }
    let key = store::signing_keys::find(cx.conn, intent.issuer, intent.signing_key)?
        .ok_or_else(|| Error::internal(Broken("an intent without its signing key")))?;
    if key.state == "compromised" {
        return Err(Error::CannotIssue(
            "the key that this badge was to be signed with is compromised".to_owned(),
        ));
    }
    let method = multikey_id(&issuer_url(&installation.base_url, intent.issuer), &key.multikey);
    // The last thing before the signature.
    require_running(cx.conn, award)?;
    let signed = {
        let secret = signing_keys::open(resources, &key)?;
        proof::sign(&secret, linted, &method, intent.created_at.as_utc())
            .map_err(Error::internal)?
    };
    (resources.at_boundary)(Boundary::Sign);
    proof::verify_own(&signed, &key.multikey, &hash).map_err(Error::internal)?;
    let host = outbox::message_host(&installation.base_url);
    let stored = store::write(cx.conn, |conn| {
        let award = find_award(conn, id)?;
        if award.state != AwardState::PendingKey {
            return Ok(());
        }
        match store::awards::save_credential(conn, &award, &signed.document, &signed.sha256, now) {
            // Somebody else has stored the same bytes.
            Err(StoreError::Duplicate(_)) => return Ok(()),
            other => other?,
        }
        let version =
            store::micro_credentials::find_pinned(conn, award.organization, award.version)?
                .ok_or_else(|| Error::internal(Broken("an award without its version")))?;
        let parameters = outbox::badge_parameters(id, &version.title, intent.issuer);
        outbox::enqueue(conn, outbox::BADGE, award.earner, &host, &parameters, now)?;
        let change = Change::new("issue_credential", Some(award.organization), "award", id)
            .with("sha256", &signed.sha256);
        audit::append(conn, None, &change, now)?;
        (resources.at_boundary)(Boundary::Store);
        Ok::<(), Error>(())
    });
    stored?;
    (resources.at_boundary)(Boundary::Outbox);
    tracing::info!(award = %id, "credential issued");
    Ok(())
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
