//! The figures of a pilot once more, from the audit trail and the list of people alone. It shares no code with the service.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Utc, Weekday};
use serde_json::Value;

use super::story::{Pilot, Row};
use crate::harness::Person;

/// An event of the trail.
#[derive(Debug)]
struct Event {
    at: DateTime<Utc>,
    actor: Option<String>,
    organization: Option<String>,
    verb: String,
    object: String,
    detail: BTreeMap<String, String>,
}

/// The whole trail, the oldest event first.
fn trail(auditor: &Person) -> Vec<Event> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = auditor.get(&format!("/api/v1/audit-events?limit=100{cursor}")).expect(200);
        for item in page["items"].as_array().unwrap() {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            let words = text("detail");
            let detail = words.split(' ').filter_map(|word| word.split_once('='));
            events.push(Event {
                at: text("happened_at").parse().unwrap(),
                actor: item["actor_id"].as_str().map(str::to_owned),
                organization: item["organization_id"].as_str().map(str::to_owned),
                verb: text("verb"),
                object: text("object_id"),
                detail: detail.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            });
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    events.reverse();
    events
}

/// An attempt within the programme.
#[derive(Debug, Default)]
struct Attempt {
    number: u32,
    started: DateTime<Utc>,
    submitted: Option<DateTime<Utc>>,
    decided: Option<DateTime<Utc>>,
    is_earned: bool,
    is_adjudicated: bool,
    is_appealed: bool,
    rating: Option<u32>,
    award: Option<String>,
    earned_at: Option<DateTime<Utc>>,
}

/// What became of somebody who was invited.
#[derive(Debug)]
pub struct Course {
    pub row: Row,
    /// Who it is; nobody knows that of those who have not answered.
    pub person: Option<String>,
    invited: DateTime<Utc>,
    has_declined: bool,
    enrolled: Option<DateTime<Utc>>,
    attempts: Vec<Attempt>,
    has_live_award: bool,
    /// What the district's file says of them, once there is one.
    pub is_employed: Option<bool>,
}

/// What the trail says of everybody on the list.
pub struct Trail {
    pub courses: Vec<Course>,
    /// How many were put on a list.
    pub listed: u64,
    /// How many were written to for the first time.
    pub written_to: u64,
    /// Whose membership was confirmed, and where.
    pub members: BTreeMap<String, BTreeSet<String>>,
    /// Who has earned the awards that are in force, and when.
    pub live: Vec<(String, DateTime<Utc>)>,
}

fn number(event: &Event, name: &str) -> u64 {
    event.detail[name].parse().unwrap()
}

impl Trail {
    /// Reads the trail as an auditor.
    pub fn read(pilot: &Pilot) -> Trail {
        let events = trail(&pilot.by("auditor@example.org"));
        let program = pilot.program.rsplit('/').next().unwrap();
        let of_program = |event: &&Event| {
            event.object == program || event.detail.get("program").is_some_and(|one| one == program)
        };
        let with = |verb: &'static str| events.iter().filter(move |event| event.verb == verb);
        let sum = |verb: &'static str, name: &str| -> u64 {
            with(verb).filter(of_program).map(|event| number(event, name)).sum()
        };
        let written: Vec<&Event> = with("send_invitations").filter(of_program).collect();
        let [written] = written.as_slice() else { panic!("one list, written in one go") };

        // Whose invitation is whose: the coordinator's list names the address, our own list the rest.
        let path = format!("{}/invitees?limit=100", pilot.program);
        let listed = pilot.by("coordinator@example.org").get(&path).expect(200);
        let mut courses: BTreeMap<String, Course> = BTreeMap::new();
        for item in listed["items"].as_array().unwrap() {
            let row = pilot.list[item["email"].as_str().unwrap()].clone();
            let course = Course {
                row,
                person: None,
                invited: written.at,
                has_declined: false,
                enrolled: None,
                attempts: Vec::new(),
                has_live_award: false,
                is_employed: None,
            };
            courses.insert(item["id"].as_str().unwrap().to_owned(), course);
        }
        let mut invitee_of: BTreeMap<String, String> = BTreeMap::new();
        for event in with("decline_invitation").filter(of_program) {
            courses.get_mut(&event.object).unwrap().has_declined = true;
        }
        for event in with("create_enrolment").filter(of_program) {
            let course = courses.get_mut(&event.object).unwrap();
            course.has_declined = false;
            course.enrolled = Some(event.at);
            course.person.clone_from(&event.actor);
            invitee_of.insert(event.actor.clone().unwrap(), event.object.clone());
        }
        let live = live_awards(&events);
        let mut held = Vec::new();
        for (person, attempt) in attempts_of(&events, program) {
            if let (Some(award), Some(at)) = (&attempt.award, attempt.earned_at)
                && live.contains(award)
            {
                held.push((person.clone(), at));
            }
            let course = courses.get_mut(&invitee_of[&person]).unwrap();
            course.has_live_award |=
                attempt.is_earned && attempt.award.as_ref().is_some_and(|one| live.contains(one));
            course.attempts.push(attempt);
        }
        Trail {
            courses: courses.into_values().collect(),
            listed: sum("create_cohort_invitations", "new"),
            written_to: sum("send_invitations", "first"),
            members: members_of(&events),
            live: held,
        }
    }
}

/// Who has begun to belong where: nobody's membership was changed afterwards.
fn members_of(events: &[Event]) -> BTreeMap<String, BTreeSet<String>> {
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in events {
        assert!(event.verb != "put_member", "{event:?}");
        if matches!(event.verb.as_str(), "initialize" | "accept_invitation") {
            let (person, at) = (event.actor.clone().unwrap(), event.organization.clone().unwrap());
            members.entry(person).or_default().insert(at);
        }
    }
    members
}

/// Awards with a credential that nothing has ended.
fn live_awards(events: &[Event]) -> BTreeSet<String> {
    let mut live = BTreeSet::new();
    for event in events {
        match event.verb.as_str() {
            "issue_credential" | "reinstate_award" => {
                live.insert(event.object.clone());
            }
            "revoke_award" | "suspend_award" | "expire_award" | "supersede_award" => {
                live.remove(&event.object);
            }
            _ => {}
        }
    }
    live
}

/// The attempts within the programme with their earners, in the order in which they were begun.
fn attempts_of(events: &[Event], program: &str) -> Vec<(String, Attempt)> {
    let mut order: Vec<String> = Vec::new();
    let mut found: BTreeMap<String, (String, Attempt)> = BTreeMap::new();
    for event in events {
        let word = |name: &str| event.detail.get(name).map(String::as_str);
        match event.verb.as_str() {
            "create_submission" if word("program") == Some(program) => {
                let attempt = Attempt {
                    number: word("attempt").unwrap().parse().unwrap(),
                    started: event.at,
                    ..Attempt::default()
                };
                order.push(event.object.clone());
                found.insert(event.object.clone(), (event.actor.clone().unwrap(), attempt));
            }
            "resubmit_submission" => {
                let Some((person, _)) = found.get(word("previous").unwrap()) else { continue };
                let attempt = Attempt {
                    number: word("attempt").unwrap().parse().unwrap(),
                    started: event.at,
                    ..Attempt::default()
                };
                let person = person.clone();
                order.push(event.object.clone());
                found.insert(event.object.clone(), (person, attempt));
            }
            "conclude_case" => {
                let Some((_, attempt)) = found.get_mut(word("submission").unwrap()) else {
                    continue;
                };
                if word("outcome") == Some("overturned") {
                    attempt.is_earned = true;
                    attempt.award = word("award").map(str::to_owned);
                    attempt.earned_at = Some(event.at);
                }
            }
            verb => {
                let Some((_, attempt)) = found.get_mut(&event.object) else { continue };
                match verb {
                    "submit_submission" => attempt.submitted = Some(event.at),
                    "decide_submission" => {
                        attempt.decided = Some(event.at);
                        attempt.is_earned = word("outcome") == Some("earned");
                        attempt.is_adjudicated = number(event, "adjudicated") > 0;
                        attempt.award = word("award").map(str::to_owned);
                        attempt.earned_at = attempt.is_earned.then_some(event.at);
                    }
                    "appeal_submission" => attempt.is_appealed = true,
                    "rate_feedback" => attempt.rating = word("rating").unwrap().parse().ok(),
                    _ => {}
                }
            }
        }
    }
    order.into_iter().map(|id| found.remove(&id).unwrap()).collect()
}

/// The names of the figures, each with what it is a part of.
pub const FIGURES: [(&str, Option<&str>); 15] = [
    ("invited", None),
    ("declined", Some("invited")),
    ("enrolled", Some("invited")),
    ("started", Some("enrolled")),
    ("submitted", Some("enrolled")),
    ("decided", Some("submitted")),
    ("earned", Some("submitted")),
    ("earned_first", Some("decided")),
    ("live_award", Some("earned")),
    ("adjudicated", Some("decided")),
    ("appealed", Some("decided")),
    ("rated", Some("decided")),
    ("useful", Some("rated")),
    ("followed_up", Some("enrolled")),
    ("staying", Some("followed_up")),
];

impl Course {
    /// Whether somebody is in a figure.
    pub fn counts(&self, figure: &str) -> bool {
        let has = |test: fn(&Attempt) -> bool| self.attempts.iter().any(test);
        match figure {
            "invited" => true,
            "declined" => self.has_declined,
            "enrolled" => self.enrolled.is_some(),
            "started" => !self.attempts.is_empty(),
            "submitted" => has(|one| one.submitted.is_some()),
            "decided" => has(|one| one.decided.is_some()),
            "earned" => has(|one| one.is_earned),
            "earned_first" => has(|one| one.is_earned && one.number == 1),
            "live_award" => self.has_live_award,
            "adjudicated" => has(|one| one.is_adjudicated),
            "appealed" => has(|one| one.is_appealed),
            "rated" => has(|one| one.rating.is_some()),
            "useful" => has(|one| one.rating.is_some_and(|rating| rating >= 4)),
            "followed_up" => self.is_employed.is_some(),
            "staying" => self.is_employed == Some(true),
            other => panic!("no figure {other}"),
        }
    }

    /// Working days of a stage, where the person has come to its end.
    fn days(&self, stage: &str) -> Option<u32> {
        let first_submitted = self
            .attempts
            .iter()
            .filter(|one| one.submitted.is_some())
            .min_by_key(|one| one.submitted);
        let first_decided =
            self.attempts.iter().filter(|one| one.decided.is_some()).min_by_key(|one| one.decided);
        let (from, to) = match stage {
            "invited_to_enrolled" => (Some(self.invited), self.enrolled),
            "enrolled_to_started" => (self.enrolled, self.attempts.first().map(|one| one.started)),
            "started_to_submitted" => (
                first_submitted.map(|one| one.started),
                first_submitted.and_then(|one| one.submitted),
            ),
            "submitted_to_decided" => (
                first_decided.and_then(|one| one.submitted),
                first_decided.and_then(|one| one.decided),
            ),
            other => panic!("no stage {other}"),
        };
        let (from, to) = (from?.date_naive(), to?.date_naive());
        let days = from.iter_days().skip(1).take_while(|day| *day <= to);
        let works = days.filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
        Some(u32::try_from(works.count()).unwrap())
    }
}

/// The value that so many percent of the people have not exceeded, by nearest rank.
fn rank(sorted: &[u32], percent: usize) -> u32 {
    sorted[(sorted.len() * percent).div_ceil(100) - 1]
}

/// A figure or a stage as a report has it: count, of how many, share in basis points; or median, 90th percentile, and how many.
pub type Line = (String, [Option<u64>; 3]);

/// Every line of a report over these people; what is from the district's file only where there is one.
pub fn lines(people: &[&Course], has_file: bool) -> Vec<Line> {
    let count = |figure: &str| {
        let is_known = has_file || !["followed_up", "staying"].contains(&figure);
        is_known.then(|| people.iter().filter(|one| one.counts(figure)).count() as u64)
    };
    let mut lines: Vec<Line> = Vec::new();
    for (figure, of) in FIGURES {
        let (numerator, denominator) = (count(figure), of.and_then(count));
        let whole = denominator.filter(|of| *of >= 10);
        let share = numerator.zip(whole).map(|(numerator, of)| numerator * 10_000 / of);
        lines.push((figure.to_owned(), [numerator, denominator, share]));
    }
    let stages = [
        "invited_to_enrolled",
        "enrolled_to_started",
        "started_to_submitted",
        "submitted_to_decided",
    ];
    for stage in stages {
        let mut days: Vec<u32> = people.iter().filter_map(|one| one.days(stage)).collect();
        days.sort_unstable();
        let at = |percent| (!days.is_empty()).then(|| u64::from(rank(&days, percent)));
        lines.push((stage.to_owned(), [at(50), at(90), Some(days.len() as u64)]));
    }
    lines
}

/// Every line as the service has printed it.
pub fn printed(part: &Value) -> Vec<Line> {
    let read = |list: &str, names: [&str; 3]| -> Vec<Line> {
        let all = part[list].as_array().unwrap().iter();
        all.map(|one| {
            (one["id"].as_str().unwrap().to_owned(), names.map(|name| one[name].as_u64()))
        })
        .collect()
    };
    let mut lines = read("figures", ["numerator", "denominator", "share_bp"]);
    lines.extend(read("stages", ["median", "percentile_90", "n"]));
    lines
}
