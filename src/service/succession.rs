//! That nobody's leaving leaves an organization helpless: who holds its offices, warnings, and the way back in on the server.

use std::collections::BTreeSet;

use chrono::Datelike;
use serde::Deserialize;
use serde_json::json;

use super::audit::{self, Change};
use super::context::{Cx, Resources, new_uuid, people_with};
use super::error::Error;
use super::members::{check_email, check_name};
use super::{organizations, outbox, passwords};
use crate::domain::ids::{MembershipId, OrganizationId, PersonId};
use crate::domain::organization::{Membership, MembershipState, Role, reach_of};
use crate::domain::policy;
use crate::domain::succession::{Concern, OFFICES, concern, purpose};
use crate::domain::timestamp::Timestamp;
use crate::mail::templates;
use crate::store::outbox::OutboxRow;
use crate::store::people::Profile;
use crate::store::{self, DbConn};

/// The kind of the mail that tells that nobody holds an office any more.
const VACANT: &str = "office_vacant";
/// The kind of the mail that tells that nobody who holds an office can be reached.
const UNREACHABLE: &str = "office_unreachable";
/// The kind of the mail that tells that somebody was given an office on the server.
const RECOVERED: &str = "office_recovered";

/// Somebody who holds an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub person: PersonId,
    /// Whether they can sign in and mail to them goes through.
    pub is_reachable: bool,
}

/// An office of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    /// Whose.
    pub organization: OrganizationId,
    /// Which.
    pub role: Role,
    /// Everybody who holds it with effect on the organization.
    pub holders: Vec<Holder>,
    /// What is wrong with it.
    pub concern: Option<Concern>,
}

fn office(conn: &mut DbConn, organization: OrganizationId, role: Role) -> Result<Office, Error> {
    let people = people_with(conn, role, organization)?;
    let reachable = store::succession::list_reachable(conn, &people)?;
    let concern = concern(people.len(), reachable.len());
    let holders = people
        .into_iter()
        .map(|person| Holder { person, is_reachable: reachable.contains(&person) })
        .collect();
    Ok(Office { organization, role, holders, concern })
}

/// `GET /organizations/{id}/succession`: the offices of the organization, and of the districts and providers below it.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn find(cx: &mut Cx<'_>, id: OrganizationId) -> Result<Vec<Office>, Error> {
    let (_, subject) = organizations::load(cx.conn, id)?;
    policy::require(&cx.actor, "read_succession", &subject)?;
    let houses: BTreeSet<OrganizationId> =
        store::succession::list_houses(cx.conn)?.into_iter().collect();
    let mut offices = Vec::new();
    for organization in store::organizations::list_branch(cx.conn, id)? {
        if organization == id || houses.contains(&organization) {
            for role in OFFICES {
                offices.push(office(cx.conn, organization, role)?);
            }
        }
    }
    Ok(offices)
}

/// How many districts, providers and organizations above all others have nobody in an office who can be reached.
///
/// # Errors
/// [`Error::Busy`] without a connection.
pub fn count_open(resources: &Resources) -> Result<Vec<(Role, i64)>, Error> {
    let mut conn = resources.database.connection()?;
    let houses = store::succession::list_houses(&mut conn)?;
    let mut counts = Vec::new();
    for role in OFFICES {
        let mut n_open = 0;
        for house in &houses {
            match office(&mut conn, *house, role)?.concern {
                Some(Concern::Vacant | Concern::Unreachable) => n_open += 1,
                Some(Concern::OneOnly) | None => {}
            }
        }
        counts.push((role, n_open));
    }
    Ok(counts)
}

/// Which of the offices that a member has just lost nobody holds now who can be reached: in the organization, or in those that a role works for.
pub(super) fn list_vacated(
    conn: &mut DbConn,
    organization: OrganizationId,
    lost: &[Role],
) -> Result<Vec<Role>, Error> {
    let above = store::organizations::list_above_with_kinds(conn, organization)?;
    let kind = store::organizations::find(conn, organization)?.ok_or(Error::Stale)?.kind;
    let reach = reach_of(kind, &above);
    let mut vacated = Vec::new();
    for role in OFFICES.into_iter().filter(|role| lost.contains(role)) {
        let upwards = reach.iter().copied().filter(|_| role.works_upwards());
        for affected in std::iter::once(organization).chain(upwards) {
            match office(conn, affected, role)?.concern {
                Some(Concern::Vacant | Concern::Unreachable) if !vacated.contains(&role) => {
                    vacated.push(role);
                }
                Some(Concern::Vacant | Concern::Unreachable | Concern::OneOnly) | None => {}
            }
        }
    }
    Ok(vacated)
}

/// Everybody who can act: administrators over the organization who can be reached.
fn reachable_administrators(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<BTreeSet<PersonId>, Error> {
    let people = people_with(conn, Role::Administrator, organization)?;
    Ok(store::succession::list_reachable(conn, &people)?)
}

/// Tells everybody who can act that nobody holds these offices any more, in the transaction in which that comes about.
pub(super) fn tell_of_vacated(
    conn: &mut DbConn,
    organization: OrganizationId,
    vacated: &[Role],
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    for person in reachable_administrators(conn, organization)? {
        for role in vacated {
            let parameters = json!({ "organization_id": organization, "role": role.as_str() });
            outbox::enqueue(conn, VACANT, person, host, &parameters, now)?;
        }
    }
    Ok(())
}

/// Tells administrators once a week of offices whose holders cannot be reached. Where no administrator can be reached either, the operator
/// reads it in the log, and in the figures.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn tell_of_unreachable(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let now = cx.now;
    let week = now.as_utc().iso_week();
    let mut letters = Vec::new();
    for organization in store::succession::list_houses(cx.conn)? {
        for role in OFFICES {
            if office(cx.conn, organization, role)?.concern != Some(Concern::Unreachable) {
                continue;
            }
            let able = reachable_administrators(cx.conn, organization)?;
            if able.is_empty() {
                tracing::error!(%organization, %role, "nobody who holds an office can be reached, and no administrator either; `assay admin recover` lets somebody in");
            }
            for person in able {
                // An id of at most 100 characters: the first letter tells the offices apart.
                let office: String = role.as_str().chars().take(1).collect();
                let (year, week) = (week.year(), week.week());
                let id = format!("office-{office}-{organization}-{person}-{year}-{week}");
                letters.push((id, person, organization, role));
            }
        }
    }
    if letters.is_empty() {
        return Ok(0);
    }
    let host = outbox::message_host(&cx.installation()?.base_url);
    let ids: Vec<String> = letters.iter().map(|(id, ..)| id.clone()).collect();
    store::write(cx.conn, |conn| {
        let known = store::outbox::list_known(conn, &ids)?;
        let mut written = 0;
        for (id, person, organization, role) in &letters {
            if known.contains(id) {
                continue;
            }
            let parameters = json!({ "organization_id": organization, "role": role.as_str() });
            outbox::enqueue_as(conn, id.clone(), UNREACHABLE, *person, &host, &parameters, now)?;
            written += 1;
        }
        Ok(written)
    })
}

/// Whom the operator lets in.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// Where; the first organization without.
    pub organization: Option<OrganizationId>,
    /// Into which office.
    pub office: Role,
    /// By which address.
    pub email: String,
    /// Under which name, where there is no account yet.
    pub name: Option<String>,
    /// A new password; needed where there is none yet.
    pub password: Option<String>,
    /// Although somebody holds the office who can be reached.
    pub although_held: bool,
}

/// Who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Where.
    pub organization: OrganizationId,
    /// Who.
    pub person: PersonId,
    /// Their roles there now.
    pub roles: Vec<Role>,
    /// Whether the account is new.
    pub is_new: bool,
}

/// `assay admin recover`: gives an office to somebody, from the server. It stands in the trail, and the administrators who can be reached are told.
///
/// # Errors
/// [`Error::WrongState`] while somebody holds the office who can be reached, [`Error::Invalid`] for what is wrong with the input,
/// [`Error::NotFound`] for no organization.
pub fn recover(cx: &mut Cx<'_>, wanted: &Recovery) -> Result<Recovered, Error> {
    let host = outbox::message_host(&cx.installation()?.base_url);
    let organization = match wanted.organization {
        Some(organization) => organization,
        None => store::organizations::find_first(cx.conn)?.ok_or(Error::NotInitialized)?,
    };
    store::organizations::find(cx.conn, organization)?.ok_or(Error::NotFound("organization"))?;
    let role = wanted.office;
    if !OFFICES.contains(&role) {
        let offices: Vec<&str> = OFFICES.iter().map(|office| office.as_str()).collect();
        let detail = format!("an office is one of {}", offices.join(", "));
        return Err(Error::invalid("/role", "unknown-role", detail));
    }
    let email = check_email(&wanted.email, "/email")?;
    if let Some(name) = &wanted.name {
        check_name(name, "/name")?;
    }
    let hash = match &wanted.password {
        Some(password) => {
            passwords::check_new(password, "/password")?;
            Some(cx.resources.passwords.hash(password)?)
        }
        None => None,
    };
    let now = cx.now;
    store::write(cx.conn, |conn| {
        let held = office(conn, organization, role)?;
        if !wanted.although_held && held.holders.iter().any(|holder| holder.is_reachable) {
            let detail = format!(
                "somebody holds the office of {role} who can be reached; ask them, or say --although-held"
            );
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        }
        let told = reachable_administrators(conn, organization)?;
        let known = store::people::find_profile_by_email(conn, &email)?;
        let is_new = known.is_none();
        let profile = match known {
            Some(profile) => profile,
            None => {
                let name = wanted.name.clone().ok_or_else(|| {
                    let detail = "nobody has this address; give a name for a new account";
                    Error::invalid("/name", "missing-field", detail)
                })?;
                let person = PersonId::from_uuid(new_uuid());
                let profile =
                    Profile { person, name: name.trim().to_owned(), email: email.clone() };
                store::people::create(conn, &profile, now)?;
                profile
            }
        };
        let person = profile.person;
        match &hash {
            Some(hash) => store::people::save_password_hash(conn, person, hash, now)?,
            None if store::people::find_password_hash(conn, person)?.is_some() => {}
            None => {
                let detail = "this account has no password; give one with --password-stdin";
                return Err(Error::invalid("/password_stdin", "missing-field", detail));
            }
        }
        let membership = give(conn, organization, person, role, now)?;
        let ended = store::sessions::end_all(conn, person, now)?;
        for administrator in told.into_iter().filter(|told| *told != person) {
            let parameters = json!({
                "organization_id": organization,
                "role": role.as_str(),
                "person_id": person,
            });
            outbox::enqueue(conn, RECOVERED, administrator, &host, &parameters, now)?;
        }
        let change = Change::new("recover_office", Some(organization), "membership", membership.id)
            .with("person", person)
            .with("role", role)
            .with("new_account", is_new)
            .with("new_password", hash.is_some())
            .with("although_held", wanted.although_held)
            .with("sessions_ended", ended);
        audit::append(conn, None, &change, now)?;
        Ok(Recovered { organization, person, roles: membership.roles, is_new })
    })
}

/// Gives the role to a member, or to somebody who becomes one by it. What a paused or ended membership gave does not come back.
fn give(
    conn: &mut DbConn,
    organization: OrganizationId,
    person: PersonId,
    role: Role,
    now: Timestamp,
) -> Result<Membership, Error> {
    let Some(held) = store::memberships::find(conn, organization, person)? else {
        let membership = Membership {
            id: MembershipId::from_uuid(new_uuid()),
            organization,
            person,
            state: MembershipState::Confirmed,
            roles: vec![role],
            revision: 1,
        };
        store::memberships::create(conn, &membership, now)?;
        return Ok(membership);
    };
    let mut roles: BTreeSet<Role> = match held.state {
        MembershipState::Confirmed => held.roles.iter().copied().collect(),
        MembershipState::Invited | MembershipState::Suspended | MembershipState::Removed => {
            BTreeSet::new()
        }
    };
    roles.insert(role);
    let revision = held.revision;
    let membership = Membership {
        state: MembershipState::Confirmed,
        roles: roles.into_iter().collect(),
        ..held
    };
    store::memberships::save(conn, &membership, revision, now)?;
    Ok(Membership { revision: revision + 1, ..membership })
}

#[derive(Deserialize)]
struct OfficeParameters {
    organization_id: OrganizationId,
    role: String,
    #[serde(default)]
    person_id: Option<PersonId>,
}

/// Writes a letter about an office; none for another kind, or when what it is about is gone.
pub(super) fn render(
    cx: &mut Cx<'_>,
    kind: &str,
    row: &OutboxRow,
    name: &str,
    base_url: &str,
) -> Result<Option<(String, String)>, Error> {
    let event = match kind {
        VACANT => templates::OfficeEvent::Vacant,
        UNREACHABLE => templates::OfficeEvent::Unreachable,
        RECOVERED => templates::OfficeEvent::Recovered,
        _ => return Ok(None),
    };
    let p: OfficeParameters = outbox::parse(row)?;
    let found = store::organizations::find(cx.conn, p.organization_id)?;
    let role = Role::parse(&p.role);
    let (Some(organization), Some(role)) = (found, role) else { return Ok(None) };
    let Some(purpose) = purpose(role) else { return Ok(None) };
    let who = match p.person_id {
        Some(person) => store::people::find_profile(cx.conn, person)?.map(|profile| profile.name),
        None => None,
    };
    let link = format!("{base_url}/api/v1/organizations/{}/succession", p.organization_id);
    let letter = templates::Office {
        name,
        organization: &organization.name,
        role: outbox::in_words(role),
        purpose,
        who: who.as_deref(),
        link: &link,
    };
    Ok(Some(templates::office(event, &letter).map_err(Error::internal)?))
}
