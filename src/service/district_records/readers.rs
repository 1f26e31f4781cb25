//! What readers are called in the records of their organization, and which events would tell who they are.

use std::collections::{BTreeMap, BTreeSet};

use super::super::context::{Cx, new_uuid};
use super::super::definition_document::sha256_hex;
use super::super::error::Error;
use crate::domain::audit::AuditEvent;
use crate::domain::ids::{OrganizationId, PersonId};
use crate::store;

/// What only those do who read, screen or judge work. Whoever has begun a screening and let it lie is found by this alone.
const VERBS: [&str; 5] =
    ["begin_screening", "screen_submission", "flag_submission", "vote_on_case", "conclude_case"];

/// Everybody who has read, screened or judged work of an organization.
pub(super) struct Readers {
    /// Their pseudonyms, made anew for each export.
    names: BTreeMap<PersonId, String>,
    /// The same people by the words of their ids.
    ids: BTreeSet<String>,
    /// The ids of known papers that were given to readers: they look like submissions.
    seeds: BTreeSet<String>,
    /// Whether ids are told in the place of pseudonyms.
    with_names: bool,
}

impl Readers {
    pub(super) fn new(
        cx: &mut Cx<'_>,
        branch: &[OrganizationId],
        with_names: bool,
    ) -> Result<Readers, Error> {
        let mut people: BTreeSet<PersonId> =
            store::reviews::list_readers(cx.conn, branch)?.into_iter().collect();
        people.extend(store::screenings::list_screeners(cx.conn, branch)?);
        people.extend(store::cases::list_judges(cx.conn, branch)?);
        // In an order that says nothing and is another one each time.
        let salt = new_uuid();
        let mut shuffled: Vec<(String, PersonId)> = people
            .iter()
            .map(|person| (sha256_hex(&format!("{salt} {person}")), *person))
            .collect();
        shuffled.sort();
        Ok(Readers {
            names: shuffled
                .into_iter()
                .enumerate()
                .map(|(index, (_, person))| (person, format!("reader-{:04}", index + 1)))
                .collect(),
            ids: people.iter().map(ToString::to_string).collect(),
            seeds: store::seeds::list_presented_to_anybody(cx.conn)?.into_iter().collect(),
            with_names,
        })
    }

    /// Whether ids are told.
    pub(super) const fn are_named(&self) -> bool {
        self.with_names
    }

    /// What a reader is called.
    pub(super) fn name_of(&self, person: PersonId) -> String {
        if self.with_names {
            return person.to_string();
        }
        self.names.get(&person).cloned().unwrap_or_else(|| "reader".to_owned())
    }

    /// Whether an event would tell who reads what, or which work is known. Its place in the chain is told all the same.
    pub(super) fn is_withheld(&self, cx: &mut Cx<'_>, event: &AuditEvent) -> Result<bool, Error> {
        let words = || {
            let values = event.detail.split(' ').filter_map(|word| word.split_once('='));
            values.map(|(_, value)| value).chain([event.object_id.as_str()])
        };
        if event.object_kind.starts_with("calibration") || words().any(|id| self.seeds.contains(id))
        {
            return Ok(true);
        }
        let is_of_review = event.object_kind == "review";
        if !self.with_names {
            let is_reader = event.actor.is_some_and(|actor| self.names.contains_key(&actor));
            let is_theirs = is_reader || VERBS.contains(&event.verb.as_str());
            return Ok(is_of_review || is_theirs || words().any(|id| self.ids.contains(id)));
        }
        let Some(review) = event.object_id.parse().ok().filter(|_| is_of_review) else {
            return Ok(false);
        };
        let found = store::reviews::find(cx.conn, review)?;
        Ok(found.is_none_or(|(_, review)| self.seeds.contains(&review.submission.to_string())))
    }
}
