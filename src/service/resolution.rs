//! From locked sheets to a decision.

use std::collections::{BTreeMap, BTreeSet};

use super::audit::{self, Change};
use super::context::{Cx, Resources, new_uuid};
use super::error::{Broken, Error};
use super::submissions::{self, By, RETENTION};
use super::{eligibility, outbox, process_letters, rereads, standing_awards};
use crate::domain::award::AwardState;
use crate::domain::decision_rule::Outcome;
use crate::domain::definition::Definition;
use crate::domain::eligibility::QualificationLevel;
use crate::domain::ids::{AwardId, PersonId, SubmissionId};
use crate::domain::organization::Role;
use crate::domain::resolution::{ResolutionTerms, Settled, SettledBy, Sheets};
use crate::domain::review::{RereadReason, ReviewKind, ReviewState};
use crate::domain::review_policy::{Draw, ReviewPolicy, SecondReading};
use crate::domain::rubric::{CriterionId, Level, Levels};
use crate::domain::submission::{Submission, SubmissionEvent, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::store::awards::{Award, AwardBasis};
use crate::store::decisions::{DecidedLevel, StoredDecision};
use crate::store::micro_credentials::Version;
use crate::store::submissions::StoredSubmission;
use crate::store::{self, DbConn};

/// What a locked sheet led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// The submission.
    pub submission: SubmissionId,
    /// Its outcome, none while it waits for another reader.
    pub outcome: Option<Outcome>,
    /// The award that waits for its credential, if it was earned.
    pub award: Option<AwardId>,
}

/// What a submission is scored by.
pub struct Scoring<'a> {
    /// Everything outside.
    pub resources: &'a Resources,
    /// The version that it is pinned to.
    pub version: &'a Version,
    /// Its definition.
    pub definition: &'a Definition,
    /// The base URL fixed at `init`.
    pub base_url: &'a str,
    /// The moment.
    pub now: Timestamp,
}

/// The locked sheets of a submission that its decision rests on, with those who wrote them.
#[derive(Clone, Debug, Default)]
pub struct LockedSheets {
    /// The sheets.
    pub sheets: Sheets,
    /// Who wrote them, and what they were qualified by when they locked.
    pub readers: BTreeMap<PersonId, Option<QualificationLevel>>,
}

/// Reads the locked sheets of a submission; those that an appeal has asked for stand apart.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn locked_sheets(conn: &mut DbConn, id: SubmissionId) -> Result<LockedSheets, Error> {
    let carried = store::carried_levels::list(conn, id)?;
    let carried = carried.into_iter().map(|(id, one)| (id, Level::new(one.level))).collect();
    let mut found =
        LockedSheets { sheets: Sheets { carried, ..Sheets::default() }, ..LockedSheets::default() };
    let mut reviews = store::reviews::list_of_submission(conn, id)?;
    reviews.retain(|review| {
        review.state == ReviewState::Locked && review.case.is_none() && !review.is_reread()
    });
    reviews.sort_by_key(|review| review.seat);
    for review in reviews {
        let sheet = store::reviews::find_sheet(conn, review.id)?;
        match review.kind {
            ReviewKind::Reading => found.sheets.readings.push(sheet),
            ReviewKind::Adjudication => found.sheets.third = Some(sheet),
        }
        found.readers.extend(review.assessor.map(|reader| (reader, review.license)));
    }
    Ok(found)
}

/// How a submission is read and resolved: by its definition, and by the policy in force for it.
pub struct Terms<'a> {
    definition: &'a Definition,
    policy: ReviewPolicy,
    draw: Draw,
}

impl<'a> Terms<'a> {
    /// The terms of a submission at a moment.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database fails.
    pub fn of(
        conn: &mut DbConn,
        resources: &Resources,
        stored: &StoredSubmission,
        definition: &'a Definition,
        now: Timestamp,
    ) -> Result<Terms<'a>, Error> {
        let id = stored.submission.facts().id;
        let policy = eligibility::policy_in_force(conn, stored, definition, now)?;
        let draw = Draw::new(resources.keyring.draw(&id.to_string())).map_err(Error::internal)?;
        Ok(Terms::new(definition, policy, draw))
    }

    /// The terms of work that is no submission: practice.
    pub(super) const fn new(
        definition: &'a Definition,
        policy: ReviewPolicy,
        draw: Draw,
    ) -> Terms<'a> {
        Terms { definition, policy, draw }
    }

    /// What the next sheet covers: everything that was not carried forward; for a second reader without the prompts, unless the
    /// definition asks for them or a not-yet is read again, which may rest on a prompt.
    ///
    /// # Errors
    /// [`Error::Internal`] when the locked sheets do not fit the rubric.
    pub fn coverage_of_next(&self, sheets: &Sheets) -> Result<BTreeSet<String>, Error> {
        let second =
            if sheets.readings.is_empty() { None } else { Some(self.second_reading(sheets)?) };
        let with_prompts = match second {
            None | Some(Some(SecondReading::NotYet)) => true,
            Some(_) => self.policy.double_score_prompts(),
        };
        let rubric = self.definition.rubric();
        let criteria = rubric.criteria().iter().map(|criterion| criterion.id());
        let prompts = rubric.prompts().map(|prompt| prompt.id());
        Ok(criteria
            .chain(prompts.filter(|_| with_prompts))
            .map(|id| id.as_str().to_owned())
            .filter(|id| !sheets.carried.contains_key(id))
            .collect())
    }

    /// Why the first sheet calls for a second one that the decision waits for. A backread is a check on the assessor after the fact
    /// and holds nothing.
    ///
    /// # Errors
    /// [`Error::Internal`] when the sheet does not fit the rubric.
    pub fn second_reading(&self, sheets: &Sheets) -> Result<Option<SecondReading>, Error> {
        Ok(self.reason_to_read_again(sheets)?.filter(|reason| *reason != SecondReading::Backread))
    }

    fn reason_to_read_again(&self, sheets: &Sheets) -> Result<Option<SecondReading>, Error> {
        let first = Sheets {
            carried: sheets.carried.clone(),
            readings: sheets.readings.first().cloned().into_iter().collect(),
            third: None,
        };
        let levels = levels_of(&self.settle(&first)?);
        let outcome = self.definition.decide(&levels).map_err(Error::internal)?;
        let is_carried = |id: &CriterionId| sheets.carried.contains_key(id.as_str());
        let rubric = self.definition.rubric();
        self.policy
            .needs_second_beside(rubric, &levels, outcome, self.draw, is_carried)
            .map_err(Error::internal)
    }

    /// How every criterion and prompt stands.
    ///
    /// # Errors
    /// [`Error::Internal`] when the sheets do not fit the rubric.
    pub(super) fn settle(&self, sheets: &Sheets) -> Result<BTreeMap<CriterionId, Settled>, Error> {
        let terms = ResolutionTerms::of(&self.policy);
        sheets.settle(self.definition.rubric(), &terms).map_err(Error::internal)
    }

    /// The criteria that wait for a third reading.
    ///
    /// # Errors
    /// [`Error::Internal`] when the locked sheets do not fit the rubric.
    pub fn disputed(&self, sheets: &Sheets) -> Result<BTreeSet<String>, Error> {
        let settled = self.settle(sheets)?;
        let open = settled.iter().filter(|(_, one)| one.open_dispute().is_some());
        Ok(open.map(|(id, _)| id.as_str().to_owned()).collect())
    }
}

fn levels_of(settled: &BTreeMap<CriterionId, Settled>) -> Levels {
    settled.iter().map(|(id, one)| (id.clone(), one.level())).collect()
}

/// Moves a submission on after a reading was locked: to its decision, to a second reader, or to an adjudicator.
///
/// # Errors
/// [`Error::Internal`] when a sheet does not fit the rubric, which the lock has made impossible.
pub fn advance(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    scoring: &Scoring<'_>,
) -> Result<Advance, Error> {
    let by = By::system("sheet_locked");
    let event = SubmissionEvent::AllSheetsLocked;
    let resolving = submissions::record(conn, &stored.submission, event, by, scoring.now)?;
    resolve(conn, stored, &resolving, scoring)
}

/// The step out of `resolving`.
///
/// # Errors
/// As of [`advance`].
pub fn resolve(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    resolving: &Submission,
    scoring: &Scoring<'_>,
) -> Result<Advance, Error> {
    let now = scoring.now;
    let terms = Terms::of(conn, scoring.resources, stored, scoring.definition, now)?;
    let id = stored.submission.facts().id;
    let waits = Advance { submission: id, outcome: None, award: None };
    let locked = locked_sheets(conn, id)?;
    let is_first = locked.sheets.readings.len() == 1;
    // Where everything was carried forward that a second reader would read, there is nothing to ask for.
    let again = if is_first && !terms.coverage_of_next(&locked.sheets)?.is_empty() {
        terms.reason_to_read_again(&locked.sheets)?
    } else {
        None
    };
    let is_backread = again == Some(SecondReading::Backread);
    if let Some(reason) = again.filter(|_| !is_backread) {
        let by = By::system(reason.as_str());
        submissions::record(conn, resolving, SubmissionEvent::NeedsSecond, by, now)?;
        return Ok(waits);
    }
    let settled = terms.settle(&locked.sheets)?;
    let disputes: BTreeSet<&str> =
        settled.values().filter_map(|one| one.open_dispute()).map(|one| one.as_str()).collect();
    if !disputes.is_empty() {
        let reason = disputes.into_iter().collect::<Vec<_>>().join(",");
        let by = By::system(&reason);
        submissions::record(conn, resolving, SubmissionEvent::NeedsThird, by, now)?;
        return Ok(waits);
    }
    let by = By::system("settled");
    let decided = submissions::record(conn, resolving, SubmissionEvent::Resolved, by, now)?;
    let advance = close(conn, stored, &decided, &locked, &settled, scoring)?;
    if is_backread {
        let reviews = store::reviews::list_of_submission(conn, id)?;
        let sheet = reviews
            .iter()
            .find(|review| review.is_first_or_second() && review.state == ReviewState::Locked)
            .ok_or_else(|| Error::internal(Broken("a decision without its sheet")))?;
        rereads::order(conn, stored, sheet, RereadReason::Backread, now)?;
    }
    Ok(advance)
}

/// Moves on what stands in `resolving`: nothing does for longer than a transaction, but for what was left there by a version of the
/// service that had no second readers.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn resume_waiting(cx: &mut Cx<'_>) -> Result<usize, Error> {
    let waiting = store::submissions::list_in_state(cx.conn, SubmissionState::Resolving, 200)?;
    for id in &waiting {
        let base_url = cx.installation()?.base_url;
        let (now, resources) = (cx.now, cx.resources);
        store::write(cx.conn, |conn| {
            let stored = submissions::find_fresh(conn, *id)?;
            if stored.submission.state() != SubmissionState::Resolving {
                return Ok(());
            }
            let (version, definition) = submissions::pinned(conn, &stored)?;
            let scoring = Scoring {
                resources,
                version: &version,
                definition: &definition,
                base_url: &base_url,
                now,
            };
            resolve(conn, &stored, &stored.submission, &scoring).map(|_| ())
        })?;
    }
    Ok(waiting.len())
}

/// Closes a submission whose adjudicator has locked.
///
/// # Errors
/// [`Error::WrongState`] unless it waits for an adjudicator.
pub fn adjudicate(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    adjudicator: PersonId,
    scoring: &Scoring<'_>,
) -> Result<Advance, Error> {
    let by = By::person(adjudicator, Role::LeadAssessor).because("adjudicated");
    let event = SubmissionEvent::ThirdLocked;
    let decided = submissions::record(conn, &stored.submission, event, by, scoring.now)?;
    let locked = locked_sheets(conn, decided.facts().id)?;
    let terms = Terms::of(conn, scoring.resources, stored, scoring.definition, scoring.now)?;
    let settled = terms.settle(&locked.sheets)?;
    close(conn, stored, &decided, &locked, &settled, scoring)
}

/// Writes down the decision of a submission that has just become decided, and what follows from it.
fn close(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    decided: &Submission,
    locked: &LockedSheets,
    settled: &BTreeMap<CriterionId, Settled>,
    scoring: &Scoring<'_>,
) -> Result<Advance, Error> {
    let (facts, now) = (decided.facts(), scoring.now);
    debug_assert!(decided.state() == SubmissionState::Decided, "only what is decided is closed");
    let outcome = outcome_of(scoring.definition, settled)?;
    // A badge says no more than holds of every level: of those that were carried forward, what held of the attempt they are from.
    let before = match stored.previous.filter(|_| !locked.sheets.carried.is_empty()) {
        Some(previous) => store::decisions::find(conn, previous)?,
        None => None,
    };
    let raters = i32::try_from(locked.readers.len()).map_err(Error::internal)?;
    let decision = StoredDecision {
        outcome,
        raters: before.as_ref().map_or(raters, |before| raters.min(before.raters)),
        assessors_qualified: before.is_none_or(|before| before.assessors_qualified)
            && are_qualified(&locked.readers),
        decided_at: now,
        levels: decided_levels(conn, facts.id, &locked.sheets, settled)?,
    };
    store::decisions::create(conn, facts.id, &decision)?;
    store::decisions::save_resolutions(conn, facts.id, settled)?;
    // A reader may have been suspended while others still read.
    rereads::open_seat(conn, stored, now)?;
    store::submissions::save_end(conn, facts, Some(now), now.plus(RETENTION))?;
    let title = &scoring.version.title;
    let is_earned = outcome == Outcome::Earned;
    let is_held = is_earned && standing_awards::find_beside(conn, stored, now)?.is_some();
    let parameters = outbox::decision_parameters(facts.id, title, is_earned, is_held);
    let host = outbox::message_host(scoring.base_url);
    outbox::enqueue(conn, outbox::DECISION, facts.earner, &host, &parameters, now)?;
    let award = match outcome {
        Outcome::Earned => create_award(conn, stored, scoring)?,
        Outcome::NotYet => {
            offer_coach(conn, stored, scoring)?;
            None
        }
    };
    // The figures of a programme can be counted again from the trail alone.
    let n_third = settled.values().filter(|one| one.by() == Some(SettledBy::Adjudicated)).count();
    let change = Change::new("decide_submission", Some(facts.organization), "submission", facts.id)
        .with("outcome", outcome)
        .with("adjudicated", n_third)
        .with("award", award.map_or_else(|| "none".to_owned(), |award| award.to_string()));
    audit::append(conn, None, &change, now)?;
    Ok(Advance { submission: facts.id, outcome: Some(outcome), award })
}

/// Offers a coach after as many not-yets as the definition says, and after each further one.
fn offer_coach(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    scoring: &Scoring<'_>,
) -> Result<(), Error> {
    let (facts, now) = (stored.submission.facts(), scoring.now);
    let family = stored.micro_credential;
    let n_not_yet = store::decisions::count_of_earner(conn, facts.earner, family, Outcome::NotYet)?;
    let after = scoring.definition.resubmission().coaching_offered_after_not_yet;
    if n_not_yet < i64::from(after.get()) {
        return Ok(());
    }
    store::feedback::create_offer(conn, facts.id, now)?;
    let host = outbox::message_host(scoring.base_url);
    process_letters::coach_offered(conn, facts, &scoring.version.title, &host, now)
}

/// What the decision rule makes of levels that nothing is open about.
///
/// # Errors
/// [`Error::Internal`] when something is in dispute.
pub(super) fn outcome_of(
    definition: &Definition,
    settled: &BTreeMap<CriterionId, Settled>,
) -> Result<Outcome, Error> {
    if settled.values().any(|one| one.open_dispute().is_some()) {
        return Err(Error::internal(Broken("a decision over a criterion that is in dispute")));
    }
    definition.decide(&levels_of(settled)).map_err(Error::internal)
}

/// Whether every reader held a qualification for what they have scored when they locked.
fn are_qualified(readers: &BTreeMap<PersonId, Option<QualificationLevel>>) -> bool {
    !readers.is_empty() && readers.values().all(Option::is_some)
}

/// The levels with what the earner is told about each.
fn decided_levels(
    conn: &mut DbConn,
    id: SubmissionId,
    sheets: &Sheets,
    settled: &BTreeMap<CriterionId, Settled>,
) -> Result<BTreeMap<String, DecidedLevel>, Error> {
    let carried = store::carried_levels::list(conn, id)?;
    let decided = settled.iter().map(|(id, one)| {
        let feedback = match carried.get(id.as_str()) {
            Some(carried) => carried.feedback.clone(),
            None => sheets.feedback_on(id.as_str(), *one),
        };
        let level = one.level().map(Level::number);
        (id.as_str().to_owned(), DecidedLevel { level, feedback })
    });
    Ok(decided.collect())
}

/// Adds the award of a submission that has just been decided as earned. Its credential is issued after the commit. None where the earner
/// holds a live award at the micro-credential already that this attempt does not renew: nobody could tell which of two counts
/// (docs/decisions/0034).
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(super) fn create_award(
    conn: &mut DbConn,
    stored: &StoredSubmission,
    scoring: &Scoring<'_>,
) -> Result<Option<AwardId>, Error> {
    if standing_awards::find_beside(conn, stored, scoring.now)?.is_some() {
        return Ok(None);
    }
    let facts = stored.submission.facts();
    let award = Award {
        id: AwardId::from_uuid(new_uuid()),
        organization: facts.organization,
        basis: AwardBasis::Submission {
            submission: facts.id,
            micro_credential: stored.micro_credential,
            version: scoring.version.id,
        },
        earner: facts.earner,
        state: AwardState::PendingKey,
        revision: 1,
        created_at: scoring.now,
        issued_at: None,
        valid_until: end_of_validity(scoring.definition, scoring.now),
        revoked_at: None,
        revocation_reason: None,
    };
    store::awards::create(conn, &award)?;
    Ok(Some(award.id))
}

fn end_of_validity(definition: &Definition, now: Timestamp) -> Option<Timestamp> {
    let months = definition.validity().expires_after_months?;
    now.as_utc()
        .checked_add_months(chrono::Months::new(u32::from(months.get())))
        .map(Timestamp::new)
}
