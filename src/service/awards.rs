//! Awards: who sees them, and how they end.

use std::collections::BTreeMap;

use super::audit::Change;
use super::context::{Cx, above, organizations_of_branches, organizations_under};
use super::error::Error;
use super::{award_letters, outbox, renewals, stack_awards, status_lists};
use crate::domain::award::{AwardEvent, AwardState, RevocationReason};
use crate::domain::ids::{AwardId, MicroCredentialId, PersonId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::timestamp::Timestamp;
use crate::store::awards::AwardQuery;
use crate::store::{self, DbConn};

pub use crate::store::awards::Award;

/// The award with its policy subject.
///
/// # Errors
/// [`Error::Denied`] when there is none.
pub(super) fn load(conn: &mut DbConn, id: AwardId) -> Result<(Award, Subject), Error> {
    let award = store::awards::find(conn, id)?.ok_or(Error::Denied(Denied::Hidden("award")))?;
    let subject = Subject {
        kind: "award",
        organization: award.organization,
        above: above(conn, award.organization)?,
        owner: Some(award.earner),
        assigned: None,
        visibility: Visibility::Private("read_award"),
    };
    Ok((award, subject))
}

/// `GET /awards/{id}`.
///
/// # Errors
/// [`Error::Denied`] for anybody but the earner, the issuing officer and the review panel.
pub fn find(cx: &mut Cx<'_>, id: AwardId) -> Result<Award, Error> {
    let (award, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "read_award", &subject)?;
    Ok(award.as_of(cx.now))
}

/// Which awards a list shows.
#[derive(Clone, Debug, Default)]
pub struct ListAwards {
    /// Of this person.
    pub person: Option<PersonId>,
    /// At this micro-credential.
    pub micro_credential: Option<MicroCredentialId>,
    /// In this state.
    pub state: Option<AwardState>,
    /// After this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// `GET /awards`: the caller's own, and those of organizations whose issuing officer or review panel they are of.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list(cx: &mut Cx<'_>, list: &ListAwards) -> Result<Vec<Award>, Error> {
    let viewer = cx.signed_in()?.person;
    let mut organizations = organizations_under(cx.conn, &cx.actor, Role::IssuingOfficer)?;
    organizations.extend(organizations_under(cx.conn, &cx.actor, Role::ReviewPanel)?);
    let now = cx.now;
    let query = AwardQuery {
        viewer: Some(viewer),
        organizations,
        earner: list.person,
        micro_credential: list.micro_credential,
        state: list.state.map(|state| (state, now)),
        branch: organizations_of_branches(cx.conn, &cx.actor)?,
        after: list.after.clone(),
        limit: list.limit,
    };
    let awards = store::awards::list(cx.conn, &query)?;
    Ok(awards.into_iter().map(|award| award.as_of(now)).collect())
}

/// An award with what is told beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwardDetail {
    /// The award.
    pub award: Award,
    /// When it was suspended; none once that is over.
    pub suspended_at: Option<Timestamp>,
    /// The award that it renews.
    pub renews: Option<AwardId>,
    /// The award that renews it.
    pub renewed_by: Option<AwardId>,
    /// When that one took its place.
    pub superseded_at: Option<Timestamp>,
}

/// What is told beside these awards, which the caller may see.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn details(cx: &mut Cx<'_>, awards: Vec<Award>) -> Result<Vec<AwardDetail>, Error> {
    let ids: Vec<AwardId> = awards.iter().map(|award| award.id).collect();
    let lineages = store::renewals::list_lineages(cx.conn, &ids)?;
    let suspended: BTreeMap<AwardId, Timestamp> =
        store::award_states::list_suspended_at(cx.conn, &ids)?.into_iter().collect();
    let detail = |award: Award| {
        let lineage = lineages.get(&award.id).copied().unwrap_or_default();
        let is = |state| award.state == state;
        AwardDetail {
            suspended_at: suspended.get(&award.id).copied().filter(|_| is(AwardState::Suspended)),
            renews: lineage.renews,
            renewed_by: lineage.renewed_by,
            superseded_at: lineage.renewed_at.filter(|_| is(AwardState::Superseded)),
            award,
        }
    };
    Ok(awards.into_iter().map(detail).collect())
}

/// Refuses an empty or endless note.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn require_note(note: &str) -> Result<(), Error> {
    if note.trim().is_empty() || note.chars().count() > 4000 {
        let detail = "write down who decided this and why, in at most 4,000 characters; nobody outside reads it";
        return Err(Error::invalid("/note", "note", detail));
    }
    Ok(())
}

/// Refuses a change of what the caller has not read in its newest revision; without one, the state alone decides.
///
/// # Errors
/// [`Error::Stale`].
pub(super) fn require_revision(award: &Award, revision: Option<i32>) -> Result<(), Error> {
    if revision.is_some_and(|read| read != award.revision) { Err(Error::Stale) } else { Ok(()) }
}

/// Nobody takes part in a decision about an award of their own (DOMAIN.md, section 1: appeal, integrity).
fn require_not_own(cx: &Cx<'_>, award: &Award) -> Result<(), Error> {
    if cx.actor.person() == Some(award.earner) { Err(Denied::Forbidden.into()) } else { Ok(()) }
}

/// `POST /awards/{id}/revoke`: ends an award for ever. The status list with its bit is signed and published in the same commit.
///
/// # Errors
/// [`Error::WrongState`] unless it is active or suspended, [`Error::Invalid`] without a note, [`Error::Stale`] for another revision
/// than the one that was read.
pub fn revoke(
    cx: &mut Cx<'_>,
    id: AwardId,
    reason: RevocationReason,
    note: &str,
    revision: Option<i32>,
) -> Result<Award, Error> {
    let (_, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "revoke_award", &subject)?;
    require_note(note)?;
    let now = cx.now;
    change_state(cx, id, revision, AwardEvent::Revoke, |conn, award, host| {
        store::award_states::save_revoked(conn, award, reason, note, now)?;
        award_letters::revoked(conn, award, reason, host, now)?;
        let change = Change::new("revoke_award", Some(award.organization), "award", id);
        Ok(change.with("reason", reason))
    })
}

/// `POST /awards/{id}/suspend`: an award without force while a panel sits.
///
/// # Errors
/// [`Error::WrongState`] unless it is active, [`Error::Invalid`] without a note, [`Error::Stale`] for another revision than the one
/// that was read, [`Error::Denied`] for an award of one's own.
pub fn suspend(
    cx: &mut Cx<'_>,
    id: AwardId,
    note: &str,
    revision: Option<i32>,
) -> Result<Award, Error> {
    let (award, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "suspend_award", &subject)?;
    require_not_own(cx, &award)?;
    require_note(note)?;
    let now = cx.now;
    change_state(cx, id, revision, AwardEvent::Suspend, |conn, award, host| {
        store::award_states::save_suspended(conn, award, note, now)?;
        award_letters::suspended(conn, award, host, now)?;
        Ok(Change::new("suspend_award", Some(award.organization), "award", id))
    })
}

/// `POST /awards/{id}/reinstate`: the panel found nothing against it. The award goes where it would be by now: it is in force again,
/// or it has expired or was renewed meanwhile.
///
/// # Errors
/// As of [`suspend`], unless it is suspended.
pub fn reinstate(
    cx: &mut Cx<'_>,
    id: AwardId,
    note: &str,
    revision: Option<i32>,
) -> Result<Award, Error> {
    let (award, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "reinstate_award", &subject)?;
    require_not_own(cx, &award)?;
    require_note(note)?;
    let now = cx.now;
    change_state(cx, id, revision, AwardEvent::Reinstate, |conn, award, host| {
        if store::award_states::find_part_fell(conn, id)?.is_some() {
            let detail = "an award that it rests on does not count; it comes back by itself when its rule is met again";
            let allowed_events = vec![AwardEvent::Revoke.as_str()];
            return Err(Error::WrongState { detail: detail.to_owned(), allowed_events });
        }
        let to = if renewals::has_successor(conn, award)? {
            AwardState::Superseded
        } else {
            AwardState::Active.as_of(award.valid_until, now)
        };
        store::award_states::save_reinstated(conn, award, to, note, now)?;
        award_letters::reinstated(conn, award, to, host, now)?;
        let change = Change::new("reinstate_award", Some(award.organization), "award", id);
        Ok(change.with("to", to))
    })
}

/// Changes the state of one award, whose caller has been checked, in one commit with the status lists that say so. `save` stores the new
/// state and the earner's letter, which it names after the host that it is given.
fn change_state(
    cx: &mut Cx<'_>,
    id: AwardId,
    revision: Option<i32>,
    event: AwardEvent,
    mut save: impl FnMut(&mut DbConn, &Award, &str) -> Result<Change, Error>,
) -> Result<Award, Error> {
    let base_url = cx.installation()?.base_url;
    let host = outbox::message_host(&base_url);
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let award = find_fresh(conn, id)?;
        require_revision(&award, revision)?;
        award.state.as_of(award.valid_until, now).require(event)?;
        let change = save(conn, &award, &host)?;
        status_lists::publish_changed(conn, resources, &base_url, &[id], now)?;
        stack_awards::follow(conn, resources, &base_url, &[award.earner], now)?;
        Ok((find_fresh(conn, id)?, change))
    })
}

/// The award as it is stored, within the transaction that changes it.
pub(super) fn find_fresh(conn: &mut DbConn, id: AwardId) -> Result<Award, Error> {
    store::awards::find(conn, id)?.ok_or(Error::Stale)
}
