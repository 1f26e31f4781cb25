//! `kill -9` of `assay serve` while it takes a long list and sends its mails to a mail server: everybody gets their letter, and every bad row its
//! own reason.
//!
//! A kill between the answer of a mail server and our note of it makes a second try; nobody can close that gap from our side. The second letter has the
//! `Message-ID` and the words of the first, so that a mail server can drop it, and letters are counted by that id here as the outbox does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use assay::store::schema::{invitees, outbox};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::report;
use crate::harness::served::{Served, until};
use crate::harness::{
    Answers, Delivered, PASSWORD, Person, SmtpServer, TestApp, TestSettings, complete_charter,
    scale,
};

/// How many people are invited in a full run.
const PEOPLE: usize = 3700;
/// How often the process is killed while it sends, in a full run.
const KILLS: usize = 45;
/// How often while it takes the list.
const KILLS_OF_REQUESTS: usize = 2;
/// There is a bad row after so many good ones.
const GOOD_BETWEEN: usize = 10;

/// A list with what has to be said of it.
struct List {
    csv: String,
    /// The addresses of the good rows.
    good: BTreeSet<String>,
    /// The numbers of the bad rows, each with its reason.
    bad: BTreeMap<u64, &'static str>,
    /// Those of the bad rows who are in another cohort.
    elsewhere: String,
}

const HEADER: &str = "email,reference,name,audience,school\n";

impl List {
    fn new(people: usize) -> List {
        let mut list = List {
            csv: HEADER.to_owned(),
            good: BTreeSet::new(),
            bad: BTreeMap::new(),
            elsewhere: HEADER.to_owned(),
        };
        let mut row = 1;
        for n in 0..people {
            let email = format!("p{n}@list.example.org");
            list.csv += &format!("{email},,Person {n},instructional_assistant,Willow\n");
            list.good.insert(email);
            row += 1;
            if n % GOOD_BETWEEN == GOOD_BETWEEN - 1 {
                row += 1;
                let code = list.add_bad(n);
                list.bad.insert(row, code);
            }
        }
        list
    }

    /// Adds a bad row, each time one with another fault. Returns what it is refused for.
    fn add_bad(&mut self, n: usize) -> &'static str {
        let fine = "Somebody,instructional_assistant,Willow";
        let (row, code) = match n / GOOD_BETWEEN % 11 {
            0 => (format!("b{n}@list.example.org,,{fine},and more"), "columns"),
            1 => (format!(",,{fine}"), "nobody_named"),
            2 => (format!("b{n}@list.example.org,r-{n},{fine}"), "named_twice"),
            3 => (format!("b{n} at list.example.org,,{fine}"), "email"),
            4 => (format!(",r {n},{fine}"), "reference"),
            5 => (format!("b{n}@list.example.org,,,instructional_assistant,Willow"), "name"),
            6 => (format!("b{n}@list.example.org,,Somebody,teacher,Willow"), "audience"),
            7 => (
                format!("b{n}@list.example.org,,Somebody,instructional_assistant,Atlantis"),
                "school",
            ),
            8 => (
                format!("b{n}@list.example.org,,Somebody,instructional_assistant,Twin"),
                "school_unclear",
            ),
            9 => (format!("P{n}@list.example.org,,{fine}"), "repeated"),
            _ => {
                let email = format!("b{n}@list.example.org");
                self.elsewhere += &format!("{email},,Somebody,teacher,Willow\n");
                (format!("{email},,{fine}"), "other_cohort")
            }
        };
        self.csv += &row;
        self.csv.push('\n');
        code
    }

    /// That a report says of each row what is so, and no more.
    #[track_caller]
    fn check(&self, answer: &Value) {
        let rows = answer["rows"].as_array().unwrap();
        assert_eq!(rows.len(), self.good.len() + self.bad.len());
        let mut bad = BTreeMap::new();
        for row in rows.iter().filter(|row| row["outcome"] == "refused") {
            let [reason] = row["reasons"].as_array().unwrap().as_slice() else {
                panic!("one reason: {row}");
            };
            assert!(!reason["detail"].as_str().unwrap().is_empty());
            bad.insert(row["row"].as_u64().unwrap(), reason["code"].as_str().unwrap());
        }
        assert_eq!(bad, self.bad);
    }
}

/// The service as a process, on the data of the test.
struct Place {
    app: TestApp,
    mail: SmtpServer,
    program: String,
}

impl Place {
    fn new() -> Place {
        let mail = SmtpServer::start(Answers::default());
        let smtp_url = Some(mail.url(""));
        let app = TestApp::with(TestSettings { smtp_url, ..TestSettings::default() });
        let district = app.district();
        for _ in 0..2 {
            app.organization(&district.admin, &district.id, "Twin", "school");
        }
        district.publish_small_group();
        let charter = complete_charter("pilot", &["mc-ia-small-group-support"]);
        let program = district.open_program(&district.coordinator, &charter);
        app.send_mail();
        Place { app, mail, program }
    }

    fn serve(&self) -> Served {
        let url = self.mail.url("");
        let from = "Assay <no-reply@badges.example.org>";
        let more = ["--log", "off", "--smtp-url", &url, "--mail-from", from];
        Served::start_with(self.app.folder(), self.app.database_url().as_deref(), &more)
    }

    fn kill(&self, served: Served) {
        served.signal("KILL");
        let (status, said) = served.end();
        assert_eq!((status, said.as_str()), (None, ""), "it was killed and had nothing to say");
    }

    fn path(&self, cohort: &str) -> String {
        format!("/api/v1/programs/{}/cohorts/{cohort}/invitations", self.program)
    }

    /// Posts to the process. None when it was killed before it had answered.
    fn post(&self, by: &Person, body: &Value) -> Option<Value> {
        let request = by.request(reqwest::Method::POST, &self.path("ia")).json(body);
        let answer = request.send().ok()?;
        assert_eq!(answer.status(), 200);
        answer.json().ok()
    }

    /// Posts to processes that are killed while they think. Returns what the first one said that had the time.
    fn post_and_kill(&self, body: &Value, check: impl Fn()) -> Value {
        let mut took = Duration::from_millis(200);
        for _ in 0..KILLS_OF_REQUESTS {
            let served = self.serve();
            let by = Person::sign_in(&served.origin, "coordinator@example.org", PASSWORD);
            let began = Instant::now();
            std::thread::scope(|scope| {
                let answer = scope.spawn(|| self.post(&by, body));
                let pause = took.mul_f64(rand::random_range(0.0..1.0));
                while began.elapsed() < pause {
                    std::hint::spin_loop();
                }
                self.kill(served);
                if answer.join().unwrap().is_some() {
                    took = began.elapsed().div_f64(2.0);
                }
            });
            check();
        }
        let served = self.serve();
        let by = Person::sign_in(&served.origin, "coordinator@example.org", PASSWORD);
        let answer = self.post(&by, body).unwrap();
        check();
        self.kill(served);
        answer
    }

    /// How many are on the list of the programme.
    fn count_invitees(&self) -> usize {
        let count: i64 = invitees::table
            .filter(invitees::cohort.eq("ia"))
            .count()
            .get_result(&mut *self.app.resources.database.connection().unwrap())
            .unwrap();
        usize::try_from(count).unwrap()
    }

    /// How many mails of the programme are, or were, in the outbox.
    fn count_written(&self) -> usize {
        let count: i64 = outbox::table
            .filter(outbox::kind.eq("program_invitation"))
            .count()
            .get_result(&mut *self.app.resources.database.connection().unwrap())
            .unwrap();
        usize::try_from(count).unwrap()
    }
}

/// Everything of a letter but the day it was sent.
fn words_of(letter: &Delivered) -> String {
    let lines = letter.data.lines().filter(|line| !line.starts_with("Date: "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_service_that_is_killed_takes_a_list_once_and_sends_each_letter_under_one_id() {
    let place = Place::new();
    let (people, kills) = (scale(PEOPLE), scale(KILLS));
    let list = List::new(people);
    let elsewhere = json!({ "csv": list.elsewhere });
    let taken = place.app.sign_in("coordinator@example.org").post(&place.path("t45"), &elsewhere);
    assert_eq!(taken.expect(200)["refused"], 0);

    let look = json!({ "csv": list.csv, "dry_run": true });
    let dry = place.post_and_kill(&look, || assert_eq!(place.count_invitees(), 0));
    list.check(&dry);
    assert_eq!(dry["new"], json!(people));
    let take = json!({ "csv": list.csv });
    let real = place.post_and_kill(&take, || {
        let found = place.count_invitees();
        assert!(found == 0 || found == people, "a list is taken as a whole: {found}");
    });
    list.check(&real);
    let known = real["known"].as_u64().unwrap() + real["new"].as_u64().unwrap();
    assert_eq!((known, place.count_invitees()), (people as u64, people));

    let mut kills_at = [0, 0, 0];
    for kill in 0..kills {
        let (written, sent) = (place.count_written(), place.mail.count_delivered());
        let served = place.serve();
        let letters = rand::random_range(1..=people.div_ceil(2 * kills));
        if kill % 3 == 0 && written < people {
            until("another page is written", || place.count_written() > written);
            kills_at[0] += 1;
        } else if kill % 3 == 1 {
            // It stands between the letter that was taken and the note that it was.
            place.mail.fall_silent_after(letters);
            until("a letter is taken", || place.mail.count_delivered() >= sent + letters);
            kills_at[1] += 1;
        } else {
            until("letters are sent", || place.mail.count_delivered() >= sent + letters);
            kills_at[2] += 1;
        }
        place.kill(served);
        place.mail.speak();
    }
    // The rest by a process whose clock has passed the claims of the dead ones.
    place.app.resources.as_system(assay::service::cohorts::send_waiting).unwrap();
    place.app.advance(TimeDelta::hours(1));
    place.app.send_mail();

    let mut letters: BTreeMap<String, Vec<Delivered>> = BTreeMap::new();
    for letter in place.mail.delivered() {
        let [to] = letter.to.as_slice() else { panic!("one receiver: {:?}", letter.to) };
        let to = to.trim_matches(['<', '>']).to_owned();
        if to.ends_with("@list.example.org") {
            letters.entry(to).or_default().push(letter);
        }
    }
    // Those of the other cohort are written to as people of that one.
    let others =
        list.elsewhere.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned());
    let everybody: BTreeSet<String> = list.good.iter().cloned().chain(others).collect();
    assert!(letters.keys().eq(everybody.iter()), "a letter to everybody, and to nobody else");
    let mut n_again = 0;
    for (to, letters) in &letters {
        let ids: BTreeSet<String> =
            letters.iter().map(|letter| letter.header("Message-ID")).collect();
        assert_eq!(ids.len(), 1, "two letters to {to}");
        let words: BTreeSet<String> = letters.iter().map(words_of).collect();
        assert_eq!(words.len(), 1, "other words to {to} the second time");
        n_again += letters.len() - 1;
    }
    let [at_pages, at_gap, at_letters] = kills_at;
    assert!(at_gap > 0 && at_letters > 0, "{kills_at:?}");
    // Processes that took requests have sent as well.
    let all = kills + 2 * (KILLS_OF_REQUESTS + 1);
    assert!((at_gap..=all).contains(&n_again), "{n_again} letters again after {kills_at:?}");
    report(&format!(
        "{people} people, {} bad rows, {} kills of requests; {at_pages} kills while mails were written, {at_gap} between letter and note, \
         {at_letters} while letters were sent; {n_again} letters again under their id",
        list.bad.len(),
        2 * KILLS_OF_REQUESTS,
    ));
}
