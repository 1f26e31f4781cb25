//! What a use case runs with: a connection, who asks, one moment, and the things outside the process.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::audit::Change;
use super::error::{Broken, Error};
use super::keyring::Keyring;
use super::passwords::Passwords;
use super::tokens::TokenKeys;
use crate::domain::actor::{Actor, SignedIn};
use crate::domain::ids::{OrganizationId, PersonId, SessionId};
use crate::domain::policy::{self, Denied};
use crate::domain::timestamp::Timestamp;
use crate::files::{EvidenceStore, Stripper};
use crate::mail::Mailer;
use crate::store::installation::Installation;
use crate::store::{self, Database, DbConn, Lease};

/// A place in issuing where a crash must do no harm; tests stop the process there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// The intent is committed, nothing is signed.
    Intent,
    /// Signed in memory, nothing stored.
    Sign,
    /// Stored in a transaction that is not committed.
    Store,
    /// Committed with its outbox row, nothing sent.
    Outbox,
}

/// Called at each [`Boundary`].
pub type BoundaryHook = Arc<dyn Fn(Boundary) + Send + Sync>;

/// Everything outside a use case: one for the whole process.
pub struct Resources {
    /// The database.
    pub database: Database,
    /// The evidence files.
    pub evidence: EvidenceStore,
    /// What takes metadata out of them.
    pub stripper: Stripper,
    /// Where temporary and data files lie; for the check of free space.
    pub data_dir: PathBuf,
    /// The key-encryption key.
    pub keyring: Keyring,
    /// The way mail leaves.
    pub mailer: Mailer,
    /// The guarded client for other people's documents.
    pub fetch: crate::fetch::Client,
    /// Password hashes, and how often one was wrong.
    pub passwords: Passwords,
    /// Refused requests that are counted and not written yet.
    pub denials: super::audit::DenialCounts,
    /// The keys of access tokens.
    pub token_keys: RwLock<TokenKeys>,
    /// Base URLs that are ours besides the one fixed at `init`.
    pub base_url_aliases: Vec<String>,
    /// The one clock.
    pub clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// What happens at the boundaries of issuing: nothing, outside of crash tests.
    pub at_boundary: BoundaryHook,
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources")
            .field("database", self.database.setting())
            .finish_non_exhaustive()
    }
}

/// The clock of the computer.
#[must_use]
pub fn system_clock() -> Arc<dyn Fn() -> DateTime<Utc> + Send + Sync> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    Arc::new(Utc::now)
}

/// How a request proves who makes it.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// Not at all.
    None,
    /// By an access token.
    Token(&'a str),
    /// It began with a valid token and goes on, for instance an upload that took longer than a token lives. The sign-in itself must
    /// still be there.
    Continued(PersonId, SessionId),
}

impl<'a> From<Option<&'a str>> for Proof<'a> {
    fn from(token: Option<&'a str>) -> Proof<'a> {
        token.map_or(Proof::None, Proof::Token)
    }
}

/// What one use case runs with.
pub struct Cx<'a> {
    /// The connection.
    pub conn: &'a mut Lease,
    /// Who asks.
    pub actor: Actor,
    /// The moment of the request.
    pub now: Timestamp,
    /// Everything outside.
    pub resources: &'a Resources,
}

impl Resources {
    /// The moment, in whole seconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::new((self.clock)())
    }

    /// Runs a use case for the service itself: workers and the command line.
    ///
    /// # Errors
    /// What the use case returns, and [`Error::Busy`] without a connection.
    pub fn as_system<T>(
        &self,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut lease = self.database.connection()?;
        work(&mut Cx { conn: &mut lease, actor: Actor::System, now: self.now(), resources: self })
    }

    /// Runs a use case for whoever the proof names, or for nobody without one.
    ///
    /// The actor is read afresh: a session that ended or a role that was taken away counts from this request on. A denial is
    /// written to the audit trail after the use case has rolled back.
    ///
    /// # Errors
    /// What the use case returns, and [`Error::SignInEnded`] for a token that is not valid.
    pub fn run<T>(
        &self,
        operation: &'static str,
        proof: Proof<'_>,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut lease = self.database.connection()?;
        let now = self.now();
        let mut who = (None, None);
        let result =
            super::sessions::authenticate(&mut lease, self, proof, now).and_then(|actor| {
                who = (actor.person(), actor.home());
                policy::require_sign_in(&actor, operation)?;
                work(&mut Cx { conn: &mut lease, actor, now, resources: self })
            });
        if let Err(error) = &result
            && let Some(code) = denial_code(error)
            && let Err(failed) =
                super::audit::record_denial(&mut lease, self, operation, who, code, now)
        {
            tracing::error!(error = ?failed, operation, "a denial could not be written to the audit trail");
        }
        result
    }
}

/// The word of an error that counts as a denial, if it does.
fn denial_code(error: &Error) -> Option<&'static str> {
    match error {
        Error::Denied(Denied::Unauthenticated) => Some("unauthenticated"),
        Error::Denied(Denied::Hidden(_)) => Some("hidden"),
        Error::Denied(Denied::Forbidden) => Some("forbidden"),
        Error::BadLogin => Some("bad-login"),
        Error::TooManyTries { .. } => Some("too-many-tries"),
        Error::SignInEnded => Some("sign-in-ended"),
        Error::InvitationUnusable => Some("invitation-unusable"),
        Error::Denied(Denied::NoRow)
        | Error::TooManyProposals { .. }
        | Error::NotFound(_)
        | Error::Gone(_)
        | Error::PreconditionRequired
        | Error::Stale
        | Error::WrongState { .. }
        | Error::CountChanged { .. }
        | Error::AlreadyThere { .. }
        | Error::Invalid { .. }
        | Error::FileTooLarge { .. }
        | Error::UnsupportedFile(_)
        | Error::IdempotencyMismatch
        | Error::IdempotencyRunning
        | Error::NotInitialized
        | Error::Unverifiable(_)
        | Error::CannotIssue(_)
        | Error::Busy
        | Error::Internal(_) => None,
    }
}

impl Cx<'_> {
    /// The person who asks.
    ///
    /// # Errors
    /// [`Denied::Unauthenticated`] when it is not a person.
    pub fn signed_in(&self) -> Result<&SignedIn, Error> {
        match &self.actor {
            Actor::Person(signed_in) => Ok(signed_in),
            Actor::Anonymous | Actor::System => Err(Denied::Unauthenticated.into()),
        }
    }

    /// What `init` has fixed.
    ///
    /// # Errors
    /// [`Error::NotInitialized`].
    pub fn installation(&mut self) -> Result<Installation, Error> {
        store::installation::find(self.conn)?.ok_or(Error::NotInitialized)
    }

    /// Runs `work` in one write transaction with the audit event that it returns, appended last.
    ///
    /// # Errors
    /// What `work` returns; nothing is written then.
    pub fn write<T>(
        &mut self,
        mut work: impl FnMut(&mut DbConn) -> Result<(T, Change), Error>,
    ) -> Result<T, Error> {
        let (actor, now) = (self.actor.person(), self.now);
        store::write(self.conn, |conn| {
            let (value, change) = work(conn)?;
            super::audit::append(conn, actor, &change, now)?;
            Ok(value)
        })
    }
}

/// A new id; ids of one process are in the order in which they were made.
#[must_use]
pub fn new_uuid() -> Uuid {
    Uuid::now_v7()
}

/// An id as it would have been made at a moment, in milliseconds since 1970.
pub(super) fn uuid_of(at: u64) -> Uuid {
    let (seconds, rest) = (at / 1000, u32::try_from(at % 1000).unwrap_or(0));
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, rest * 1_000_000))
}

/// The organizations above one, for the policy table.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn above(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Vec<OrganizationId>, Error> {
    Ok(store::organizations::list_above(conn, organization)?)
}

/// The organizations over which the actor's role has effect from above: each it is held in and all below.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn organizations_under(
    conn: &mut DbConn,
    actor: &Actor,
    role: crate::domain::organization::Role,
) -> Result<Vec<OrganizationId>, Error> {
    let mut found = std::collections::BTreeSet::new();
    for facet in actor.organizations_with(role) {
        found.extend(store::organizations::list_branch(conn, facet.organization)?);
        if role.works_upwards() {
            found.extend(facet.reach.iter().copied());
        }
    }
    Ok(found.into_iter().collect())
}

/// An organization and all above it.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn branch_up(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Vec<OrganizationId>, Error> {
    let mut among = vec![organization];
    among.extend(above(conn, organization)?);
    Ok(among)
}

/// Everybody whose role has effect on an organization.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn people_with(
    conn: &mut DbConn,
    role: crate::domain::organization::Role,
    organization: OrganizationId,
) -> Result<Vec<PersonId>, Error> {
    let above = above(conn, organization)?;
    let mut among = store::organizations::list_branch(conn, organization)?;
    among.extend(above.iter().copied());
    let mut found = Vec::new();
    for person in store::memberships::list_with_role(conn, role, &among)? {
        let facets = store::memberships::list_facets(conn, person)?;
        if facets.iter().any(|facet| facet.gives(role, organization, &above)) {
            found.push(person);
        }
    }
    Ok(found)
}

/// The organizations of the actor's branches: those they belong to with all above and below
/// (see [`Actor::is_member_of_branch`]).
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn organizations_of_branches(
    conn: &mut DbConn,
    actor: &Actor,
) -> Result<Vec<OrganizationId>, Error> {
    let mut found = std::collections::BTreeSet::new();
    for facet in actor.confirmed() {
        found.extend(facet.above.iter().copied());
        found.extend(store::organizations::list_branch(conn, facet.organization)?);
    }
    Ok(found.into_iter().collect())
}

/// The profile of a person, who must have one.
///
/// # Errors
/// [`Error::Internal`] when it was erased.
pub fn profile_of(conn: &mut DbConn, person: PersonId) -> Result<store::people::Profile, Error> {
    store::people::find_profile(conn, person)?
        .ok_or_else(|| Error::internal(Broken("a person without a profile")))
}
