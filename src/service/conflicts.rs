//! What people declare about one another, the modules they have done, and the waiver of the same-district rule.

use std::collections::BTreeSet;

use super::assessors;
use super::assignment::require_member;
use super::audit::Change;
use super::context::{Cx, new_uuid};
use super::error::{Error, Fault};
use super::organizations;
use crate::domain::eligibility::{Module, Relation};
use crate::domain::ids::{ConflictId, OrganizationId, PersonId};
use crate::domain::organization::{MembershipState, OrganizationKind};
use crate::domain::policy;
use crate::domain::timestamp::Timestamp;
use crate::store::conflicts::{Declaration, Waiver};
use crate::store::{self, DbConn, StoreError};

pub use crate::store::conflicts::{Declaration as Declared, Waiver as Recorded};

/// Who of a group must have decided a waiver: people, and departments that they come from.
const DECIDERS: (usize, usize) = (2, 2);
/// The longest that a waiver holds.
const LONGEST_WAIVER: chrono::TimeDelta = chrono::TimeDelta::days(731);

/// Whom a declaration is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Somebody whose id is known.
    Person(PersonId),
    /// Somebody by their address.
    Email(String),
}

/// `POST /conflicts`: a person declares a tie to somebody of the same organization or below.
///
/// # Errors
/// [`Error::NotFound`] for somebody who does not belong there, [`Error::AlreadyThere`] the second time.
pub fn declare(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    about: &About,
    relation: Relation,
) -> Result<Declaration, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "create_conflict", &subject)?;
    let declared_by = cx.signed_in()?.person;
    let person = match about {
        About::Person(person) => *person,
        About::Email(email) => {
            let email = super::members::check_email(email, "/email")?;
            store::people::find_profile_by_email(cx.conn, &email)?
                .map(|profile| profile.person)
                .ok_or(Error::NotFound("member"))?
        }
    };
    require_member(cx.conn, organization, person)?;
    if person == declared_by {
        return Err(Error::invalid("/person_id", "oneself", "declare ties to somebody else"));
    }
    let new = Declaration {
        id: ConflictId::from_uuid(new_uuid()),
        organization,
        declared_by,
        person,
        relation,
        declared_at: cx.now,
        ended_at: None,
    };
    cx.write(|conn| {
        match store::conflicts::create(conn, &new) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "you have declared this already".to_owned();
                return Err(Error::AlreadyThere { code: "conflict-declared", detail });
            }
            other => other?,
        }
        let change = Change::new("create_conflict", Some(organization), "conflict", new.id)
            .with("relation", relation);
        Ok((new.clone(), change))
    })
}

/// `GET /conflicts`: the caller's own declarations. What others have declared about them is theirs.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list(cx: &mut Cx<'_>, after: Option<&str>, limit: i64) -> Result<Vec<Declaration>, Error> {
    let person = cx.signed_in()?.person;
    Ok(store::conflicts::list(cx.conn, person, after, limit)?)
}

/// `DELETE /conflicts/{id}`: ends a declaration of one's own. It stays in the record, since work of its time is still judged by it.
///
/// # Errors
/// [`Error::NotFound`] for somebody else's, [`Error::WrongState`] the second time.
pub fn end(cx: &mut Cx<'_>, id: ConflictId) -> Result<(), Error> {
    let (person, now) = (cx.signed_in()?.person, cx.now);
    cx.write(|conn| {
        let found =
            store::conflicts::find(conn, person, id)?.ok_or(Error::NotFound("declaration"))?;
        if found.ended_at.is_some() {
            return Err(Error::WrongState {
                detail: "it has ended already".to_owned(),
                allowed_events: Vec::new(),
            });
        }
        store::conflicts::end(conn, id, now)?;
        Ok(((), Change::new("end_conflict", Some(found.organization), "conflict", id)))
    })
}

/// `PUT /me/modules/{module}`: a person states that they have completed a module that comes before scoring.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn complete_module(cx: &mut Cx<'_>, module: Module) -> Result<BTreeSet<Module>, Error> {
    let (person, home, now) = (cx.signed_in()?.person, cx.actor.home(), cx.now);
    cx.write(|conn| {
        let before = assessors::states_of(conn, person, now)?;
        store::conflicts::save_module(conn, person, module, now)?;
        for (hash, state) in before {
            assessors::settle(conn, (person, &hash), home, state, now)?;
        }
        let done = store::conflicts::list_modules(conn, person)?;
        let change = Change::new("complete_module", home, "person", person).with("module", module);
        Ok((done, change))
    })
}

/// A group's decision as it is to be recorded.
#[derive(Clone, Debug)]
pub struct NewWaiver {
    /// Why.
    pub reason: String,
    /// Who decided it.
    pub deciders: Vec<PersonId>,
    /// Until when it holds.
    pub ends_at: Timestamp,
    /// The revision that was read, 0 where there was none.
    pub revision: i32,
}

/// `GET /organizations/{id}/same-district-waiver`: none where nobody has recorded any.
///
/// # Errors
/// [`Error::Denied`] for somebody else's organization.
pub fn find_waiver(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<Option<Waiver>, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "read_same_district_waiver", &subject)?;
    Ok(store::conflicts::find_waiver(cx.conn, organization)?)
}

/// `PUT /organizations/{id}/same-district-waiver`: records that a group has decided to let assessors of the district score one
/// another's work. The compensations follow by themselves: a second score on every not-yet, and a tenth read again.
///
/// # Errors
/// [`Error::Invalid`] without two people of two departments, or an end within two years.
pub fn put_waiver(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    new: &NewWaiver,
) -> Result<Waiver, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "put_same_district_waiver", &subject)?;
    let (recorder, now) = (cx.signed_in()?.person, cx.now);
    let faults = faults_of_waiver(cx.conn, organization, new, now)?;
    if !faults.is_empty() {
        return Err(Error::Invalid {
            code: "invalid-waiver",
            summary: "the waiver cannot be recorded like this".to_owned(),
            faults,
        });
    }
    let waiver = Waiver {
        reason: new.reason.trim().to_owned(),
        deciders: new.deciders.clone(),
        ends_at: new.ends_at,
        revision: new.revision,
    };
    cx.write(|conn| {
        store::conflicts::save_waiver(conn, organization, &waiver, recorder, now)?;
        let deciders: Vec<String> = waiver.deciders.iter().map(ToString::to_string).collect();
        let change = Change::new(
            "put_same_district_waiver",
            Some(organization),
            "organization",
            organization,
        )
        .with("deciders", deciders.join("+"))
        .with("ends_at", waiver.ends_at);
        Ok((Waiver { revision: waiver.revision + 1, ..waiver.clone() }, change))
    })
}

fn faults_of_waiver(
    conn: &mut DbConn,
    organization: OrganizationId,
    new: &NewWaiver,
    now: Timestamp,
) -> Result<Vec<Fault>, Error> {
    let mut faults = Vec::new();
    let reason = new.reason.trim().chars().count();
    if !(1..=2000).contains(&reason) {
        let detail = "say in at most 2,000 characters why the group decided so";
        faults.push(Fault::new("/reason", "reason", detail));
    }
    if new.ends_at <= now || new.ends_at > now.plus(LONGEST_WAIVER) {
        let detail = "a waiver ends within two years from now";
        faults.push(Fault::new("/ends_at", "ends-at", detail));
    }
    let people: BTreeSet<PersonId> = new.deciders.iter().copied().collect();
    let mut departments = BTreeSet::new();
    let mut n_members = 0;
    for person in &people {
        let of_person: Vec<OrganizationId> = store::memberships::list_facets(conn, *person)?
            .into_iter()
            .filter(|facet| facet.state == MembershipState::Confirmed)
            .filter(|facet| facet.kind == OrganizationKind::Department)
            .filter(|facet| facet.above.contains(&organization))
            .map(|facet| facet.organization)
            .collect();
        n_members += usize::from(!of_person.is_empty());
        departments.extend(of_person);
    }
    let (fewest, fewest_departments) = DECIDERS;
    if new.deciders.len() > 50
        || n_members < people.len()
        || n_members < fewest
        || departments.len() < fewest_departments
    {
        let detail = format!(
            "name at least {fewest} people who decided it, all confirmed members of departments here, from at least {fewest_departments} departments"
        );
        faults.push(Fault::new("/deciders", "deciders", detail));
    }
    Ok(faults)
}
