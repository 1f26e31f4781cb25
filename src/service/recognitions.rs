//! Recognitions: an organization says that who qualified by another's calibration sets may score its own work (docs/decisions/0073).

use super::audit::Change;
use super::context::{Cx, above, branch_up, new_uuid};
use super::error::Error;
use super::organizations;
use crate::domain::ids::{OrganizationId, RecognitionId};
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::store::{self, DbConn, StoreError};

pub use crate::store::recognitions::Recognition;

/// The most characters of a reason.
const LONGEST_REASON: usize = 2000;

/// A recognition with the names of both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The recognition.
    pub recognition: Recognition,
    /// The name of who recognises.
    pub organization: String,
    /// The name of who is recognised.
    pub recognised: String,
}

fn named(conn: &mut DbConn, recognition: Recognition) -> Result<Named, Error> {
    let mut name_of = |id: OrganizationId| -> Result<String, Error> {
        let found = store::organizations::find(conn, id)?;
        found.map(|organization| organization.name).ok_or_else(|| {
            Error::internal(super::error::Broken("a recognition of an organization that is gone"))
        })
    };
    let organization = name_of(recognition.organization)?;
    let recognised = name_of(recognition.recognised)?;
    Ok(Named { recognition, organization, recognised })
}

fn check_reason(reason: &str) -> Result<String, Error> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let detail =
            format!("say why in 1 to {LONGEST_REASON} characters; both organizations read it");
        return Err(Error::invalid("/reason", "reason", detail));
    }
    Ok(reason.to_owned())
}

/// `POST /organizations/{id}/recognitions`: from now on qualifications that were passed by sets of the other organization count here.
///
/// # Errors
/// [`Error::Invalid`] without a reason, for an organization that has published nothing, and for one whose qualifications count anyway;
/// [`Error::AlreadyThere`] while it is recognised.
pub fn create(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    recognised: OrganizationId,
    reason: &str,
) -> Result<Named, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "create_recognition", &subject)?;
    let reason = check_reason(reason)?;
    let pointer = "/recognised_organization_id";
    if branch_up(cx.conn, organization)?.contains(&recognised) {
        let detail = "what was passed by sets of your own, or of an organization above, counts without being recognised";
        return Err(Error::invalid(pointer, "own-qualifications", detail));
    }
    // Who has published nothing has no sets, and is nobody's to know of.
    let versions = store::micro_credentials::list_of_organization(cx.conn, recognised)?;
    if !versions.iter().any(|version| version.state.is_public()) {
        let detail = "name an organization of this installation that has published a definition: only such a one qualifies assessors";
        return Err(Error::invalid(pointer, "unknown-organization", detail));
    }
    let recognition = Recognition {
        id: RecognitionId::from_uuid(new_uuid()),
        organization,
        recognised,
        reason,
        recognised_by: cx.signed_in()?.person,
        recognised_at: cx.now,
        revision: 1,
        ended: None,
    };
    cx.write(|conn| {
        match store::recognitions::create(conn, &recognition) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "the organization's qualifications are recognised already".to_owned();
                return Err(Error::AlreadyThere { code: "recognised", detail });
            }
            other => other?,
        }
        let change =
            Change::new("create_recognition", Some(organization), "recognition", recognition.id)
                .with("recognised", recognised);
        Ok((named(conn, recognition.clone())?, change))
    })
}

fn subject_of(conn: &mut DbConn, organization: OrganizationId) -> Result<Subject, Error> {
    Ok(Subject {
        kind: "recognition",
        organization,
        above: above(conn, organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Private("read_recognition"),
    })
}

/// `GET /recognitions/{id}`: for the people of both organizations.
///
/// # Errors
/// [`Error::Denied`] for anybody else.
pub fn find(cx: &mut Cx<'_>, id: RecognitionId) -> Result<Named, Error> {
    let found = store::recognitions::find(cx.conn, id)?
        .ok_or(Error::Denied(Denied::Hidden("recognition")))?;
    let giving = subject_of(cx.conn, found.organization)?;
    if let Err(denied) = policy::require(&cx.actor, "read_recognition", &giving) {
        let receiving = subject_of(cx.conn, found.recognised)?;
        policy::require(&cx.actor, "read_recognition", &receiving).map_err(|_same| denied)?;
    }
    named(cx.conn, found)
}

/// `GET /organizations/{id}/recognitions`: those that it has given and been given, for its people.
///
/// # Errors
/// [`Error::Denied`] for anybody else.
pub fn list(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Named>, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "list_recognitions", &subject)?;
    let found = store::recognitions::list(cx.conn, organization, after, limit)?;
    found.into_iter().map(|one| named(cx.conn, one)).collect()
}

/// `POST /recognitions/{id}/end`: from now on what was passed there does not count here. Work that is being read is stepped back from, as
/// with any other right that is lost; what is locked stays as it was.
///
/// # Errors
/// [`Error::WrongState`] when it has ended, [`Error::Invalid`] without a reason, [`Error::Stale`] for another revision than the one
/// that was read.
pub fn end(
    cx: &mut Cx<'_>,
    id: RecognitionId,
    reason: &str,
    revision: i32,
) -> Result<Named, Error> {
    let Named { recognition, .. } = find(cx, id)?;
    // Who may read it knows of it, on either side.
    let subject = Subject {
        visibility: Visibility::Public,
        ..subject_of(cx.conn, recognition.organization)?
    };
    policy::require(&cx.actor, "end_recognition", &subject)?;
    let reason = check_reason(reason)?;
    let (by, now) = (cx.signed_in()?.person, cx.now);
    cx.write(|conn| {
        let fresh = store::recognitions::find(conn, id)?.ok_or(Error::Stale)?;
        if fresh.ended.is_some() {
            let detail = "the recognition has ended already".to_owned();
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        }
        if fresh.revision != revision {
            return Err(Error::Stale);
        }
        store::recognitions::end(conn, &fresh, (by, &reason), now)?;
        let change = Change::new("end_recognition", Some(fresh.organization), "recognition", id)
            .with("recognised", fresh.recognised);
        let ended =
            Recognition { revision: revision + 1, ended: Some((now, reason.clone())), ..fresh };
        Ok((named(conn, ended)?, change))
    })
}
