//! The one way in which a submission's state changes: by the table of the process model, with a line in its timeline.

use crate::domain::ids::PersonId;
use crate::domain::organization::Role;
use crate::domain::process::Party;
use crate::domain::submission::{Submission, SubmissionEvent};
use crate::domain::timestamp::Timestamp;
use crate::service::audit::{self, Change};
use crate::service::context::new_uuid;
use crate::service::error::Error;
use crate::store::submissions::Step;
use crate::store::{self, DbConn};

/// Who brings a step about, and why.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    person: Option<PersonId>,
    party: Party,
    reason: Option<&'a str>,
}

impl<'a> By<'a> {
    /// A person, acting in a role.
    #[must_use]
    pub const fn person(person: PersonId, role: Role) -> By<'a> {
        By { person: Some(person), party: Party::Person(role), reason: None }
    }

    /// The service itself, for a reason: a stable word.
    #[must_use]
    pub const fn system(reason: &'a str) -> By<'a> {
        By { person: None, party: Party::System, reason: Some(reason) }
    }

    /// The same for a reason: a stable word.
    #[must_use]
    pub const fn because(self, reason: &'a str) -> By<'a> {
        By { reason: Some(reason), ..self }
    }
}

/// Takes a submission one step on: its state, and the line of its timeline. What the service does by itself is audited here; what a
/// person does is audited as their operation.
///
/// # Errors
/// [`Error::WrongState`] where the process model has no such step, [`Error::Stale`] when the submission has moved on.
pub(in crate::service) fn record(
    conn: &mut DbConn,
    before: &Submission,
    event: SubmissionEvent,
    by: By<'_>,
    now: Timestamp,
) -> Result<Submission, Error> {
    let after = before.take(event, by.party)?;
    store::submissions::save_state(conn, before, &after, now)?;
    let facts = after.facts();
    let step = Step {
        event,
        from: Some(before.state()),
        to: after.state(),
        actor: by.person,
        actor_role: by.party.as_str().to_owned(),
        version: Some(facts.version),
        reason: by.reason.map(str::to_owned),
        happened_at: now,
    };
    store::submissions::append_step(conn, facts.id, &new_uuid().to_string(), &step)?;
    if by.party == Party::System {
        let change =
            Change::new("advance_submission", Some(facts.organization), "submission", facts.id)
                .with("event", event)
                .with("from", before.state())
                .with("to", after.state())
                .with("version", facts.version)
                .with("reason", by.reason.unwrap_or("none"));
        audit::append(conn, None, &change, now)?;
    }
    Ok(after)
}
