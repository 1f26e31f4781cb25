//! The right to score by a rubric: what somebody has shown, and what of it counts for whose work (docs/decisions/0073).

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::eligibility::{
    KNOWN_WORK_WITHIN, License, Module, Pass, Qualification, QualificationLevel, Upkeep,
    license_within,
};
use crate::domain::ids::{OrganizationId, PersonId};
use crate::domain::timestamp::Timestamp;
use crate::service::context::branch_up;
use crate::service::error::Error;
use crate::service::{assessors, qualifying};
use crate::store::{self, DbConn};

/// So many double-scored submissions are enough real work to qualify fully on.
const ENOUGH_REAL_WORK: i64 = 30;

/// Those whose qualifications count for the work of an organization at this moment: its own, those of the organizations above it, and
/// those that one of them recognises. What these recognise in turn does not count.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn accepted_by(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<BTreeSet<OrganizationId>, Error> {
    let branch = branch_up(conn, organization)?;
    let mut accepted = store::recognitions::list_recognised(conn, &branch)?;
    accepted.extend(branch);
    Ok(accepted)
}

/// What a person has shown for a rubric, wherever that was. It is read once, however many organizations ask what of it counts for them.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    person: PersonId,
    scoring_hash: String,
    is_released: bool,
    has_modules: bool,
    /// The qualification as it stands, if it is not from before a release.
    held: Option<Qualification>,
    /// The sets that it rests on, the oldest first.
    passes: Vec<Pass>,
    /// When they first passed a set of work made for the purpose, by whose set it was.
    provisional: BTreeMap<OrganizationId, Timestamp>,
    /// When they last scored a seed paper, by whose it was.
    seeds: BTreeMap<OrganizationId, Timestamp>,
    real_work_since: Option<Timestamp>,
}

impl Shown {
    pub(super) fn of(
        conn: &mut DbConn,
        person: PersonId,
        scoring_hash: &str,
        now: Timestamp,
    ) -> Result<Shown, Error> {
        let engagement = assessors::engagement_of(conn, person, scoring_hash, now)?;
        let mut passes = store::qualifications::list_passes(conn, person, scoring_hash)?;
        let mut provisional = BTreeMap::new();
        let made = passes.iter().filter(|pass| pass.level == QualificationLevel::Provisional);
        for pass in made {
            provisional.entry(pass.organization).or_insert(pass.passed_at);
        }
        // What was passed before a release or a suspension does not count any more.
        passes.retain(|pass| engagement.counts_alone(pass.passed_at));
        let real_work_since = if provisional.is_empty() {
            None
        } else {
            store::seeds::double_scored_since(conn, scoring_hash, ENOUGH_REAL_WORK)?
        };
        let modules = store::conflicts::list_modules(conn, person)?;
        let held = store::qualifications::find_qualification(conn, person, scoring_hash)?;
        Ok(Shown {
            person,
            scoring_hash: scoring_hash.to_owned(),
            is_released: engagement.is_released,
            has_modules: Module::ALL.iter().all(|module| modules.contains(module)),
            held: held.filter(|held| engagement.counts(held.passed_at)),
            passes,
            provisional,
            seeds: store::seeds::list_last_scored(conn, person, scoring_hash)?,
            real_work_since,
        })
    }

    /// The license that follows where only the sets of these organizations count.
    pub(super) fn license(
        &self,
        conn: &mut DbConn,
        accepted: &BTreeSet<OrganizationId>,
        now: Timestamp,
    ) -> Result<License, Error> {
        let among = |moments: &BTreeMap<OrganizationId, Timestamp>| -> Vec<Timestamp> {
            let counting =
                moments.iter().filter(|(organization, _)| accepted.contains(organization));
            counting.map(|(_, at)| *at).collect()
        };
        let upkeep = Upkeep {
            is_released: self.is_released,
            has_modules: self.has_modules,
            last_known_work: self.last_known_work(
                conn,
                among(&self.seeds).into_iter().max(),
                accepted,
                now,
            )?,
            real_work_since: self.real_work_since,
            provisional_since: among(&self.provisional).into_iter().min(),
        };
        Ok(license_within(self.held.as_ref(), &self.passes, accepted, upkeep, now))
    }

    /// When they last showed on known work that they still score as agreed: a seed paper, or a refresher of five practice papers.
    fn last_known_work(
        &self,
        conn: &mut DbConn,
        seed: Option<Timestamp>,
        accepted: &BTreeSet<OrganizationId>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let is_recent = |at: Timestamp| at.plus(KNOWN_WORK_WITHIN) > now;
        if self.held.is_none() || seed.is_some_and(is_recent) {
            return Ok(seed);
        }
        let (person, hash) = (self.person, &self.scoring_hash);
        let refresher = qualifying::last_refresher(conn, person, hash, Some(accepted))?
            .filter(|refresher| is_recent(refresher.begun_at))
            .map(|refresher| refresher.done_at);
        Ok(seed.max(refresher))
    }
}

/// A person's license for a rubric that needs one, for the work of an organization.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn license_of(
    conn: &mut DbConn,
    person: PersonId,
    scoring_hash: &str,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<License, Error> {
    let accepted = accepted_by(conn, organization)?;
    Shown::of(conn, person, scoring_hash, now)?.license(conn, &accepted, now)
}
