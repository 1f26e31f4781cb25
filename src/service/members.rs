//! Invitations and memberships.

use chrono::TimeDelta;
use lettre::Address;
use serde_json::json;

use super::audit::Change;
use super::context::{Cx, Resources, new_uuid};
use super::error::{Error, Fault};
use super::keyring::token_sha256;
use super::{cohorts, organizations, outbox, passwords, sessions, succession};
use crate::domain::actor::Actor;
use crate::domain::ids::{InvitationId, MembershipId, OrganizationId, PersonId};
use crate::domain::organization::{Membership, MembershipState, Role, reach_of};
use crate::domain::policy::{self, Denied};
use crate::domain::timestamp::Timestamp;
use crate::store::memberships::Invitation;
use crate::store::people::Profile;
use crate::store::{self, DbConn, StoreError};

/// How long an invitation can be accepted.
const INVITATION_LIFE: TimeDelta = TimeDelta::days(14);
/// The most characters of a name.
const LONGEST_NAME: usize = 200;

/// Refuses a name that is empty, too long, or has control characters.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_name(name: &str, pointer: &str) -> Result<(), Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        let detail = format!("a name has 1 to {LONGEST_NAME} characters on one line");
        return Err(Error::invalid(pointer, "name", detail));
    }
    Ok(())
}

/// The address in its stored form.
///
/// # Errors
/// [`Error::Invalid`] when nobody could get mail there.
pub fn check_email(email: &str, pointer: &str) -> Result<String, Error> {
    let email = sessions::normal_email(email);
    if email.len() > 254 || email.parse::<Address>().is_err() {
        return Err(Error::invalid(
            pointer,
            "email",
            "this is not an e-mail address; it should look like name@example.org",
        ));
    }
    Ok(email)
}

/// Reads role names at a place of the request, all faults at once.
///
/// # Errors
/// [`Error::Invalid`].
pub fn parse_roles(words: &[String], pointer: &str) -> Result<Vec<Role>, Error> {
    let mut roles = std::collections::BTreeSet::new();
    let mut faults = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match Role::parse(word) {
            Some(role) => {
                roles.insert(role);
            }
            None => {
                let known: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
                let detail = format!("there is no such role; roles are {}", known.join(", "));
                faults.push(Fault::new(format!("{pointer}/{index}"), "unknown-role", detail));
            }
        }
    }
    if faults.is_empty() {
        Ok(roles.into_iter().collect())
    } else {
        Err(Error::Invalid {
            code: "unknown-role",
            summary: "a role does not exist".to_owned(),
            faults,
        })
    }
}

/// Refuses to give roles beyond the giver's own say.
///
/// A coordinator gives the roles of a programme, an administrator every one. A role that works for the whole district is given by
/// somebody who has their say over that district: a school cannot make itself the district's designers.
fn require_grantable(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    roles: &[Role],
) -> Result<(), Error> {
    if matches!(cx.actor, Actor::System) {
        return Ok(());
    }
    let above = store::organizations::list_above_with_kinds(cx.conn, organization)?;
    let kind = store::organizations::find(cx.conn, organization)?.ok_or(Error::Stale)?.kind;
    let reach = reach_of(kind, &above);
    let ids: Vec<OrganizationId> = above.iter().map(|(id, _)| *id).collect();
    for role in roles {
        // An earner of a school is the school's affair; everybody else who works upwards is the district's.
        let (at, above_it) = match reach.last() {
            Some(house) if role.works_upwards() && *role != Role::Earner => {
                let rest = ids.iter().skip_while(|id| *id != house).skip(1).copied().collect();
                (*house, rest)
            }
            Some(_) | None => (organization, ids.clone()),
        };
        let may = cx.actor.holds(Role::Administrator, at, &above_it)
            || (role.is_given_by_coordinators()
                && cx.actor.holds(Role::Coordinator, at, &above_it));
        if !may {
            return Err(Denied::Forbidden.into());
        }
    }
    Ok(())
}

/// What an invitation says.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// To whom.
    pub email: String,
    /// The name to greet them with.
    pub name: String,
    /// What they shall do.
    pub roles: Vec<Role>,
}

/// An invitation as the inviter sees it; the secret goes by mail only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// The roles it offers.
    pub roles: Vec<Role>,
}

/// `POST /organizations/{id}/invitations`: invites somebody, again if they have not accepted yet.
///
/// # Errors
/// [`Error::AlreadyThere`] for a member, [`Error::Denied`] without the role or for roles above the inviter's own say.
pub fn invite(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    new: &NewInvitation,
) -> Result<Invited, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "create_invitation", &subject)?;
    require_grantable(cx, organization, &new.roles)?;
    let email = check_email(&new.email, "/email")?;
    check_name(&new.name, "/name")?;
    if let Some(profile) = store::people::find_profile_by_email(cx.conn, &email)?
        && let Some(waiting) = store::memberships::find(cx.conn, organization, profile.person)?
        && waiting.state == MembershipState::Invited
    {
        // What an administrator has offered is not taken back by somebody who could not offer it.
        require_grantable(cx, organization, &waiting.roles)?;
    }
    let inviter = cx.actor.person();
    let host = outbox::message_host(&cx.installation()?.base_url);
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let profile = match store::people::find_profile_by_email(conn, &email)? {
            Some(profile) => profile,
            None => {
                let person = PersonId::from_uuid(new_uuid());
                let profile =
                    Profile { person, name: new.name.trim().to_owned(), email: email.clone() };
                store::people::create(conn, &profile, now)?;
                profile
            }
        };
        let membership = offer_membership(conn, organization, profile.person, &new.roles, now)?;
        let invitation =
            create_invitation(conn, resources, &membership, inviter, INVITATION_LIFE, now)?;
        let parameters = json!({
            "invitation_id": invitation.id,
            "organization_id": organization,
            "inviter_id": inviter,
            "roles": membership.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
            "expires_on": invitation.expires_at.date(),
        });
        outbox::enqueue(conn, outbox::INVITATION, profile.person, &host, &parameters, now)?;
        let change =
            Change::new("create_invitation", Some(organization), "membership", membership.id)
                .with("person", profile.person);
        Ok((Invited { invitation, roles: membership.roles }, change))
    })
}

/// Offers somebody a membership that they confirm by accepting an invitation, in the caller's transaction.
///
/// # Errors
/// [`Error::AlreadyThere`] for a member.
pub(super) fn offer_membership(
    conn: &mut DbConn,
    organization: OrganizationId,
    person: PersonId,
    roles: &[Role],
    now: Timestamp,
) -> Result<Membership, Error> {
    let Some(membership) = store::memberships::find(conn, organization, person)? else {
        let membership = Membership {
            id: MembershipId::from_uuid(new_uuid()),
            organization,
            person,
            state: MembershipState::Invited,
            roles: roles.to_vec(),
            revision: 1,
        };
        store::memberships::create(conn, &membership, now)?;
        return Ok(membership);
    };
    match membership.state {
        MembershipState::Invited | MembershipState::Removed => {
            let revision = membership.revision;
            let (state, roles) = (MembershipState::Invited, roles.to_vec());
            let again = Membership { state, roles, ..membership };
            store::memberships::save(conn, &again, revision, now)?;
            Ok(again)
        }
        MembershipState::Confirmed | MembershipState::Suspended => {
            let detail =
                "this person is a member already; change their roles in the list of members"
                    .to_owned();
            Err(Error::AlreadyThere { code: "already-member", detail })
        }
    }
}

/// Makes the invitation by which a membership is confirmed, in the caller's transaction. Its secret follows from the key and its id.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn create_invitation(
    conn: &mut DbConn,
    resources: &Resources,
    membership: &Membership,
    inviter: Option<PersonId>,
    life: TimeDelta,
    now: Timestamp,
) -> Result<Invitation, Error> {
    let invitation = Invitation {
        id: InvitationId::from_uuid(new_uuid()),
        organization: membership.organization,
        membership: membership.id,
        person: membership.person,
        expires_at: now.plus(life),
        is_accepted: false,
    };
    let token = resources.keyring.invitation_token(&invitation.id.to_string());
    store::memberships::create_invitation(conn, &invitation, &token_sha256(&token), inviter, now)?;
    Ok(invitation)
}

/// `POST /invitations/accept`: the invited person confirms the membership, and takes part where it is into a programme. A person without an account sets the password;
/// one with an account proves it.
///
/// # Errors
/// [`Error::InvitationUnusable`] for an unknown, used or expired token, [`Error::BadLogin`] for the wrong password of an account.
pub fn accept(cx: &mut Cx<'_>, token: &str, password: &str) -> Result<Membership, Error> {
    let invitation = store::memberships::find_invitation(cx.conn, &token_sha256(token))?
        .ok_or(Error::InvitationUnusable)?;
    if invitation.is_accepted || invitation.expires_at <= cx.now {
        return Err(Error::InvitationUnusable);
    }
    let existing = store::people::find_password_hash(cx.conn, invitation.person)?;
    let new_hash = match &existing {
        Some(hash) => {
            if !cx.resources.passwords.verify(password, Some(hash))? {
                return Err(Error::BadLogin);
            }
            None
        }
        None => {
            passwords::check_new(password, "/password")?;
            Some(cx.resources.passwords.hash(password)?)
        }
    };
    let now = cx.now;
    store::write(cx.conn, |conn| {
        match store::memberships::accept_invitation(conn, invitation.id, now) {
            Err(StoreError::Stale) => return Err(Error::InvitationUnusable),
            other => other?,
        }
        let into_program = store::cohorts::find_by_invitation(conn, invitation.id)?.is_some();
        let membership =
            store::memberships::find(conn, invitation.organization, invitation.person)?
                .filter(|membership| match membership.state {
                    MembershipState::Invited => true,
                    // A member is invited into a programme, and not to become one.
                    MembershipState::Confirmed => into_program,
                    MembershipState::Suspended | MembershipState::Removed => false,
                })
                .ok_or(Error::InvitationUnusable)?;
        let revision = membership.revision;
        let confirmed = Membership { state: MembershipState::Confirmed, ..membership };
        store::memberships::save(conn, &confirmed, revision, now)?;
        cohorts::enrol_invited(conn, invitation.id, invitation.person, now)?;
        if let Some(hash) = &new_hash {
            // Two first invitations accepted at once must not each set a password.
            if store::people::find_password_hash(conn, invitation.person)?.is_some() {
                return Err(Error::InvitationUnusable);
            }
            store::people::save_password_hash(conn, invitation.person, hash, now)?;
        }
        let change = Change::new(
            "accept_invitation",
            Some(invitation.organization),
            "membership",
            confirmed.id,
        )
        .with("roles", words_of(&confirmed.roles));
        super::audit::append(conn, Some(invitation.person), &change, now)?;
        Ok(Membership { revision: revision + 1, ..confirmed })
    })
}

/// `GET /organizations/{id}/members`.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn list(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(Membership, Option<Profile>)>, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "list_members", &subject)?;
    let memberships = store::memberships::list(cx.conn, organization, after, limit)?;
    memberships
        .into_iter()
        .map(|membership| {
            let mut profile = store::people::find_profile(cx.conn, membership.person)?;
            if membership.state == MembershipState::Invited
                && let Some(profile) = &mut profile
            {
                // Who is invited by address may have an account already: under which name is not told before they join.
                profile.name.clear();
            }
            Ok((membership, profile))
        })
        .collect()
}

/// One membership, for its entity tag.
///
/// # Errors
/// [`Error::Denied`] without the role, [`Error::NotFound`] for no member.
pub fn find(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    person: PersonId,
) -> Result<Membership, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "read_member", &subject)?;
    store::memberships::find(cx.conn, organization, person)?.ok_or(Error::NotFound("member"))
}

/// `PUT /organizations/{id}/members/{person_id}`: changes roles and state. Every sign-in of the person ends, so that the new
/// rights are the only ones from the next request on.
///
/// # Errors
/// [`Error::Stale`], [`Error::WrongState`] for a step that the life of a membership does not have, that would leave the organization without
/// an administrator who can be reached, or without a key custodian or lead assessor unless `leaves_vacant` names them.
pub fn change(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    person: PersonId,
    roles: &[Role],
    state: MembershipState,
    leaves_vacant: &[Role],
    revision: i32,
) -> Result<Membership, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "put_member", &subject)?;
    let now = cx.now;
    let held = store::memberships::find(cx.conn, organization, person)?
        .ok_or(Error::NotFound("member"))?
        .roles;
    // What the person has already is not given again.
    let given: Vec<Role> = roles.iter().copied().filter(|role| !held.contains(role)).collect();
    require_grantable(cx, organization, &given)?;
    let host = outbox::message_host(&cx.installation()?.base_url);
    cx.write(|conn| {
        let membership = store::memberships::find(conn, organization, person)?
            .ok_or(Error::NotFound("member"))?;
        if membership.revision != revision {
            return Err(Error::Stale);
        }
        if !membership.state.may_become(state) {
            let allowed_events = MembershipState::ALL
                .iter()
                .filter(|next| membership.state.may_become(**next))
                .map(|next| next.as_str())
                .collect();
            let detail = format!("a membership that is {} cannot become {state}", membership.state);
            return Err(Error::WrongState { detail, allowed_events });
        }
        let before = match membership.state {
            MembershipState::Confirmed => membership.roles.clone(),
            MembershipState::Invited | MembershipState::Suspended | MembershipState::Removed => {
                Vec::new()
            }
        };
        let stays = |role: &Role| state == MembershipState::Confirmed && roles.contains(role);
        let lost: Vec<Role> = before.into_iter().filter(|role| !stays(role)).collect();
        let changed = Membership { roles: roles.to_vec(), state, ..membership };
        store::memberships::save(conn, &changed, revision, now)?;
        if lost.contains(&Role::Administrator) {
            let left = store::memberships::list_with_role(
                conn,
                Role::Administrator,
                std::slice::from_ref(&organization),
            )?;
            if store::succession::list_reachable(conn, &left)?.is_empty() {
                let detail =
                    "this is the only administrator; make somebody else administrator first"
                        .to_owned();
                return Err(Error::WrongState { detail, allowed_events: Vec::new() });
            }
        }
        let vacated: Vec<Role> = succession::list_vacated(conn, organization, &lost)?;
        if let Some(role) = vacated.iter().find(|role| !leaves_vacant.contains(role)) {
            let detail = format!(
                "nobody else is {} who can be reached; give somebody else the role first, or name it in leaves_vacant",
                outbox::in_words(*role)
            );
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        }
        succession::tell_of_vacated(conn, organization, &vacated, &host, now)?;
        let ended = store::sessions::end_all(conn, person, now)?;
        let change = Change::new("put_member", Some(organization), "membership", changed.id)
            .with("state", state)
            .with("roles", words_of(roles))
            .with("vacated", words_of(&vacated))
            .with("sessions_ended", ended);
        Ok((Membership { revision: revision + 1, ..changed }, change))
    })
}

fn words_of(roles: &[Role]) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    words.join(",")
}
