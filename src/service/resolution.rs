//! From locked sheets to a decision.

use std::collections::BTreeMap;

use super::context::{Resources, new_uuid};
use super::error::{Broken, Error};
use super::submissions::{self, RETENTION};
use super::{eligibility, outbox};
use crate::domain::award::AwardState;
use crate::domain::decision_rule::Outcome;
use crate::domain::definition::Definition;
use crate::domain::ids::{AwardId, SubmissionId};
use crate::domain::review::{ReviewState, Sheet};
use crate::domain::review_policy::{Draw, SecondReading};
use crate::domain::rubric::{CriterionId, Level, Levels};
use crate::domain::submission::{SubmissionEvent, SubmissionState};
use crate::domain::timestamp::Timestamp;
use crate::store::awards::Award;
use crate::store::decisions::DecidedLevel;
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

/// Moves a submission on after a sheet was locked: to its decision, or to `resolving`, where it waits for another reader.
///
/// A mode that asks for two readers, or for a second one after this sheet, is never decided by one. A backread is a check on the
/// assessor after the fact and does not hold the decision.
///
/// # Errors
/// [`Error::Internal`] when the sheet does not fit the rubric, which the lock has made impossible.
pub fn advance(
    conn: &mut DbConn,
    resources: &Resources,
    stored: StoredSubmission,
    version: &Version,
    definition: &Definition,
    base_url: &str,
    now: Timestamp,
) -> Result<Advance, Error> {
    let (family, id) = (stored.micro_credential, stored.submission.facts().id);
    let policy = eligibility::policy_in_force(conn, &stored, definition, now)?;
    let assessors_qualified = eligibility::are_readers_qualified(conn, &stored, now)?;
    let resolving =
        stored.submission.into_in_review(SubmissionEvent::AllSheetsLocked)?.all_sheets_locked();
    let states = (SubmissionState::InReview, SubmissionState::Resolving);
    let facts = submissions::record_step(
        conn,
        resolving.facts(),
        SubmissionEvent::AllSheetsLocked,
        states,
        (None, "system"),
        now,
    )?;
    let reviews = store::reviews::list_of_submission(conn, id)?;
    let locked: Vec<_> =
        reviews.iter().filter(|review| review.state == ReviewState::Locked).collect();
    let [only] = locked.as_slice() else {
        return Err(Error::internal(Broken("a decision by more than one sheet is not built yet")));
    };
    let sheet = store::reviews::find_sheet(conn, only.id)?;
    let levels = levels_of(&sheet, definition)?;
    let outcome = definition.decide(&levels).map_err(Error::internal)?;
    let draw = Draw::new(resources.keyring.draw(&id.to_string())).map_err(Error::internal)?;
    let second = policy
        .needs_second(definition.rubric(), &levels, outcome, draw)
        .map_err(Error::internal)?;
    let holds = second.filter(|reason| !matches!(reason, SecondReading::Backread));
    if policy.sheets_required() > 1 || holds.is_some() {
        return Ok(Advance { submission: id, outcome: None, award: None });
    }
    let decided = resolving.decide(outcome, now);
    store::decisions::create(conn, &decided, 1, assessors_qualified, &decided_levels(&sheet))?;
    store::submissions::save_end(conn, &facts, Some(now), now.plus(RETENTION))?;
    let states = (SubmissionState::Resolving, SubmissionState::Decided);
    submissions::record_step(
        conn,
        &facts,
        SubmissionEvent::Resolved,
        states,
        (None, "system"),
        now,
    )?;
    let parameters = outbox::decision_parameters(id, &version.title, outcome == Outcome::Earned);
    outbox::enqueue(
        conn,
        outbox::DECISION,
        facts.earner,
        &outbox::message_host(base_url),
        &parameters,
        now,
    )?;
    let award = if outcome == Outcome::Earned {
        let award = Award {
            id: AwardId::from_uuid(new_uuid()),
            organization: facts.organization,
            submission: id,
            micro_credential: family,
            version: version.id,
            earner: facts.earner,
            state: AwardState::PendingKey,
            revision: 1,
            created_at: now,
            issued_at: None,
            valid_until: end_of_validity(definition, now),
            revoked_at: None,
            revocation_reason: None,
        };
        store::awards::create(conn, &award)?;
        Some(award.id)
    } else {
        None
    };
    Ok(Advance { submission: id, outcome: Some(outcome), award })
}

fn end_of_validity(definition: &Definition, now: Timestamp) -> Option<Timestamp> {
    let months = definition.validity().expires_after_months?;
    now.as_utc()
        .checked_add_months(chrono::Months::new(u32::from(months.get())))
        .map(Timestamp::new)
}

/// The levels of a sheet as the decision rule takes them.
fn levels_of(sheet: &Sheet, definition: &Definition) -> Result<Levels, Error> {
    let mut levels = Levels::new();
    for item in definition.rubric().items() {
        let score = sheet
            .scores
            .get(item.id().as_str())
            .ok_or_else(|| Error::internal(Broken("a locked sheet has a gap")))?;
        levels.insert(CriterionId::clone(item.id()), score.level.map(Level::new));
    }
    Ok(levels)
}

fn decided_levels(sheet: &Sheet) -> BTreeMap<String, DecidedLevel> {
    sheet
        .scores
        .iter()
        .map(|(criterion, score)| {
            (
                criterion.clone(),
                DecidedLevel { level: score.level, feedback: score.feedback.clone() },
            )
        })
        .collect()
}
