//! Mails of a programme: whose words, to whom, when, and once, wherever the process is stopped.

use std::collections::BTreeMap;

use assay::service::cohorts::{remind, send_waiting};
use assay::service::outbox::send_next;
use assay::store::schema::{invitees, outbox};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{AUDIENCE, Pilot, SMALL_GROUP, counts, faults, list, row};
use crate::harness::{TestApp, complete_charter, scale};

fn charter_with(messages: &[Value], reminders: &[Value]) -> Value {
    let mut charter = complete_charter("pilot", &[SMALL_GROUP]);
    charter["communications"].as_array_mut().unwrap().extend(messages.iter().cloned());
    charter["reminders"] = json!(reminders);
    charter
}

/// A letter as its reader sees it: quoted-printable undone as far as our letters need it.
fn body_of(letter: &str) -> String {
    let (_, body) = letter.split_once("\r\n\r\n").unwrap();
    body.replace("=\r\n", "").replace("=3D", "=").replace("\r\n", "\n")
}

#[test]
fn each_audience_reads_its_own_words_in_its_own_language_and_the_preview_shows_them() {
    let own = "Hola {name}: {organization} te invita a {programme}. Entra aqui: {link} (hasta {link_ends_on}); empieza hasta {closes_on}.";
    let mut charter = charter_with(
        &[
            json!({ "id": "es", "audience": "asistentes", "purpose": "x", "use": "invitation", "for": [AUDIENCE],
                    "language": "es", "subject": "Invitacion: {programme}", "text": own }),
            json!({ "id": "en", "audience": "everybody", "purpose": "x", "use": "invitation",
                    "text": "We would like to see what you do well." }),
        ],
        &[],
    );
    charter["cohorts"][0]["audience"] = json!([AUDIENCE, "teacher"]);
    let pilot = Pilot::with(&charter);
    pilot.invite(&format!(
        "ana@example.org,,Ana {{link}},{AUDIENCE},Willow\r\nben@example.org,,Ben,teacher,Willow\r\n"
    ));
    let ana = pilot.letters_to("ana@example.org").remove(0);
    let title = charter["title"].as_str().unwrap();
    let closes_on = charter["window"]["closes_on"].as_str().unwrap();
    assert!(ana.contains("Subject: Invitacion: Pilot"), "{ana}");
    let text = body_of(&ana).replace('\n', " ");
    // A name with braces stays a name.
    assert!(
        text.contains(&format!("Hola Ana {{link}}: Riverbend District te invita a {title}")),
        "{text}"
    );
    assert!(text.contains(&format!("empieza hasta {closes_on}.")), "{text}");
    assert!(!text.contains("The link is yours alone"), "{text}");
    let ben = body_of(&pilot.letters_to("ben@example.org")[0]);
    assert!(ben.contains("Hello Ben,") && ben.contains("We would like to see what you do well."));
    assert!(ben.contains("The link is yours alone"), "{ben}");

    let preview = |by: &crate::harness::Person, query: &str| {
        by.get(&format!("{}/message-preview?{query}", pilot.program))
    };
    let by = &pilot.district.coordinator;
    let shown = preview(by, &format!("cohort=ia&audience={AUDIENCE}")).expect(200);
    assert_eq!((&shown["message"], &shown["language"]), (&json!("es"), &json!("es")));
    assert_eq!(shown["subject"], format!("Invitacion: {title}"));
    assert!(shown["text"].as_str().unwrap().starts_with("Hola Ana Example: Riverbend District"));
    let shown = preview(by, "cohort=ia&audience=teacher").expect(200);
    assert_eq!(shown["message"], "en");
    let frame = |text: &str| {
        text.lines().filter(|line| !line.contains("://")).map(str::to_owned).collect::<Vec<_>>()
    };
    let sent: Vec<String> =
        frame(ben.trim_end()).into_iter().filter(|line| !line.contains("Hello")).collect();
    let seen: Vec<String> = frame(shown["text"].as_str().unwrap().trim_end())
        .into_iter()
        .filter(|line| !line.contains("Hello"))
        .collect();
    // The day on which the link ends is not known before it is made.
    let day = |line: &String| !line.ends_with("until") && !line.contains("You can begin until");
    assert_eq!(
        sent.iter().filter(|line| day(line)).collect::<Vec<_>>(),
        seen.iter().filter(|line| day(line)).collect::<Vec<_>>()
    );
    assert_eq!(preview(by, "cohort=ia&audience=principal").status, 422);
    assert_eq!(preview(by, "cohort=zz&audience=teacher").status, 404);
    assert_eq!(preview(by, "cohort=ia&audience=teacher&message=zz").status, 404);
    assert_eq!(preview(&pilot.district.earner, "cohort=ia&audience=teacher").status, 403);
}

#[test]
fn a_charter_with_a_message_that_cannot_be_sent_is_found_out() {
    let app = TestApp::new();
    let district = app.district();
    let finds = |messages: &[Value], reminders: &[Value]| -> Vec<(String, String)> {
        let charter = charter_with(messages, reminders);
        let answer =
            district.coordinator.post("/api/v1/programs/validate", &json!({ "charter": charter }));
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let found = answer.expect(200)["findings"].as_array().unwrap().clone();
        found.iter().map(|one| (word(&one["pointer"]), word(&one["code"]))).collect()
    };
    let message = json!({ "id": "m", "audience": "a", "purpose": "p", "subject": "{nmae}", "text": "Hi {surname} and {link}", "for": ["nobody"] });
    let reminder =
        json!({ "id": "r", "message": "missing", "to": "not_started", "days_before_close": 3 });
    let at = |pointer: &str, code: &str| (format!("/charter{pointer}"), code.to_owned());
    assert_eq!(
        finds(&[message], &[reminder.clone(), reminder]),
        [
            at("/communications/3/for/0", "unknown_audience"),
            at("/communications/3/subject", "unknown_placeholder"),
            at("/communications/3/text", "unknown_placeholder"),
            at("/reminders/0/message", "unknown_message"),
            at("/reminders/1/id", "repeated_id"),
            at("/reminders/1/message", "unknown_message"),
        ]
    );
    let message = json!({ "id": "m", "audience": "a", "purpose": "p", "text": "{name} {programme} {organization} {link} {link_ends_on} {closes_on} {} {not a word}" });
    assert_eq!(finds(&[message], &[]), []);
}

#[test]
fn reminders_go_by_the_calendar_once_each_to_whom_they_are_for() {
    let message = |id: &str| json!({ "id": id, "audience": "a", "purpose": "p", "use": "reminder", "text": format!("Words of {id}.") });
    let reminder = |id: &str, to: &str, days: u32| json!({ "id": id, "message": id, "to": to, "days_before_close": days });
    let charter = charter_with(
        &[message("answer"), message("begin"), message("finish")],
        &[
            reminder("answer", "not_enrolled", 30),
            reminder("begin", "not_started", 14),
            reminder("finish", "not_submitted", 14),
        ],
    );
    let pilot = Pilot::with(&charter);
    let emails = ["quiet", "enrolled", "started", "submitted", "declined"]
        .map(|name| format!("{name}@example.org"));
    pilot.invite(&emails.iter().map(|email| row(email)).collect::<String>());
    for email in &emails[1..4] {
        pilot.accept(&pilot.tokens_of(email)[0]).expect(200);
    }
    pilot.decline(&pilot.tokens_of(&emails[4])[0], "not_now", "").expect(204);
    let started = pilot.app.sign_in(&emails[2]);
    pilot.district.fill(&started, &pilot.family);
    let submitted = pilot.app.sign_in(&emails[3]);
    pilot.district.submit(&submitted, &pilot.family);
    let words = |email: &str, id: &str| {
        let all = pilot.letters_to(email);
        all.iter().filter(|letter| letter.contains(&format!("Words of {id}."))).count()
    };
    let tick = || pilot.app.resources.as_system(remind).unwrap();
    let told = || -> BTreeMap<&str, [usize; 3]> {
        emails
            .iter()
            .map(|email| (email.as_str(), ["answer", "begin", "finish"].map(|id| words(email, id))))
            .collect()
    };
    pilot.app.advance(TimeDelta::days(169));
    assert_eq!(tick(), 0, "the day before");
    pilot.app.advance(TimeDelta::days(1));
    assert_eq!(tick(), 1);
    assert_eq!(tick(), 0, "once");
    pilot.app.advance(TimeDelta::days(16));
    assert_eq!(tick(), 2);
    pilot.app.advance(TimeDelta::days(1));
    assert_eq!(tick(), 0);
    let expected = BTreeMap::from([
        (emails[0].as_str(), [1, 0, 0]),
        (emails[1].as_str(), [0, 1, 0]),
        (emails[2].as_str(), [0, 0, 1]),
        (emails[3].as_str(), [0, 0, 0]),
        (emails[4].as_str(), [0, 0, 0]),
    ]);
    assert_eq!(told(), expected);
    // The link of the reminder works although that of the invitation has ended.
    let tokens = pilot.tokens_of(&emails[0]);
    assert_eq!(tokens.len(), 2);
    let works = tokens.iter().filter(|token| pilot.accept(token).status == 200).count();
    assert_eq!(works, 1);
    // A reminder that nobody could write in its week is left out.
    pilot.app.advance(TimeDelta::days(12));
    assert_eq!(tick(), 0);
}

#[test]
fn who_has_more_time_is_reminded_by_their_own_last_day() {
    let message = json!({ "id": "begin", "audience": "a", "purpose": "p", "use": "reminder", "text": "Words of begin." });
    let reminder =
        json!({ "id": "begin", "message": "begin", "to": "not_started", "days_before_close": 0 });
    let pilot = Pilot::with(&charter_with(&[message], &[reminder]));
    pilot.invite(&row("ana@example.org"));
    pilot.accept(&pilot.tokens_of("ana@example.org")[0]).expect(200);
    let coordinator = &pilot.district.coordinator;
    let one = pilot.invitees(coordinator).remove(0);
    let path = format!("{}/invitees/{}", pilot.program, one["id"].as_str().unwrap());
    let charter = coordinator.get(&pilot.program).expect(200)["charter"].clone();
    let closes_on: chrono::NaiveDate =
        charter["window"]["closes_on"].as_str().unwrap().parse().unwrap();
    let body =
        json!({ "ends_on": (closes_on + TimeDelta::days(20)).to_string(), "reason": "On leave." });
    coordinator
        .put(&format!("{path}/extension"), &coordinator.get(&path).etag(), &body)
        .expect(200);
    let tick = || pilot.app.resources.as_system(remind).unwrap();
    pilot.app.advance(TimeDelta::days(200));
    assert_eq!(tick(), 0);
    pilot.app.advance(TimeDelta::days(20));
    assert_eq!(tick(), 1);
    pilot.app.advance(TimeDelta::days(1));
    assert_eq!(tick(), 0);
}

/// How many mails of the programme are in the outbox, by invitee.
fn mails(app: &TestApp) -> BTreeMap<String, usize> {
    let rows: Vec<String> = outbox::table
        .filter(outbox::kind.eq("program_invitation"))
        .select(outbox::person_id)
        .load(&mut *app.resources.database.connection().unwrap())
        .unwrap();
    rows.into_iter().fold(BTreeMap::new(), |mut counts, person| {
        *counts.entry(person).or_default() += 1;
        counts
    })
}

#[test]
fn a_long_list_is_written_to_once_each_by_however_many_workers() {
    let pilot = Pilot::new();
    let n_people = scale(3700);
    let good: String = (0..n_people).map(|n| row(&format!("p{n}@example.org"))).collect();
    let bad = ",,Nobody,instructional_assistant,Willow\r\nx,,X,instructional_assistant,Willow\r\n";
    let csv = list(&(good + bad));
    let dry = pilot.post(&json!({ "csv": csv, "dry_run": true })).expect(200);
    let people = u64::try_from(n_people).unwrap();
    assert_eq!(counts(&dry), [people, 0, 0, 2]);
    assert_eq!(pilot.write_mails(), 0);
    let real = pilot.post(&json!({ "csv": csv })).expect(200);
    assert_eq!(counts(&real), [people, 0, 0, 2]);
    assert_eq!(faults(&real).into_values().collect::<Vec<_>>(), [["nobody_named"], ["email"]]);
    // A client that saw no answer sends it again.
    assert_eq!(counts(&pilot.post(&json!({ "csv": csv })).expect(200)), [0, 0, people, 2]);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| pilot.app.resources.as_system(send_waiting).unwrap());
        }
    });
    let found = mails(&pilot.app);
    assert_eq!(found.len(), n_people);
    assert!(found.values().all(|count| *count == 1));
    let waiting: i64 = invitees::table
        .filter(invitees::state.ne("invited"))
        .count()
        .get_result(&mut *pilot.app.resources.database.connection().unwrap())
        .unwrap();
    assert_eq!(waiting, 0);
    while send_next(&pilot.app.resources).unwrap() {}
    let folder = pilot.app.folder().join("mail");
    let mut by_receiver: BTreeMap<String, usize> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let letter = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let to = letter.lines().find(|line| line.starts_with("To: ")).unwrap();
        if to.contains("p") && letter.contains("Subject: You are invited: ") {
            *by_receiver.entry(to.to_owned()).or_default() += 1;
        }
    }
    assert_eq!(by_receiver.len(), n_people);
    assert!(by_receiver.values().all(|count| *count == 1));
}

/// Changes somebody's membership of the first school.
fn set_state(pilot: &Pilot, email: &str, state: &str) {
    let admin = pilot.app.admin();
    let school = &pilot.district.schools[0];
    let members =
        admin.get(&format!("/api/v1/organizations/{school}/members?limit=100")).expect(200);
    let members = members["items"].as_array().unwrap();
    let one = members.iter().find(|one| one["email"] == email).unwrap();
    let person = one["person_id"].as_str().unwrap();
    let path = format!("/api/v1/organizations/{school}/members/{person}");
    let etag = admin.get(&path).etag();
    admin.put(&path, &etag, &json!({ "roles": ["earner"], "state": state })).expect(200);
}

/// How somebody stands on the list, how many mails were noted, and when the last one was.
fn noted(pilot: &Pilot, email: &str) -> (Value, Value, i32) {
    let coordinator = pilot.app.sign_in("coordinator@example.org");
    let one = pilot.invitees(&coordinator).into_iter().find(|one| one["email"] == email).unwrap();
    let mails = invitees::table
        .find(one["id"].as_str().unwrap())
        .select(invitees::mails)
        .first(&mut *pilot.app.resources.database.connection().unwrap())
        .unwrap();
    (one["state"].clone(), one["last_invited_at"].clone(), mails)
}

#[test]
fn who_is_suspended_gets_no_mail_and_nothing_is_noted_until_that_ends() {
    let message = json!({ "id": "answer", "audience": "a", "purpose": "p", "use": "reminder", "text": "Words of answer." });
    let reminder = json!({ "id": "answer", "message": "answer", "to": "not_enrolled", "days_before_close": 30 });
    let pilot = Pilot::with(&charter_with(&[message], &[reminder]));
    let (early, late) = ("early@example.org", "late@example.org");
    // Both are members already, so that a suspension can be.
    for email in [early, late] {
        let school = &pilot.district.schools[0];
        pilot.app.invite(&pilot.district.admin, school, email, &["earner"]);
    }
    // One is suspended between the list and the mail, the other one after it.
    let both = format!("{}{}", row(early), row(late));
    pilot.post(&json!({ "csv": list(&both) })).expect(200);
    set_state(&pilot, early, "suspended");
    assert_eq!(pilot.write_mails(), 1);
    assert_eq!(noted(&pilot, early), (json!("waiting"), Value::Null, 0));
    assert!(pilot.letters_to(early).iter().all(|letter| !letter.contains("You are invited: ")));
    let invited = noted(&pilot, late);
    assert_eq!((&invited.0, invited.2), (&json!("invited"), 1));
    set_state(&pilot, late, "suspended");

    // Neither a list nor a reminder reaches them, and both say so instead of counting them.
    pilot.app.advance(TimeDelta::days(2));
    let by = pilot.app.sign_in("coordinator@example.org");
    let path = format!("{}/cohorts/ia/invitations", pilot.program);
    let again = by.post(&path, &json!({ "csv": list(&both), "again": true })).expect(200);
    assert_eq!(counts(&again), [0, 0, 0, 2]);
    assert!(faults(&again).into_values().all(|codes| codes == ["suspended"]), "{again}");
    pilot.app.advance(TimeDelta::days(168));
    let tick = || pilot.app.resources.as_system(remind).unwrap();
    assert_eq!((pilot.write_mails(), tick()), (0, 0));
    assert_eq!(noted(&pilot, late), invited);

    // When the suspension ends, the mails leave that were held back.
    set_state(&pilot, early, "confirmed");
    set_state(&pilot, late, "confirmed");
    assert_eq!((pilot.write_mails(), tick()), (1, 2));
    assert_eq!(noted(&pilot, late).2, 2);
}

#[test]
fn a_reminder_does_not_bring_back_a_membership_that_was_ended() {
    let message = json!({ "id": "answer", "audience": "a", "purpose": "p", "use": "reminder", "text": "Words of answer." });
    let reminder = json!({ "id": "answer", "message": "answer", "to": "not_enrolled", "days_before_close": 30 });
    let pilot = Pilot::with(&charter_with(&[message], &[reminder]));
    let email = "gone@example.org";
    pilot.invite(&row(email));
    set_state(&pilot, email, "removed");
    let before = noted(&pilot, email);
    pilot.app.advance(TimeDelta::days(170));
    assert_eq!(pilot.app.resources.as_system(remind).unwrap(), 0);
    assert_eq!(noted(&pilot, email), before);
    assert!(pilot.letters_to(email).iter().all(|letter| !letter.contains("Words of answer.")));
    let admin = pilot.app.admin();
    let school = &pilot.district.schools[0];
    let members = admin.get(&format!("/api/v1/organizations/{school}/members")).expect(200);
    let members = members["items"].as_array().unwrap().iter();
    assert!(members.filter(|one| one["email"] == email).all(|one| one["state"] == "removed"));
    // A coordinator who asks for them by name offers it again.
    let by = pilot.app.sign_in("coordinator@example.org");
    let path = format!("{}/cohorts/ia/invitations", pilot.program);
    let again = by.post(&path, &json!({ "csv": list(&row(email)), "again": true })).expect(200);
    assert_eq!(counts(&again), [0, 1, 0, 0]);
    assert_eq!(pilot.write_mails(), 1);
}
