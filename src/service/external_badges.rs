//! The wallet's other half: badges of other issuers, verified by our verifier each time they are looked at, and never counted as ours.
//!
//! Their owners may let them be shown in the inventory of their organization, under a heading of their own. Only then what a check says is
//! kept, and the check is made again from time to time (docs/decisions/0055).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::audit::Change;
use super::context::{Cx, Resources, branch_up, new_uuid, profile_of};
use super::definition_document::sha256_hex;
use super::error::{Error, Fault};
use super::verification;
use crate::credential::verify::{RecipientMatch, Verdict, VerdictWord};
use crate::domain::external_badge::{self, BadgeCheck, CheckOutcome};
use crate::domain::ids::{ExternalBadgeId, OrganizationId};
use crate::domain::policy;
use crate::domain::timestamp::Timestamp;
use crate::store::{self, StoreError};

pub use crate::store::external_badges::{BadgeSharing, ExternalBadge, ShownBadge};

/// The most badges that one person keeps.
const MOST: i64 = 100;

/// The most badges that are checked again in one go, and how long that may take: leases and waiting awards come after it.
const MOST_AT_ONCE: i64 = 50;
const TIME_AT_ONCE: Duration = Duration::from_secs(30);

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

/// `GET /me/external-badges/{id}/sharing`: whether one of one's own is shown, with what its last check has said.
///
/// # Errors
/// [`Error::NotFound`] for anybody else's.
pub fn find_sharing(cx: &mut Cx<'_>, id: ExternalBadgeId) -> Result<BadgeSharing, Error> {
    find(cx, id)?;
    Ok(store::external_badges::find_sharing(cx.conn, id)?)
}

/// `PUT /me/external-badges/{id}/sharing`: the owner lets it be shown, by a verdict of this moment, or no more (`None`). It holds at once.
///
/// # Errors
/// [`Error::NotFound`] for anybody else's, [`Error::Stale`] when it has changed since it was read.
pub fn put_sharing(
    cx: &mut Cx<'_>,
    id: ExternalBadgeId,
    verdict: Option<&Verdict>,
    revision: i32,
) -> Result<BadgeSharing, Error> {
    find(cx, id)?;
    let (home, now) = (cx.actor.home(), cx.now);
    let check = verdict.map(|verdict| check_of(verdict, now));
    cx.write(|conn| {
        store::external_badges::save_sharing(conn, id, check.as_ref(), revision, now)?;
        let change = Change::new("put_external_badge_sharing", home, "external_badge", id)
            .with("shown", check.is_some());
        let sharing = store::external_badges::find_sharing(conn, id)?;
        Ok((sharing, change))
    })
}

/// What is kept of a verdict.
fn check_of(verdict: &Verdict, now: Timestamp) -> BadgeCheck {
    let credential = verdict.credential.as_ref();
    let until = credential.and_then(|credential| credential.valid_until.as_deref());
    BadgeCheck {
        outcome: match (verdict.verdict, verdict.recipient_match) {
            (VerdictWord::Invalid, _) => CheckOutcome::Invalid,
            // Anybody could show a badge that names nobody as their own.
            (_, RecipientMatch::No | RecipientMatch::Unknown | RecipientMatch::NotAsked) => {
                CheckOutcome::NotAddressed
            }
            (VerdictWord::Valid, RecipientMatch::Yes) => CheckOutcome::Valid,
            (VerdictWord::Indeterminate, RecipientMatch::Yes) => CheckOutcome::Indeterminate,
        },
        issuer_id: credential.and_then(|credential| credential.issuer.id.clone()),
        valid_until: until
            .and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok())
            .map(|moment| Timestamp::new(moment.to_utc())),
        checked_at: now,
    }
}

/// Checks badges again that are shown and were looked at long ago, as many as there is time for. No connection is held while an issuer is
/// asked. Returns how many.
///
/// # Errors
/// [`Error::Internal`] when the database fails. That an issuer does not answer is an answer.
pub fn check_due(resources: &Resources) -> Result<usize, Error> {
    let until = Instant::now() + TIME_AT_ONCE;
    let due = resources.as_system(|cx| {
        let moments = external_badge::due_before(cx.now);
        let mut due = Vec::new();
        for badge in store::external_badges::list_due(cx.conn, moments, MOST_AT_ONCE)? {
            let email = profile_of(cx.conn, badge.person)?.email;
            due.push((badge.id, badge.person, Question { document: badge.document, email }));
        }
        Ok(due)
    })?;
    let mut n_checked = 0;
    for (id, person, question) in due {
        if Instant::now() >= until {
            break;
        }
        let verdict = match verify(resources, &question) {
            Ok(verdict) => Some(verdict),
            // One that can no longer be read must not keep the others waiting.
            Err(Error::Unverifiable(_)) => None,
            Err(error) => return Err(error),
        };
        resources.as_system(|cx| {
            let unreadable = BadgeCheck {
                outcome: CheckOutcome::Invalid,
                issuer_id: None,
                valid_until: None,
                checked_at: cx.now,
            };
            let now = cx.now;
            let check = verdict.as_ref().map_or(unreadable, |verdict| check_of(verdict, now));
            let home = super::audit::home_of(cx.conn, person)?;
            cx.write(|conn| {
                store::external_badges::save_check(conn, id, &check)?;
                let change = Change::new("check_external_badge", home, "external_badge", id)
                    .with("outcome", check.outcome.as_str());
                Ok(((), change))
            })
        })?;
        n_checked += 1;
    }
    Ok(n_checked)
}

/// A badge that is shown, and whether the organization recognises its issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBadge {
    /// The badge.
    pub shown: ShownBadge,
    /// Whether its issuer is on the list of the organization, or of one above it.
    pub is_trusted: bool,
}

/// `GET /reports/skills-inventory/external-badges`: badges of other issuers that members let be shown. What is not listed is not told in any
/// other way: neither how many there are nor whose.
///
/// # Errors
/// [`Error::Denied`] outside of the district or provider, [`Error::Invalid`] above districts, [`Error::WrongState`] where nobody has said
/// what skills are counted for.
pub fn list_shown(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ListedBadge>, Error> {
    let (listed, subject) = super::organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "list_shown_badges", &subject)?;
    let members_of = super::inventory::named_branch(cx, &listed)?;
    super::inventory::purpose_in_force(cx, organization)?;
    let mut trusted = std::collections::BTreeSet::new();
    for listing in branch_up(cx.conn, organization)? {
        trusted.extend(store::trusted_issuers::find(cx.conn, listing)?.0);
    }
    let moments = (external_badge::counts_since(cx.now), cx.now);
    let shown = store::external_badges::list_shown(cx.conn, &members_of, moments, after, limit)?;
    Ok(shown
        .into_iter()
        .map(|shown| ListedBadge {
            is_trusted: shown.issuer_id.as_ref().is_some_and(|id| trusted.contains(id)),
            shown,
        })
        .collect())
}
