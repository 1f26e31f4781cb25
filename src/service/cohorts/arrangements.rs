//! What is arranged with one person of a programme: more time, and another form of answering.

use super::{
    Extension, Invitee, NamedInvitee, change_of, charter_of, check_note, cohort_of, find, named,
    require_open,
};
use crate::domain::cohort::Accommodations;
use crate::domain::ids::{InviteeId, ProgramId};
use crate::service::context::Cx;
use crate::service::error::Error;
use crate::store;

/// `PUT /programs/{id}/invitees/{invitee_id}/extension`: a last day of one's own, after that of the cohort; none takes it back.
///
/// # Errors
/// [`Error::Stale`], [`Error::Invalid`] for a day that gives no more time.
pub fn extend(
    cx: &mut Cx<'_>,
    id: ProgramId,
    invitee: InviteeId,
    extension: Option<&Extension>,
    revision: i32,
) -> Result<NamedInvitee, Error> {
    let known = find(cx, id, invitee, "put_extension")?.invitee;
    let program = store::programs::find(cx.conn, id)?.ok_or(Error::Stale)?;
    if known.revision != revision {
        return Err(Error::Stale);
    }
    require_open(&program)?;
    if let Some(extension) = extension {
        let cohort = cohort_of(&charter_of(&program)?, &known)?;
        check_note(&extension.reason, "/reason")?;
        if extension.reason.trim().is_empty() {
            return Err(Error::invalid("/reason", "reason", "say why; coordinators read it"));
        }
        if extension.ends_on <= cohort.closes_on {
            let detail = format!("the cohort ends on {}; name a later day", cohort.closes_on);
            return Err(Error::invalid("/ends_on", "no-extension", detail));
        }
    }
    cx.write(|conn| {
        let extended = Invitee { extension: extension.cloned(), ..known.clone() };
        store::cohorts::save(conn, &extended)?;
        let change =
            change_of("put_extension", &program, invitee).with("is_extended", extension.is_some());
        let extended = Invitee { revision: revision + 1, ..extended };
        Ok((named(conn, extended)?, change))
    })
}

/// `PUT /programs/{id}/invitees/{invitee_id}/accommodations`: in what form somebody may answer, whatever the definitions say, and what else
/// was arranged. The trail says that something has changed and not what, which can tell of somebody's health.
///
/// # Errors
/// [`Error::Stale`], [`Error::Invalid`] for a note that is too long.
pub fn accommodate(
    cx: &mut Cx<'_>,
    id: ProgramId,
    invitee: InviteeId,
    accommodations: &Accommodations,
    revision: i32,
) -> Result<NamedInvitee, Error> {
    let known = find(cx, id, invitee, "put_accommodations")?.invitee;
    let program = store::programs::find(cx.conn, id)?.ok_or(Error::Stale)?;
    if known.revision != revision {
        return Err(Error::Stale);
    }
    require_open(&program)?;
    check_note(&accommodations.note, "/note")?;
    cx.write(|conn| {
        let arranged = Invitee { accommodations: accommodations.clone(), ..known.clone() };
        store::cohorts::save(conn, &arranged)?;
        let arranged = Invitee { revision: revision + 1, ..arranged };
        Ok((named(conn, arranged)?, change_of("put_accommodations", &program, invitee)))
    })
}
