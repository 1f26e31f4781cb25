//! A signing key that somebody else may have: given up, and everything that it signed signed again under the same ids.
//!
//! A date inside of a proof proves nothing once its key is lost. What was genuinely issued is what stands in the issuance log, whose rows
//! are bound to the audit chain; that, and nothing else, is signed again.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::audit::Change;
use super::badge_content;
use super::context::Cx;
use super::error::{Broken, Error};
use super::issuance::{self, Signer};
use super::issuer_identity::IssuerIdentity;
use super::signing_keys::{self, SigningKey};
use super::{issuer_settings, organizations, outbox, status_lists};
use crate::credential::bake::{Baked, unbake};
use crate::credential::document::CredentialDraft;
use crate::credential::json;
use crate::credential::lint::{LintPolicy, lint};
use crate::credential::proof;
use crate::domain::audit::hex;
use crate::domain::award::AwardState;
use crate::domain::ids::{AwardId, OrganizationId, PersonId, SigningKeyId};
use crate::domain::issuing::{KeyAlgorithm, KeyEvent, KeyState};
use crate::domain::policy;
use crate::domain::timestamp::Timestamp;
use crate::store::awards::Award;
use crate::store::credentials::Intent;
use crate::store::installation::Installation;
use crate::store::{self, DbConn};

/// What giving up a key comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompromiseReport {
    /// The key, as it stands now.
    pub key: SigningKey,
    /// The key that signs in its place.
    pub successor: SigningKey,
    /// The badges whose served copies it had signed: they are signed again from now on.
    pub affected: Vec<AwardId>,
}

/// `POST /organizations/{id}/signing-keys/{key_id}/compromise`: gives a key up, in one commit with a successor and with status lists that
/// the successor signs. The badges follow, earner by earner, see `sign_again`.
///
/// # Errors
/// [`Error::WrongState`] when it is given up already.
pub fn compromise(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    id: SigningKeyId,
) -> Result<CompromiseReport, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "compromise_signing_key", &subject)?;
    let base_url = cx.installation()?.base_url;
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let key = signing_keys::find_own(conn, organization, id)?;
        key.state.require(KeyEvent::Compromise)?;
        // Under a did:key the key itself speaks for ever: its last word is that nothing it signed counts.
        status_lists::close_lists_of(conn, resources, &base_url, &key, now)?;
        store::signing_keys::save_state(conn, &key, KeyState::Compromised, now)?;
        let successor =
            signing_keys::ensure_active(conn, resources, organization, key.algorithm, now)?;
        // What was not signed yet is decided anew, with another key.
        store::credentials::delete_unsigned_intents(conn, id)?;
        status_lists::publish_all(conn, resources, &base_url, organization, now)?;
        let affected = store::credentials::list_signed_by(conn, id)?;
        let change = Change::new("compromise_signing_key", Some(organization), "signing_key", id)
            .with("successor", successor.id)
            .with("badges", affected.len());
        let key = signing_keys::find_own(conn, organization, id)?;
        Ok((CompromiseReport { key, successor, affected }, change))
    })
}

/// What was signed again for one earner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAgain {
    /// The earner, who is told once.
    pub earner: PersonId,
    /// Their badges.
    pub awards: Vec<AwardId>,
}

/// What signing again came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedAgainReport {
    /// For whom, in order.
    pub done: Vec<SignedAgain>,
    /// How many earners have badges that wait: signing is stopped, or something is wrong with one of them.
    pub waiting: usize,
}

/// How many earners are read at a time.
const EARNERS_PAGE: i64 = 100;

/// Signs everything again whose served copy was signed with a key that is given up, earner by earner. Each badge keeps its id and says the
/// same; the earner is told once for each issuer, in the commit that replaces the copies. A badge that cannot be signed now holds no other's up.
///
/// # Errors
/// [`Error::Internal`] when the database fails; what was signed until then stays.
pub fn sign_all_again(cx: &mut Cx<'_>) -> Result<SignedAgainReport, Error> {
    let mut report = SignedAgainReport::default();
    let mut last = None;
    loop {
        let page = store::credentials::list_earners_of_compromised(cx.conn, last, EARNERS_PAGE)?;
        let Some(end) = page.last() else { return Ok(report) };
        last = Some(*end);
        for earner in page {
            match sign_again(cx, earner) {
                Ok((awards, n_waiting)) => {
                    report.waiting += usize::from(n_waiting > 0);
                    if !awards.is_empty() {
                        report.done.push(SignedAgain { earner, awards });
                    }
                }
                Err(error @ (Error::CannotIssue(_) | Error::Busy)) => {
                    tracing::warn!(%error, "badges of an earner wait to be signed again");
                    report.waiting += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Signs the badges of one earner again. Returns which, and how many wait because signing is stopped.
fn sign_again(cx: &mut Cx<'_>, earner: PersonId) -> Result<(Vec<AwardId>, usize), Error> {
    let installation = cx.installation()?;
    let (now, resources) = (cx.now, cx.resources);
    let host = outbox::message_host(&installation.base_url);
    store::write(cx.conn, |conn| {
        let mut told: BTreeMap<OrganizationId, Vec<AwardId>> = BTreeMap::new();
        let (mut awards, mut n_waiting) = (Vec::new(), 0);
        for id in store::credentials::list_compromised_of(conn, earner)? {
            let award = store::awards::find(conn, id)?.ok_or(Error::Stale)?;
            if store::organizations::is_issuing_stopped(conn, award.organization)? {
                n_waiting += 1;
                continue;
            }
            let intent = store::credentials::find_intent(conn, id)?
                .ok_or_else(|| Error::internal(Broken("a badge without its intent")))?;
            replace(conn, resources, &installation, &award, &intent, now)?;
            if award.state != AwardState::Revoked {
                told.entry(intent.issuer).or_default().push(id);
            }
            awards.push(id);
        }
        for (issuer, badges) in told {
            let parameters = outbox::signed_again_parameters(&badges, issuer);
            outbox::enqueue(conn, outbox::SIGNED_AGAIN, earner, &host, &parameters, now)?;
        }
        Ok((awards, n_waiting))
    })
}

/// Replaces the served copies of one badge.
fn replace(
    conn: &mut DbConn,
    resources: &super::Resources,
    installation: &Installation,
    award: &Award,
    intent: &Intent,
    now: Timestamp,
) -> Result<(), Error> {
    let key = store::signing_keys::find_active(conn, intent.issuer, KeyAlgorithm::EdDsa)?
        .ok_or_else(|| Error::CannotIssue("no signing key to sign badges again with".to_owned()))?;
    let document: Value =
        serde_json::from_str(&intent.unsigned_document).map_err(Error::internal)?;
    let settings = issuer_settings::of_issuer(conn, intent.issuer)?;
    let mut identity = IssuerIdentity::from_id(issuance::issuer_id(&document)?);
    let mut document = document;
    let mut key = key;
    if identity.is_did_key() {
        match store::signing_keys::list(conn, intent.issuer)?
            .into_iter()
            .find(|own| identity.is_signed_by(own) && own.state != KeyState::Compromised)
        {
            Some(own) => key = own,
            // The identifier itself was the lost key: the badge keeps its id and gets the issuer's new identifier.
            None => {
                let old = identity.id().to_owned();
                identity = IssuerIdentity::of(
                    &installation.base_url,
                    intent.issuer,
                    settings.identifier,
                    &key,
                )?;
                let places = status_lists::take_places(
                    conn,
                    resources,
                    &installation.base_url,
                    (intent.issuer, &identity),
                    settings.status_method,
                    now,
                )?;
                let status = status_lists::content(&installation.base_url, intent.issuer, &places)?;
                move_to_identity(&mut document, &old, identity.id());
                document["credentialStatus"] = status.to_value();
                store::credentials::move_places(
                    conn,
                    award.id,
                    places.revocation,
                    places.suspension,
                )?;
                if award.state != AwardState::Active {
                    let base_url = &installation.base_url;
                    status_lists::publish_changed(conn, resources, base_url, &[award.id], now)?;
                }
            }
        }
    }
    let jwt_key = if identity.is_did_key() {
        key.clone()
    } else {
        signing_keys::ensure_active(conn, resources, intent.issuer, settings.jwt_algorithm, now)?
    };
    let policy = LintPolicy { allow_http: installation.is_demo };
    let draft = CredentialDraft::from_document(document);
    let canonical = proof::canonicalize(draft.document()).map_err(Error::internal)?;
    let unsigned = draft.document().to_string();
    let linted =
        lint(draft, &policy).map_err(|findings| issuance::refused_by_lint(award.id, &findings))?;
    let hash = linted.canonical_hash();
    let canonical_sha256 = hex(&canonical.hash);
    if unsigned != intent.unsigned_document {
        store::credentials::save_moved_document(conn, award.id, &unsigned, &canonical_sha256)?;
    } else if canonical_sha256 != intent.canonical_sha256 {
        return Err(Error::internal(Broken("an intent whose document was altered")));
    }
    let signer = Signer {
        resources,
        base_url: &installation.base_url,
        identity: &identity,
        key: &key,
        jwt_key: &jwt_key,
    };
    let signed = signer.sign(linted, now)?;
    signer.verify(&signed, &hash)?;
    store::credentials::replace_credential(conn, award.id, &signer.forms(&signed))?;
    signer.log(conn, "sign_credential_again", award, &signed, &canonical_sha256, now)
}

/// Writes the issuer's new identifier where the old one stood.
fn move_to_identity(document: &mut Value, old: &str, new: &str) {
    for pointer in ["/issuer/id", "/credentialSubject/achievement/creator/id"] {
        if let Some(id) = document.pointer_mut(pointer).filter(|id| id.as_str() == Some(old)) {
            *id = Value::from(new);
        }
    }
}

/// Whether a copy that a given-up key has signed was genuinely issued: it, or its canonical form, stands in the issuance log, and the
/// event of the audit chain that the row is bound to names the same hash. Returns the address of the badge, where a copy with a sound
/// signature is.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn find_genuine(
    conn: &mut DbConn,
    base_url: &str,
    copy: &[u8],
) -> Result<Option<String>, Error> {
    let copy = match unbake(copy) {
        Ok(Baked::Json(text) | Baked::Jwt(text)) => text.into_bytes(),
        Err(_no_image) => copy.trim_ascii().to_vec(),
    };
    let sha256 = match json::parse(&copy, &json::LIMITS) {
        Ok(document) => match proof::canonicalize(&proof::unsecured(&document)) {
            Ok(canonical) => hex(&canonical.hash),
            Err(_no_hash) => return Ok(None),
        },
        Err(_no_json) => hex(&Sha256::digest(&copy)),
    };
    let rows = store::issuance_log::list_of_hash(conn, &sha256)?;
    let genuine = rows
        .iter()
        .find(|row| row.event_detail.as_deref().is_some_and(|detail| detail.contains(&row.sha256)));
    Ok(genuine.map(|row| badge_content::credential_url(base_url, row.award)))
}
