//! What the votes of a panel come to.

use std::collections::BTreeMap;

use super::{Case, fresh_sheets};
use crate::domain::award::{AwardEvent, RevocationReason};
use crate::domain::case::{CaseKind, CaseOutcome, CaseState, Vote, majority};
use crate::domain::decision_rule::Outcome;
use crate::domain::definition::Definition;
use crate::domain::eligibility::QualificationLevel;
use crate::domain::ids::{AwardId, PersonId};
use crate::domain::organization::Role;
use crate::domain::resolution::{Reading, Readings, ResolutionTerms, resolve};
use crate::domain::review::{LEASE, REREAD_SEAT, Review, ReviewState, Sheet};
use crate::domain::review_policy::ResolutionRule;
use crate::domain::rubric::{Level, Levels};
use crate::domain::submission::SubmissionEvent;
use crate::domain::timestamp::Timestamp;
use crate::service::audit::{self, Change};
use crate::service::context::Resources;
use crate::service::error::{Broken, Error};
use crate::service::process_letters::{self, CaseNews};
use crate::service::resolution::{self, Scoring};
use crate::service::submissions::{self, By, RETENTION, StoredSubmission};
use crate::service::{award_letters, outbox, stack_awards, status_lists};
use crate::store::cases::CastVote;
use crate::store::decisions::{DecidedLevel, StoredDecision};
use crate::store::{self, DbConn};

/// The reasons of those who voted as most did.
pub(super) fn reasons_of_most(votes: &[CastVote]) -> Vec<String> {
    let Some(most) = majority(&votes.iter().map(|cast| cast.vote).collect::<Vec<_>>()) else {
        return Vec::new();
    };
    votes.iter().filter(|cast| cast.vote == most).map(|cast| cast.reasons.clone()).collect()
}

/// A panel at the moment of a vote.
pub(super) struct Panel<'a> {
    pub(super) resources: &'a Resources,
    pub(super) base_url: &'a str,
    /// Who has voted last.
    pub(super) last: PersonId,
    pub(super) now: Timestamp,
}

impl Panel<'_> {
    /// Counts the votes, and concludes the case when they are complete. Returns the award that this has led to.
    pub(super) fn count(
        &self,
        conn: &mut DbConn,
        case: Case,
        stored: &StoredSubmission,
    ) -> Result<Option<AwardId>, Error> {
        let votes = store::cases::list_votes(conn, case.id)?;
        let votes: Vec<Vote> = votes.iter().map(|cast| cast.vote).collect();
        let Some(most) = majority(&votes) else {
            store::cases::save(conn, &Case { state: CaseState::Voting, ..case }, self.now)?;
            return Ok(None);
        };
        let (outcome, award) = match case.kind {
            CaseKind::Appeal => self.conclude_appeal(conn, &case, stored, most)?,
            CaseKind::Integrity => (self.conclude_doubt(conn, stored, most)?, None),
        };
        let concluded = Case {
            state: CaseState::Concluded,
            outcome: Some(outcome),
            concluded_at: Some(self.now),
            ..case
        };
        store::cases::save(conn, &concluded, self.now)?;
        let change =
            Change::new("conclude_case", Some(concluded.organization), "case", concluded.id)
                .with("outcome", outcome)
                .with("submission", concluded.submission)
                .with("award", award.map_or_else(|| "none".to_owned(), |award| award.to_string()));
        audit::append(conn, None, &change, self.now)?;
        Ok(award)
    }

    fn conclude_appeal(
        &self,
        conn: &mut DbConn,
        case: &Case,
        stored: &StoredSubmission,
        most: Vote,
    ) -> Result<(CaseOutcome, Option<AwardId>), Error> {
        let (version, definition) = submissions::pinned(conn, stored)?;
        let decision = store::decisions::find(conn, case.submission)?
            .ok_or_else(|| Error::internal(Broken("an appeal without a decision")))?;
        let before = decision.outcome;
        let by = By::person(self.last, Role::ReviewPanel).because(most.as_str());
        let event = SubmissionEvent::Conclude;
        submissions::record(conn, &stored.submission, event, by, self.now)?;
        let facts = stored.submission.facts();
        let kept = self.now.plus(RETENTION);
        store::submissions::save_end(conn, facts, Some(decision.decided_at), kept)?;

        let mut award = None;
        let (outcome, after) = if most == Vote::Rescore {
            let sheets = fresh_sheets(conn, case)?;
            let readers = fresh_readers(conn, case)?;
            if sheets.len() < 2 {
                return Err(Error::internal(Broken("a panel votes without the fresh readings")));
            }
            let mut new = rescored(conn, case, &definition, decision, &sheets)?;
            new.assessors_qualified &= readers.values().all(Option::is_some);
            new.raters += i32::try_from(readers.len()).map_err(Error::internal)?;
            store::decisions::replace(conn, facts.id, &new)?;
            if before == Outcome::NotYet && new.outcome == Outcome::Earned {
                let scoring = Scoring {
                    resources: self.resources,
                    version: &version,
                    definition: &definition,
                    base_url: self.base_url,
                    now: self.now,
                };
                award = resolution::create_award(conn, stored, &scoring)?;
                (CaseOutcome::Overturned, new.outcome)
            } else {
                (CaseOutcome::Rescored, new.outcome)
            }
        } else {
            (CaseOutcome::Upheld, before)
        };
        let news = CaseNews::Concluded(after == Outcome::Earned);
        let host = outbox::message_host(self.base_url);
        process_letters::case_news(conn, facts, &version.title, news, &host, self.now)?;
        Ok((outcome, award))
    }

    fn conclude_doubt(
        &self,
        conn: &mut DbConn,
        stored: &StoredSubmission,
        most: Vote,
    ) -> Result<CaseOutcome, Error> {
        let (version, _) = submissions::pinned(conn, stored)?;
        let (facts, now) = (stored.submission.facts(), self.now);
        let is_upheld = most == Vote::Uphold;
        let (event, outcome, news) = if is_upheld {
            (SubmissionEvent::Upheld, CaseOutcome::Upheld, CaseNews::Upheld)
        } else {
            (SubmissionEvent::Cleared, CaseOutcome::Cleared, CaseNews::Cleared)
        };
        let by = By::person(self.last, Role::ReviewPanel).because(outcome.as_str());
        submissions::record(conn, &stored.submission, event, by, now)?;
        for review in store::reviews::list_of_submission(conn, facts.id)? {
            if review.state != ReviewState::Leased {
                continue;
            }
            // Who was reading goes on with a whole lease, or has nothing to read any more.
            let changed = if is_upheld {
                Review { state: ReviewState::Lapsed, lease_expires_at: None, ..review }
            } else {
                Review { lease_expires_at: Some(now.plus(LEASE)), ..review }
            };
            store::reviews::save(conn, &changed)?;
        }
        let host = outbox::message_host(self.base_url);
        if is_upheld {
            store::reviews::delete_open(conn, facts.id, 1..=REREAD_SEAT)?;
            store::submissions::save_end(conn, facts, None, now.plus(RETENTION))?;
            self.revoke_award(conn, stored, &host)?;
        }
        process_letters::case_news(conn, facts, &version.title, news, &host, now)?;
        Ok(outcome)
    }

    /// Revokes the award of a voided submission, should it have one.
    fn revoke_award(
        &self,
        conn: &mut DbConn,
        stored: &StoredSubmission,
        host: &str,
    ) -> Result<(), Error> {
        let (reason, now) = (RevocationReason::IntegrityUpheld, self.now);
        let id = stored.submission.facts().id;
        let Some(award) = store::awards::find_of_submission(conn, id)? else { return Ok(()) };
        let state = award.state.as_of(award.valid_until, now);
        if !state.allowed_events().contains(&AwardEvent::Revoke) {
            return Ok(());
        }
        let note = "upheld by the panel of an integrity case";
        store::award_states::save_revoked(conn, &award, reason, note, now)?;
        status_lists::publish_changed(conn, self.resources, self.base_url, &[award.id], now)?;
        stack_awards::follow(conn, self.resources, self.base_url, &[award.earner], now)?;
        award_letters::revoked(conn, &award, reason, host, now)?;
        let change = Change::new("revoke_award", Some(award.organization), "award", award.id)
            .with("reason", reason);
        audit::append(conn, None, &change, now)?;
        Ok(())
    }
}

fn fresh_readers(
    conn: &mut DbConn,
    case: &Case,
) -> Result<BTreeMap<PersonId, Option<QualificationLevel>>, Error> {
    let reviews = store::reviews::list_of_submission(conn, case.submission)?;
    let fresh = reviews
        .iter()
        .filter(|review| review.case == Some(case.id) && review.state == ReviewState::Locked);
    Ok(fresh.filter_map(|review| Some((review.assessor?, review.license))).collect())
}

/// The decision with the fresh readings in the place of what was disputed. Where those two need a third, it is the level that was
/// decided before; no level goes down, and what was earned stays earned.
fn rescored(
    conn: &mut DbConn,
    case: &Case,
    definition: &Definition,
    before: StoredDecision,
    sheets: &[Sheet],
) -> Result<StoredDecision, Error> {
    let terms = ResolutionTerms {
        resolution: ResolutionRule::MedianOfThree,
        ..ResolutionTerms::of(definition.review_policy())
    };
    let mut levels: BTreeMap<String, DecidedLevel> = before.levels.clone();
    for (criterion, disputed) in store::cases::list_criteria(conn, case.id)? {
        let was = disputed.before;
        let item = definition
            .rubric()
            .find_item(&criterion)
            .ok_or_else(|| Error::internal(Broken("a disputed criterion that there is not")))?;
        let mut given = sheets.iter().filter_map(|sheet| sheet.scores.get(&criterion));
        let (Some(one), Some(other)) = (given.next(), given.next()) else {
            return Err(Error::internal(Broken("a fresh sheet with a gap")));
        };
        let reading = |level: Option<u8>| Reading::from(level.map(Level::new));
        let readings = Readings {
            first: reading(one.level),
            second: reading(other.level),
            third: Some(reading(was)),
        };
        let level = resolve(item.pass_level(), readings, &terms).level().map(Level::number);
        let words: Vec<&str> =
            [one, other].iter().filter_map(|line| line.feedback.as_deref()).collect();
        let now = level.max(was);
        store::cases::save_level_after(conn, case.id, &criterion, now)?;
        let feedback = (!words.is_empty()).then(|| words.join("\n\n"));
        levels.insert(criterion, DecidedLevel { level: now, feedback });
    }
    let mut decided = Levels::new();
    for item in definition.rubric().items() {
        let level = levels.get(item.id().as_str()).and_then(|one| one.level);
        decided.insert(item.id().clone(), level.map(Level::new));
    }
    let outcome = definition.decide(&decided).map_err(Error::internal)?.max(before.outcome);
    Ok(StoredDecision { outcome, levels, ..before })
}
