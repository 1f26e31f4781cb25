//! Which waiting work goes to whom: the most urgent that somebody may score, others before those who should be spared, and among
//! equally urgent work what links assessors (DOMAIN 3.2): first those whom no chain of common readings connects, then pairs that have
//! not read together, then those that have.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::audit::Change;
use super::context::{Cx, Resources, organizations_under, people_with};
use super::eligibility::{self, Judge, Matter};
use super::error::{Error, Fault};
use super::reviews::{self, Seat};
use super::{organizations, screening};
use crate::domain::eligibility::{EligibilityRule, Stage};
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, SubmissionId};
use crate::domain::organization::Role;
use crate::domain::policy;
use crate::domain::review::ReviewState;
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

/// How many waiting submissions are looked at first: mostly something is among them.
const FIRST_PAGE: i64 = 50;
/// The most that are looked at in one go. What is asked of the database goes by pages, not by submissions.
const LONGEST_PAGE: i64 = 800;
/// The most reviews that anybody may be allowed to hold.
const HIGHEST_CAP: i32 = 50;

/// Somebody who asks for work, and where.
pub(super) struct Search<'a> {
    pub(super) resources: &'a Resources,
    pub(super) assessor: PersonId,
    /// The organizations whose work they read.
    pub(super) to_read: &'a [OrganizationId],
    /// Those for which they adjudicate.
    pub(super) to_adjudicate: &'a [OrganizationId],
    /// One micro-credential, or none for all of them.
    pub(super) family: Option<MicroCredentialId>,
    pub(super) now: Timestamp,
}

impl Search<'_> {
    /// The most urgent submission with a seat for this person, if there is any that they may take.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails.
    pub(super) fn choose(
        &self,
        conn: &mut DbConn,
    ) -> Result<Option<(StoredSubmission, Seat)>, Error> {
        let mut judge = Judge::new(self.now);
        let mut screeners = Screeners::default();
        let mut reach: Option<Reach> = None;
        // What would do, kept while something as urgent may link this person better.
        let mut kept: Option<(Gain, StoredSubmission, Seat)> = None;
        let mut spared = Vec::new();
        let (mut offset, mut limit) = (0, FIRST_PAGE);
        loop {
            let page = self.list_waiting(conn, &mut screeners, offset, limit)?;
            let matters = judge.matters(conn, &page.waiting)?;
            for (stored, matter) in page.waiting.into_iter().zip(matters) {
                if let Some((_, other, seat)) =
                    kept.take_if(|(_, other, _)| day(other) != day(&stored))
                {
                    return Ok(Some((other, seat)));
                }
                let verdict = judge.judge(conn, self.assessor, &matter, Stage::Claim)?;
                if !verdict.is_eligible() {
                    continue;
                }
                // Nobody waits beyond the promised day because somebody else would be better.
                let is_overdue = stored.due_on.is_some_and(|due| due < self.now);
                if !verdict.cautions.is_empty() && !is_overdue {
                    spared.push((stored, matter));
                    continue;
                }
                let reach = match &mut reach {
                    Some(reach) => reach,
                    none => none.insert(Reach::of(conn, self.assessor)?),
                };
                let gain = reach.gain(&partners_of(&matter));
                if kept.as_ref().is_some_and(|(best, _, _)| *best <= gain) {
                    continue;
                }
                let Some(seat) = reviews::free_seat(conn, self.resources, &stored, self.now)?
                else {
                    continue;
                };
                if gain == Gain::Link {
                    return Ok(Some((stored, seat)));
                }
                kept = Some((gain, stored, seat));
            }
            // Only known pairs are worth a look beyond the first page.
            if page.is_last || kept.as_ref().is_some_and(|(gain, _, _)| *gain < Gain::Repeat) {
                break;
            }
            offset += limit;
            limit = (limit * 4).min(LONGEST_PAGE);
        }
        if let Some((_, stored, seat)) = kept {
            return Ok(Some((stored, seat)));
        }
        // What this person should be spared goes to them when there is nobody else.
        let mut others = Others::default();
        for (stored, matter) in spared {
            if self.has_other(conn, &mut judge, &mut others, &stored, &matter)? {
                continue;
            }
            if let Some(seat) = reviews::free_seat(conn, self.resources, &stored, self.now)? {
                return Ok(Some((stored, seat)));
            }
        }
        Ok(None)
    }

    /// A page of what waits for readers, the most urgent first.
    fn list_waiting(
        &self,
        conn: &mut DbConn,
        screeners: &mut Screeners,
        offset: i64,
        limit: i64,
    ) -> Result<Page, Error> {
        let ids = store::reviews::list_waiting(
            conn,
            self.to_read,
            self.to_adjudicate,
            self.family,
            offset,
            limit,
        )?;
        let mut waiting = Vec::new();
        for stored in store::submissions::list_by_id(conn, &ids)? {
            if !screeners.wait_for(conn, &stored)? {
                waiting.push(stored);
            }
        }
        let is_last = ids.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(Page { waiting, is_last })
    }

    /// Whether somebody else may take a submission without any caution.
    fn has_other(
        &self,
        conn: &mut DbConn,
        judge: &mut Judge,
        others: &mut Others,
        stored: &StoredSubmission,
        matter: &Matter,
    ) -> Result<bool, Error> {
        for person in others.of(conn, stored)? {
            if *person == self.assessor {
                continue;
            }
            let verdict = judge.judge(conn, *person, matter, Stage::Claim)?;
            // Whoever holds as much as they may has room again soon, unless they are to hold nothing.
            let may = verdict.refusals.iter().all(|rule| *rule == EligibilityRule::LoadCap)
                && judge.assessor(conn, *person)?.load_cap > 0;
            if may && verdict.cautions.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A page of the queue.
struct Page {
    waiting: Vec<StoredSubmission>,
    is_last: bool,
}

/// Who reads and who adjudicates in which organization: asked for once, however much waits there.
#[derive(Default)]
struct Others(BTreeMap<(OrganizationId, bool), Vec<PersonId>>);

impl Others {
    /// Everybody who may be asked to read a submission.
    fn of(&mut self, conn: &mut DbConn, stored: &StoredSubmission) -> Result<&[PersonId], Error> {
        let (organization, state) =
            (stored.submission.facts().organization, stored.submission.state());
        let known = match self.0.entry((organization, state == SubmissionState::Adjudication)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(eligibility::list_readers(conn, organization, state)?)
            }
        };
        Ok(known)
    }
}

/// Who screens in which organization: asked for once, however much waits there.
#[derive(Default)]
struct Screeners(BTreeMap<OrganizationId, Vec<PersonId>>);

impl Screeners {
    /// Whether a submission waits for one of them.
    fn wait_for(&mut self, conn: &mut DbConn, stored: &StoredSubmission) -> Result<bool, Error> {
        if stored.submission.state() != SubmissionState::Submitted {
            return Ok(false);
        }
        let facts = stored.submission.facts();
        let known = match self.0.entry(facts.organization) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(people_with(conn, Role::PreScreener, facts.organization)?)
            }
        };
        Ok(screening::is_by_one_of(known, facts.earner))
    }
}

fn day(stored: &StoredSubmission) -> Option<String> {
    stored.due_on.map(Timestamp::date)
}

/// With how many different partners an assessor surely is linked with everybody: nobody looks for the others then.
const PARTNERS_ENOUGH: usize = 8;

/// Whom an assessor is linked with by common readings.
struct Reach {
    /// Those who have read the same submissions.
    partners: BTreeSet<PersonId>,
    /// Everybody whom a chain of such pairs leads to, the assessor too; none when the partners are enough.
    chain: Option<BTreeSet<PersonId>>,
}

/// How much one more reading would do to link assessors, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gain {
    /// Two who were not connected, or all that somebody with partners enough can do.
    Link,
    /// A new pair, or one that is still to come.
    Pair,
    /// A pair that has read together before.
    Repeat,
}

impl Reach {
    fn of(conn: &mut DbConn, assessor: PersonId) -> Result<Reach, Error> {
        let mut chain = BTreeSet::from([assessor]);
        let partners = store::conflicts::list_linked(conn, &chain)?;
        if partners.len() >= PARTNERS_ENOUGH {
            return Ok(Reach { partners, chain: None });
        }
        let mut newest = partners.clone();
        while !newest.is_empty() {
            chain.extend(&newest);
            newest = store::conflicts::list_linked(conn, &newest)?;
            newest.retain(|person| !chain.contains(person));
        }
        Ok(Reach { partners, chain: Some(chain) })
    }

    fn gain(&self, readers: &BTreeSet<PersonId>) -> Gain {
        if !readers.is_empty() && readers.is_subset(&self.partners) {
            return Gain::Repeat;
        }
        match &self.chain {
            None => Gain::Link,
            Some(chain) if !readers.is_subset(chain) => Gain::Link,
            Some(_) => Gain::Pair,
        }
    }
}

/// Who has locked a sheet of the same submission.
fn partners_of(matter: &Matter) -> BTreeSet<PersonId> {
    let readers = matter.facts.readers.iter();
    readers
        .filter(|reader| reader.state == ReviewState::Locked)
        .map(|reader| reader.person)
        .collect()
}

/// Work that waits, without anything of its content.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The submission.
    pub submission: SubmissionId,
    /// At which micro-credential.
    pub micro_credential: MicroCredentialId,
    /// When the decision is promised.
    pub due_on: Option<Timestamp>,
    /// Whether that is over.
    pub is_overdue: bool,
    /// How many assessors there are.
    pub assessors: usize,
    /// How many of them may take it now.
    pub eligible: usize,
    /// How many each rule keeps away.
    pub blocked_by: BTreeMap<EligibilityRule, usize>,
}

/// `GET /queue/blocked`: what waits in the caller's organizations, and which rule keeps how many assessors from it. Rules are never
/// relaxed here or anywhere.
///
/// # Errors
/// [`Error::Denied`] without the role.
pub fn blocked(cx: &mut Cx<'_>, only_blocked: bool) -> Result<Vec<Waiting>, Error> {
    policy::require_somewhere(&cx.actor, "read_blocked_queue")?;
    let mut among: BTreeSet<OrganizationId> =
        organizations_under(cx.conn, &cx.actor, Role::Coordinator)?.into_iter().collect();
    among.extend(organizations_under(cx.conn, &cx.actor, Role::LeadAssessor)?);
    let among: Vec<OrganizationId> = among.into_iter().collect();
    let mut found = waiting_in(cx.conn, cx.resources, &among, cx.now)?;
    found.retain(|waiting| !only_blocked || waiting.eligible == 0);
    Ok(found)
}

/// What waits in some organizations, the most urgent first; at most 200 are looked at.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn waiting_in(
    conn: &mut DbConn,
    resources: &Resources,
    among: &[OrganizationId],
    now: Timestamp,
) -> Result<Vec<Waiting>, Error> {
    let mut judge = Judge::new(now);
    let mut screeners = Screeners::default();
    let mut others = Others::default();
    let mut waiting = Vec::new();
    let ids = store::reviews::list_waiting(conn, among, among, None, 0, 200)?;
    for stored in store::submissions::list_by_id(conn, &ids)? {
        // What is decided already keeps nobody waiting.
        if stored.submission.state() != SubmissionState::Decided
            && !screeners.wait_for(conn, &stored)?
            && reviews::free_seat(conn, resources, &stored, now)?.is_some()
        {
            waiting.push(stored);
        }
    }
    let matters = judge.matters(conn, &waiting)?;
    let mut found = Vec::new();
    for (stored, matter) in waiting.into_iter().zip(matters) {
        let assessors = others.of(conn, &stored)?;
        let mut waiting = Waiting {
            submission: stored.submission.facts().id,
            micro_credential: stored.micro_credential,
            due_on: stored.due_on,
            is_overdue: stored.due_on.is_some_and(|due| due < now),
            assessors: assessors.len(),
            eligible: 0,
            blocked_by: BTreeMap::new(),
        };
        for person in assessors {
            let verdict = judge.judge(conn, *person, &matter, Stage::Claim)?;
            waiting.eligible += usize::from(verdict.is_eligible());
            for rule in verdict.refusals {
                *waiting.blocked_by.entry(rule).or_default() += 1;
            }
        }
        found.push(waiting);
    }
    Ok(found)
}

/// `PUT /organizations/{id}/load-caps/{person_id}`: how many reviews somebody may hold at a time; none for the usual number.
///
/// # Errors
/// [`Error::Invalid`] out of range, [`Error::NotFound`] for somebody who is no member there.
pub fn put_load_cap(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    person: PersonId,
    load_cap: Option<i32>,
) -> Result<(), Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "put_load_cap", &subject)?;
    if load_cap.is_some_and(|cap| !(0..=HIGHEST_CAP).contains(&cap)) {
        let detail = format!("a load cap is a number from 0 to {HIGHEST_CAP}");
        return Err(Error::Invalid {
            code: "invalid-load-cap",
            summary: detail.clone(),
            faults: vec![Fault::new("/load_cap", "out-of-range", detail)],
        });
    }
    require_member(cx.conn, organization, person)?;
    cx.write(|conn| {
        store::conflicts::save_load_cap(conn, organization, person, load_cap)?;
        let word = load_cap.map_or_else(|| "usual".to_owned(), |cap| cap.to_string());
        let change = Change::new("put_load_cap", Some(organization), "person", person)
            .with("load_cap", word);
        Ok(((), change))
    })
}

/// Refuses a person who does not belong to an organization or to one below it.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) fn require_member(
    conn: &mut DbConn,
    organization: OrganizationId,
    person: PersonId,
) -> Result<(), Error> {
    let facets = store::memberships::list_facets(conn, person)?;
    let belongs = facets
        .iter()
        .any(|facet| facet.organization == organization || facet.above.contains(&organization));
    if belongs { Ok(()) } else { Err(Error::NotFound("member")) }
}
