//! Revoking many awards at once, after a look at which they are.

use super::audit::{self, Change};
use super::awards::{Award, require_note};
use super::context::{Cx, new_uuid, organizations_under};
use super::error::{Error, Fault};
use super::{award_letters, outbox, stack_awards, status_lists};
use crate::domain::award::RevocationReason;
use crate::domain::ids::{AwardId, MicroCredentialId, PersonId, SigningKeyId};
use crate::domain::organization::Role;
use crate::domain::policy;
use crate::domain::timestamp::Timestamp;
use crate::store::award_states::{AwardFilter, Standing};
use crate::store::{self, DbConn};

/// The most awards of one call.
pub const MOST: i64 = 1000;
/// How many of them an answer shows.
const SHOWN: i64 = 25;

/// Which awards are meant: those that fit everything that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// At this micro-credential.
    pub micro_credential: Option<MicroCredentialId>,
    /// In this version of it.
    pub version: Option<i32>,
    /// Whose badge was ever signed with this key.
    pub signing_key: Option<SigningKeyId>,
    /// Signed then or later.
    pub issued_from: Option<Timestamp>,
    /// Signed then or earlier.
    pub issued_to: Option<Timestamp>,
    /// One of these.
    pub awards: Option<Vec<AwardId>>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkRevocation {
    /// Which awards.
    pub filter: Filter,
    /// Why.
    pub reason: RevocationReason,
    /// Who decided it and why; for staff only.
    pub note: String,
    /// How many the caller has seen in the preview; none for the preview itself.
    pub expected: Option<i64>,
}

/// What was found, or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkOutcome {
    /// How many awards are revoked by it.
    pub count: i64,
    /// How many that fit were revoked already.
    pub already_revoked: i64,
    /// How many that fit cannot be revoked: they wait for their signature, have expired or were superseded.
    pub not_revocable: i64,
    /// The first of those that are counted, by id; after the deed, as they are then.
    pub first: Vec<Award>,
}

fn faults_of(filter: &Filter) -> Vec<Fault> {
    let mut faults = Vec::new();
    if *filter == Filter::default() {
        let detail = "say which awards are meant; without a filter it would be all of them";
        faults.push(Fault::new("/filter", "empty-filter", detail));
    }
    if filter.version.is_some() && filter.micro_credential.is_none() {
        let detail = "a version is one of a micro-credential; say micro_credential_id as well";
        faults.push(Fault::new("/filter/version", "version-alone", detail));
    }
    if let Some(ids) = &filter.awards {
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        if ids.is_empty() || ids.len() > most {
            let detail = format!("name 1 to {MOST} awards, or leave award_ids out");
            faults.push(Fault::new("/filter/award_ids", "award-ids", detail));
        }
    }
    if let (Some(from), Some(to)) = (filter.issued_from, filter.issued_to)
        && to < from
    {
        let detail = "issued_to is before issued_from, so nothing fits";
        faults.push(Fault::new("/filter/issued_to", "wrong-order", detail));
    }
    faults
}

/// The filter as the store takes it, over the organizations whose issuing officer the caller is.
fn stored(cx: &mut Cx<'_>, filter: &Filter) -> Result<AwardFilter, Error> {
    let versions = match (filter.micro_credential, filter.version) {
        (Some(family), Some(number)) => {
            let version = store::micro_credentials::find_version(cx.conn, family, number)?;
            Some(version.map(|version| version.id).into_iter().collect())
        }
        (_, _) => None,
    };
    Ok(AwardFilter {
        organizations: organizations_under(cx.conn, &cx.actor, Role::IssuingOfficer)?,
        micro_credential: filter.micro_credential,
        versions,
        signing_key: filter.signing_key,
        issued_from: filter.issued_from,
        issued_to: filter.issued_to,
        ids: filter.awards.clone(),
    })
}

fn look(conn: &mut DbConn, filter: &AwardFilter, now: Timestamp) -> Result<BulkOutcome, Error> {
    let count = store::award_states::count(conn, filter, Standing::Revocable(now))?;
    let already_revoked = store::award_states::count(conn, filter, Standing::Revoked)?;
    let all = store::award_states::count(conn, filter, Standing::Any)?;
    let first = store::award_states::list(conn, filter, Standing::Revocable(now), SHOWN)?;
    Ok(BulkOutcome { count, already_revoked, not_revocable: all - count - already_revoked, first })
}

/// Refuses whoever is issuing officer nowhere.
///
/// # Errors
/// [`Error::Denied`].
pub fn require_officer(cx: &Cx<'_>) -> Result<(), Error> {
    Ok(policy::require_somewhere(&cx.actor, "bulk_revoke_awards")?)
}

/// `POST /awards/bulk-revocations`: shows what would be revoked, or revokes it if that is still as many as the caller has seen.
///
/// All or none: one transaction, in which each status list is published once, with an audit event and a mail for each award.
///
/// # Errors
/// [`Error::CountChanged`] when somebody changed something since the preview, [`Error::Invalid`] for an empty filter or too many
/// awards, [`Error::Denied`] for anybody who is issuing officer nowhere.
pub fn revoke(cx: &mut Cx<'_>, command: &BulkRevocation) -> Result<BulkOutcome, Error> {
    require_officer(cx)?;
    let faults = faults_of(&command.filter);
    if !faults.is_empty() {
        let summary = "the filter does not say which awards are meant".to_owned();
        return Err(Error::Invalid { code: "filter", summary, faults });
    }
    require_note(&command.note)?;
    let filter = stored(cx, &command.filter)?;
    let now = cx.now;
    let Some(expected) = command.expected else {
        return look(cx.conn, &filter, now);
    };
    let base_url = cx.installation()?.base_url;
    let host = outbox::message_host(&base_url);
    let (actor, resources) = (cx.actor.person(), cx.resources);
    // Ties the events of one run together.
    let run = new_uuid();
    store::write(cx.conn, |conn| {
        let before = look(conn, &filter, now)?;
        if before.count != expected {
            return Err(Error::CountChanged { expected, count: before.count });
        }
        if before.count > MOST {
            let detail = format!(
                "{} awards fit, and at most {MOST} are revoked at once; narrow the filter, by the time of issuing for instance",
                before.count
            );
            return Err(Error::invalid("/filter", "too-many", detail));
        }
        let awards = store::award_states::list(conn, &filter, Standing::Revocable(now), MOST)?;
        for award in &awards {
            store::award_states::save_revoked(conn, award, command.reason, &command.note, now)?;
        }
        let ids: Vec<AwardId> = awards.iter().map(|award| award.id).collect();
        status_lists::publish_changed(conn, resources, &base_url, &ids, now)?;
        let earners: Vec<PersonId> = awards.iter().map(|award| award.earner).collect();
        stack_awards::follow(conn, resources, &base_url, &earners, now)?;
        for award in &awards {
            award_letters::revoked(conn, award, command.reason, &host, now)?;
        }
        for award in &awards {
            let change = Change::new("revoke_award", Some(award.organization), "award", award.id)
                .with("reason", command.reason)
                .with("run", run);
            audit::append(conn, actor, &change, now)?;
        }
        let shown = before.first.iter().map(|award| award.id).collect();
        let revoked = AwardFilter { ids: Some(shown), ..filter.clone() };
        let first = store::award_states::list(conn, &revoked, Standing::Revoked, SHOWN)?;
        Ok(BulkOutcome { first, ..before })
    })
}
