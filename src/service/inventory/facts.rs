//! What an inventory counts: the people of an organization, what they hold, and whom its programmes have reached.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;

use super::super::definition_document;
use super::super::error::{Broken, Error};
use super::super::funnel::person_of;
use super::{NamedItem, issuers_of};
use crate::domain::award::AwardState;
use crate::domain::cohort::InviteeState;
use crate::domain::funnel::{self, Count, Group};
use crate::domain::ids::{InviteeId, OrganizationId, StackId, VersionId};
use crate::domain::inventory::{Access, By, Item, PersonFacts, Shown};
use crate::domain::timestamp::Timestamp;
use crate::store::cohorts::InviteeQuery;
use crate::store::funnel::AttemptFacts;
use crate::store::{self, DbConn};

/// The people of an inventory, and what they are counted by.
pub(super) struct Known {
    pub(super) people: Vec<PersonFacts>,
    pub(super) items: Vec<NamedItem>,
    pub(super) shown: Shown,
}

/// Everything that an inventory of the organization counts.
pub(super) fn collect(
    conn: &mut DbConn,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<Known, Error> {
    let (branch, issuers) = issuers_of(conn, organization)?;
    let offers = Offers::load(conn, &issuers)?;
    let mut people: BTreeMap<String, PersonFacts> = BTreeMap::new();
    for (person, at, is_school) in store::inventory::list_members(conn, &branch)? {
        let facts = people.entry(person.to_string()).or_default();
        facts.is_member = true;
        // Who works at several schools is counted at one of them, always the same.
        if is_school && facts.school.is_empty() {
            facts.school = at.to_string();
        }
    }
    let shown = add_programs(conn, &branch, now, &mut people)?;
    for award in store::inventory::list_awards(conn, &issuers)? {
        let Some(facts) = people.get_mut(&award.earner.to_string()) else { continue };
        if !facts.is_member {
            continue;
        }
        if award.state.as_of(award.valid_until, now) != AwardState::Active {
            continue;
        }
        for item in offers.items_of(award.version, award.stack) {
            let year = Some(award.created_at.as_utc().year());
            let since = facts.holds.entry(item.clone()).or_insert(year);
            *since = (*since).min(year);
        }
    }
    Ok(Known { people: people.into_values().collect(), items: offers.items(), shown })
}

/// Adds whom the programmes of these organizations have reached, and by which of their figures others know of them.
fn add_programs(
    conn: &mut DbConn,
    branch: &[OrganizationId],
    now: Timestamp,
    people: &mut BTreeMap<String, PersonFacts>,
) -> Result<Shown, Error> {
    let mut shown = Shown::new();
    for (program, organization) in store::inventory::list_programs(conn, branch)? {
        // The days are not counted here, and which groups the figures put together depends on them.
        let calendar = store::calendars::find_in_force(conn, organization)?.unwrap_or_default();
        let attempts = store::funnel::list_attempts(conn, program)?;
        let stays = store::stays::find(conn, program)?;
        let employed = stays.as_ref().map(|stays| &stays.employed);
        let mut counted = Vec::new();
        let mut by_invitee: BTreeMap<InviteeId, Vec<&AttemptFacts>> = BTreeMap::new();
        for attempt in &attempts {
            by_invitee.entry(attempt.invitee).or_default().push(attempt);
        }
        for invitee in store::cohorts::list(conn, program, &InviteeQuery::default())? {
            if invitee.state == InviteeState::Waiting {
                continue;
            }
            // Who has only a printed code is nobody that we know from elsewhere.
            let key = invitee
                .person
                .map_or_else(|| format!("invitee {}", invitee.id), |person| person.to_string());
            let facts = people.entry(key).or_default();
            facts.audience.clone_from(&invitee.audience);
            if !facts.is_member {
                facts.school = invitee.school.to_string();
            }
            let own = by_invitee.get(&invitee.id).map_or(&[][..], Vec::as_slice);
            let figures = person_of(&invitee, own, employed, &calendar, now);
            for (count, access) in [
                (Count::Invited, Access::Invited),
                (Count::Enrolled, Access::Enrolled),
                (Count::Earned, Access::Earned),
            ] {
                if figures.counts.contains(&count) {
                    facts.holds.insert(Item::Access(access), None);
                }
            }
            let figure = |count: &Count| (program.to_string(), *count);
            facts.known.extend(figures.counts.iter().map(figure));
            counted.push(figures);
        }
        let counts_of_rows = |by| {
            let rows = funnel::rows(&counted, by);
            rows.into_iter().flat_map(|row| row.figures.counts.into_keys()).collect()
        };
        let program = program.to_string();
        let total = funnel::total(&counted).counts.into_keys().collect();
        shown.insert((program.clone(), Some(By::School)), counts_of_rows(Group::School));
        shown.insert((program.clone(), Some(By::Audience)), counts_of_rows(Group::Audience));
        shown.insert((program, None), total);
    }
    Ok(shown)
}

/// What can be held, with its name.
struct Offers {
    by_version: BTreeMap<VersionId, Vec<Item>>,
    by_stack: BTreeMap<StackId, Item>,
    names: BTreeMap<Item, (String, bool)>,
}

impl Offers {
    fn load(conn: &mut DbConn, issuers: &[OrganizationId]) -> Result<Offers, Error> {
        let mut offers = Offers {
            by_version: BTreeMap::new(),
            by_stack: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        for (version, can_be_earned, text) in store::inventory::list_versions(conn, issuers)? {
            let value = serde_json::from_str(&text).map_err(Error::internal)?;
            let parsed = definition_document::parse(&value)
                .map_err(|_errors| Error::internal(Broken("a stored definition does not parse")))?;
            for skill in parsed.definition.skills() {
                let item = Item::Skill(skill.code.clone());
                offers.by_version.entry(version).or_default().push(item.clone());
                offers.name(item, &skill.label, can_be_earned);
            }
        }
        for stack in store::inventory::list_stacks(conn, issuers)? {
            let item = Item::Stack(stack.slug);
            offers.by_stack.insert(stack.id, item.clone());
            offers.name(item, &stack.title, stack.can_be_earned);
        }
        Ok(offers)
    }

    /// The newest name counts, and what can be earned at one version can be earned.
    fn name(&mut self, item: Item, label: &str, can_be_earned: bool) {
        let known = self.names.entry(item).or_insert_with(|| (label.to_owned(), false));
        label.clone_into(&mut known.0);
        known.1 |= can_be_earned;
    }

    fn items_of(&self, version: Option<VersionId>, stack: Option<StackId>) -> BTreeSet<&Item> {
        let of_version = version.and_then(|version| self.by_version.get(&version));
        let of_stack = stack.and_then(|stack| self.by_stack.get(&stack));
        of_version.into_iter().flatten().chain(of_stack).collect()
    }

    /// Skills and stacks by name, then how far the programmes have reached.
    fn items(self) -> Vec<NamedItem> {
        let access = |access: Access| match access {
            Access::Invited => "were invited to a programme",
            Access::Enrolled => "take part in a programme",
            Access::Earned => "have earned something in a programme",
        };
        let reached = Access::ALL.iter().map(|one| NamedItem {
            item: Item::Access(*one),
            label: access(*one).to_owned(),
            is_offered: true,
        });
        let held = self.names.into_iter().map(|(item, (label, is_offered))| NamedItem {
            item,
            label,
            is_offered,
        });
        held.chain(reached).collect()
    }
}
