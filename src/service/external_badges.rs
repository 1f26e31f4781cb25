//! The wallet's other half: badges of other issuers, verified by our verifier each time they are looked at, and never counted as ours.

use serde_json::{Value, json};

use super::audit::Change;
use super::context::{Cx, Resources, new_uuid, profile_of};
use super::definition_document::sha256_hex;
use super::error::{Error, Fault};
use super::verification;
use crate::credential::verify::{RecipientMatch, Verdict, VerdictWord};
use crate::domain::ids::{ExternalBadgeId, OrganizationId};
use crate::domain::policy;
use crate::store::{self, StoreError};

pub use crate::store::external_badges::ExternalBadge;

/// The most badges that one person keeps.
const MOST: i64 = 100;

/// What the verifier is asked, with the address that the badge must be made out to.
#[derive(Clone, Debug)]
pub struct Question {
    document: String,
    email: String,
}

/// A badge as text: its document, or its JWT.
fn text_of(credential: &Value) -> String {
    credential.as_str().map_or_else(|| credential.to_string(), str::to_owned)
}

/// Asks for somebody's own badge.
///
/// # Errors
/// [`Error::Denied`] without a sign-in, [`Error::Invalid`] for what is neither an object nor a text.
pub fn question(cx: &mut Cx<'_>, credential: &Value) -> Result<Question, Error> {
    policy::require_sign_in(&cx.actor, "add_external_badge")?;
    let person = cx.signed_in()?.person;
    if !(credential.is_object() || credential.is_string()) {
        let detail = "send the badge as an object, or its JWT as a text";
        return Err(Error::invalid("/credential", "wrong-type", detail));
    }
    Ok(Question { document: text_of(credential), email: profile_of(cx.conn, person)?.email })
}

/// The verdict as of now. No connection is held meanwhile.
///
/// # Errors
/// [`Error::Unverifiable`] for what is no badge.
pub fn verify(resources: &Resources, question: &Question) -> Result<Verdict, Error> {
    let asked = json!({ "credential": question.document, "expect": { "email": question.email } });
    verification::verify(resources, asked.to_string().as_bytes(), None)
}

/// `POST /me/external-badges`: keeps a badge of another issuer that is valid, or of which it cannot be told now, and that is not somebody
/// else's.
///
/// # Errors
/// [`Error::Invalid`] for an invalid badge, somebody else's, or one that was issued here; [`Error::AlreadyThere`] the second time.
pub fn add(
    cx: &mut Cx<'_>,
    question: &Question,
    verdict: &Verdict,
) -> Result<ExternalBadge, Error> {
    policy::require_sign_in(&cx.actor, "add_external_badge")?;
    let refused = |code, detail: &str| {
        Err::<ExternalBadge, Error>(Error::invalid("/credential", code, detail))
    };
    let Some(credential) = verdict.credential.as_ref() else {
        return refused("not-valid", "this badge cannot be read");
    };
    if verdict.verdict == VerdictWord::Invalid {
        let summary = "the badge is not valid; each check that failed is listed".to_owned();
        let failed = verdict.checks.iter().filter(|check| check.code != "ok");
        let faults = failed
            .map(|check| Fault::new("/credential", check.code.clone(), check.detail.clone()))
            .collect();
        return Err(Error::Invalid { code: "not-valid", summary, faults });
    }
    if verdict.recipient_match == RecipientMatch::No {
        return refused("not-yours", "the badge is made out to somebody else's address");
    }
    let base_url = cx.installation()?.base_url;
    let is_own = credential.id.as_deref().is_some_and(|id| {
        [base_url.as_str()]
            .into_iter()
            .chain(cx.resources.base_url_aliases.iter().map(String::as_str))
            .any(|base| id.strip_prefix(base).is_some_and(|rest| rest.starts_with('/')))
    });
    if is_own {
        let detail = "this badge was issued here: it is among your awards already";
        return refused("issued-here", detail);
    }
    let person = cx.signed_in()?.person;
    let badge = ExternalBadge {
        id: ExternalBadgeId::from_uuid(new_uuid()),
        person,
        sha256: sha256_hex(&question.document),
        document: question.document.clone(),
        title: credential.achievement.clone(),
        issuer: credential.issuer.name.clone().or_else(|| credential.issuer.id.clone()),
        added_at: cx.now,
    };
    let home: Option<OrganizationId> = cx.actor.home();
    cx.write(|conn| {
        if store::external_badges::count(conn, person)? >= MOST {
            let detail = format!("a wallet keeps {MOST} badges of others; take one out first");
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        }
        match store::external_badges::create(conn, &badge) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "this badge is in your wallet already".to_owned();
                return Err(Error::AlreadyThere { code: "badge-there", detail });
            }
            other => other?,
        }
        let change = Change::new("add_external_badge", home, "external_badge", badge.id);
        Ok((badge.clone(), change))
    })
}

/// `GET /me/external-badges`: what somebody keeps. Verdicts are made when a badge is looked at.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list(cx: &mut Cx<'_>, after: Option<&str>, limit: i64) -> Result<Vec<ExternalBadge>, Error> {
    let person = cx.signed_in()?.person;
    Ok(store::external_badges::list(cx.conn, person, after, limit)?)
}

/// `GET /me/external-badges/{id}`: one of one's own, with the question that makes its verdict as of now.
///
/// # Errors
/// [`Error::NotFound`] for anybody else's.
pub fn find(cx: &mut Cx<'_>, id: ExternalBadgeId) -> Result<(ExternalBadge, Question), Error> {
    let person = cx.signed_in()?.person;
    let badge = store::external_badges::find(cx.conn, person, id)?
        .ok_or(Error::NotFound("external badge"))?;
    let email = profile_of(cx.conn, person)?.email;
    let question = Question { document: badge.document.clone(), email };
    Ok((badge, question))
}

/// `DELETE /me/external-badges/{id}`.
///
/// # Errors
/// [`Error::NotFound`] for anybody else's.
pub fn delete(cx: &mut Cx<'_>, id: ExternalBadgeId) -> Result<(), Error> {
    let person = cx.signed_in()?.person;
    let home = cx.actor.home();
    cx.write(|conn| {
        if !store::external_badges::delete(conn, person, id)? {
            return Err(Error::NotFound("external badge"));
        }
        Ok(((), Change::new("delete_external_badge", home, "external_badge", id)))
    })
}
