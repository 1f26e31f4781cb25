//! Awards: who sees them, and how they end.

use super::audit::Change;
use super::context::{Cx, above, organizations_of_branches, organizations_under};
use super::error::Error;
use super::status_lists;
use crate::domain::award::{AwardEvent, AwardState, RevocationReason};
use crate::domain::ids::{AwardId, MicroCredentialId, PersonId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::store::awards::AwardQuery;
use crate::store::{self, DbConn};

pub use crate::store::awards::Award;

/// The award with its policy subject.
fn load(conn: &mut DbConn, id: AwardId) -> Result<(Award, Subject), Error> {
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
/// [`Error::Denied`] for anybody but the earner and the issuing officer.
pub fn find(cx: &mut Cx<'_>, id: AwardId) -> Result<Award, Error> {
    let (award, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "read_award", &subject)?;
    Ok(award)
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

/// `GET /awards`: the caller's own, and those of organizations whose issuing officer they are.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list(cx: &mut Cx<'_>, list: &ListAwards) -> Result<Vec<Award>, Error> {
    let viewer = cx.signed_in()?.person;
    let organizations = organizations_under(cx.conn, &cx.actor, Role::IssuingOfficer)?;
    let query = AwardQuery {
        viewer: Some(viewer),
        organizations,
        earner: list.person,
        micro_credential: list.micro_credential,
        state: list.state,
        branch: organizations_of_branches(cx.conn, &cx.actor)?,
        after: list.after.clone(),
        limit: list.limit,
    };
    Ok(store::awards::list(cx.conn, &query)?)
}

/// `POST /awards/{id}/revoke`: ends an award for ever. The status list with its bit is signed and published in the same commit.
///
/// # Errors
/// [`Error::WrongState`] unless it is active or suspended, [`Error::Invalid`] without a note.
pub fn revoke(
    cx: &mut Cx<'_>,
    id: AwardId,
    reason: RevocationReason,
    note: &str,
) -> Result<Award, Error> {
    let (_, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "revoke_award", &subject)?;
    if note.trim().is_empty() || note.chars().count() > 4000 {
        let detail = "write down who decided this and why; the public sees only the class of the reason and the date";
        return Err(Error::invalid("/note", "note", detail));
    }
    let base_url = cx.installation()?.base_url;
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let award = find_fresh(conn, id)?;
        award.state.require(AwardEvent::Revoke)?;
        store::awards::save_revoked(conn, &award, reason, note, now)?;
        status_lists::publish_changed(conn, resources, &base_url, &[id], now)?;
        let change = Change::new("revoke_award", Some(award.organization), "award", id)
            .with("reason", reason);
        Ok((find_fresh(conn, id)?, change))
    })
}

fn find_fresh(conn: &mut DbConn, id: AwardId) -> Result<Award, Error> {
    store::awards::find(conn, id)?.ok_or(Error::Stale)
}
