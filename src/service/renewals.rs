//! Renewing an award: a new attempt whose award takes the place of the old one.

use super::audit::{self, Change};
use super::award_basis::{self, Basis};
use super::awards;
use super::context::Cx;
use super::error::{Broken, Error};
use super::micro_credentials::parse_stored;
use super::submissions::{self, NewDraft, StoredSubmission};
use crate::domain::award::{AwardEvent, AwardState, renewable_until};
use crate::domain::definition::Definition;
use crate::domain::ids::{AwardId, PersonId};
use crate::domain::policy;
use crate::domain::timestamp::Timestamp;
use crate::store::awards::Award;
use crate::store::micro_credentials::Version;
use crate::store::{self, DbConn};

/// Whether an award is of the kind that is renewed: it ends, and the version that was earned says how it is renewed.
pub(super) fn is_renewable(award: &Award, earned: &Definition) -> bool {
    award.valid_until.is_some() && earned.validity().renewal.is_some()
}

/// `POST /awards/{id}/renew`: a new attempt at the newest version of the micro-credential, whose award will take the place of this
/// one. It is decided like any other attempt.
///
/// # Errors
/// [`Error::WrongState`] for an award that does not end, is not in force or ended too long ago, or whose micro-credential takes no
/// submissions any more; [`Error::AlreadyThere`] while an attempt is open or a renewal is earned.
pub fn renew(
    cx: &mut Cx<'_>,
    id: AwardId,
    revision: Option<i32>,
) -> Result<StoredSubmission, Error> {
    let (award, subject) = awards::load(cx.conn, id)?;
    policy::require(&cx.actor, "renew_award", &subject)?;
    let earner = cx.signed_in()?.person;
    let family = award.micro_credential().ok_or_else(not_renewed)?;
    let version =
        store::micro_credentials::find_open(cx.conn, family)?.ok_or_else(submissions::closed)?;
    let draft = NewDraft::prepare(cx.resources)?;
    let now = cx.now;
    cx.write(|conn| {
        let award = awards::find_fresh(conn, id)?;
        awards::require_revision(&award, revision)?;
        require_renewable(conn, &award, now)?;
        let stored = draft.store(conn, &version, earner, now)?;
        let facts = stored.submission.facts();
        store::renewals::create(conn, facts.id, id, now)?;
        let change = Change::new("renew_award", Some(award.organization), "award", id)
            .with("submission", facts.id)
            .with("attempt", facts.attempt)
            .with("version", facts.version);
        Ok((stored, change))
    })
}

fn not_renewed() -> Error {
    let detail = "this award is not one that is renewed: it has no end, its micro-credential knows no renewal, or it rests on other awards";
    Error::WrongState { detail: detail.to_owned(), allowed_events: Vec::new() }
}

fn require_renewable(conn: &mut DbConn, award: &Award, now: Timestamp) -> Result<(), Error> {
    let award = award.clone().as_of(now);
    award.state.require(AwardEvent::Renewed)?;
    let not_now = |detail: String| Error::WrongState { detail, allowed_events: Vec::new() };
    let is_of_the_kind = match award_basis::load(conn, &award)? {
        Basis::Submission(work) => is_renewable(&award, &work.definition),
        Basis::Stack(_) => false,
    };
    let Some(until) = award.valid_until.filter(|_| is_of_the_kind) else {
        return Err(not_renewed());
    };
    let last = renewable_until(until);
    if last < now {
        return Err(not_now(format!(
            "this award could be renewed until {}; start a new submission",
            last.date()
        )));
    }
    if store::renewals::find_live_successor(conn, award.id)?.is_some() {
        let detail = "you have earned the renewal of this award already".to_owned();
        return Err(Error::AlreadyThere { code: "renewed", detail });
    }
    Ok(())
}

/// Refuses a second award at the same version beside one in force where renewing is the way: two awards would stand side by side, and
/// nobody could tell which one counts.
///
/// # Errors
/// [`Error::AlreadyThere`].
pub(super) fn refuse_beside_live_award(
    conn: &mut DbConn,
    earner: PersonId,
    version: &Version,
    now: Timestamp,
) -> Result<(), Error> {
    for award in store::renewals::list_active_awards(conn, earner, version.id)? {
        let award = award.as_of(now);
        if award.state == AwardState::Active
            && is_renewable(&award, &parse_stored(version)?.definition)
        {
            let until = award.valid_until.map_or_else(String::new, Timestamp::date);
            let detail = format!(
                "you hold this already, until {until}; to have it for longer, renew it with POST /api/v1/awards/{}/renew",
                award.id
            );
            return Err(Error::AlreadyThere { code: "renew-instead", detail });
        }
    }
    Ok(())
}

/// Puts a new award, whose badge is being stored in the caller's transaction, in the place of the one that it renews. Does nothing for
/// an award that renews none.
///
/// The old award becomes superseded if the new one was earned in time. One that is revoked stays revoked; one that is suspended stays
/// so until the panel has concluded, and is superseded then ([`awards::reinstate`]).
///
/// # Errors
/// [`Error::Internal`] when the database fails, [`Error::Stale`] when the old award changes at the same moment.
pub fn supersede_after_issue(
    conn: &mut DbConn,
    new_award: &Award,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(submission) = new_award.submission() else { return Ok(()) };
    let Some(renewed) = store::renewals::find_renewed(conn, submission)? else {
        return Ok(());
    };
    store::renewals::save_successor(conn, submission, new_award.id)?;
    let old = store::awards::find(conn, renewed)?
        .ok_or_else(|| Error::internal(Broken("a renewal of no award")))?;
    let allows_it = old.state.allowed_events().contains(&AwardEvent::Renewed);
    if !allows_it || !is_in_time(&old, new_award) {
        return Ok(());
    }
    store::award_states::save_ended(conn, &old, AwardState::Superseded)?;
    let change = Change::new("supersede_award", Some(old.organization), "award", old.id)
        .with("from", old.as_of(now).state)
        .with("by", new_award.id);
    audit::append(conn, None, &change, now)?;
    Ok(())
}

/// Whether the new award was earned before the old one could no longer be renewed.
fn is_in_time(old: &Award, new: &Award) -> bool {
    old.valid_until.is_none_or(|until| new.created_at <= renewable_until(until))
}

/// Whether a signed award that is not revoked has taken the place of this one, which was suspended meanwhile.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn has_successor(conn: &mut DbConn, old: &Award) -> Result<bool, Error> {
    let Some(successor) = store::renewals::find_live_successor(conn, old.id)? else {
        return Ok(false);
    };
    let successor = store::awards::find(conn, successor)?;
    Ok(successor.is_some_and(|new| new.issued_at.is_some() && is_in_time(old, &new)))
}

/// The award whose badge took the place of this one, for its public page.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn find_successor(cx: &mut Cx<'_>, id: AwardId) -> Result<Option<AwardId>, Error> {
    let lineages = store::renewals::list_lineages(cx.conn, &[id])?;
    Ok(lineages.get(&id).and_then(|lineage| lineage.renewed_by))
}
