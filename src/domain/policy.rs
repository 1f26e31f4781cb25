//! Who may do what: one table, one row an operation. An operation without a row does not start the server.

mod table;

use super::actor::Actor;
use super::ids::{OrganizationId, PersonId};
use super::organization::Role;

pub use table::rows;

use Grant::{Anyone, Assigned, Holder, Owner, SignedIn};

worded_enum! {
    /// What an operation does to its object. "May see" never stands in for "may manage".
    Verb {
        /// Looks.
        Read = "read",
        /// Makes a new one.
        Create = "create",
        /// Changes it.
        Change = "change",
        /// Votes on it.
        Approve = "approve",
        /// Makes it public.
        Publish = "publish",
        /// Hands it in.
        Submit = "submit",
        /// Scores it.
        Score = "score",
        /// Ends its force, for ever or for a while, or gives it back.
        Revoke = "revoke",
        /// Manages people and rights.
        Manage = "manage",
        /// Proves who one is.
        SignIn = "sign_in",
        /// Checks a document.
        Verify = "verify",
    }
}

/// One way of being allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Nobody needs to sign in.
    Anyone,
    /// Whoever holds the secret that the request carries: an invitation or a refresh token.
    Holder,
    /// Anybody who has signed in; what they see is filtered to what is theirs.
    SignedIn,
    /// The person whose object it is, while they belong to its branch.
    Owner,
    /// The same, while they hold the role over it: one's own work stays one's own to read, and takes the role to go on with.
    OwnerAs(Role),
    /// The assessor or lead assessor it is assigned to.
    Assigned,
    /// The person it is assigned to in another role, while they hold that.
    AssignedAs(Role),
    /// Who holds the role over the object's organization.
    Role(Role),
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The operation, as named in the API description.
    pub operation: &'static str,
    /// What it does.
    pub verb: Verb,
    /// To what.
    pub object: &'static str,
    /// Who may: any one of these.
    pub who: &'static [Grant],
    /// In which states of the object; empty where it has none or any will do.
    pub states: &'static [&'static str],
    /// Which fields are read or written beyond those of the path; `*` for the whole representation.
    pub fields: &'static [&'static str],
}

/// The row of an operation.
#[must_use]
pub fn row_of(operation: &str) -> Option<&'static Row> {
    rows().find(|row| row.operation == operation)
}

/// Who may know that an object exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Everybody of its organization's branch.
    Branch,
    /// Who may do the named reading operation.
    Private(&'static str),
}

/// What the table needs to know of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What it is called in a "not found".
    pub kind: &'static str,
    /// The organization that owns it.
    pub organization: OrganizationId,
    /// The organizations above that one.
    pub above: Vec<OrganizationId>,
    /// The person whose object it is.
    pub owner: Option<PersonId>,
    /// The person it is assigned to.
    pub assigned: Option<PersonId>,
    /// Who may know of it.
    pub visibility: Visibility,
}

/// Why an operation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody has signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// Not for this person to know.
    #[error("there is no such {0}, or it is not yours to see")]
    Hidden(&'static str),
    /// Known, and not for this person to do.
    #[error(
        "your roles here do not include this; an administrator of the organization can change that"
    )]
    Forbidden,
    /// The operation has no row. The start-up check makes this impossible for routes.
    #[error("the operation has no policy row")]
    NoRow,
}

/// Whether the actor may do the operation to the subject.
///
/// # Errors
/// [`Denied::Hidden`] where the actor may not know of the subject, [`Denied::Forbidden`] where they know it and may not do this.
pub fn require(actor: &Actor, operation: &str, subject: &Subject) -> Result<(), Denied> {
    let row = row_of(operation).ok_or(Denied::NoRow)?;
    if is_granted(actor, row, subject) {
        return Ok(());
    }
    if matches!(actor, Actor::Anonymous) {
        return Err(Denied::Unauthenticated);
    }
    let may_know = match subject.visibility {
        Visibility::Public => true,
        Visibility::Branch => actor.is_member_of_branch(subject.organization, &subject.above),
        Visibility::Private(reading) => {
            row_of(reading).is_some_and(|row| is_granted(actor, row, subject))
        }
    };
    Err(if may_know { Denied::Forbidden } else { Denied::Hidden(subject.kind) })
}

/// Whether somebody may try the operation at all, before any object is known: the first gate of every request.
///
/// # Errors
/// [`Denied::Unauthenticated`] without a sign-in where the row asks for one.
pub fn require_sign_in(actor: &Actor, operation: &str) -> Result<(), Denied> {
    let row = row_of(operation).ok_or(Denied::NoRow)?;
    if matches!(actor, Actor::Anonymous)
        && !row.who.iter().any(|grant| matches!(grant, Anyone | Holder))
    {
        return Err(Denied::Unauthenticated);
    }
    Ok(())
}

/// Whether the actor holds one of the row's roles anywhere: for operations whose object is not known beforehand.
///
/// # Errors
/// [`Denied::Forbidden`] when not.
pub fn require_somewhere(actor: &Actor, operation: &str) -> Result<(), Denied> {
    require_sign_in(actor, operation)?;
    let row = row_of(operation).ok_or(Denied::NoRow)?;
    let held = row.who.iter().any(|grant| match grant {
        Grant::Role(role) => actor.organizations_with(*role).next().is_some(),
        Anyone | SignedIn => true,
        Holder | Owner | Grant::OwnerAs(_) | Assigned | Grant::AssignedAs(_) => false,
    });
    if held || matches!(actor, Actor::System) { Ok(()) } else { Err(Denied::Forbidden) }
}

fn is_granted(actor: &Actor, row: &Row, subject: &Subject) -> bool {
    if matches!(actor, Actor::System) {
        return true;
    }
    row.who.iter().any(|grant| match grant {
        Anyone | Holder => true,
        SignedIn => actor.is_member_of_branch(subject.organization, &subject.above),
        Owner => {
            is_owner(actor, subject)
                && actor.is_member_of_branch(subject.organization, &subject.above)
        }
        Grant::OwnerAs(role) => {
            is_owner(actor, subject) && actor.holds(*role, subject.organization, &subject.above)
        }
        // A seat is only as good as the role behind it: who is no longer an assessor here loses sight of the work.
        Assigned => {
            actor.person().is_some()
                && subject.assigned == actor.person()
                && (actor.holds(Role::Assessor, subject.organization, &subject.above)
                    || actor.holds(Role::LeadAssessor, subject.organization, &subject.above))
        }
        Grant::AssignedAs(role) => {
            actor.person().is_some()
                && subject.assigned == actor.person()
                && actor.holds(*role, subject.organization, &subject.above)
        }
        Grant::Role(role) => actor.holds(*role, subject.organization, &subject.above),
    })
}

fn is_owner(actor: &Actor, subject: &Subject) -> bool {
    actor.person().is_some() && subject.owner == actor.person()
}
