//! What an earner answers to a decision: how useful the feedback was, and whether they would like to talk with a coach.

use super::audit::Change;
use super::context::{Cx, people_with};
use super::error::Error;
use super::outbox;
use super::process_letters::{self, CoachNews};
use super::submissions::{self, StoredSubmission};
use crate::domain::ids::SubmissionId;
use crate::domain::organization::Role;
use crate::domain::policy;
use crate::store::{self, StoreError};

pub use crate::store::feedback::{CoachOffer, FeedbackRating};

/// The most characters of what is said about the feedback.
const LONGEST_COMMENT: usize = 2000;

/// `POST /submissions/{id}/feedback-rating`: how useful the feedback was, once for each decision.
///
/// # Errors
/// [`Error::WrongState`] before the decision, [`Error::AlreadyThere`] the second time, [`Error::Invalid`] for anything but 1 to 5.
pub fn rate(cx: &mut Cx<'_>, id: SubmissionId, new: &FeedbackRating) -> Result<(), Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "rate_feedback", &subject)?;
    require_decided(cx, &stored)?;
    if !(1..=5).contains(&new.rating) {
        let detail = "a rating is a number from 1, not useful, to 5, very useful";
        return Err(Error::invalid("/rating", "rating", detail));
    }
    if new.comment.as_ref().is_some_and(|text| text.chars().count() > LONGEST_COMMENT) {
        let detail = format!("a comment has at most {LONGEST_COMMENT} characters");
        return Err(Error::invalid("/comment", "too-long", detail));
    }
    let (now, organization) = (cx.now, stored.submission.facts().organization);
    cx.write(|conn| {
        match store::feedback::create_rating(conn, id, new, now) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "you have rated this feedback already".to_owned();
                return Err(Error::AlreadyThere { code: "rated", detail });
            }
            other => other?,
        }
        let change = Change::new("rate_feedback", Some(organization), "submission", id)
            .with("rating", new.rating);
        Ok(((), change))
    })
}

fn require_decided(cx: &mut Cx<'_>, stored: &StoredSubmission) -> Result<(), Error> {
    let submission = &stored.submission;
    if store::decisions::find(cx.conn, submission.facts().id)?.is_some() {
        return Ok(());
    }
    Err(submissions::not_now(submission, "this is not decided yet; there is nothing to answer to"))
}

/// `POST /submissions/{id}/coaching`: whether the earner would like to talk with a coach. Only if they would is a coach told of them,
/// and then reads none of their attempts at this micro-credential (DOMAIN.md, 3.2: coached this attempt).
///
/// # Errors
/// [`Error::WrongState`] where no coach was offered.
pub fn answer_coaching(cx: &mut Cx<'_>, id: SubmissionId, is_wanted: bool) -> Result<(), Error> {
    let (stored, subject) = submissions::load(cx.conn, id)?;
    policy::require(&cx.actor, "answer_coaching", &subject)?;
    require_decided(cx, &stored)?;
    let (version, _) = submissions::pinned(cx.conn, &stored)?;
    let host = outbox::message_host(&cx.installation()?.base_url);
    let now = cx.now;
    cx.write(|conn| {
        let facts = stored.submission.facts();
        let Some(offer) = store::feedback::find_offer(conn, id)? else {
            let detail = "no coach was offered with this decision".to_owned();
            return Err(Error::WrongState { detail, allowed_events: Vec::new() });
        };
        store::feedback::answer_offer(conn, id, is_wanted, now)?;
        if is_wanted && offer.is_wanted != Some(true) {
            for coach in people_with(conn, Role::Coach, facts.organization)? {
                if coach != facts.earner {
                    // Who learns whose work it is cannot read it blind any more.
                    store::feedback::save_told(conn, id, coach, now)?;
                    let (title, news) = (&version.title, CoachNews::Wanted);
                    process_letters::coach_news(conn, coach, facts, title, news, &host, now)?;
                }
            }
        }
        let change = Change::new("answer_coaching", Some(facts.organization), "submission", id)
            .with("wanted", is_wanted);
        Ok(((), change))
    })
}
