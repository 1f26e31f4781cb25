//! A rubric that is edited after somebody has handed in: a new version, and nothing of the old one changes by a byte.

use std::collections::{BTreeMap, BTreeSet};

use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use serde_json::{Value, json};

use crate::harness::{Answer, District, Person, TestApp, definition};

/// Where what was handed in, read, decided and awarded lies.
const TABLES: [&str; 19] = [
    "submissions",
    "submission_events",
    "submission_responses",
    "evidence",
    "evidence_accesses",
    "reviews",
    "review_scores",
    "review_coverage",
    "decisions",
    "decision_levels",
    "resolutions",
    "carried_levels",
    "awards",
    "issuance_intents",
    "credentials",
    "credential_jwts",
    "issuance_log",
    "outbox",
    "audit_events",
];

/// What the page of a badge says of the second version.
const NEWER: &str = r#"<br><span class="quiet">The current version is 2.0.0. That does not change this credential.</span>"#;

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every row of a table with every column, whatever they are called.
fn rows(app: &TestApp, table: &str) -> BTreeSet<String> {
    let mut conn = app.resources.database.connection().unwrap();
    let is_sqlite = app.database_url().is_none();
    let columns = if is_sqlite {
        format!("SELECT name AS line FROM pragma_table_info('{table}') ORDER BY cid")
    } else {
        format!(
            "SELECT column_name::text AS line FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        )
    };
    let columns: Vec<Line> = diesel::sql_query(columns).load(&mut *conn).unwrap();
    assert!(columns.len() > 1, "there is no table {table}");
    let quoted: Vec<String> = columns
        .iter()
        .map(|Line { line: column }| {
            let quoted = if is_sqlite {
                format!("quote({column})")
            } else {
                format!("quote_nullable({column}::text)")
            };
            format!("'{column} ' || {quoted}")
        })
        .collect();
    let all = format!("SELECT {} AS line FROM {table}", quoted.join(" || ', ' || "));
    let lines: Vec<Line> = diesel::sql_query(all).load(&mut *conn).unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

fn all_rows(app: &TestApp) -> BTreeMap<&'static str, BTreeSet<String>> {
    TABLES.into_iter().map(|table| (table, rows(app, table))).collect()
}

/// The district with everybody who has a part in the first version.
struct Story {
    app: TestApp,
    district: District,
    family: String,
    second: Person,
    slow: Person,
    /// Paths with who reads them, and in which form.
    views: Vec<(Option<Person>, String, &'static str)>,
}

fn path_of(answer: &Value) -> String {
    format!("/api/v1/reviews/{}", answer["id"].as_str().unwrap())
}

/// Claims and saves a sheet. Returns the path of the review.
#[track_caller]
fn save_next(assessor: &Person, offset: i64) -> String {
    let claimed = assessor.post("/api/v1/reviews/claim", &json!({}));
    let etag = claimed.etag();
    let review = claimed.expect(201);
    let path = path_of(&review);
    let sheet = District::sheet(&review, offset);
    assessor.put(&format!("{path}/scores"), &etag, &sheet).expect(200);
    path
}

impl Story {
    /// By the first version: an award; a not-yet of two readers and the attempt after it that earns; and one whose reader has saved a sheet and not locked it.
    fn new() -> Story {
        let app = TestApp::new();
        let district = app.district();
        let office = &district.id;
        let second = app.invite(&district.admin, office, "second@example.org", &["assessor"]);
        let slow = app.invite(&district.admin, office, "slow@example.org", &["assessor"]);
        let school = &district.schools[0];
        let other = app.invite(&district.admin, school, "other@example.org", &["earner"]);
        let third = app.invite(&district.admin, school, "third@example.org", &["earner"]);
        let family = district.publish_small_group();
        let mut story = Story { app, district, family, second, slow, views: Vec::new() };
        let (first, assessor) = (story.district.earner.clone(), story.district.assessor.clone());

        let earned = story.hand_in(&first);
        let path = save_next(&assessor, 1);
        story.lock(&assessor, path);
        let own = first.get(&earned).expect(200);
        assert_eq!(own["decision"], "earned");
        story.look_at_award(&own["award"]);

        let not_yet = story.hand_in(&other);
        for assessor in [assessor, story.second.clone()] {
            let [_, locked] = District::score_below(&assessor, &["c4"], "Show where it was used.");
            story.views.push((Some(assessor), path_of(&locked), "application/json"));
        }
        assert_eq!(other.get(&not_yet).expect(200)["decision"], "not_yet");
        story.hand_in_again(&other, &not_yet);

        story.hand_in(&third);
        let path = save_next(&story.slow, 0);
        story.views.push((Some(story.slow.clone()), path, "application/json"));
        let versions = format!("/api/v1/micro-credentials/{}/versions/1", story.family);
        let achievement = format!("/achievements/{}/versions/1", story.family);
        for path in [versions, achievement] {
            story.views.push((None, path, "application/json"));
        }
        story
    }

    /// Hands in, and looks at it from now on. Returns its path.
    #[track_caller]
    fn hand_in(&mut self, earner: &Person) -> String {
        let id = self.district.submit(earner, &self.family);
        self.look_at(earner, format!("/api/v1/submissions/{id}"))
    }

    /// Another attempt after a not-yet, which is read where the first was below and earns.
    #[track_caller]
    fn hand_in_again(&mut self, earner: &Person, before: &str) {
        // Coordinators see the newest attempt alone.
        let coordinator = self.district.coordinator.id.clone();
        self.views.retain(|(person, path, _)| {
            path != before || person.as_ref().is_none_or(|one| one.id != coordinator)
        });
        let again = earner.post(&format!("{before}/resubmit"), &json!({}));
        let path = again.headers["location"].clone();
        let etag = earner.get(&path).etag();
        earner.patch(&path, &etag, &json!({ "integrity_statement": true })).expect(200);
        earner.act(&format!("{path}/submit")).expect(200);
        let review = save_next(&self.slow, 0);
        self.lock(&self.slow.clone(), review);
        assert_eq!(earner.get(&path).expect(200)["decision"], "earned");
        self.look_at(earner, path);
    }

    fn look_at(&mut self, earner: &Person, path: String) -> String {
        let coordinator = self.district.coordinator.clone();
        for person in [earner.clone(), coordinator] {
            self.views.push((Some(person), path.clone(), "application/json"));
        }
        path
    }

    #[track_caller]
    fn lock(&mut self, assessor: &Person, path: String) {
        assessor.act(&format!("{path}/lock")).expect(200);
        self.views.push((Some(assessor.clone()), path, "application/json"));
    }

    /// The badge in its forms, and the list that says whether it still counts.
    fn look_at_award(&mut self, award: &Value) {
        let badge = award["path"].as_str().unwrap().to_owned();
        let signed = self.app.anybody().get(&badge).expect(200);
        let list = signed["credentialStatus"]["statusListCredential"].as_str().unwrap();
        let list = url::Url::parse(list).unwrap().path().to_owned();
        for accept in ["application/vc", "application/vc+jwt", "text/html"] {
            self.views.push((None, badge.clone(), accept));
        }
        for accept in ["application/vc", "application/vc+jwt"] {
            self.views.push((None, list.clone(), accept));
        }
        let award = format!("/api/v1/awards/{}", award["id"].as_str().unwrap());
        self.views.push((Some(self.district.earner.clone()), award, "application/json"));
    }

    /// What is served of all of it, to each who looks.
    fn served(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        for (person, path, accept) in &self.views {
            let person = person.clone().unwrap_or_else(|| self.app.anybody());
            let answer: Answer = person.get_as(path, accept);
            assert_eq!(answer.status, 200, "{path} as {accept} for {}: {answer:?}", person.email);
            assert!(!answer.bytes.is_empty());
            found.push((format!("{path} as {accept} for {}", person.email), answer.bytes));
        }
        found
    }

    /// Publishes a second version, with another criterion in the place of the first and other words for its levels.
    fn edit_the_rubric(&self) {
        let mut edited = definition("mc-ia-small-group-support");
        edited["version"] = json!("2.0.0");
        let criterion = &mut edited["submission"]["part2"]["criteria"][0];
        criterion["title"] = json!("Plans, and says why");
        for level in criterion["levels"].as_array_mut().unwrap() {
            let words = format!("{} It is said why.", level["descriptor"].as_str().unwrap());
            level["descriptor"] = json!(words);
        }
        let [author, colleague] = &self.district.designers;
        let versions = format!("/api/v1/micro-credentials/{}/versions", self.family);
        author.post(&versions, &json!({ "definition": edited })).expect(201);
        for designer in [author, colleague] {
            let approval = json!({ "approve": true });
            designer.post(&format!("{versions}/2/approvals"), &approval).expect(201);
        }
        author.act(&format!("{versions}/2/publish")).expect(200);
    }
}

#[test]
fn edited_rubric_is_a_new_version_and_leaves_every_byte_of_the_old_work() {
    let story = Story::new();
    // Looking at the work is written down, so it comes before the rows are read.
    let served = story.served();
    let before = all_rows(&story.app);
    let filled = before.iter().filter(|(_, rows)| !rows.is_empty()).map(|(table, _)| *table);
    let empty: Vec<&str> =
        TABLES.into_iter().filter(|table| !filled.clone().any(|one| one == *table)).collect();
    assert!(empty.is_empty(), "the story leaves nothing to compare there: {empty:?}");

    story.edit_the_rubric();
    let school = &story.district.schools[0];
    let admin = &story.district.admin;
    let new = story.app.invite(admin, school, "new@example.org", &["earner"]);
    let id = story.district.submit(&new, &story.family);
    let path = save_next(&story.second, 1);
    story.second.act(&format!("{path}/lock")).expect(200);
    let own = new.get(&format!("/api/v1/submissions/{id}")).expect(200);
    assert_eq!([&own["version"], &own["decision"]], [&json!(2), &json!("earned")]);
    let badge = story.app.anybody().get(own["award"]["path"].as_str().unwrap()).expect(200);
    assert!(badge.to_string().contains("Plans, and says why"));
    assert!(badge.to_string().contains(&format!("/achievements/{}/versions/2", story.family)));

    let after = all_rows(&story.app);
    for (table, rows) in &before {
        let gone: Vec<&String> = rows.difference(&after[table]).collect();
        assert!(gone.is_empty(), "{table} has changed: {gone:#?}");
    }
    for table in ["submissions", "reviews", "decisions", "awards", "credentials"] {
        assert_eq!(after[table].len(), before[table].len() + 1, "{table}");
    }
    for ((what, bytes), (_, again)) in served.iter().zip(story.served()) {
        // The page of a badge says besides that there is a newer version.
        let again = String::from_utf8_lossy(&again).replace(NEWER, "");
        let bytes = String::from_utf8_lossy(bytes);
        let changed: Vec<_> = bytes.lines().zip(again.lines()).filter(|(a, b)| a != b).collect();
        assert!(bytes == again, "{what}: {changed:#?}");
    }

    // Whoever was at work by the first version goes on by it.
    let slow = story.views.iter().rev().find_map(|(person, path, _)| {
        let is_slow = person.as_ref().is_some_and(|person| person.id == story.slow.id);
        is_slow.then(|| path.clone())
    });
    let locked = story.slow.act(&format!("{}/lock", slow.unwrap())).expect(200);
    assert_eq!(locked["is_decided"], true);
    let third = story.app.sign_in("third@example.org");
    let mine = third.get("/api/v1/submissions").expect(200);
    let id = mine["items"][0]["id"].as_str().unwrap();
    let own = third.get(&format!("/api/v1/submissions/{id}")).expect(200);
    assert_eq!([&own["version"], &own["decision"]], [&json!(1), &json!("earned")]);
    let badge = story.app.anybody().get(own["award"]["path"].as_str().unwrap()).expect(200);
    assert!(!badge.to_string().contains("Plans, and says why"));
    let verdict = story.app.anybody().post("/api/v1/verify", &badge).expect(200);
    assert_eq!(verdict["verdict"], "valid", "{verdict}");
}
