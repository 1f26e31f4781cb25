//! Evidence that earners have made together: whom its earner names, and what these say (DOMAIN.md, 2.4 and 3.2).

use std::collections::{BTreeMap, BTreeSet};

use super::audit::Change;
use super::conflicts::About;
use super::context::{Cx, Resources, new_uuid};
use super::error::Error;
use super::submissions::{self, StoredSubmission};
use super::{evidence_matches, members, outbox, process_letters};
use crate::domain::co_earner::CoEarnerState;
use crate::domain::ids::{CoEarnerId, EvidenceId, MicroCredentialId, PersonId, SubmissionId};
use crate::domain::organization::OrganizationKind;
use crate::domain::policy::{self, Denied};
use crate::domain::submission::{SubmissionEvent, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::files::{DataKey, open_bytes, seal_bytes};
use crate::store::co_earners::CoEarner;
use crate::store::{self, DbConn, StoreError};

pub use crate::store::co_earners::SharedEvidence;

/// The most people whom an earner names over all attempts at a micro-credential, those as well that were taken back: each of them is kept
/// from reading it. In one submission it is also the most namings.
const MOST_NAMED: usize = 20;
/// What the seal of a name is bound to.
const SEAL: &[u8] = b"co_earner";

/// Somebody whom the caller has named, opened.
#[derive(Clone, Debug)]
pub struct Named {
    /// How it stands.
    pub co_earner: CoEarner,
    /// The address or id that the earner has written; none once the submission's key was destroyed.
    pub name: Option<String>,
}

fn opened_name(key: &DataKey, co_earner: &CoEarner) -> Result<String, Error> {
    let bytes = open_bytes(key, &co_earner.sealed_name, SEAL).map_err(Error::internal)?;
    String::from_utf8(bytes).map_err(Error::internal)
}

/// Somebody of a district of the earner's. Nobody else is told, and the earner does not learn which it was.
fn find_colleague(
    conn: &mut DbConn,
    earner: PersonId,
    known: Option<PersonId>,
) -> Result<Option<PersonId>, Error> {
    let Some(person) = known else { return Ok(None) };
    let homes =
        store::conflicts::list_homes(conn, &[earner, person], OrganizationKind::District, None)?;
    let districts = |person| homes.get(&person).cloned().unwrap_or_default();
    let is_colleague = !districts(earner).is_disjoint(&districts(person));
    Ok(is_colleague.then_some(person))
}

/// How many others than the one who goes by `written` an earner has named over all attempts at a micro-credential. Names are counted, and not
/// who was found by them: what is refused tells nobody who there is. One that cannot be opened any more counts each time.
fn count_others(
    conn: &mut DbConn,
    resources: &Resources,
    (earner, family): (PersonId, MicroCredentialId),
    written: &str,
) -> Result<usize, Error> {
    let mut of_submission: BTreeMap<SubmissionId, Vec<CoEarner>> = BTreeMap::new();
    for one in store::co_earners::list_of_family(conn, earner, family)? {
        of_submission.entry(one.submission).or_default().push(one);
    }
    let (mut names, mut n_lost) = (BTreeSet::new(), 0);
    for (submission, named) in of_submission {
        let stored = submissions::find_fresh(conn, submission)?;
        if stored.sealed_key.is_none() {
            n_lost += named.len();
            continue;
        }
        let key = submissions::open_key(resources, &stored)?;
        for one in &named {
            names.insert(opened_name(&key, one)?);
        }
    }
    names.remove(written);
    Ok(names.len() + n_lost)
}

/// `POST /submissions/{id}/co-earners`: says with whom an item was made. Whoever of the earner's district goes by the address or id is told
/// by mail, and from then on reads none of the earner's attempts at this micro-credential as assessor. Whether there is anybody is not said.
///
/// # Errors
/// [`Error::Invalid`] for oneself, what is no address, and too many; [`Error::AlreadyThere`] the second time; [`Error::WrongState`] once it is
/// handed in, and while a case about any attempt is open.
pub fn name(
    cx: &mut Cx<'_>,
    id: SubmissionId,
    evidence: EvidenceId,
    about: &About,
) -> Result<CoEarnerId, Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "create_co_earner", &subject)?;
    let (version, _) = submissions::pinned(cx.conn, &stored)?;
    let earner = stored.submission.facts().earner;
    let (written, known) = match about {
        About::Person(person) => (person.to_string(), Some(*person)),
        About::Email(email) => {
            let email = members::check_email(email, "/email")?;
            let profile = store::people::find_profile_by_email(cx.conn, &email)?;
            (email, profile.map(|profile| profile.person))
        }
    };
    if known == Some(earner) {
        return Err(Error::invalid("/person_id", "oneself", "name somebody else than yourself"));
    }
    let host = outbox::message_host(&cx.installation()?.base_url);
    let co_earner = CoEarnerId::from_uuid(new_uuid());
    let (now, resources) = (cx.now, cx.resources);
    cx.write(|conn| {
        let stored = submissions::find_fresh(conn, id)?;
        stored.submission.require(SubmissionEvent::Save)?;
        let family = stored.micro_credential;
        if store::cases::has_open(conn, earner, family)? {
            // Whoever is named cannot read it any more: an earner could take the readers of an appeal away.
            let detail = "an appeal of yours, or a doubt about your work, is being looked into; name them once it is decided";
            return Err(submissions::not_now(&stored.submission, detail));
        }
        if store::evidence::find(conn, id, evidence)?.is_none() {
            let detail = "there is no such item in this submission; name one of its evidence";
            return Err(Error::invalid("/evidence_id", "unknown-evidence", detail));
        }
        let key = submissions::open_key(resources, &stored)?;
        let named = store::co_earners::list(conn, id)?;
        for before in named.iter().filter(|one| one.evidence == evidence && one.ended_at.is_none())
        {
            if opened_name(&key, before)? == written {
                let detail = "you have named them for this item already".to_owned();
                return Err(Error::AlreadyThere { code: "named", detail });
            }
        }
        let n_others = count_others(conn, resources, (earner, family), &written)?;
        if named.len() >= MOST_NAMED || n_others >= MOST_NAMED {
            let detail = format!(
                "you can name {MOST_NAMED} people over all your attempts at a micro-credential, and {MOST_NAMED} times in one of them, \
                 those taken back too"
            );
            return Err(Error::invalid("", "too-many-named", detail));
        }
        let new = CoEarner {
            id: co_earner,
            submission: id,
            evidence,
            person: find_colleague(conn, earner, known)?,
            sealed_name: seal_bytes(&key, written.as_bytes(), SEAL).map_err(Error::internal)?,
            asked_at: now,
            is_confirmed: None,
            answered_at: None,
            ended_at: None,
        };
        store::co_earners::create(conn, &new)?;
        let facts = stored.submission.facts();
        if let Some(person) = new.person {
            process_letters::co_earner_named(conn, person, facts, &version.title, &host, now)?;
        }
        let change =
            Change::new("create_co_earner", Some(facts.organization), "co_earner", co_earner)
                .with("submission", id)
                .with("evidence", evidence);
        Ok((co_earner, change))
    })
}

/// `GET /submissions/{id}/co-earners`: whom the caller has named, and what these say.
///
/// # Errors
/// [`Error::Denied`] for anybody but the earner.
pub fn list(cx: &mut Cx<'_>, id: SubmissionId) -> Result<Vec<Named>, Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "list_co_earners", &subject)?;
    open_names(cx.conn, cx.resources, &stored)
}

fn open_names(
    conn: &mut DbConn,
    resources: &Resources,
    stored: &StoredSubmission,
) -> Result<Vec<Named>, Error> {
    let named = store::co_earners::list(conn, stored.submission.facts().id)?;
    if stored.sealed_key.is_none() {
        return Ok(named.into_iter().map(|co_earner| Named { co_earner, name: None }).collect());
    }
    let key = submissions::open_key(resources, stored)?;
    let opened = named.into_iter().map(|co_earner| {
        let name = Some(opened_name(&key, &co_earner)?);
        Ok(Named { co_earner, name })
    });
    opened.collect()
}

/// `DELETE /submissions/{id}/co-earners/{co_earner_id}`: takes back that somebody was named. They still do not read the work as assessor:
/// they were told whose it is.
///
/// # Errors
/// [`Error::WrongState`] once the work is handed in, and the second time.
pub fn end(cx: &mut Cx<'_>, id: SubmissionId, co_earner: CoEarnerId) -> Result<(), Error> {
    let (_, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "delete_co_earner", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let stored = submissions::find_fresh(conn, id)?;
        stored.submission.require(SubmissionEvent::Save)?;
        store::co_earners::find(conn, co_earner)?
            .filter(|found| found.submission == id)
            .ok_or(Error::NotFound("co-earner"))?;
        match store::co_earners::end(conn, co_earner, now) {
            Err(StoreError::Stale) => {
                let detail = "this was taken back already";
                return Err(submissions::not_now(&stored.submission, detail));
            }
            other => other?,
        }
        let organization = stored.submission.facts().organization;
        let change = Change::new("delete_co_earner", Some(organization), "co_earner", co_earner)
            .with("submission", id);
        Ok(((), change))
    })
}

/// `GET /shared-evidence`: what colleagues say that the caller has made together with them.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list_asked(
    cx: &mut Cx<'_>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<SharedEvidence>, Error> {
    let person = cx.signed_in()?.person;
    Ok(store::co_earners::list_asked(cx.conn, person, after, limit)?)
}

/// Whether the person who was named can answer while their colleague's attempt is there.
#[must_use]
pub fn can_answer(co_earner: &CoEarner, state: SubmissionState) -> bool {
    let is_handed_in = !state.allowed_events().contains(&SubmissionEvent::Save);
    co_earner.state().can_be_answered(is_handed_in)
}

/// `POST /shared-evidence/{id}/answer`: whether the caller had a part in it. Where they say so, the same file in the work of both needs no
/// explanation any more.
///
/// # Errors
/// [`Error::Denied`] for what the caller was not asked, [`Error::WrongState`] where they have answered and the work is handed in.
pub fn answer(cx: &mut Cx<'_>, id: CoEarnerId, is_confirmed: bool) -> Result<(), Error> {
    policy::require_somewhere(&cx.actor, "answer_shared_evidence")?;
    let person = cx.signed_in()?.person;
    find_asked(cx, id)?;
    let now = cx.now;
    cx.write(|conn| {
        let asked = store::co_earners::find(conn, id)?.ok_or(Error::Stale)?;
        let stored = submissions::find_fresh(conn, asked.submission)?;
        if !can_answer(&asked, stored.submission.state()) {
            let detail = "you have answered this, and the work was handed in since".to_owned();
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        }
        store::co_earners::save_answer(conn, asked.evidence, person, is_confirmed, now)?;
        let facts = stored.submission.facts();
        if is_confirmed {
            evidence_matches::settle(conn, facts.earner, person)?;
        }
        let organization = Some(facts.organization);
        let change = Change::new("answer_shared_evidence", organization, "co_earner", id)
            .with("is_confirmed", is_confirmed);
        Ok(((), change))
    })
}

/// What the caller is asked, as it stands now.
///
/// # Errors
/// [`Error::Denied`] for what they were not asked.
pub fn find_asked(cx: &mut Cx<'_>, id: CoEarnerId) -> Result<SharedEvidence, Error> {
    let person = cx.signed_in()?.person;
    store::co_earners::find_asked(cx.conn, person, id)?
        .ok_or(Error::Denied(Denied::Hidden("shared evidence")))
}

/// The items of a submission that count as shared. With whom is nobody's business but the earner's and theirs.
pub(super) fn shared_items(
    conn: &mut DbConn,
    id: SubmissionId,
) -> Result<BTreeSet<EvidenceId>, Error> {
    let named = store::co_earners::list(conn, id)?;
    Ok(named.iter().filter(|one| one.state().is_shared()).map(|one| one.evidence).collect())
}

/// Takes who was named for an item along to its copy in the next attempt, with what they have said. Nobody is asked anew.
pub(super) fn carry(
    conn: &mut DbConn,
    resources: &Resources,
    (from, item): (&StoredSubmission, EvidenceId),
    (to, copy): (&StoredSubmission, EvidenceId),
    now: Timestamp,
) -> Result<(), Error> {
    let key = submissions::open_key(resources, to)?;
    for named in open_names(conn, resources, from)? {
        let Named { co_earner, name: Some(name) } = named else { continue };
        let goes_along = match co_earner.state() {
            CoEarnerState::Asked | CoEarnerState::Confirmed => co_earner.evidence == item,
            CoEarnerState::Denied | CoEarnerState::Ended => false,
        };
        if goes_along {
            let new = CoEarner {
                id: CoEarnerId::from_uuid(new_uuid()),
                submission: to.submission.facts().id,
                evidence: copy,
                sealed_name: seal_bytes(&key, name.as_bytes(), SEAL).map_err(Error::internal)?,
                asked_at: now,
                ..co_earner
            };
            store::co_earners::create(conn, &new)?;
        }
    }
    Ok(())
}
