//! The people of the walk, and how they act: straight through the services, at a time that the walk tells.

use std::collections::BTreeMap;

use assay::domain::actor::{Actor, SignedIn};
use assay::domain::ids::{CaseId, MicroCredentialId, PersonId, SessionId, SubmissionId};
use assay::domain::review::{ReviewState, Score, Sheet};
use assay::domain::timestamp::Timestamp;
use assay::service::context::new_uuid;
use assay::service::evidence::{self, Inline, ItemTerms};
use assay::service::reviews::{self, ReviewDetail};
use assay::service::submissions::{self, Response, Save, StoredSubmission};
use assay::service::{Cx, Error, micro_credentials};
use assay::store;
use chrono::{Datelike, TimeDelta};
use serde_json::json;

use super::model::{Attempt, Seat};
use crate::harness::{TestApp, definition};

const N_EARNERS: usize = 8;
const N_ASSESSORS: usize = 7;

/// A walk under way.
pub struct Walk {
    pub app: TestApp,
    pub attempts: Vec<Attempt>,
    pub now: Timestamp,
    people: Vec<PersonId>,
    single: MicroCredentialId,
    double: MicroCredentialId,
    random: u64,
}

/// Nine in the morning of the next Monday: what is due when follows from the day of the week, and the walk is to be the same every time.
fn next_monday(from: Timestamp) -> Timestamp {
    let days = 7 - from.naive().weekday().num_days_from_monday();
    let monday = from.naive().date() + TimeDelta::days(i64::from(days));
    Timestamp::from_naive(monday.and_hms_opt(9, 0, 0).unwrap())
}

impl Walk {
    pub fn new(seed: u64) -> Walk {
        let app = TestApp::new();
        let district = app.district();
        let [willow, _] = &district.schools;
        let mut people: Vec<PersonId> = Vec::new();
        let mut add = |organization: &str, name: String, roles: &[&str]| {
            let person = app.seed(organization, &format!("{name}@walk.example.org"), roles);
            people.push(person.id.parse().unwrap());
        };
        // In this order: earners, assessors, somebody who reads and leads, a lead alone, the panel, and one who reads and judges.
        for n in 0..N_EARNERS {
            add(willow, format!("earner-{n}"), &["earner"]);
        }
        // Readers of no school: those of one are never put together.
        for n in 1..N_ASSESSORS {
            add(&district.id, format!("assessor-{n}"), &["assessor"]);
        }
        add(&district.id, "both".to_owned(), &["assessor", "lead_assessor"]);
        add(&district.id, "lead".to_owned(), &["lead_assessor"]);
        for n in 0..5 {
            add(&district.id, format!("panel-{n}"), &["review_panel"]);
        }
        add(&district.id, "judge".to_owned(), &["assessor", "review_panel"]);
        // The first assessor is the one whom every district of the tests has.
        people.insert(N_EARNERS, district.assessor.id.parse().unwrap());
        let single = district.publish_small_group().parse().unwrap();
        let mut two = definition("mc-shared-decision-making");
        two["review_policy"]["coi"] = json!(["self", "same_school"]);
        let double = district.publish(&two).parse().unwrap();
        let now = next_monday(app.resources.now());
        Walk { app, attempts: Vec::new(), now, people, single, double, random: seed }
    }

    /// An even number below `n`, by xorshift: the same walk every time.
    pub fn below(&mut self, n: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % u64::try_from(n).unwrap()).unwrap()
    }

    /// Runs a use case as one of the people, at the walk's time.
    pub fn act<T>(
        &self,
        person: usize,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut conn = self.app.resources.database.connection().unwrap();
        let id = self.people[person];
        let facets = store::memberships::list_facets(&mut conn, id).unwrap();
        let session = SessionId::from_uuid(new_uuid());
        let actor = Actor::Person(SignedIn { person: id, session, facets });
        let resources = &self.app.resources;
        work(&mut Cx { conn: &mut conn, actor, now: self.now, resources })
    }

    pub fn family(&self, is_double: bool) -> MicroCredentialId {
        if is_double { self.double } else { self.single }
    }

    pub fn an_earner(&mut self) -> usize {
        self.below(N_EARNERS)
    }

    /// Somebody who may have something to claim.
    pub fn a_reader(&mut self) -> usize {
        match self.below(N_ASSESSORS + 3) {
            n if n < N_ASSESSORS + 2 => N_EARNERS + n,
            _ => self.people.len() - 1,
        }
    }

    pub fn anybody(&mut self) -> usize {
        self.below(self.people.len())
    }

    pub fn leads(&self) -> [usize; 2] {
        [N_EARNERS + N_ASSESSORS + 1, N_EARNERS + N_ASSESSORS]
    }

    pub fn is_lead(&self, person: usize) -> bool {
        self.leads().contains(&person)
    }

    pub fn is_assessor(&self, person: usize) -> bool {
        (N_EARNERS..=N_EARNERS + N_ASSESSORS).contains(&person) || person == self.people.len() - 1
    }

    /// Whether the person has scored an earlier attempt of the same earner, and somebody else could take this one.
    pub fn is_spared(&self, person: usize, index: usize) -> bool {
        let attempt = &self.attempts[index];
        let knows = |person: usize| {
            self.attempts.iter().any(|one| {
                one.id != attempt.id
                    && (one.earner, one.is_double) == (attempt.earner, attempt.is_double)
                    && one.locked.iter().any(|seat| seat.person == person)
            })
        };
        let may_take = |other: &usize| {
            attempt.has_seat_for(*other, self.is_assessor(*other), self.is_lead(*other))
        };
        knows(person)
            && (0..self.people.len())
                .any(|other| other != person && may_take(&other) && !knows(other))
    }

    pub fn a_panelist(&mut self) -> usize {
        self.people.len() - 1 - self.below(6)
    }

    pub fn an_attempt(&mut self) -> Option<usize> {
        let n = self.attempts.len();
        (n > 0).then(|| self.below(n))
    }

    pub fn index_of(&self, id: SubmissionId) -> usize {
        self.attempts.iter().position(|one| one.id == id).unwrap()
    }

    pub fn case_of(&self, id: SubmissionId) -> CaseId {
        let mut conn = self.app.resources.database.connection().unwrap();
        store::cases::list_of_submission(&mut conn, id).unwrap().last().unwrap().id
    }

    /// A leased seat: the attempt, and which of its seats.
    pub fn a_seat(&mut self) -> Option<(usize, usize)> {
        let all: Vec<(usize, usize)> = (0..self.attempts.len())
            .flat_map(|index| (0..self.attempts[index].leased.len()).map(move |n| (index, n)))
            .collect();
        (!all.is_empty()).then(|| all[self.below(all.len())])
    }

    /// A review of anybody's: the attempt, the seat, and whether it is locked.
    pub fn a_review(&mut self) -> Option<(usize, Seat, bool)> {
        let mut all = Vec::new();
        for (index, one) in self.attempts.iter().enumerate() {
            all.extend(one.leased.iter().map(|seat| (index, seat.clone(), false)));
            all.extend(one.locked.iter().map(|seat| (index, seat.clone(), true)));
        }
        (!all.is_empty()).then(|| {
            let chosen = self.below(all.len());
            all.swap_remove(chosen)
        })
    }

    /// Gives back what has run out, in the service and in the model.
    pub fn release(&mut self) {
        let now = self.now;
        let mut conn = self.app.resources.database.connection().unwrap();
        store::write(&mut conn, |conn| reviews::release_expired(conn, now)).unwrap();
        for attempt in &mut self.attempts {
            if attempt.held_from.is_some()
                && attempt.state == assay::domain::submission::SubmissionState::OnHold
            {
                continue;
            }
            while let Some(number) = attempt.leased.iter().position(|seat| seat.until <= now) {
                attempt.leave(number, false);
            }
        }
    }

    /// Fills what is missing and hands it in.
    pub fn hand_in(&self, earner: usize, started: &StoredSubmission) {
        let id = started.submission.facts().id;
        let (_, definition) = self.act(earner, |cx| submissions::pinned(cx.conn, started)).unwrap();
        let is_first = started.previous.is_none();
        let answer = || Some(Response::Text("We agreed on roles.".to_owned()));
        let prompts = definition.rubric().prompts().filter(|_| is_first);
        let save = Save {
            responses: prompts.map(|prompt| (prompt.id().as_str().to_owned(), answer())).collect(),
            integrity_statement: Some(true),
            ..Save::default()
        };
        let revision = started.submission.facts().revision;
        self.act(earner, |cx| submissions::save(cx, id, &save, revision)).unwrap();
        for requirement in definition.evidence().iter().filter(|_| is_first) {
            let terms = ItemTerms {
                requirement_id: requirement.id().as_str().to_owned(),
                contains_students: false,
                consent: false,
            };
            let item = Inline::Text(format!("What {earner} has shown."));
            self.act(earner, |cx| evidence::add_inline(cx, id, &item, &terms)).unwrap();
        }
        self.act(earner, |cx| submissions::submit(cx, id)).unwrap();
    }

    /// Saves a sheet at this distance from the pass levels.
    pub fn save_sheet(&self, seat: &Seat, offset: i16) -> Result<ReviewDetail, Error> {
        let detail = self.act(seat.person, |cx| reviews::find(cx, seat.review))?;
        assert_eq!(detail.review.state, ReviewState::Leased);
        let Some(work) = &detail.work else {
            let revision = detail.review.revision;
            let empty = Sheet::default();
            return self
                .act(seat.person, |cx| reviews::save_scores(cx, seat.review, &empty, revision));
        };
        let definition = micro_credentials::parse_stored(&work.version).unwrap().definition;
        let rubric = definition.rubric();
        let scores: BTreeMap<String, Score> = rubric
            .items()
            .map(|item| {
                let pass = i16::from(item.pass_level().number());
                let is_prompt =
                    rubric.prompts().any(|prompt| prompt.id().as_str() == item.id().as_str());
                let level = if is_prompt { pass } else { pass + offset };
                let score = Score {
                    level: Some(u8::try_from(level).unwrap()),
                    unscorable: false,
                    feedback: Some("Say how you checked.".to_owned()),
                };
                (item.id().as_str().to_owned(), score)
            })
            .collect();
        let sheet = Sheet { scores, overall_feedback: Some("You wait.".to_owned()) };
        let revision = detail.review.revision;
        self.act(seat.person, |cx| reviews::save_scores(cx, seat.review, &sheet, revision))
    }
}
