//! What readers of submissions are shown: everything for the earner, where it stands for a coordinator.

use std::collections::BTreeMap;

use super::{Response, StoredSubmission, load, pinned, read_responses};
use crate::domain::ai_use::AiUseRule;
use crate::domain::decision_rule::Outcome;
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, SubmissionId};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied};
use crate::domain::submission::SubmissionState;
use crate::domain::timestamp::Timestamp;
use crate::service::awards::Award;
use crate::service::cases::Case;
use crate::service::context::{Cx, organizations_of_branches, organizations_under};
use crate::service::error::Error;
use crate::service::feedback::{CoachOffer, FeedbackRating};
use crate::service::standing_awards;
use crate::store::carried_levels::CarriedLevel;
use crate::store::decisions::StoredDecision;
use crate::store::evidence::StoredEvidence;
use crate::store::screenings::Screening;
use crate::store::submissions::{Step, SubmissionQuery};
use crate::store::{self, DbConn};

/// What a reader of a submission is shown: everything for its earner, where it stands for a coordinator.
#[derive(Clone, Debug)]
pub enum SubmissionDetail {
    /// For the earner.
    Own(Box<OwnSubmission>),
    /// For a coordinator: neither scores nor evidence, and never "not yet".
    Status(Box<StatusOnly>),
}

/// A submission as its earner sees it.
#[derive(Clone, Debug)]
pub struct OwnSubmission {
    /// The submission.
    pub stored: StoredSubmission,
    /// Its version's number.
    pub version_number: i32,
    /// The answers; none once the retention period is over.
    pub responses: Option<BTreeMap<String, Response>>,
    /// The items, with names and contents opened.
    pub evidence: Vec<OpenedEvidence>,
    /// The timeline.
    pub steps: Vec<Step>,
    /// What a pre-screener has found the last time, once they have.
    pub screening: Option<Screening>,
    /// The decision with its feedback, once there is one.
    pub decision: Option<StoredDecision>,
    /// The words for the whole, once there is a decision.
    pub overall_feedback: Vec<String>,
    /// The award, if it was earned: its own, or the one that the earner held by another attempt.
    pub award: Option<Award>,
    /// Appeals and integrity cases about it.
    pub cases: Vec<Case>,
    /// What counts from an earlier attempt.
    pub carried: BTreeMap<String, CarriedLevel>,
    /// What holds for the use of AI where it was handed in, or will be.
    pub ai_use_rule: Option<AiUseRule>,
    /// How useful its earner found the feedback.
    pub rating: Option<FeedbackRating>,
    /// The offer to talk with a coach.
    pub coaching: Option<CoachOffer>,
}

/// An item of evidence with what was sealed.
#[derive(Clone, Debug)]
pub struct OpenedEvidence {
    /// The item.
    pub stored: StoredEvidence,
    /// The name the earner gave the file.
    pub name: Option<String>,
    /// The link or the text.
    pub content: Option<String>,
    /// Whether its earner says that it was made together with others.
    pub is_shared: bool,
}

/// A submission as a coordinator sees it.
#[derive(Clone, Debug)]
pub struct StatusOnly {
    /// Its id.
    pub id: SubmissionId,
    /// At which micro-credential.
    pub micro_credential: MicroCredentialId,
    /// Whose.
    pub earner: PersonId,
    /// `working`, `submitted`, `in_review`, `earned` or `closed`.
    pub progress: &'static str,
    /// The promised date, while the answer is awaited.
    pub due_on: Option<Timestamp>,
    /// When it was started.
    pub created_at: Timestamp,
}

/// `GET /submissions/{id}`.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not know of.
pub fn find(cx: &mut Cx<'_>, id: SubmissionId) -> Result<SubmissionDetail, Error> {
    let (stored, subject) = load(cx.conn, id)?;
    policy::require(&cx.actor, "read_submission", &subject)?;
    if cx.actor.person() == subject.owner {
        return detail(cx, stored);
    }
    let person = cx.signed_in()?.person;
    if !is_for_coordinators(cx.conn, person, &stored)? {
        return Err(Denied::Hidden("submission").into());
    }
    Ok(SubmissionDetail::Status(Box::new(status(cx.conn, &stored)?)))
}

fn detail(cx: &mut Cx<'_>, stored: StoredSubmission) -> Result<SubmissionDetail, Error> {
    let id = stored.submission.facts().id;
    let (version, _) = pinned(cx.conn, &stored)?;
    let is_readable = stored.sealed_key.is_some();
    let responses =
        if is_readable { Some(read_responses(cx.conn, cx.resources, &stored)?) } else { None };
    let evidence = crate::service::evidence::open_all(cx.conn, cx.resources, &stored)?;
    let steps = store::submissions::list_steps(cx.conn, id)?;
    let screening = store::screenings::find_last(cx.conn, id)?
        .filter(|screening| screening.concluded_at.is_some());
    let decision = store::decisions::find(cx.conn, id)?;
    let cases = crate::service::cases::list_own(cx.conn, &stored.submission)?;
    let in_force = store::ai_use::find_in_force(cx.conn, stored.submission.facts().organization)?;
    let ai_use_rule = match stored.submission.state() {
        SubmissionState::Draft | SubmissionState::Returned => in_force,
        // What was allowed then, in the words of now where these are about the same.
        SubmissionState::Submitted
        | SubmissionState::Queued
        | SubmissionState::InReview
        | SubmissionState::Resolving
        | SubmissionState::Adjudication
        | SubmissionState::OnHold
        | SubmissionState::Decided
        | SubmissionState::Appealed
        | SubmissionState::Withdrawn
        | SubmissionState::Voided
        | SubmissionState::Expired => stored.ai_use_policy.map(|allowed| {
            let words = in_force.filter(|rule| rule.allowed == allowed);
            AiUseRule { allowed, statement: words.map(|rule| rule.statement).unwrap_or_default() }
        }),
    };
    let overall_feedback =
        if decision.is_some() { list_overall_feedback(cx.conn, id)? } else { Vec::new() };
    let outcome = decision.as_ref().map(|decision| decision.outcome);
    let award = standing_awards::find_shown(cx.conn, &stored, outcome, cx.now)?;
    Ok(SubmissionDetail::Own(Box::new(OwnSubmission {
        stored,
        version_number: version.number,
        responses,
        evidence,
        steps,
        screening,
        decision,
        overall_feedback,
        award,
        cases,
        carried: store::carried_levels::list(cx.conn, id)?,
        ai_use_rule,
        rating: store::feedback::find_rating(cx.conn, id)?,
        coaching: store::feedback::find_offer(cx.conn, id)?,
    })))
}

/// What the readers whose sheets a decision rests on have said about the whole.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub(in crate::service) fn list_overall_feedback(
    conn: &mut DbConn,
    id: SubmissionId,
) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for review in store::reviews::list_of_submission(conn, id)? {
        let is_decisive = review.case.is_none() && !review.is_reread();
        if review.locked_at.is_some() && is_decisive {
            found.extend(store::reviews::find_sheet(conn, review.id)?.overall_feedback);
        }
    }
    Ok(found)
}

/// Whether a coordinator is shown a submission: the newest attempt only, since a second one would tell of a "not yet", and never
/// one that they read as assessor themselves.
fn is_for_coordinators(
    conn: &mut DbConn,
    person: PersonId,
    stored: &StoredSubmission,
) -> Result<bool, Error> {
    let facts = stored.submission.facts();
    let newest = store::submissions::last_attempt(conn, facts.earner, stored.micro_credential)?;
    let has_read = store::reviews::list_of_submission(conn, facts.id)?
        .iter()
        .any(|review| review.assessor == Some(person));
    Ok(facts.attempt == newest && !has_read && !store::seeds::is_seed(conn, facts.id)?)
}

fn status(conn: &mut DbConn, stored: &StoredSubmission) -> Result<StatusOnly, Error> {
    let facts = stored.submission.facts();
    let earned = match stored.submission.state() {
        SubmissionState::Decided | SubmissionState::Appealed => {
            // Where it was earned beside a live award, it has none of its own.
            store::decisions::find(conn, facts.id)?
                .is_some_and(|decision| decision.outcome == Outcome::Earned)
        }
        SubmissionState::Draft
        | SubmissionState::Submitted
        | SubmissionState::Returned
        | SubmissionState::Queued
        | SubmissionState::InReview
        | SubmissionState::Resolving
        | SubmissionState::Adjudication
        | SubmissionState::OnHold
        | SubmissionState::Withdrawn
        | SubmissionState::Voided
        | SubmissionState::Expired => false,
    };
    // A decision that is not yet looks like work that goes on: which it is (DOMAIN.md, section 1).
    let progress = match stored.submission.state() {
        SubmissionState::Draft | SubmissionState::Returned => "working",
        SubmissionState::Submitted
        | SubmissionState::Queued
        | SubmissionState::InReview
        | SubmissionState::Resolving
        | SubmissionState::Adjudication
        | SubmissionState::OnHold => "submitted",
        SubmissionState::Decided | SubmissionState::Appealed => {
            if earned {
                "earned"
            } else {
                "working"
            }
        }
        SubmissionState::Withdrawn | SubmissionState::Voided | SubmissionState::Expired => "closed",
    };
    Ok(StatusOnly {
        id: facts.id,
        micro_credential: stored.micro_credential,
        earner: facts.earner,
        progress,
        // The promise of a decided submission would tell "not yet" from work that was never handed in.
        due_on: stored.due_on.filter(|_| progress == "submitted"),
        created_at: stored.created_at,
    })
}

/// Which submissions a list shows.
#[derive(Clone, Debug, Default)]
pub struct ListSubmissions {
    /// In this state; for the caller's own only, since others are shown by progress.
    pub state: Option<SubmissionState>,
    /// At this micro-credential.
    pub micro_credential: Option<MicroCredentialId>,
    /// After this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// One line of a list.
#[derive(Clone, Debug)]
pub enum SubmissionLine {
    /// The caller's own.
    Own(Box<StoredSubmission>),
    /// Somebody else's, by progress.
    Status(Box<StatusOnly>),
}

/// `GET /submissions`: the caller's own, and by progress those of organizations they coordinate.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list(cx: &mut Cx<'_>, list: &ListSubmissions) -> Result<Vec<SubmissionLine>, Error> {
    let person = cx.signed_in()?.person;
    // A filter by state would tell a coordinator who is "not yet": it applies to one's own only.
    let organizations: Vec<OrganizationId> = if list.state.is_some() {
        Vec::new()
    } else {
        organizations_under(cx.conn, &cx.actor, Role::Coordinator)?
    };
    let query = SubmissionQuery {
        earner: Some(person),
        organizations,
        state: list.state,
        micro_credential: list.micro_credential,
        branch: organizations_of_branches(cx.conn, &cx.actor)?,
        after: list.after.clone(),
        limit: list.limit,
    };
    store::submissions::list(cx.conn, &query)?
        .into_iter()
        .map(|stored| {
            if stored.submission.facts().earner == person {
                Ok(SubmissionLine::Own(Box::new(stored)))
            } else {
                Ok(SubmissionLine::Status(Box::new(status(cx.conn, &stored)?)))
            }
        })
        .collect()
}
