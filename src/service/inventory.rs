//! The skills inventory of an organization: who can do what, from live awards alone. Counts for everybody, names of those who want to be asked.

mod facts;
mod plot;
mod snapshots;

use std::collections::BTreeSet;

use super::audit::Change;
use super::context::{Cx, above};
use super::error::Error;
use super::{awards, organizations};
use crate::domain::ids::{AwardId, OrganizationId};
use crate::domain::inventory::{self, By, Inventory, Item};
use crate::domain::organization::{Organization, OrganizationKind, Role};
use crate::domain::policy::{self, Denied};
use crate::domain::timestamp::Timestamp;
use crate::store;
use crate::store::inventory::NamedQuery;

pub use crate::store::inventory::{NamedPerson, Snapshot};
pub use plot::plot;
pub use snapshots::{SNAPSHOT_TYPE, create_snapshot, find_snapshot, list_snapshots};

/// The most characters of a purpose.
const LONGEST: usize = 2000;

/// What an inventory is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryQuery {
    /// Of which organization, with all below it.
    pub organization: OrganizationId,
    /// Only this table; all without.
    pub by: Option<By>,
    /// Of the tables only the row of this group.
    pub group: Option<String>,
    /// Of the skills only the one of this code, and no stack.
    pub skill: Option<String>,
    /// Everything as it is, for the steward.
    pub is_exact: bool,
}

impl InventoryQuery {
    /// The whole inventory of an organization, as everybody sees it.
    #[must_use]
    pub const fn whole(organization: OrganizationId) -> InventoryQuery {
        InventoryQuery { organization, by: None, group: None, skill: None, is_exact: false }
    }
}

/// Something that persons are counted by, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedItem {
    /// What it is.
    pub item: Item,
    /// Its name.
    pub label: String,
    /// Whether it can be earned now. What nobody holds and cannot be earned is no gap.
    pub is_offered: bool,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRow {
    /// The groups with their names.
    pub names: Vec<String>,
    /// The row.
    pub row: inventory::Row,
}

/// An inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Of which organization.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// What the organization counts skills for, in its own words.
    pub purpose: String,
    /// When it was counted.
    pub as_of: Timestamp,
    /// Whether numbers are as they are, and not told in steps.
    pub is_exact: bool,
    /// What is counted, in the order of printing.
    pub items: Vec<NamedItem>,
    /// Of everybody.
    pub total: std::collections::BTreeMap<Item, u64>,
    /// The tables that were asked for.
    pub tables: Vec<(By, Vec<NamedRow>)>,
}

impl Report {
    /// Whether few or none hold what they could earn: fewer than the first step.
    #[must_use]
    pub fn is_gap(&self, named: &NamedItem) -> bool {
        let held = self.total.get(&named.item);
        let can_be_held = matches!(named.item, Item::Skill(_) | Item::Stack(_));
        named.is_offered
            && can_be_held
            && held.is_some_and(|held| *held < crate::domain::suppression::FEWEST)
    }
}

/// `GET /reports/skills-inventory`: how many hold what, and whom the programmes have reached.
///
/// # Errors
/// [`Error::Denied`] for somebody else's organization, and for exact numbers unless the caller is a data steward of it;
/// [`Error::WrongState`] where nobody has said what skills are counted for.
pub fn find(cx: &mut Cx<'_>, wanted: &InventoryQuery) -> Result<Report, Error> {
    let (organization, subject) = organizations::load(cx.conn, wanted.organization)?;
    policy::require(&cx.actor, "read_skills_inventory", &subject)?;
    if wanted.is_exact && !cx.actor.holds(Role::DataSteward, subject.organization, &subject.above) {
        return Err(Denied::Forbidden.into());
    }
    if !wanted.is_exact {
        require_house(cx, &organization)?;
    }
    report_of(cx, wanted, organization.name)
}

/// Refuses a part of a district or provider: what is told of the whole is told so that nobody can be picked out, and what is told of its
/// parts beside it would undo that (docs/decisions/0060). Its rows by school are there for them.
fn require_house(cx: &mut Cx<'_>, organization: &Organization) -> Result<(), Error> {
    let is_house = |kind| matches!(kind, OrganizationKind::District | OrganizationKind::Provider);
    let is_part =
        matches!(organization.kind, OrganizationKind::School | OrganizationKind::Department);
    let above = store::organizations::list_above_with_kinds(cx.conn, organization.id)?;
    if is_part && above.iter().any(|(_, kind)| is_house(*kind)) {
        let detail = "ask for the district, with by=school and this organization as group: the numbers of a part are told there";
        return Err(Error::invalid("/organization_id", "part-of-a-district", detail));
    }
    Ok(())
}

/// The district or provider that an organization is, or the nearest that it belongs to.
fn house_of(
    conn: &mut store::DbConn,
    organization: &Organization,
) -> Result<Option<OrganizationId>, Error> {
    if organization.kind.is_house() {
        return Ok(Some(organization.id));
    }
    let above = store::organizations::list_above_with_kinds(conn, organization.id)?;
    Ok(above.into_iter().find(|(_, kind)| kind.is_house()).map(|(id, _)| id))
}

/// The organizations whose members are told by name to the caller where they ask for this one: names stay in their district or provider
/// (docs/decisions/0061).
///
/// # Errors
/// [`Error::Invalid`] above districts, [`Error::Denied`] for anybody of another one.
pub(super) fn named_branch(
    cx: &mut Cx<'_>,
    organization: &Organization,
) -> Result<Vec<OrganizationId>, Error> {
    let house = house_of(cx.conn, organization)?.ok_or_else(|| {
        let detail = "names are told in their own district or provider: ask for one; here the numbers of skills-inventory are told";
        Error::invalid("/organization_id", "names-by-district", detail)
    })?;
    let is_of_house = cx
        .actor
        .confirmed()
        .any(|facet| facet.organization == house || facet.above.contains(&house));
    if !is_of_house {
        return Err(Denied::Forbidden.into());
    }
    let mut members_of = store::organizations::list_branch(cx.conn, organization.id)?;
    // A house inside this one has names of its own.
    for inner in store::succession::list_houses(cx.conn)? {
        if inner != house && members_of.contains(&inner) {
            let rooms = store::organizations::list_branch(cx.conn, inner)?;
            members_of.retain(|id| !rooms.contains(id));
        }
    }
    Ok(members_of)
}

fn report_of(cx: &mut Cx<'_>, wanted: &InventoryQuery, name: String) -> Result<Report, Error> {
    let id = wanted.organization;
    let purpose = purpose_in_force(cx, id)?;
    let known = facts::collect(cx.conn, id, cx.now)?;
    let all: BTreeSet<Item> = known.items.iter().map(|named| named.item.clone()).collect();
    // What is told does not depend on what is asked for: a filter only picks.
    let Inventory { mut total, tables } = if wanted.is_exact {
        inventory::exact(&known.people, &all)
    } else {
        inventory::told(&known.people, &all, &known.shown)
    };
    let mut items = known.items;
    if let Some(skill) = &wanted.skill {
        let is_wanted = |item: &Item| matches!(item, Item::Skill(code) if code == skill);
        items.retain(|named| is_wanted(&named.item));
        total.retain(|item, _| is_wanted(item));
    }
    let mut named = Vec::new();
    for (by, rows) in tables {
        if wanted.by.is_some_and(|only| only != by) {
            continue;
        }
        let mut shown = Vec::new();
        for mut row in rows {
            if wanted.group.as_ref().is_some_and(|group| !row.keys.contains(group)) {
                continue;
            }
            row.numbers.retain(|item, _| items.iter().any(|named| named.item == *item));
            shown.push(NamedRow { names: names_of(cx, by, &row.keys)?, row });
        }
        named.push((by, shown));
    }
    Ok(Report {
        organization: id,
        name,
        purpose,
        as_of: cx.now,
        is_exact: wanted.is_exact,
        items,
        total,
        tables: named,
    })
}

fn names_of(cx: &mut Cx<'_>, by: By, keys: &BTreeSet<String>) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for key in keys {
        let name = match by {
            By::School if key.is_empty() => "no school".to_owned(),
            By::Audience if key.is_empty() => "not invited to a programme".to_owned(),
            By::School => {
                let found = match key.parse() {
                    Ok(school) => store::organizations::find(cx.conn, school)?,
                    Err(_no_id) => None,
                };
                found.map_or_else(|| key.clone(), |school| school.name)
            }
            By::Audience | By::Year => key.clone(),
        };
        names.push(name);
    }
    names.sort();
    Ok(names)
}

/// The organizations whose awards count in an inventory: the organization, all below and all above it.
fn issuers_of(
    conn: &mut store::DbConn,
    organization: OrganizationId,
) -> Result<(Vec<OrganizationId>, Vec<OrganizationId>), Error> {
    let branch = store::organizations::list_branch(conn, organization)?;
    let mut issuers = branch.clone();
    issuers.extend(above(conn, organization)?);
    Ok((branch, issuers))
}

/// The purpose that is printed on everything that is told of people.
///
/// # Errors
/// [`Error::WrongState`] where nobody has said what skills are counted for.
pub(super) fn purpose_in_force(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
) -> Result<String, Error> {
    store::inventory::find_purpose_in_force(cx.conn, organization)?.ok_or_else(|| {
        Error::WrongState {
            detail: "nobody has said what skills are counted for; an administrator writes it down with PUT /organizations/{id}/inventory-purpose"
                .to_owned(),
            allowed_events: vec!["put_inventory_purpose"],
        }
    })
}

/// People who can be asked about a skill.
#[derive(Clone, Debug)]
pub struct PeopleQuery {
    /// Members of this organization or of one below.
    pub organization: OrganizationId,
    /// Which skill, by its code.
    pub skill: String,
    /// After this award.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// `GET /reports/skills-inventory/people`: who can lead this? Those who have said that they want to be named for an award that carries the
/// skill and is in force, for everybody of their own district or provider; others are told numbers alone.
///
/// # Errors
/// As of [`find`]; [`Error::Invalid`] for what is no part of a district or provider, [`Error::Denied`] for whoever is of another one.
pub fn list_people(cx: &mut Cx<'_>, wanted: PeopleQuery) -> Result<Vec<NamedPerson>, Error> {
    let (organization, subject) = organizations::load(cx.conn, wanted.organization)?;
    policy::require(&cx.actor, "list_people_with_skill", &subject)?;
    let members_of = named_branch(cx, &organization)?;
    purpose_in_force(cx, wanted.organization)?;
    let (_, issuers) = issuers_of(cx.conn, wanted.organization)?;
    let PeopleQuery { skill, after, limit, .. } = wanted;
    let query = NamedQuery { skill, issuers, members_of, after, limit };
    Ok(store::inventory::list_named(cx.conn, &query, cx.now)?)
}

/// `GET /awards/{id}/sharing`: whether the earner is named for the award, with the revision.
///
/// # Errors
/// [`Error::Denied`] for anybody else's award.
pub fn find_sharing(cx: &mut Cx<'_>, id: AwardId) -> Result<(bool, i32), Error> {
    let (_, subject) = awards::load(cx.conn, id)?;
    policy::require(&cx.actor, "read_sharing", &subject)?;
    Ok(store::inventory::find_sharing(cx.conn, id)?)
}

/// `PUT /awards/{id}/sharing`: the earner wants to be named for the award, or no more. It holds at once.
///
/// # Errors
/// [`Error::Stale`] when it has changed since it was read.
pub fn put_sharing(
    cx: &mut Cx<'_>,
    id: AwardId,
    is_named: bool,
    revision: i32,
) -> Result<(bool, i32), Error> {
    let (award, subject) = awards::load(cx.conn, id)?;
    policy::require(&cx.actor, "put_sharing", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        store::inventory::save_sharing(conn, id, is_named, revision, now)?;
        let change = Change::new("put_sharing", Some(award.organization), "award", id)
            .with("named", is_named);
        Ok(((is_named, revision + 1), change))
    })
}

/// `GET /organizations/{id}/inventory-purpose`: what skills are counted for, by the organization or the nearest above that has said it; with
/// the revision of its own, 0 where it has none.
///
/// # Errors
/// [`Error::Denied`] for somebody else's organization.
pub fn find_purpose(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
) -> Result<(Option<String>, i32), Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "read_inventory_purpose", &subject)?;
    if let Some((own, revision)) = store::inventory::find_purpose(cx.conn, organization)? {
        return Ok((Some(own), revision));
    }
    Ok((store::inventory::find_purpose_in_force(cx.conn, organization)?, 0))
}

/// `PUT /organizations/{id}/inventory-purpose`: printed on every inventory from now on.
///
/// # Errors
/// [`Error::Stale`] when it has changed since it was read, [`Error::Invalid`] without words.
pub fn put_purpose(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    statement: &str,
    revision: i32,
) -> Result<(String, i32), Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "put_inventory_purpose", &subject)?;
    let statement = statement.trim();
    if statement.is_empty() || statement.chars().count() > LONGEST {
        let detail = format!(
            "say in plain words what the inventory is for and what it is not for, in at most {LONGEST} characters"
        );
        return Err(Error::invalid("/statement", "words", detail));
    }
    let now = cx.now;
    cx.write(|conn| {
        store::inventory::save_purpose(conn, organization, statement, revision, now)?;
        let change =
            Change::new("put_inventory_purpose", Some(organization), "organization", organization);
        Ok(((statement.to_owned(), revision + 1), change))
    })
}
