//! Endorsements: a district says, signed, that it accepts the awards of another's definition as if they were of its own, as long as both
//! are scored by the same.

use serde_json::{Value, json};
use url::Url;

use super::audit::Change;
use super::badge_content::achievement_url;
use super::context::{Cx, Resources, above, branch_up, new_uuid};
use super::definition_document::{MOST_DIFFERENCES, differences};
use super::error::{Error, Fault};
use super::organizations;
use super::statements::{Signer, StatementKind};
use super::verification;
use crate::credential::verify::{RecipientMatch, Verdict, VerdictWord};
use crate::domain::ids::{AcceptedAwardId, EndorsementId, MicroCredentialId, OrganizationId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::timestamp::Timestamp;
use crate::store::micro_credentials::Version;
use crate::store::{self, StoreError};

pub use crate::store::accepted_awards::AcceptedAward;
pub use crate::store::endorsements::Endorsement;

/// The form of the signed statement.
const FORMAT: &str = "assay-endorsement/1";
/// The most characters of a reason.
const LONGEST_REASON: usize = 2000;

/// What is to be endorsed, and as what it counts.
#[derive(Clone, Debug)]
pub struct NewEndorsement {
    /// The address of the version, as it stands in its badges.
    pub achievement: String,
    /// The own micro-credential that it counts as.
    pub micro_credential: MicroCredentialId,
    /// The own version.
    pub number: i32,
}

const fn hidden() -> Error {
    Error::Denied(Denied::Hidden("endorsement"))
}

/// `POST /organizations/{id}/endorsements`: endorses a definition that is scored by the same as one's own.
///
/// # Errors
/// [`Error::Invalid`] with `not-equivalent` and every difference that is scored, where the rubric is another;
/// [`Error::AlreadyThere`] while an endorsement of it is in force; [`Error::CannotIssue`] without a key.
pub fn create(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    new: &NewEndorsement,
) -> Result<Endorsement, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "create_endorsement", &subject)?;
    let branch = branch_up(cx.conn, organization)?;
    let own = store::micro_credentials::find_version(cx.conn, new.micro_credential, new.number)?
        .filter(|version| branch.contains(&version.organization) && version.state.is_public());
    let Some(own) = own else {
        let detail = "name a published version of your own, or of an organization above";
        return Err(Error::invalid("/micro_credential_id", "unknown-version", detail));
    };
    let is_address = new.achievement.len() <= 2_000
        && Url::parse(&new.achievement)
            .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    if !is_address {
        let detail = "give the address of the version as it stands in its badges";
        return Err(Error::invalid("/achievement", "not-an-address", detail));
    }
    let signer = Signer::of(cx, organization)?;
    require_equivalent(cx, &signer.base_url, new, &own)?;
    let id = EndorsementId::from_uuid(new_uuid());
    let (endorsed_by, now) = (cx.signed_in()?.person, cx.now);
    let statement = json!({
        "format": FORMAT,
        "id": id.to_string(),
        "url": format!("{}/api/v1/endorsements/{id}", signer.base_url),
        "issuer": signer.issuer,
        "issuer_name": signer.issuer_name,
        "organization_id": organization.to_string(),
        "achievement": new.achievement,
        "counts_as": achievement_url(&signer.base_url, own.micro_credential, own.number),
        "scoring_hash": own.scoring_hash,
        "endorsed_at": now.to_string(),
    });
    let signature = signer.sign(cx.resources, StatementKind::Endorsement, &statement)?;
    let endorsement = Endorsement {
        id,
        organization,
        achievement: new.achievement.clone(),
        scoring_hash: own.scoring_hash.clone(),
        version: own.id,
        micro_credential: own.micro_credential,
        number: own.number,
        statement: statement.to_string(),
        signature,
        endorsed_by,
        endorsed_at: now,
        ended: None,
    };
    cx.write(|conn| {
        match store::endorsements::create(conn, &endorsement) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "an endorsement of this version is in force; end that one first";
                return Err(Error::AlreadyThere { code: "endorsed", detail: detail.to_owned() });
            }
            other => other?,
        }
        let change = Change::new("create_endorsement", Some(organization), "endorsement", id)
            .with("scoring_hash", &endorsement.scoring_hash);
        Ok((endorsement.clone(), change))
    })
}

/// Refuses a version of this installation that is scored by something else, with what is different in words. Of other installations the
/// badge itself says what it was scored by, when it is brought.
fn require_equivalent(
    cx: &mut Cx<'_>,
    base_url: &str,
    new: &NewEndorsement,
    own: &Version,
) -> Result<(), Error> {
    let Some(rest) = new.achievement.strip_prefix(&format!("{base_url}/achievements/")) else {
        return Ok(());
    };
    let named = rest.split_once("/versions/").and_then(|(family, number)| {
        Some((family.parse::<MicroCredentialId>().ok()?, number.parse::<i32>().ok()?))
    });
    let other = match named {
        Some((family, number)) => store::micro_credentials::find_version(cx.conn, family, number)?
            .filter(|version| version.state.is_public()),
        None => None,
    };
    let Some(other) = other else {
        let detail = "there is no published version at this address";
        return Err(Error::invalid("/achievement", "unknown-version", detail));
    };
    if branch_up(cx.conn, own.organization)?.contains(&other.organization) {
        let detail = "this is a definition of your own; its awards need no endorsement";
        return Err(Error::invalid("/achievement", "own-definition", detail));
    }
    if other.scoring_hash == own.scoring_hash {
        return Ok(());
    }
    let text = |version: &Version| {
        serde_json::from_str::<Value>(&version.definition).map_err(Error::internal)
    };
    let summary = "the rubric is another one: awards of the two are not comparable. Endorse a version with the same rubric, or publish this rubric as your own";
    let mut faults = vec![Fault::new("/achievement", "not-equivalent", summary)];
    let found = differences(&text(own)?, &text(&other)?);
    faults.extend(
        found
            .into_iter()
            .filter(|difference| difference.is_scored)
            .take(MOST_DIFFERENCES)
            .map(|difference| Fault::new("/achievement", "changed-rubric", difference.detail)),
    );
    Err(Error::Invalid { code: "not-equivalent", summary: summary.to_owned(), faults })
}

/// `GET /endorsements/{id}`: public, as it was signed, and whether it is in force.
///
/// # Errors
/// [`Error::Denied`] when there is none.
pub fn find(cx: &mut Cx<'_>, id: EndorsementId) -> Result<Endorsement, Error> {
    store::endorsements::find(cx.conn, id)?.ok_or_else(hidden)
}

/// `GET /organizations/{id}/endorsements`: public. Of an organization that there is not there are none.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn list(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Endorsement>, Error> {
    Ok(store::endorsements::list(cx.conn, organization, after, limit)?)
}

/// `POST /endorsements/{id}/end`: from now on no more awards are accepted by it. What was accepted stays accepted.
///
/// # Errors
/// [`Error::WrongState`] when it has ended, [`Error::Invalid`] without a reason.
pub fn end(cx: &mut Cx<'_>, id: EndorsementId, reason: &str) -> Result<Endorsement, Error> {
    let endorsement = find(cx, id)?;
    let subject = Subject {
        kind: "endorsement",
        organization: endorsement.organization,
        above: above(cx.conn, endorsement.organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Public,
    };
    policy::require(&cx.actor, "end_endorsement", &subject)?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let detail = format!("say why in 1 to {LONGEST_REASON} characters; the reason is public");
        return Err(Error::invalid("/reason", "reason", detail));
    }
    let now = cx.now;
    cx.write(|conn| {
        match store::endorsements::end(conn, endorsement.organization, id, reason, now) {
            Err(StoreError::Stale) => {
                let detail = "the endorsement has ended already".to_owned();
                return Err(Error::WrongState { detail, allowed_events: Vec::new() });
            }
            other => other?,
        }
        let change =
            Change::new("end_endorsement", Some(endorsement.organization), "endorsement", id);
        let ended = Some((now, reason.to_owned()));
        Ok((Endorsement { ended, ..endorsement.clone() }, change))
    })
}

/// Whether the caller may have a badge of theirs accepted there. Returns the address that it must be made out to.
///
/// # Errors
/// [`Error::Denied`] when not.
pub fn require_accept(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<String, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "accept_award", &subject)?;
    let person = cx.signed_in()?.person;
    Ok(super::context::profile_of(cx.conn, person)?.email)
}

/// The verdict on a badge that somebody brings, asked with their address. No connection is held meanwhile.
///
/// # Errors
/// [`Error::Unverifiable`] for what is no badge.
pub fn verify(resources: &Resources, credential: &Value, email: &str) -> Result<Verdict, Error> {
    let question = json!({ "credential": credential, "expect": { "email": email } });
    verification::verify(resources, question.to_string().as_bytes(), None)
}

/// `POST /organizations/{id}/accepted-awards`: accepts an award of another district that an endorsement in force speaks for. Nothing is
/// scored again, and no badge is issued.
///
/// # Errors
/// [`Error::Invalid`] with the reason why it is not accepted, [`Error::AlreadyThere`] the second time.
pub fn accept(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    verdict: &Verdict,
) -> Result<AcceptedAward, Error> {
    require_accept(cx, organization)?;
    let refused = |code, detail: &str| {
        Err::<AcceptedAward, Error>(Error::invalid("/credential", code, detail))
    };
    let Some(credential) = verdict.credential.as_ref() else {
        return refused("not-valid", "this badge cannot be read");
    };
    if verdict.verdict != VerdictWord::Valid {
        let reason = verdict
            .checks
            .iter()
            .find(|check| check.code != "ok" && !check.detail.is_empty())
            .map_or("its verdict is not valid", |check| check.detail.as_str());
        return refused("not-valid", &format!("the badge is not valid: {reason}"));
    }
    if verdict.recipient_match != RecipientMatch::Yes {
        let detail = "the badge is not made out to the address of your account; whoever it belongs to brings it";
        return refused("not-yours", detail);
    }
    let (Some(id), Some(achievement)) = (&credential.id, &credential.achievement_id) else {
        return refused("no-id", "the badge does not say what was achieved by an id");
    };
    let branch = branch_up(cx.conn, organization)?;
    let endorsement = store::endorsements::find_in_force(cx.conn, &branch, achievement)?;
    let Some(endorsement) = endorsement else {
        let detail =
            "no endorsement in force speaks for awards of this version; ask an issuing officer";
        return refused("not-endorsed", detail);
    };
    // Anybody can sign a badge that names an achievement of others: what counts is who has signed it.
    if !is_of_its_issuer(achievement, credential.issuer.id.as_deref()) {
        let detail = "the badge was not signed by whoever publishes this achievement: its issuer has no address on the same host";
        return refused("not-of-issuer", detail);
    }
    let scored_by = credential.scoring.as_ref().map(|scoring| scoring.scoring_hash.as_str());
    if scored_by != Some(&endorsement.scoring_hash) {
        let detail = "the badge was scored by another rubric than the one that was endorsed; it is not equivalent";
        return refused("not-equivalent", detail);
    }
    let accepted = AcceptedAward {
        id: AcceptedAwardId::from_uuid(new_uuid()),
        organization,
        endorsement: endorsement.id,
        credential: id.clone(),
        achievement: achievement.clone(),
        scoring_hash: endorsement.scoring_hash.clone(),
        earner: cx.signed_in()?.person,
        accepted_at: cx.now,
    };
    cx.write(|conn| {
        // Read again under the lock: it may have ended meanwhile.
        if store::endorsements::find(conn, endorsement.id)?.is_none_or(|now| now.ended.is_some()) {
            return Err(Error::Stale);
        }
        match store::accepted_awards::create(conn, &accepted) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "the organization has accepted this badge already".to_owned();
                return Err(Error::AlreadyThere { code: "accepted", detail });
            }
            other => other?,
        }
        let change = Change::new("accept_award", Some(organization), "accepted_award", accepted.id)
            .with("endorsement", endorsement.id);
        Ok((accepted.clone(), change))
    })
}

/// Whether an issuer, whose key the verifier has fetched from its own address, is at home where the achievement is published: an `https`
/// issuer of the same origin, or a `did:web` of the same host. A `did:key` says nothing of where it belongs.
fn is_of_its_issuer(achievement: &str, issuer: Option<&str>) -> bool {
    let (Ok(achievement), Some(issuer)) = (Url::parse(achievement), issuer) else { return false };
    if let Some(web) = issuer.strip_prefix("did:web:") {
        let host = web.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let at_home = match (achievement.host_str(), achievement.port()) {
            (Some(name), None) => name.to_owned(),
            (Some(name), Some(port)) => format!("{name}%3a{port}"),
            (None, _) => return false,
        };
        return host == at_home;
    }
    Url::parse(issuer).is_ok_and(|issuer| {
        matches!(issuer.scheme(), "https" | "http") && issuer.origin() == achievement.origin()
    })
}

/// `GET /organizations/{id}/accepted-awards`: all for coordinators and issuing officers, one's own for everybody else. With each when its
/// endorsement ended.
///
/// # Errors
/// [`Error::Denied`] for an organization of another tree.
pub fn list_accepted(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(AcceptedAward, Option<Timestamp>)>, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "list_accepted_awards", &subject)?;
    let sees_all = [Role::Coordinator, Role::IssuingOfficer]
        .into_iter()
        .any(|role| cx.actor.holds(role, organization, &subject.above));
    let earner = if sees_all { None } else { Some(cx.signed_in()?.person) };
    Ok(store::accepted_awards::list(cx.conn, organization, earner, after, limit)?)
}
