//! Awards of stacks: who has earned one, and what becomes of it when an award falls that it rests on.
//!
//! An award of a stack is made like any other and issued by [`issuance`], the one way to sign. `follow` is called in every transaction
//! that changes the state of an award, so a stack never stands on what has fallen.

use std::collections::{BTreeMap, BTreeSet};

use super::audit::{self, Change};
use super::award_basis::{self, Basis, StackWork};
use super::context::{Cx, Resources, new_uuid};
use super::error::{Error, Fault};
use super::{award_letters, awards, issuance, outbox, stacks, status_lists};
use crate::domain::award::AwardState;
use crate::domain::ids::{AwardId, MicroCredentialId, PersonId, StackId};
use crate::domain::policy;
use crate::domain::stack::{self, PartsNow, StackChange, StackEvent, is_live};
use crate::domain::timestamp::Timestamp;
use crate::store::awards::{Award, AwardBasis};
use crate::store::{self, DbConn, StoreError};

/// The live awards of a person at these micro-credentials, the newest of each, by the micro-credentials' own ids.
pub(super) fn list_live(
    conn: &mut DbConn,
    earner: PersonId,
    families: &BTreeMap<String, MicroCredentialId>,
    now: Timestamp,
) -> Result<BTreeMap<String, Award>, Error> {
    Ok(list_standing(conn, earner, families, now)?.live)
}

/// The awards of a person at what a stack names, by the micro-credentials' own ids.
pub(super) struct StandingAwards {
    /// The newest live one of each.
    pub(super) live: BTreeMap<String, Award>,
    /// The newest one of each at which none is live.
    pub(super) uncounted: BTreeMap<String, Award>,
}

/// What a person has at these micro-credentials, as of now.
pub(super) fn list_standing(
    conn: &mut DbConn,
    earner: PersonId,
    families: &BTreeMap<String, MicroCredentialId>,
    now: Timestamp,
) -> Result<StandingAwards, Error> {
    let ids: Vec<MicroCredentialId> = families.values().copied().collect();
    let (mut live, mut ended) = (BTreeMap::new(), BTreeMap::new());
    for award in store::stack_awards::list_at(conn, earner, &ids)? {
        let award = award.as_of(now);
        let Some(family) = award.micro_credential() else { continue };
        let newest = if is_live(award.state) { &mut live } else { &mut ended };
        newest.insert(family, award);
    }
    ended.retain(|family, _| !live.contains_key(family));
    let by_slug = |newest: BTreeMap<MicroCredentialId, Award>| {
        families
            .iter()
            .filter_map(|(slug, family)| Some((slug.clone(), newest.get(family)?.clone())))
            .collect()
    };
    Ok(StandingAwards { live: by_slug(live), uncounted: by_slug(ended) })
}

/// Refuses to make the badge of a stack out of awards that do not count at this moment. It is made as soon as they do.
pub(super) fn require_met(
    conn: &mut DbConn,
    earner: PersonId,
    work: &StackWork,
    now: Timestamp,
) -> Result<(), Error> {
    let parts = parts_now(conn, earner, work, None, now)?;
    if parts.is_met && parts.has_all_named {
        return Ok(());
    }
    Err(Error::CannotIssue("an award that the stack rests on does not count now".to_owned()))
}

fn parts_now(
    conn: &mut DbConn,
    earner: PersonId,
    work: &StackWork,
    fell_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<PartsNow, Error> {
    let live = list_live(conn, earner, &work.families, now)?;
    let held: BTreeSet<String> = live.keys().cloned().collect();
    Ok(PartsNow {
        is_met: work.definition.rule.progress(&held).is_met(),
        has_all_named: work.parts.iter().all(|part| live.contains_key(&part.slug)),
        fell_at,
    })
}

/// `POST /stacks/{id}/awards`: the award of a stack for somebody who meets its rule. It names the awards that count, and is issued like
/// any other.
///
/// # Errors
/// [`Error::WrongState`] for a stack that cannot be earned, [`Error::Invalid`] with every part of the rule that is not met,
/// [`Error::AlreadyThere`] for somebody who has one.
pub fn claim(cx: &mut Cx<'_>, id: StackId) -> Result<Award, Error> {
    let (stack, subject) = stacks::load(cx.conn, id)?;
    stacks::require_known(&cx.actor, &stack, &subject)?;
    policy::require(&cx.actor, "claim_stack", &subject)?;
    let (earner, now) = (cx.signed_in()?.person, cx.now);
    let award = AwardId::from_uuid(new_uuid());
    cx.write(|conn| {
        let (stack, _) = stacks::load(conn, id)?;
        stack.state.require(StackEvent::Claim)?;
        if store::stack_awards::find_of(conn, id, earner)?.is_some() {
            return Err(already_held());
        }
        let work = award_basis::of_stack(conn, stack, Vec::new())?;
        let live = list_live(conn, earner, &work.families, now)?;
        let held: BTreeSet<String> = live.keys().cloned().collect();
        let progress = work.definition.rule.progress(&held);
        if !progress.is_met() {
            return Err(refuse_unmet(&progress));
        }
        let new = Award {
            id: award,
            organization: work.stack.organization,
            basis: AwardBasis::Stack(id),
            earner,
            state: AwardState::PendingKey,
            revision: 1,
            created_at: now,
            issued_at: None,
            valid_until: None,
            revoked_at: None,
            revocation_reason: None,
        };
        match store::awards::create(conn, &new) {
            Err(StoreError::Duplicate(_)) => return Err(already_held()),
            other => other?,
        }
        let counted = progress.counted();
        for (_, part) in live.iter().filter(|(slug, _)| counted.contains(slug.as_str())) {
            store::stack_awards::create_part(conn, award, part.id)?;
        }
        let change = Change::new("claim_stack", Some(new.organization), "award", award)
            .with("stack", id)
            .with("parts", counted.len());
        Ok(((), change))
    })?;
    if let Err(error) = issuance::issue(cx, award) {
        // The award stands; the worker tries again until the credential is there.
        tracing::warn!(%error, %award, "an award waits for its credential");
    }
    awards::find(cx, award)
}

fn already_held() -> Error {
    let detail = "you have this award already; look at your awards".to_owned();
    Error::AlreadyThere { code: "stack-held", detail }
}

fn refuse_unmet(progress: &stack::Progress) -> Error {
    let unmet = progress.parts.iter().enumerate().filter(|(_, part)| part.needed > 0);
    let faults = unmet
        .map(|(index, part)| {
            let detail = format!("{} more of {}", part.needed, part.missing.join(", "));
            Fault::new(format!("/parts/{index}"), "not-met", detail)
        })
        .collect();
    let summary = "you do not hold what the stack asks for yet; its progress says what is missing";
    Error::Invalid { code: "stack-not-met", summary: summary.to_owned(), faults }
}

/// What staff read about a suspension that nobody has decided.
const FELL: &str = "an award that it rests on does not count any more";
const BACK: &str = "its rule is met again";

/// Suspends the awards of stacks that rest on awards which have fallen, and brings back those whose rule is met again, in the transaction
/// in which awards of these people have changed.
///
/// # Errors
/// [`Error::CannotIssue`] when a status list that has to say so cannot be signed.
pub(super) fn follow(
    conn: &mut DbConn,
    resources: &Resources,
    base_url: &str,
    earners: &[PersonId],
    now: Timestamp,
) -> Result<(), Error> {
    let host = outbox::message_host(base_url);
    let earners: BTreeSet<PersonId> = earners.iter().copied().collect();
    let (mut changed, mut changes) = (Vec::new(), Vec::new());
    for earner in earners {
        for id in store::stack_awards::list_standing(conn, earner)? {
            let award = awards::find_fresh(conn, id)?;
            let Basis::Stack(work) = award_basis::load(conn, &award)? else { continue };
            let fell_at = store::award_states::find_part_fell(conn, id)?;
            let parts = parts_now(conn, earner, &work, fell_at, now)?;
            let verb = match stack::follow(award.state, &parts, now) {
                StackChange::Stays => continue,
                StackChange::Falls => {
                    store::award_states::save_suspended(conn, &award, FELL, now)?;
                    store::award_states::save_part_fell(conn, &award, Some(now))?;
                    award_letters::part_fell(conn, &award, &host, now)?;
                    "suspend_stack_award"
                }
                StackChange::Returns => {
                    let to = AwardState::Active;
                    store::award_states::save_reinstated(conn, &award, to, BACK, now)?;
                    store::award_states::save_part_fell(conn, &award, None)?;
                    award_letters::stack_is_back(conn, &award, &host, now)?;
                    "reinstate_stack_award"
                }
            };
            changed.push(id);
            changes.push(Change::new(verb, Some(award.organization), "award", id));
        }
    }
    status_lists::publish_changed(conn, resources, base_url, &changed, now)?;
    for change in changes {
        audit::append(conn, None, &change, now)?;
    }
    Ok(())
}
