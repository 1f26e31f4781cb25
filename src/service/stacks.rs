//! Stacks: written by designers, published by a second one, and how far somebody is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::audit::Change;
use super::award_basis::{self, StackWork};
use super::context::{
    Cx, above, branch_up, new_uuid, organizations_of_branches, organizations_under,
};
use super::definition_document::{FieldError, canonicalize};
use super::error::{Error, Fault};
use super::stack_awards::{self, StandingAwards};
use super::stack_document::{self, StackDefinition};
use crate::domain::actor::Actor;
use crate::domain::audit::hex;
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, StackId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::stack::{StackEvent, StackState, replaceable_until};
use crate::domain::timestamp::Timestamp;
use crate::store::awards::Award;
use crate::store::stacks::StackQuery;
use crate::store::{self, DbConn, StoreError};

pub use crate::store::stacks::Stack;

const fn hidden() -> Error {
    Error::Denied(Denied::Hidden("stack"))
}

/// The stack with its policy subject: public once published, else for its designers.
///
/// # Errors
/// [`Error::Denied`] when there is none.
pub(super) fn load(conn: &mut DbConn, id: StackId) -> Result<(Stack, Subject), Error> {
    let stack = store::stacks::find(conn, id)?.ok_or_else(hidden)?;
    let subject = Subject {
        kind: "stack",
        organization: stack.organization,
        above: above(conn, stack.organization)?,
        owner: None,
        assigned: None,
        visibility: if stack.state.is_public() {
            Visibility::Public
        } else {
            Visibility::Private("read_draft_stack")
        },
    };
    Ok((stack, subject))
}

/// Refuses somebody who may not know of a draft, whatever else they may do here.
///
/// # Errors
/// [`Error::Denied`].
pub(super) fn require_known(actor: &Actor, stack: &Stack, subject: &Subject) -> Result<(), Error> {
    if stack.state.is_public() {
        return Ok(());
    }
    Ok(policy::require(actor, "read_draft_stack", subject)?)
}

fn faults_of(errors: Vec<FieldError>) -> Vec<Fault> {
    errors
        .into_iter()
        .map(|error| Fault::new(format!("/definition{}", error.pointer), error.code, error.detail))
        .collect()
}

/// A stack as it came, with what is derived from its text.
struct Written {
    definition: StackDefinition,
    document: String,
    content_hash: String,
}

fn read(document: &Value) -> Result<Written, Error> {
    let definition = stack_document::parse(document).map_err(|errors| Error::Invalid {
        code: "invalid-stack",
        summary: "the stack does not follow the schema; each fault is listed".to_owned(),
        faults: faults_of(errors),
    })?;
    let document = canonicalize(document).map_err(|error| {
        Error::invalid("/definition", "not-canonical", format!("the stack {error}"))
    })?;
    let content_hash = hex(&Sha256::digest(document.as_bytes()));
    Ok(Written { definition, document, content_hash })
}

/// `POST /organizations/{id}/stacks`: a stack as a draft, or its next version.
///
/// # Errors
/// [`Error::Invalid`] with every fault, [`Error::AlreadyThere`] while a draft of it is open.
pub fn create(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    document: &Value,
) -> Result<Stack, Error> {
    let (_, subject) = super::organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "create_stack", &subject)?;
    let written = read(document)?;
    let (author, now) = (cx.signed_in()?.person, cx.now);
    let id = StackId::from_uuid(new_uuid());
    cx.write(|conn| {
        let slug = &written.definition.slug;
        let stack = Stack {
            id,
            organization,
            slug: slug.clone(),
            number: store::stacks::find_newest_number(conn, organization, slug)? + 1,
            label: written.definition.label.clone(),
            title: written.definition.title.clone(),
            document: written.document.clone(),
            content_hash: written.content_hash.clone(),
            state: StackState::Draft,
            author,
            revision: 1,
            published_at: None,
        };
        match store::stacks::create(conn, &stack, now) {
            Err(StoreError::Duplicate(_)) => {
                let detail = format!("a draft of {slug} is open already; finish that one first");
                return Err(Error::AlreadyThere { code: "draft-open", detail });
            }
            other => other?,
        }
        let change = Change::new("create_stack", Some(organization), "stack", id)
            .with("content_hash", &stack.content_hash);
        Ok((stack, change))
    })
}

/// `GET /stacks/{id}`: public once published, before that for designers.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not know of.
pub fn find(cx: &mut Cx<'_>, id: StackId) -> Result<Stack, Error> {
    let (stack, subject) = load(cx.conn, id)?;
    let operation = if stack.state.is_public() { "read_stack" } else { "read_draft_stack" };
    match policy::require(&cx.actor, operation, &subject) {
        // A stranger asking for a draft learns as little as a stranger asking for nothing.
        Err(Denied::Unauthenticated) => Err(hidden()),
        other => Ok(other.map(|()| stack)?),
    }
}

/// `GET /stacks`: what can be earned, and for designers everything of their organizations.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn list(
    cx: &mut Cx<'_>,
    organization: Option<OrganizationId>,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<Stack>, Error> {
    let designed_by = match &cx.actor {
        Actor::Person(_) => organizations_under(cx.conn, &cx.actor, Role::Designer)?,
        Actor::Anonymous | Actor::System => Vec::new(),
    };
    let query = StackQuery { organization, designed_by, after, limit };
    Ok(store::stacks::list(cx.conn, &query)?)
}

/// `PUT /stacks/{id}`: another text for a draft.
///
/// # Errors
/// [`Error::Stale`], [`Error::WrongState`] once it is published, [`Error::Invalid`].
pub fn edit(cx: &mut Cx<'_>, id: StackId, document: &Value, revision: i32) -> Result<Stack, Error> {
    let (current, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "put_stack", &subject)?;
    current.state.require(StackEvent::Edit)?;
    let written = read(document)?;
    if written.definition.slug != current.slug {
        let detail =
            format!("the id of a stack stays the same in all its versions: {}", current.slug);
        return Err(Error::invalid("/definition/id", "slug-changed", detail));
    }
    let author = cx.signed_in()?.person;
    cx.write(|conn| {
        let (fresh, _) = load(conn, id)?;
        fresh.state.require(StackEvent::Edit)?;
        let edited = Stack {
            label: written.definition.label.clone(),
            title: written.definition.title.clone(),
            document: written.document.clone(),
            content_hash: written.content_hash.clone(),
            author,
            ..fresh
        };
        store::stacks::save_edit(conn, &edited, revision)?;
        let change = Change::new("put_stack", Some(edited.organization), "stack", id)
            .with("content_hash", &edited.content_hash);
        Ok((Stack { revision: revision + 1, ..edited }, change))
    })
}

/// The micro-credentials that a stack names: those of its organization, or else of the nearest one above, that can be earned.
fn resolve(conn: &mut DbConn, stack: &Stack) -> Result<BTreeMap<String, MicroCredentialId>, Error> {
    let document: Value = serde_json::from_str(&stack.document).map_err(Error::internal)?;
    let definition = stack_document::parse_stored(&stack.document)?;
    let among = branch_up(conn, stack.organization)?;
    let (mut found, mut unknown) = (BTreeMap::new(), BTreeSet::new());
    for slug in definition.rule.ids() {
        let mut family = None;
        for organization in &among {
            if family.is_none() {
                family =
                    store::micro_credentials::find_published_family(conn, *organization, slug)?;
            }
        }
        match family {
            Some(family) => {
                found.insert(slug.to_owned(), family);
            }
            None => {
                unknown.insert(slug);
            }
        }
    }
    let faults: Vec<Fault> = stack_document::places_of(&document, &unknown)
        .into_iter()
        .map(|(pointer, id)| {
            let detail = format!("nobody can earn {id} here: publish it first, or take it out");
            Fault::new(format!("/definition{pointer}"), "unknown-definition", detail)
        })
        .collect();
    if faults.is_empty() {
        return Ok(found);
    }
    let summary = "the stack names what cannot be earned; each place is listed".to_owned();
    Err(Error::Invalid { code: "not-publishable", summary, faults })
}

/// `POST /stacks/{id}/publish`: makes a draft public, for ever as it is. Its published versions are retired. Whoever wrote the present
/// text does not publish it.
///
/// # Errors
/// [`Error::Denied`] for its author, [`Error::WrongState`] unless it is a draft, [`Error::Invalid`] for a definition that cannot be earned.
pub fn publish(cx: &mut Cx<'_>, id: StackId) -> Result<Stack, Error> {
    let (_, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "publish_stack", &subject)?;
    let (person, now) = (cx.signed_in()?.person, cx.now);
    cx.write(|conn| {
        let (stack, _) = load(conn, id)?;
        stack.state.require(StackEvent::Publish)?;
        if stack.author == person {
            return Err(Denied::Forbidden.into());
        }
        let items = resolve(conn, &stack)?;
        store::stacks::retire_published(conn, stack.organization, &stack.slug)?;
        store::stacks::save_state(conn, &stack, StackState::Published, Some(now))?;
        store::stacks::create_items(conn, id, &items)?;
        let change = Change::new("publish_stack", Some(stack.organization), "stack", id)
            .with("content_hash", &stack.content_hash);
        Ok((moved(stack, StackState::Published, Some(now)), change))
    })
}

/// `POST /stacks/{id}/retire`: nobody earns it any more. What was earned goes on.
///
/// # Errors
/// [`Error::WrongState`] unless it is published.
pub fn retire(cx: &mut Cx<'_>, id: StackId) -> Result<Stack, Error> {
    let (_, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "retire_stack", &subject)?;
    cx.write(|conn| {
        let (stack, _) = load(conn, id)?;
        stack.state.require(StackEvent::Retire)?;
        store::stacks::save_state(conn, &stack, StackState::Retired, stack.published_at)?;
        let change = Change::new("retire_stack", Some(stack.organization), "stack", id);
        let published_at = stack.published_at;
        Ok((moved(stack, StackState::Retired, published_at), change))
    })
}

fn moved(stack: Stack, state: StackState, published_at: Option<Timestamp>) -> Stack {
    Stack { state, published_at, revision: stack.revision + 1, ..stack }
}

/// A micro-credential that a stack names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedItem {
    /// Its own id.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// The micro-credential.
    pub micro_credential: MicroCredentialId,
    /// The number of its newest public version.
    pub version: i32,
    /// The caller's live award at it, if there is one.
    pub award: Option<Award>,
    /// The newest one that does not count now, where none does.
    pub uncounted: Option<Award>,
}

/// One part of a rule, and how far it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartStanding {
    /// The category, where the rule has one.
    pub category: Option<String>,
    /// What counts.
    pub held: Vec<NamedItem>,
    /// What is not there.
    pub missing: Vec<NamedItem>,
    /// How many are asked for, any of both.
    pub asked: usize,
    /// How many more of those are needed, any of them.
    pub needed: usize,
}

/// How far somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackStanding {
    /// The parts of the rule, all of which have to be met.
    pub parts: Vec<PartStanding>,
    /// Whether they are.
    pub is_met: bool,
    /// The award of the stack that has not ended.
    pub award: Option<Award>,
    /// Until when another award brings that one back, while a part of it has fallen.
    pub replaceable_until: Option<Timestamp>,
}

/// `GET /stacks/{id}/progress`: how far the caller is.
///
/// # Errors
/// [`Error::Denied`] for whoever does not belong here, [`Error::WrongState`] for a draft.
pub fn progress(cx: &mut Cx<'_>, id: StackId) -> Result<StackStanding, Error> {
    let (stack, subject) = load(cx.conn, id)?;
    require_known(&cx.actor, &stack, &subject)?;
    policy::require(&cx.actor, "read_stack_progress", &subject)?;
    if !stack.state.is_public() {
        stack.state.require(StackEvent::Claim)?;
    }
    let earner = cx.signed_in()?.person;
    let work = award_basis::of_stack(cx.conn, stack, Vec::new())?;
    standing_of(cx, earner, &work)
}

/// A stack of the caller's organizations, and how far they are.
#[derive(Clone, Debug)]
pub struct OwnStack {
    /// The stack.
    pub stack: Stack,
    /// What it is about.
    pub summary: Option<String>,
    /// The language of its words.
    pub language: String,
    /// What its organization is called.
    pub organization: String,
    /// How far the caller is.
    pub standing: StackStanding,
}

/// `GET /me/stacks`: the stacks of the caller's organizations that can be earned, and those of which they have an award; with how far they
/// are.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list_own(cx: &mut Cx<'_>, after: Option<&str>, limit: i64) -> Result<Vec<OwnStack>, Error> {
    policy::require_sign_in(&cx.actor, "list_own_stacks")?;
    let earner = cx.signed_in()?.person;
    let among = organizations_of_branches(cx.conn, &cx.actor)?;
    let held = store::stack_awards::list_stacks_of(cx.conn, earner)?;
    let mut found = Vec::new();
    for stack in store::stacks::list_among(cx.conn, &among, &held, after, limit)? {
        let owner = store::organizations::find(cx.conn, stack.organization)?;
        let work = award_basis::of_stack(cx.conn, stack, Vec::new())?;
        let standing = standing_of(cx, earner, &work)?;
        found.push(OwnStack {
            summary: work.definition.summary,
            language: work.definition.language,
            organization: owner.map(|owner| owner.name).unwrap_or_default(),
            stack: work.stack,
            standing,
        });
    }
    Ok(found)
}

fn standing_of(
    cx: &mut Cx<'_>,
    earner: PersonId,
    work: &StackWork,
) -> Result<StackStanding, Error> {
    let StandingAwards { live, uncounted } =
        stack_awards::list_standing(cx.conn, earner, &work.families, cx.now)?;
    let held: BTreeSet<String> = live.keys().cloned().collect();
    let progress = work.definition.rule.progress(&held);
    let item = |slug: &String| {
        Some(NamedItem {
            slug: slug.clone(),
            title: work.title_of(slug),
            micro_credential: *work.families.get(slug)?,
            version: *work.newest.get(slug)?,
            award: live.get(slug).cloned(),
            uncounted: uncounted.get(slug).cloned(),
        })
    };
    let parts = progress
        .parts
        .iter()
        .map(|part| PartStanding {
            category: part.category.clone(),
            held: part.held.iter().filter_map(item).collect(),
            missing: part.missing.iter().filter_map(item).collect(),
            asked: part.asked,
            needed: part.needed,
        })
        .collect();
    let award = store::stack_awards::find_of(cx.conn, work.stack.id, earner)?;
    let fell_at = match &award {
        Some(award) => store::award_states::find_part_fell(cx.conn, award.id)?,
        None => None,
    };
    let replaceable_until = fell_at.map(replaceable_until);
    Ok(StackStanding { parts, is_met: progress.is_met(), award, replaceable_until })
}
