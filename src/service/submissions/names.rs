//! Whether what readers will get says whose it is, looked at before it is handed in.

use std::collections::{BTreeMap, BTreeSet};

use super::{Response, StoredSubmission, escape_pointer};
use crate::domain::eligibility::SCHOOL_LOOKBACK;
use crate::domain::names::{KnownBy, Trace};
use crate::domain::organization::OrganizationKind;
use crate::domain::timestamp::Timestamp;
use crate::service::context::Resources;
use crate::service::error::{Error, Fault};
use crate::service::evidence;
use crate::store::{self, DbConn};

/// Every place at which the earner's texts name them, unless they have waived that check.
///
/// Looked at are answers, texts that are evidence and the statement on the use of AI: what readers get word for word. Links have no
/// titles, and files are copied without their metadata (docs/decisions/0017).
///
/// # Errors
/// [`Error::Internal`] when the database or the key fails.
pub(super) fn faults_of_names(
    conn: &mut DbConn,
    resources: &Resources,
    stored: &StoredSubmission,
    responses: &BTreeMap<String, Response>,
    now: Timestamp,
) -> Result<Vec<Fault>, Error> {
    if stored.names_waived {
        return Ok(Vec::new());
    }
    let Some(known_by) = known_by(conn, stored, now)? else { return Ok(Vec::new()) };
    let mut faults = Vec::new();
    for (prompt, response) in responses {
        let Response::Text(text) = response else { continue };
        let pointer = format!("/responses/{}", escape_pointer(prompt));
        faults.extend(fault(pointer, &known_by.find_in(text)));
    }
    for item in evidence::open_all(conn, resources, stored)? {
        let Some(text) = item.content.filter(|_| item.stored.kind == "text") else { continue };
        let pointer = format!("/evidence/{}", escape_pointer(&item.stored.requirement));
        faults.extend(fault(pointer, &known_by.find_in(&text)));
    }
    if let Some(text) = &stored.ai_use {
        faults.extend(fault("/ai_use".to_owned(), &known_by.find_in(text)));
    }
    Ok(faults)
}

/// What the earner is known by; none once their profile is erased. Schools are those that count as conflicts of interest.
fn known_by(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    now: Timestamp,
) -> Result<Option<KnownBy>, Error> {
    let earner = stored.submission.facts().earner;
    let Some(profile) = store::people::find_profile(conn, earner)? else { return Ok(None) };
    let since = Some(now.minus(SCHOOL_LOOKBACK));
    let homes = store::conflicts::list_homes(conn, &[earner], OrganizationKind::School, since)?;
    let mut schools = Vec::new();
    for school in homes.into_values().flatten() {
        schools.extend(store::organizations::find(conn, school)?.map(|school| school.name));
    }
    Ok(Some(KnownBy::new(&profile.name, &profile.email, &schools)))
}

fn fault(pointer: String, found: &BTreeSet<Trace>) -> Option<Fault> {
    if found.is_empty() {
        return None;
    }
    let named: Vec<&str> = found
        .iter()
        .map(|trace| match trace {
            Trace::Name => "your name",
            Trace::Address => "your e-mail address",
            Trace::School => "the name of your school",
        })
        .collect();
    let detail = format!(
        "this text has {} in it, and whoever reads it must not know whose it is: take that out; if it has to be there, or is about somebody else, save the draft with names_waived: true",
        named.join(" and ")
    );
    Some(Fault::new(pointer, "names-somebody", detail))
}
