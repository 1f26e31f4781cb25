//! Evidence that two earners have handed in alike: written down for a person to look at, and nothing else follows from it.

use std::collections::BTreeSet;

use super::context::{Cx, new_uuid, organizations_under};
use super::error::Error;
use crate::domain::definition::Definition;
use crate::domain::ids::PersonId;
use crate::domain::organization::Role;
use crate::domain::policy;
use crate::domain::submission::SubmissionFacts;
use crate::domain::timestamp::Timestamp;
use crate::store::{self, DbConn};

pub use crate::store::evidence_matches::EvidenceMatch;

/// The most matches that are written down for one item.
const MOST: i64 = 10;

/// Writes down where else in the organization the same bytes were handed in. What the definition lets a team share is left out, and what
/// both say that they have made together (DOMAIN.md, 2.4).
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn note(
    conn: &mut DbConn,
    facts: &SubmissionFacts,
    definition: &Definition,
    now: Timestamp,
) -> Result<(), Error> {
    let shared: BTreeSet<&str> = definition
        .team_evidence()
        .into_iter()
        .flat_map(|team| team.shared.iter().map(|id| id.as_str()))
        .collect();
    for item in store::evidence::list(conn, facts.id)? {
        if shared.contains(item.requirement.as_str()) {
            continue;
        }
        let sharing = store::co_earners::list_sharing(conn, facts.earner, &item.sha256)?;
        let others = store::evidence_matches::list_others_with(
            conn,
            facts.organization,
            facts.earner,
            &item.sha256,
            &sharing,
            MOST,
        )?;
        for other in others {
            let new = EvidenceMatch {
                id: new_uuid().to_string(),
                organization: facts.organization,
                submission: facts.id,
                requirement: item.requirement.clone(),
                other,
                found_at: now,
            };
            store::evidence_matches::create(conn, &new)?;
        }
    }
    Ok(())
}

/// Takes back what was written down about two people, where all of it is what both say that they have made together.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn settle(conn: &mut DbConn, one: PersonId, other: PersonId) -> Result<(), Error> {
    for (earner, neighbour) in [(one, other), (other, one)] {
        for found in store::evidence_matches::list_between(conn, earner, neighbour)? {
            let theirs: BTreeSet<String> = store::evidence::list(conn, found.other)?
                .into_iter()
                .map(|item| item.sha256)
                .collect();
            let mut is_explained = true;
            for item in store::evidence::list(conn, found.submission)? {
                if item.requirement == found.requirement && theirs.contains(&item.sha256) {
                    let sharing = store::co_earners::list_sharing(conn, earner, &item.sha256)?;
                    is_explained &= sharing.contains(&neighbour);
                }
            }
            if is_explained {
                store::evidence_matches::delete(conn, &found.id)?;
            }
        }
    }
    Ok(())
}

/// `GET /evidence-matches`: for pre-screeners, lead assessors and the panel.
///
/// # Errors
/// [`Error::Denied`] for anybody else.
pub fn list(cx: &mut Cx<'_>, after: Option<&str>, limit: i64) -> Result<Vec<EvidenceMatch>, Error> {
    policy::require_somewhere(&cx.actor, "list_evidence_matches")?;
    let mut organizations = BTreeSet::new();
    for role in [Role::PreScreener, Role::LeadAssessor, Role::ReviewPanel] {
        organizations.extend(organizations_under(cx.conn, &cx.actor, role)?);
    }
    let organizations: Vec<_> = organizations.into_iter().collect();
    Ok(store::evidence_matches::list(cx.conn, &organizations, after, limit)?)
}
