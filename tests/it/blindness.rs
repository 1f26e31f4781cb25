//! An assessor never learns whose work they read, nor who else reads it: whatever they ask for, in whatever form it is answered.
//!
//! Work is handed in that says in every place it has whose it is. Everybody who may read it then asks for everything there is, with every id
//! that they have seen and with those that they cannot know. What they are answered, the mail that they get and the log are searched.

mod search;
mod sweep;

use std::collections::{BTreeSet, HashMap};

use assay::http::routes::ROUTES;
use assay::store::schema::outbox;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use diesel::prelude::*;
use serde_json::{Value, json};

use self::search::find;
use self::sweep::{Allowance, Canary, Extent, Ids, Prober, What};
use crate::harness::canaries::{
    EMAIL, NAME, SCHOOL, archive, page, photograph, picture, text_document,
};
use crate::harness::served::{Served, until};
use crate::harness::{Answers, District, PASSWORD, Person, SmtpServer, TestApp, definition};

/// The word in every name of the earner's files that stands nowhere else.
const FILE_WORD: &str = "heliotrope";
/// The word in the address of the colleague with whom the earner has made an item.
const CO_EARNER_WORD: &str = "thistledown";
/// Everything that tells who the earner is.
const EARNER_WORDS: [&str; 3] = ["quillfeather", FILE_WORD, CO_EARNER_WORD];

/// Whoever reads: a word that only their name has, and one that only their address has.
const READERS: [(&str, &str, &[&str]); 6] = [
    ("Featherstonehaugh", "first-gillyflower@example.org", &["assessor"]),
    ("Cholmondeley", "second-periwinkle@example.org", &["assessor"]),
    ("Wriothesley", "lead-snapdragon@example.org", &["lead_assessor", "assessor"]),
    ("Leveson-Gower", "fresh-columbine@example.org", &["assessor"]),
    ("Marjoribanks", "fresh-meadowsweet@example.org", &["assessor"]),
    ("Auchinleck", "recused-loosestrife@example.org", &["assessor"]),
];

/// What the readers may be told. Each is needed by the probe: one that nobody needs any more fails it.
const ALLOWED: [Allowance; 2] = [
    Allowance {
        operation: "list_organizations",
        what: What::School,
        reason: "whoever belongs to a district sees its tree; that there is such a school does not say whose work is from there",
    },
    Allowance {
        operation: "read_organization",
        what: What::School,
        reason: "one organization of that tree, by an id that the list has; no answer about the submission has the id",
    },
];

/// The installation as a process of its own, with a mail server, and everybody in it.
struct Stage {
    app: TestApp,
    district: District,
    served: Served,
    mail: SmtpServer,
    admin: Person,
    school: String,
    earner: Person,
    co_earner: Person,
    readers: Vec<Person>,
}

impl Stage {
    fn new() -> Stage {
        let app = TestApp::new();
        let district = app.district();
        let mail = SmtpServer::start(Answers::default());
        let url = app.database_url();
        // At the level that it has unless somebody asks for another.
        let arguments = ["--smtp-url", &mail.url(""), "--mail-from", "no-reply@badges.example.org"];
        let served = Served::start_with(app.folder(), url.as_deref(), &arguments);
        let admin = Person::sign_in(&served.origin, &district.admin.email, PASSWORD);
        let school = app.organization(&admin, &district.id, SCHOOL, "school");
        let join = |organization: &str, name: &str, email: &str, roles: &[&str]| {
            let path = format!("/api/v1/organizations/{organization}/invitations");
            let body = json!({ "email": email, "name": name, "roles": roles });
            let invited = admin.post(&path, &body).expect(201);
            let token = app.resources.keyring.invitation_token(invited["id"].as_str().unwrap());
            let body = json!({ "token": token, "password": PASSWORD });
            let stranger = Person::anonymous(&served.origin);
            stranger.post("/api/v1/invitations/accept", &body).expect(200);
            Person::sign_in(&served.origin, email, PASSWORD)
        };
        let earner = join(&school, NAME, EMAIL, &["earner"]);
        // With what skills are counted for there is an inventory to ask for.
        let purpose = format!("/api/v1/organizations/{}/inventory-purpose", district.id);
        admin.put(&purpose, "\"0\"", &json!({ "statement": "To ask each other." })).expect(200);
        // Of no school: readers of one school are never put together.
        let readers = READERS
            .iter()
            .map(|(name, email, roles)| join(&district.id, &format!("Pat {name}"), email, roles))
            .collect();
        let co_earner = app.seed(&district.id, "thistledown@example.org", &["earner"]);
        Stage { app, district, served, mail, admin, school, earner, co_earner, readers }
    }

    /// Hands in work with a file of each kind, a link and texts, that a coach has seen. Returns its id, that of the micro-credential and
    /// that of the coaching.
    fn submit(&self) -> (String, String, String) {
        let mut wanted = definition("mc-shared-decision-making");
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        let requirement = &mut wanted["submission"]["part2"]["evidence"][0];
        requirement["media"] = json!(["application/pdf", "image/png", "image/jpeg", docx]);
        requirement["max_items"] = json!(9);
        let family = self.district.publish(&wanted);
        let id = self.district.fill(&self.earner, &family);
        for (ending, bytes) in files() {
            let name = format!("quillfeather {FILE_WORD} marigold.{ending}");
            let item = self.earner.upload(&id, "a1", &name, &bytes).expect(201);
            assert_eq!(item["metadata"], "removed", "{item}");
            assert_eq!(item["file_name"], name.as_str());
        }
        let path = format!("/api/v1/submissions/{id}");
        let link = json!({ "requirement_id": "a1", "url": "https://video.example.org/watch/17" });
        self.earner.post(&format!("{path}/evidence"), &link).expect(201);
        let coaching = self.ask_a_coach(&path);
        self.name_a_co_earner(&path);
        let asked = json!({
            "requirement_id": "a2", "contributor": "colleague", "message": "From quillfeather, of marigold.",
        });
        self.earner.post(&format!("{path}/contribution-links"), &asked).expect(201);
        self.earner.act(&format!("{path}/submit")).expect(200);
        (id, family, coaching)
    }

    /// Shares everything with a coach, who writes something. Returns the coaching.
    fn ask_a_coach(&self, path: &str) -> String {
        let coach = self.app.seed(&self.district.id, "coach@example.org", &["coach"]);
        let shares = ["responses", "evidence", "feedback"];
        let body = json!({ "person_id": coach.id, "shares": shares });
        let id = id_of(&self.earner.post(&format!("{path}/coachings"), &body).expect(201));
        let words = json!({ "text": "Dear quillfeather, say more about the roles." });
        coach.post(&format!("/api/v1/coachings/{id}/comments"), &words).expect(201);
        id
    }

    /// Says that the link was made together with a colleague, who says so too.
    fn name_a_co_earner(&self, path: &str) {
        let own = self.earner.get(path).expect(200);
        let items = own["evidence"].as_array().unwrap();
        let link = items.iter().find(|item| item["kind"] == "link").unwrap();
        let body = json!({ "evidence_id": link["id"], "email": self.co_earner.email });
        let named = self.earner.post(&format!("{path}/co-earners"), &body).expect(201);
        let answer = format!("/api/v1/shared-evidence/{}/answer", id_of(&named));
        self.co_earner.post(&answer, &json!({ "is_confirmed": true })).expect(200);
    }

    /// A reader who looks everywhere, and knows the ids that a test knows.
    fn prober(&self, number: usize, id: &str, family: &str, coaching: &str) -> Prober<'static> {
        let canary = |text: &str, what: What| Canary { text: text.to_owned(), what };
        let mut canaries = vec![
            canary("marigold", What::School),
            canary(&self.school, What::School),
            canary(&self.earner.id, What::Earner),
            canary(&self.co_earner.id, What::Earner),
        ];
        canaries.extend(EARNER_WORDS.map(|word| canary(word, What::Earner)));
        for (other, (name, email, _)) in READERS.iter().enumerate() {
            if other != number {
                let word = email.split(['-', '@']).nth(1).unwrap();
                canaries.extend([name, word].map(|text| canary(text, What::Assessor)));
            }
        }
        let own = self.earner.get(&format!("/api/v1/submissions/{id}")).expect(200);
        let evidence = own["evidence"].as_array().unwrap();
        let named = self.earner.get(&format!("/api/v1/submissions/{id}/co-earners")).expect(200);
        let named: BTreeSet<String> =
            named["items"].as_array().unwrap().iter().map(id_of).collect();
        let known = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect();
        let organizations = self.admin.get("/api/v1/organizations?limit=100").expect(200);
        let people = self.readers.iter().chain([&self.earner, &self.admin]);
        let people: BTreeSet<String> = people.map(|person| person.id.clone()).collect();
        let ids = Ids::from([
            ("submissions".to_owned(), known(vec![id])),
            ("coachings".to_owned(), known(vec![coaching])),
            ("co-earners".to_owned(), named.clone()),
            ("shared-evidence".to_owned(), named),
            ("micro-credentials".to_owned(), known(vec![family])),
            ("achievements".to_owned(), known(vec![family])),
            ("evidence".to_owned(), evidence.iter().map(id_of).collect()),
            (
                "organizations".to_owned(),
                organizations["items"].as_array().unwrap().iter().map(id_of).collect(),
            ),
            ("awards".to_owned(), BTreeSet::new()),
            ("credentials".to_owned(), BTreeSet::new()),
            ("cases".to_owned(), BTreeSet::new()),
            ("members".to_owned(), people.clone()),
            ("load-caps".to_owned(), people),
        ]);
        Prober {
            name: READERS[number].0.to_owned(),
            person: self.readers[number].clone(),
            canaries,
            allowed: &ALLOWED,
            ids,
            asked: BTreeSet::new(),
            n_answers: 0,
            searched: HashMap::new(),
            needed: BTreeSet::new(),
            breaches: Vec::new(),
            share: (number, READERS.len()),
        }
    }
}

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

fn files() -> [(&'static str, Vec<u8>); 4] {
    [("jpg", photograph()), ("pdf", page()), ("png", picture()), ("docx", text_document())]
}

/// Claims, and has everything looked at while the work lies open. Returns the path of the review.
#[track_caller]
fn claim(prober: &mut Prober<'_>, id: &str) -> String {
    let claimed = prober.person.post("/api/v1/reviews/claim", &json!({}));
    prober.look("claim_review", "claim", &claimed);
    let etag = claimed.etag();
    let review = claimed.expect(201);
    assert_eq!(review["submission_id"], id);
    let path = format!("/api/v1/reviews/{}", id_of(&review));
    prober.ids.entry("reviews".to_owned()).or_default().insert(id_of(&review));
    let saved = prober.person.put(&format!("{path}/scores"), &etag, &District::sheet(&review, 0));
    prober.look("put_scores", "the sheet", &saved);
    assert_eq!(saved.status, 200, "{saved:?}");

    let items = review["work"]["evidence"].as_array().unwrap();
    // Four files, a link, and a text for each requirement.
    assert_eq!(items.len(), 9);
    let mut n_files = 0;
    for item in items {
        assert_eq!(item["is_shared"], item["kind"] == "link", "{item}");
        let content = item["content_path"].as_str().unwrap();
        let answer = prober.person.get(content);
        prober.look("read_evidence_content", content, &answer);
        assert_eq!(answer.status, 200);
        let disposition = answer.headers.get("content-disposition").map_or("", String::as_str);
        let start = format!("attachment; filename=\"{}-", item["requirement_id"].as_str().unwrap());
        let rest = disposition.strip_prefix(&start).unwrap_or_else(|| panic!("{disposition}"));
        let (number, ending) = rest.trim_end_matches('"').split_once('.').unwrap();
        assert!(number.parse::<u8>().is_ok() && ending.len() <= 4, "{disposition}");
        n_files += usize::from(item["kind"] == "file");
    }
    assert_eq!(n_files, 4);
    prober.sweep(Extent::WhileReading);
    path
}

/// Locks what was claimed, with this level for the first criterion if it is there.
#[track_caller]
fn lock(prober: &mut Prober<'_>, path: &str, first: Option<i64>) -> Value {
    let read = prober.person.get(path);
    let mut sheet = District::sheet(&read.json, 0);
    for line in sheet["scores"].as_array_mut().unwrap() {
        if let (Some(level), true) = (first, line["criterion_id"] == "c1") {
            line["level"] = json!(level);
        }
    }
    prober.person.put(&format!("{path}/scores"), &read.etag(), &sheet).expect(200);
    let locked = prober.person.act(&format!("{path}/lock"));
    prober.look("lock_review", path, &locked);
    locked.expect(200)
}

#[test]
fn nobody_who_reads_learns_whose_work_it_is_or_who_else_reads_it() {
    let stage = Stage::new();
    let (id, family, coaching) = stage.submit();
    let submission = format!("/api/v1/submissions/{id}");
    earner_sees_what_the_readers_must_not(&stage, &submission);
    let mut probers: Vec<Prober<'_>> =
        (0..READERS.len()).map(|number| stage.prober(number, &id, &family, &coaching)).collect();
    let [first, second, lead, fresh, other_fresh, recused] = &mut probers[..] else { panic!() };

    let path = claim(recused, &id);
    let reason = json!({ "reason": "I recognise this person" });
    let stepped_back = recused.person.post(&format!("{path}/recuse"), &reason);
    recused.look("recuse_review", &path, &stepped_back);
    assert_eq!(stepped_back.status, 200);

    let first_path = claim(first, &id);
    let locked = lock(first, &first_path, Some(0));
    assert_eq!(locked["is_decided"], false);
    let before = first.person.get(&first_path);
    let second_path = claim(second, &id);
    assert_eq!(lock(second, &second_path, None)["is_decided"], false, "they differ in c1");
    let lead_path = claim(lead, &id);
    lock(lead, &lead_path, None);
    let own = stage.earner.get(&submission).expect(200);
    assert_eq!(own["decision"], "earned", "{own}");
    // What the first reader sees of it is to the byte what they saw before anybody else had read.
    let after = first.person.get(&first_path);
    assert_eq!([&before.bytes], [&after.bytes], "somebody is told of a decision by its time");

    let grounds = json!({ "grounds": "scoring", "criteria": ["c1"], "statement": "Look again." });
    stage.earner.post(&format!("{submission}/appeal"), &grounds).expect(201);
    for reader in [fresh, other_fresh] {
        let path = claim(reader, &id);
        lock(reader, &path, None);
    }
    let own = stage.earner.get(&submission).expect(200);
    let reviews: BTreeSet<String> =
        probers.iter().flat_map(|prober| prober.ids["reviews"].clone()).collect();
    assert_eq!(reviews.len(), READERS.len());
    for prober in &mut probers {
        prober.ids.insert("reviews".to_owned(), reviews.clone());
        let awards = BTreeSet::from([id_of(&own["award"])]);
        prober.ids.insert("awards".to_owned(), awards.clone());
        prober.ids.insert("credentials".to_owned(), awards);
        prober.ids.insert("cases".to_owned(), BTreeSet::from([id_of(&own["cases"][0])]));
        prober.sweep(Extent::Afterwards);
    }

    let every: BTreeSet<&str> = ROUTES.iter().map(|route| route.operation).collect();
    for prober in &probers {
        let missing: Vec<_> = every.difference(&prober.asked).collect();
        assert!(missing.is_empty(), "{} never asked for {missing:?}", prober.name);
        assert!(prober.n_answers > every.len());
    }
    let breaches: Vec<String> =
        probers.iter().flat_map(|prober| prober.breaches.iter().cloned()).collect();
    assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
    for allowed in &ALLOWED {
        let is_needed = probers.iter().any(|prober| prober.needed.contains(allowed.operation));
        assert!(is_needed, "nobody needs {}: {}", allowed.operation, allowed.reason);
    }
    letters_name_nobody_but_their_reader(&stage, &probers);
    log_names_nobody(stage);
}

/// The search finds the canaries where they are: in what the earner gets.
fn earner_sees_what_the_readers_must_not(stage: &Stage, submission: &str) {
    let me = stage.earner.get("/api/v1/me");
    assert_eq!(find(&me.bytes, &["quillfeather", "marigold"]), ["marigold", "quillfeather"]);
    let own = stage.earner.get(submission);
    assert_eq!(find(&own.bytes, &[FILE_WORD]), [FILE_WORD]);
    let items = own.json["evidence"].as_array().unwrap();
    for (ending, _) in files() {
        let name = format!("quillfeather {FILE_WORD} marigold.{ending}");
        let item = items.iter().find(|item| item["file_name"] == name.as_str()).unwrap();
        let original = stage.earner.get(item["content_path"].as_str().unwrap());
        assert_eq!(
            find(&original.bytes, &["quillfeather", "marigold"]),
            ["marigold", "quillfeather"],
            "{ending}"
        );
    }
}

/// Sends all that waits and searches what the readers got.
fn letters_name_nobody_but_their_reader(stage: &Stage, probers: &[Prober<'_>]) {
    until("the end of the outbox", || {
        let mut connection = stage.app.resources.database.connection().unwrap();
        let waiting: i64 = outbox::table
            .filter(outbox::state.ne("sent"))
            .count()
            .get_result(&mut *connection)
            .unwrap();
        waiting == 0
    });
    let delivered = stage.mail.delivered();
    let to = |email: &str| {
        let address = format!("<{email}>");
        let letters = delivered.iter().filter(|letter| letter.to.contains(&address));
        letters.collect::<Vec<_>>()
    };
    // The search finds a name in a letter where there is one.
    assert!(to(EMAIL).iter().all(|letter| !find(letter.data.as_bytes(), &["zora"]).is_empty()));
    for (prober, (name, email, _)) in probers.iter().zip(READERS) {
        let letters = to(email);
        assert!(!letters.is_empty(), "{email} was invited by mail");
        for letter in letters {
            assert_eq!(find(letter.data.as_bytes(), &[name]), [name], "{}", letter.data);
            let texts: Vec<&str> =
                prober.canaries.iter().map(|canary| canary.text.as_str()).collect();
            let found = find(letter.data.as_bytes(), &texts);
            assert!(found.is_empty(), "{found:?} in {}", letter.data);
        }
    }
}

/// Stops the service and searches everything that it has written since it started.
fn log_names_nobody(stage: Stage) {
    stage.served.signal("TERM");
    let (status, log) = stage.served.end();
    assert_eq!(status, Some(0));
    let lines: Vec<Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let with = |key: &str, word: &str| lines.iter().filter(|line| line[key] == word).count();
    assert!(with("message", "answered") > 1000 && with("operation", "claim_review") > 0);
    assert!(with("message", "mail sent") > 0, "{log}");
    let mut names = vec!["quillfeather", "zora", "marigold", FILE_WORD];
    names.extend(READERS.iter().map(|(name, _, _)| *name));
    names.extend(READERS.iter().map(|(_, email, _)| email.split(['-', '@']).nth(1).unwrap()));
    for line in log.lines() {
        let found = find(line.as_bytes(), &names);
        assert!(found.is_empty(), "{found:?} in {line}");
    }
}

#[test]
fn search_finds_a_name_in_every_form() {
    const WORD: &str = "Quillfeather";
    let sentence = format!("by Zora {WORD}, room 7");
    let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        sentence.encode_utf16().flat_map(order).collect()
    };
    let each = |write: &dyn Fn(u8) -> String| -> Vec<u8> {
        sentence.bytes().map(write).collect::<String>().into_bytes()
    };
    let packed = archive(&[("a.txt", sentence.repeat(20).into_bytes())]);
    let zlib = |text: &str| {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let forms: Vec<(&str, Vec<u8>)> = vec![
        ("plain", sentence.clone().into_bytes()),
        ("capitals", sentence.to_uppercase().into_bytes()),
        ("UTF-16, little end first", wide(u16::to_le_bytes)),
        ("UTF-16, big end first", wide(u16::to_be_bytes)),
        ("UTF-16 from an odd place", [b"x".to_vec(), wide(u16::to_be_bytes)].concat()),
        ("percent signs", each(&|byte| format!("%{byte:02x}"))),
        ("equals signs", each(&|byte| format!("={byte:02X}"))),
        ("a broken line of mail", format!("by Zora Quillfe=\r\nather, r{}", "oom").into_bytes()),
        ("entities", each(&|byte| format!("&#{byte};"))),
        ("hexadecimal entities", each(&|byte| format!("&#x{byte:x};"))),
        ("escapes of JSON", each(&|byte| format!("\\u{byte:04x}"))),
        ("hexadecimal digits", each(&|byte| format!("{byte:02x}"))),
        ("base64", STANDARD.encode(&sentence).into_bytes()),
        ("base64 in a text", format!("x1234{}", STANDARD.encode(&sentence)).into_bytes()),
        ("base64 of URLs", URL_SAFE_NO_PAD.encode(sentence.repeat(3)).into_bytes()),
        (
            "base64 in lines",
            STANDARD
                .encode(sentence.repeat(4))
                .as_bytes()
                .chunks(20)
                .flat_map(|line| [line, b"\r\n"].concat())
                .collect(),
        ),
        ("an archive", packed.clone()),
        ("an archive within base64", STANDARD.encode(&packed).into_bytes()),
        ("the name of an entry", archive(&[(&sentence, Vec::new())])),
        ("a compressed stream", [b"stream\r\n".to_vec(), zlib(&sentence.repeat(9))].concat()),
        ("a text of a compressed picture", picture()),
        ("an Office document", text_document()),
    ];
    for (form, bytes) in forms {
        assert_eq!(find(&bytes, &[WORD, "Gillyflower"]), [WORD], "{form}");
    }
    assert_eq!(find(&picture(), &["marigold"]), ["marigold"], "it stands there compressed only");
    assert!(find(b"Quill feather, Quillfeathe", &[WORD]).is_empty());
}
