//! The people of the walk, and how they act: straight through the services, at a time that the walk tells.

use std::collections::BTreeMap;

use assay::domain::actor::{Actor, SignedIn};
use assay::domain::ids::{
    CaseId, MicroCredentialId, OrganizationId, PersonId, ReviewId, SessionId, SubmissionId,
};
use assay::domain::review::{LOAD_CAP, Score, Sheet};
use assay::domain::timestamp::Timestamp;
use assay::service::conflicts::{self, NewWaiver};
use assay::service::context::new_uuid;
use assay::service::evidence::{self, Inline, ItemTerms};
use assay::service::reviews::{self, ReviewDetail};
use assay::service::submissions::{self, Response, Save, StoredSubmission};
use assay::service::{Cx, Error, micro_credentials};
use assay::store;
use assay::store::schema::{
    decisions, reviews as review_rows, seed_presentations, submissions as submission_rows,
};
use chrono::{Datelike, TimeDelta};
use diesel::prelude::*;
use serde_json::json;

use super::model::{Attempt, Seat};
use super::rules::{Seed, Someone, Tie};
use super::training::Sets;
use crate::harness::{TestApp, definition};

/// How many there are of each kind, in this order: those who only earn; those who earn and assess; assessors; those who assess and lead;
/// those who only lead; the panel; somebody who assesses and sits on the panel; and the coordinator. Fifty.
const EARNERS: usize = 22;
const BOTH: usize = 6;
const ASSESSORS: usize = 12;
const LEADING: usize = 2;
const LEADS: usize = 2;
const PANEL: usize = 4;
const N_PEOPLE: usize = EARNERS + BOTH + ASSESSORS + LEADING + LEADS + PANEL + 2;
const SCHOOLS: usize = 4;
/// As many double-scored submissions are enough real work to qualify fully on.
const ENOUGH_REAL_WORK: i64 = 30;

/// A walk under way.
pub struct Walk {
    pub app: TestApp,
    pub attempts: Vec<Attempt>,
    pub now: Timestamp,
    /// What the model knows of each of the people.
    pub everybody: Vec<Someone>,
    pub ties: Vec<Tie>,
    pub seeds: Vec<Seed>,
    /// Until when those of the district may read one another's work.
    pub waived_until: Timestamp,
    /// Since when there is enough real work by the rubric that needs a qualification.
    pub enough_since: Option<Timestamp>,
    pub sets: Option<Sets>,
    pub district: OrganizationId,
    people: Vec<PersonId>,
    deciders: Vec<PersonId>,
    single: MicroCredentialId,
    double: MicroCredentialId,
    random: u64,
}

/// The roles of the person with this number, and their school unless they are of the office.
fn kind_of(person: usize) -> (&'static [&'static str], Option<usize>) {
    let ends = [EARNERS, BOTH, ASSESSORS, LEADING, LEADS, PANEL, 1];
    let mut rest = person;
    let kind = ends.iter().position(|count| {
        let is_here = rest < *count;
        rest -= if is_here { 0 } else { *count };
        is_here
    });
    let school = Some(rest % SCHOOLS);
    match kind {
        Some(0) => (&["earner"], school),
        Some(1) => (&["earner", "assessor"], school),
        // The last ones are of the office.
        Some(2) => (&["assessor"], school.filter(|_| rest < 9)),
        Some(3) => (&["assessor", "lead_assessor"], school),
        Some(4) => (&["lead_assessor"], None),
        Some(5) => (&["review_panel"], None),
        Some(6) => (&["assessor", "review_panel"], None),
        Some(_) | None => (&["coordinator"], None),
    }
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
        let [willow, summit] = district.schools.clone();
        let more = ["Alder", "Birch"]
            .map(|name| app.organization(&district.admin, &district.id, name, "school"));
        let schools = [vec![willow, summit], more.to_vec()].concat();
        let mut people: Vec<PersonId> = Vec::new();
        let mut everybody = Vec::new();
        for person in 0..N_PEOPLE {
            let (roles, school) = kind_of(person);
            // Three are there already, in every district of the tests.
            let known = match (person, roles) {
                (0, _) => Some(&district.earner),
                (_, ["assessor"]) if people.len() == EARNERS + BOTH + 1 => Some(&district.assessor),
                (_, ["coordinator"]) => Some(&district.coordinator),
                _ => None,
            };
            let id = known.map_or_else(
                || {
                    let home = school.map_or(&district.id, |school| &schools[school]);
                    app.seed(home, &format!("person-{person}@walk.example.org"), roles).id
                },
                |known| known.id.clone(),
            );
            people.push(id.parse().unwrap());
            let has = |role: &str| roles.contains(&role);
            everybody.push(Someone {
                school,
                is_assessor: has("assessor"),
                is_lead: has("lead_assessor"),
                cap: LOAD_CAP,
                ..Someone::default()
            });
        }
        let mut one = definition("mc-ia-small-group-support");
        // All that one reader decides is read again, so that a short walk meets it.
        one["review_policy"]["backread_share_bp"] = json!(10_000);
        let single = district.publish(&one).parse().unwrap();
        let mut two = definition("mc-shared-decision-making");
        two["review_policy"]["coi"] = json!(["self", "same_school", "same_district"]);
        let double = district.publish(&two).parse().unwrap();
        let now = next_monday(app.resources.now());
        let mut walk = Walk {
            attempts: Vec::new(),
            now,
            everybody,
            ties: Vec::new(),
            seeds: Vec::new(),
            waived_until: now,
            enough_since: None,
            sets: None,
            district: district.id.parse().unwrap(),
            people,
            deciders: district.designers.iter().map(|one| one.id.parse().unwrap()).collect(),
            single,
            double,
            random: seed,
            app,
        };
        walk.waive(TimeDelta::days(60));
        walk.begin_calibration();
        walk
    }

    pub fn id_of(&self, person: usize) -> PersonId {
        self.people[person]
    }

    pub fn coordinator(&self) -> usize {
        N_PEOPLE - 1
    }

    /// The group decides that those of the district may read one another's work for so long.
    pub fn waive(&mut self, length: TimeDelta) {
        let (coordinator, district) = (self.coordinator(), self.district);
        let before = self.act(coordinator, |cx| conflicts::find_waiver(cx, district)).unwrap();
        let new = NewWaiver {
            reason: "A pilot in one district.".to_owned(),
            deciders: self.deciders.clone(),
            ends_at: self.now.plus(length),
            revision: before.map_or(0, |waiver| waiver.revision),
        };
        self.act(coordinator, |cx| conflicts::put_waiver(cx, district, &new)).unwrap();
        self.waived_until = new.ends_at;
    }

    /// Reads what the model does not reckon out by itself: since when there is enough real work.
    pub fn look_up(&mut self) {
        let mut conn = self.app.resources.database.connection().unwrap();
        let since: Option<chrono::NaiveDateTime> = decisions::table
            .inner_join(submission_rows::table.on(submission_rows::id.eq(decisions::submission_id)))
            .filter(submission_rows::micro_credential_id.eq(self.single.to_string()))
            .filter(decisions::raters.ge(2))
            .order(decisions::decided_at)
            .offset(ENOUGH_REAL_WORK - 1)
            .select(decisions::decided_at)
            .first(&mut *conn)
            .optional()
            .unwrap();
        self.enough_since = since.map(Timestamp::from_naive);
    }

    /// Reads what is to be read again: by chance, or since its reader was suspended. Only what is decided has a seat for that.
    pub fn look_for_rereads(&mut self) {
        let mut conn = self.app.resources.database.connection().unwrap();
        let free: Vec<String> = review_rows::table
            .filter(review_rows::seat.eq(6))
            .filter(review_rows::state.eq("open"))
            .select(review_rows::submission_id)
            .load(&mut *conn)
            .unwrap();
        for attempt in &mut self.attempts {
            let is_free = free.contains(&attempt.id.to_string());
            let may_be = attempt.decision.is_some() && !attempt.is_double;
            assert!(if is_free { may_be } else { !attempt.has_free_reread }, "{attempt:?}");
            attempt.has_free_reread = is_free;
        }
    }

    /// The promised day.
    pub fn due_on(&self, attempt: &Attempt) -> Option<Timestamp> {
        let mut conn = self.app.resources.database.connection().unwrap();
        store::submissions::find(&mut conn, attempt.id).unwrap().unwrap().due_on
    }

    /// Whether a submission that nobody has handed in is a known paper for this person.
    pub fn is_presented(&self, id: SubmissionId, person: usize) -> bool {
        let mut conn = self.app.resources.database.connection().unwrap();
        let to: Option<String> = seed_presentations::table
            .find(id.to_string())
            .select(seed_presentations::person_id)
            .first(&mut *conn)
            .optional()
            .unwrap();
        to == Some(self.people[person].to_string())
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
        self.below(EARNERS + BOTH)
    }

    /// Somebody who may have something to claim.
    pub fn a_reader(&mut self) -> usize {
        match self.below(BOTH + ASSESSORS + LEADING + LEADS + 1) {
            n if n < BOTH + ASSESSORS + LEADING + LEADS => EARNERS + n,
            _ => N_PEOPLE - 2,
        }
    }

    pub fn anybody(&mut self) -> usize {
        self.below(N_PEOPLE)
    }

    /// Somebody who leads alone.
    pub fn a_lead(&mut self) -> usize {
        let authors = self.key_authors();
        authors[self.below(authors.len())]
    }

    /// Those who lead and do not assess.
    pub fn key_authors(&self) -> [usize; LEADS] {
        let first = EARNERS + BOTH + ASSESSORS + LEADING;
        [first, first + 1]
    }

    pub fn a_panelist(&mut self) -> usize {
        N_PEOPLE - 2 - self.below(PANEL + 1)
    }

    /// What somebody has handed in: mostly something of late.
    pub fn an_attempt(&mut self) -> Option<usize> {
        let n = self.attempts.len();
        let first = if self.below(3) > 0 { n.saturating_sub(40) } else { 0 };
        let chosen = (n > 0).then(|| first + self.below(n - first));
        chosen.filter(|index| !self.attempts[*index].is_known)
    }

    pub fn find_index(&self, id: SubmissionId) -> Option<usize> {
        self.attempts.iter().position(|one| one.id == id)
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
                    feedback: Some(words_of(seat.review)),
                };
                (item.id().as_str().to_owned(), score)
            })
            .collect();
        let sheet = Sheet { scores, overall_feedback: Some(words_of(seat.review)) };
        let revision = detail.review.revision;
        self.act(seat.person, |cx| reviews::save_scores(cx, seat.review, &sheet, revision))
    }
}

/// What somebody writes in a sheet, by which one can tell it from every other.
pub fn words_of(review: ReviewId) -> String {
    format!("So says {review}.")
}
