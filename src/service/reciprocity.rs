//! The balance of a network: how many readings each of its districts has given to the others and received from them (DOMAIN.md, 4).

use std::collections::{BTreeMap, BTreeSet};

use super::context::Cx;
use super::error::Error;
use super::organizations;
use crate::domain::ids::{OrganizationId, PersonId};
use crate::domain::organization::OrganizationKind;
use crate::domain::policy;
use crate::store::{self, DbConn};

/// The readings of one district.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Its name.
    pub name: String,
    /// Readings that its people made of work of other districts.
    pub given: i64,
    /// Readings of its work that people of other districts made, or people of the network who belong to none.
    pub received: i64,
    /// Readings of its work by its own people.
    pub own: i64,
}

/// What the districts of an organization have read for one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reciprocity {
    /// By district.
    pub districts: BTreeMap<OrganizationId, Balance>,
    /// Readings by people who belong to none of the districts.
    pub by_others: i64,
    /// Readings of work that belongs to none of the districts.
    pub for_others: i64,
}

/// `GET /organizations/{id}/reciprocity`: counts of locked sheets, of districts and never of people.
///
/// # Errors
/// [`Error::Denied`] for whoever does not run the network.
pub fn balance(cx: &mut Cx<'_>, network: OrganizationId) -> Result<Reciprocity, Error> {
    let (_, subject) = organizations::load(cx.conn, network)?;
    policy::require(&cx.actor, "read_reciprocity", &subject)?;
    let branch = store::organizations::list_branch(cx.conn, network)?;
    let mut districts = BTreeMap::new();
    for id in &branch {
        if let Some(found) = store::organizations::find(cx.conn, *id)?
            && found.kind == OrganizationKind::District
        {
            districts.insert(*id, Balance { name: found.name, ..Balance::default() });
        }
    }
    let readings = store::reciprocity::count_readings(cx.conn, &branch)?;
    let people: BTreeSet<PersonId> =
        readings.iter().flat_map(|one| [one.earner, one.assessor]).collect();
    let people: Vec<PersonId> = people.into_iter().collect();
    let homes = store::conflicts::list_homes(cx.conn, &people, OrganizationKind::District, None)?;
    let home_of = |person: PersonId| {
        let found = homes.get(&person).into_iter().flatten();
        found.copied().find(|district| districts.contains_key(district))
    };
    let mut owners = BTreeMap::new();
    for one in &readings {
        if let std::collections::btree_map::Entry::Vacant(entry) = owners.entry(one.organization) {
            entry.insert(district_of(cx.conn, one.organization)?);
        }
    }
    let mut tally = Tally { districts: districts.clone(), by_others: 0, for_others: 0 };
    for one in &readings {
        // What the network itself offers is the work of the earner's district.
        let owner = owners.get(&one.organization).copied().flatten();
        let owner = owner.filter(|id| districts.contains_key(id)).or_else(|| home_of(one.earner));
        tally.add(home_of(one.assessor), owner, one.count);
    }
    Ok(Reciprocity {
        districts: tally.districts,
        by_others: tally.by_others,
        for_others: tally.for_others,
    })
}

/// The district that an organization is or belongs to.
fn district_of(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Option<OrganizationId>, Error> {
    for id in super::context::branch_up(conn, organization)? {
        let kind = store::organizations::find(conn, id)?.map(|found| found.kind);
        if kind == Some(OrganizationKind::District) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

struct Tally {
    districts: BTreeMap<OrganizationId, Balance>,
    by_others: i64,
    for_others: i64,
}

impl Tally {
    fn add(&mut self, giver: Option<OrganizationId>, owner: Option<OrganizationId>, count: i64) {
        if giver.is_some() && giver == owner {
            if let Some(balance) = giver.and_then(|id| self.districts.get_mut(&id)) {
                balance.own += count;
            }
            return;
        }
        match giver.and_then(|id| self.districts.get_mut(&id)) {
            Some(balance) => balance.given += count,
            None => self.by_others += count,
        }
        match owner.and_then(|id| self.districts.get_mut(&id)) {
            Some(balance) => balance.received += count,
            None => self.for_others += count,
        }
    }
}
