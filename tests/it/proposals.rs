//! Proposals from everyone: a change to a published rubric, a look where a stranger sent it, a public answer, a draft that credits its author.

use assay::domain::proposal::{ProposalEvent, ProposalState};
use assay::http::web::proposals::{AnswerLine, ProposalLine, ProposalsPage, proposals_page};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, District, Person, TestApp, definition};

const PLACE: &str = "/submission/part2/criteria/0/levels/1/descriptor";
const WORDS: &str = "The purpose is agreed, and written down before the session.";
const WHY: &str = "Assessors cannot see what was only said.";

struct Scene {
    app: TestApp,
    district: District,
    family: String,
    path: String,
}

impl Scene {
    fn new() -> Scene {
        let app = TestApp::new();
        let district = app.district();
        let family = district.publish(&definition("mc-ia-small-group-support"));
        let path = format!("/api/v1/micro-credentials/{family}/versions/1/proposals");
        Scene { app, district, family, path }
    }

    #[track_caller]
    fn propose(&self, by: &Person, body: &Value) -> Value {
        by.post(&self.path, body).expect(201)
    }

    fn shown(&self) -> Vec<Value> {
        let path = format!("/api/v1/micro-credentials/{}/proposals", self.family);
        self.app.anybody().get(&path).expect(200)["items"].as_array().unwrap().clone()
    }

    fn page(&self) -> String {
        let path = format!("/achievements/{}/versions/1/proposals", self.family);
        let page = self.app.anybody().get_as(&path, "text/html");
        assert_eq!(page.status, 200);
        String::from_utf8(page.bytes).unwrap()
    }
}

fn at(proposal: &Value, what: &str) -> String {
    format!("/api/v1/proposals/{}{what}", proposal["id"].as_str().unwrap())
}

fn answered(outcome: &str) -> Value {
    json!({ "outcome": outcome, "answer": "We have talked about it and agree." })
}

#[track_caller]
fn code(answer: &Answer) -> String {
    answer.faults().first().unwrap_or_else(|| panic!("{answer:?}")).1.clone()
}

#[test]
fn who_has_signed_in_is_public_at_once_and_answered_in_public_and_by_mail() {
    let scene = Scene::new();
    // Of another district: a rubric is everybody's business.
    let stranger =
        scene.app.seed(&scene.app.seed_root("Harbour"), "far@harbour.example.org", &["earner"]);
    let body =
        json!({ "text": WHY, "pointer": PLACE, "proposed": WORDS, "credit_name": "Far Away" });
    let proposal = scene.propose(&stranger, &body);
    assert_eq!(proposal["state"], "open");
    let sentences: Vec<&str> = proposal["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["detail"].as_str().unwrap())
        .collect();
    assert_eq!(
        sentences,
        [
            "Criterion c1, level 1, descriptor: “Purpose, learners, materials and roles are agreed.” became “The purpose is agreed, and written down before the session.”."
        ]
    );
    assert_eq!(json!(scene.shown()), json!([proposal]));
    assert!(!scene.shown()[0].to_string().contains(&stranger.id));
    assert!(
        scene.page().contains("written down before the session")
            && scene.page().contains("Far Away")
    );

    let path = at(&proposal, "/answer");
    assert_eq!(stranger.post(&path, &answered("adopted")).problem(), "forbidden");
    assert_eq!(scene.app.anybody().post(&path, &answered("adopted")).problem(), "unauthenticated");
    let designer = &scene.district.designers[0];
    assert_eq!(
        code(&designer.post(&path, &json!({ "outcome": "perhaps", "answer": WHY }))),
        "unknown-word"
    );
    assert_eq!(
        code(&designer.post(&path, &json!({ "outcome": "partly", "answer": "No." }))),
        "words"
    );
    let told = designer.post(&path, &answered("partly")).expect(200);
    assert_eq!((&told["state"], &told["outcome"]), (&json!("answered"), &json!("partly")));
    let again = designer.post(&path, &answered("declined"));
    assert_eq!(
        (again.problem().as_str(), &again.json["allowed_events"]),
        ("wrong-state", &json!(["draft"]))
    );
    assert!(scene.page().contains("taken up in part"));
    let mail = mail_to(&scene, "far@harbour.example.org");
    assert!(
        mail.contains("taken up in part") && mail.contains("We have talked about it"),
        "{mail}"
    );
    assert!(
        mail.contains(&format!("/achievements/{}/versions/1/proposals", scene.family)),
        "{mail}"
    );
}

/// What was sent to an address, as it lies in the data folder, in one line.
#[track_caller]
fn mail_to(scene: &Scene, email: &str) -> String {
    scene.app.send_mail();
    let letters: Vec<String> = std::fs::read_dir(scene.app.folder().join("mail"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .filter(|letter| {
            letter.contains(&format!("To: {email}")) || letter.contains(&format!("<{email}>"))
        })
        .filter(|letter| letter.contains("proposal"))
        .collect();
    assert_eq!(letters.len(), 1, "{email}");
    letters[0].replace("=\r\n", "").replace("\r\n", " ").replace('\n', " ")
}

#[test]
fn what_a_visitor_sends_is_shown_to_nobody_before_a_look_and_never_when_it_is_refused() {
    let scene = Scene::new();
    let visitor = scene.app.anybody();
    let body = json!({ "text": "Buy our marvellous lamps today.", "email": "lamps@example.com" });
    let waiting = scene.propose(&visitor, &body);
    assert_eq!(waiting["state"], "waiting");
    let designer = &scene.district.designers[1];
    let list = format!("/api/v1/micro-credentials/{}/proposals", scene.family);
    // Neither by the list, nor by the page, nor by its id; not to whoever sent it and not to colleagues.
    assert!(scene.shown().is_empty() && !scene.page().contains("lamps"));
    for person in
        [&visitor, &scene.district.earner, &scene.district.assessor, &scene.district.admin]
    {
        assert_eq!(person.get(&at(&waiting, "")).problem(), "not-found");
        let hidden = person.get(&format!("{list}?state=waiting"));
        assert!(hidden.status == 403 || hidden.status == 401, "{hidden:?}");
        let refused = person.post(&at(&waiting, "/moderation"), &json!({ "show": true }));
        assert!(refused.status == 404 || refused.status == 401, "{refused:?}");
    }
    assert_eq!(designer.get(&at(&waiting, "")).expect(200), waiting);
    assert!(!waiting.to_string().contains("example.com"), "the address is nobody's business");
    let page = designer.get(&format!("{list}?state=waiting")).expect(200);
    assert_eq!(page["items"], json!([waiting]));
    assert_eq!(
        designer.post(&at(&waiting, "/answer"), &answered("declined")).problem(),
        "wrong-state"
    );
    let refused =
        designer.post(&at(&waiting, "/moderation"), &json!({ "show": false })).expect(200);
    assert_eq!(refused["state"], "refused");
    assert_eq!(visitor.get(&at(&waiting, "")).problem(), "not-found");
    let late = designer.post(&at(&waiting, "/moderation"), &json!({ "show": true }));
    assert_eq!(late.problem(), "wrong-state");

    // Another one is shown, answered, and its visitor told. The address goes with the letter, not with the proposal.
    let body =
        json!({ "text": "Say what counts as written down.", "email": "Visitor@Example.com" });
    let second = scene.propose(&visitor, &body);
    designer.post(&at(&second, "/moderation"), &json!({ "show": true })).expect(200);
    assert_eq!(scene.shown().len(), 1);
    designer.post(&at(&second, "/answer"), &answered("adopted")).expect(200);
    let mail = mail_to(&scene, "visitor@example.com");
    assert!(mail.contains("it is taken up"), "{mail}");
    assert!(scene.page().contains("Somebody"));
    assert!(
        !scene.page().contains("example.com")
            && !scene.shown()[0].to_string().contains("example.com")
    );
}

#[test]
fn addresses_are_forgotten_after_the_answer_and_what_nobody_looked_at_after_half_a_year() {
    let scene = Scene::new();
    let visitor = scene.app.anybody();
    let designer = &scene.district.designers[0];
    let body =
        json!({ "text": "Say what counts as written down.", "email": "visitor@example.com" });
    let shown = scene.propose(&visitor, &body);
    designer.post(&at(&shown, "/moderation"), &json!({ "show": true })).expect(200);
    designer.post(&at(&shown, "/answer"), &answered("declined")).expect(200);
    let unseen = scene.propose(&visitor, &body);
    let contact = |proposal: &Value| {
        let id = proposal["id"].as_str().unwrap().parse().unwrap();
        let conn = &mut *scene.app.resources.database.connection().unwrap();
        let found = assay::store::proposals::find_contact(conn, id).unwrap();
        (found.is_some(), assay::store::proposals::find(conn, id).unwrap().is_some())
    };
    let clean = || scene.app.resources.as_system(assay::service::housekeeping::hourly).unwrap();
    scene.app.advance(TimeDelta::days(29));
    clean();
    assert_eq!((contact(&shown), contact(&unseen)), ((true, true), (true, true)));
    scene.app.advance(TimeDelta::days(2));
    clean();
    assert_eq!((contact(&shown), contact(&unseen)), ((false, true), (true, true)));
    scene.app.advance(TimeDelta::days(150));
    clean();
    assert_eq!((contact(&shown), contact(&unseen)), ((false, true), (false, false)));
}

#[test]
fn visitors_cannot_bury_the_design_team() {
    let scene = Scene::new();
    let visitor = scene.app.anybody();
    let body = json!({ "text": "One of very many proposals." });
    for _ in 0..20 {
        scene.propose(&visitor, &body);
    }
    let refused = visitor.post(&scene.path, &body);
    assert_eq!(refused.problem(), "too-many-proposals");
    let seconds: i64 = refused.headers["retry-after"].parse().unwrap();
    assert!((1..=600).contains(&seconds), "{seconds}");
    // Who has signed in is not kept waiting by strangers.
    scene.propose(&scene.district.earner, &body);
    scene.app.advance(TimeDelta::seconds(seconds + 1));
    scene.propose(&visitor, &body);
}

#[test]
fn proposal_becomes_the_next_draft_and_its_author_is_credited() {
    let scene = Scene::new();
    let [author, colleague] = &scene.district.designers;
    let body =
        json!({ "text": WHY, "pointer": PLACE, "proposed": WORDS, "credit_name": "A. Colleague" });
    let proposal = scene.propose(author, &body);
    assert_eq!(scene.district.earner.act(&at(&proposal, "/draft")).problem(), "forbidden");
    let drafted = colleague.act(&at(&proposal, "/draft"));
    let version = drafted.headers["location"].clone();
    assert_eq!(drafted.expect(201)["became_version"], 2);
    assert_eq!(colleague.act(&at(&proposal, "/draft")).problem(), "wrong-state");
    let draft = colleague.get(&version).expect(200);
    assert_eq!(draft["state"], "draft");
    assert_eq!(draft["definition"].pointer(PLACE).unwrap(), WORDS);
    let second =
        scene.propose(&scene.district.earner, &json!({ "text": "Another thing altogether." }));
    let open = author.act(&at(&second, "/draft"));
    assert_eq!((open.problem().as_str(), code(&open).as_str()), ("already-there", "draft-open"));

    // The proposer is an author of it: the two of them cannot carry it by themselves.
    for designer in [author, colleague] {
        let vote = json!({ "approve": true, "comment": "" });
        designer.post(&format!("{version}/approvals"), &vote).expect(201);
    }
    assert_eq!(author.act(&format!("{version}/publish")).problem(), "wrong-state");
    let third = scene.app.invite(
        &scene.district.admin,
        &scene.district.departments[1],
        "third@example.org",
        &["designer"],
    );
    third
        .post(&format!("{version}/approvals"), &json!({ "approve": true, "comment": "" }))
        .expect(201);
    author.act(&format!("{version}/publish")).expect(200);
    let path = format!("/achievements/{}/versions/2", scene.family);
    let page = String::from_utf8(scene.app.anybody().get_as(&path, "text/html").bytes).unwrap();
    assert!(page.contains("began as a proposal of A. Colleague"), "{page}");
    assert!(
        page.contains("What is different since version 1")
            && page.contains("written down before the session")
    );
    let first = format!("/achievements/{}/versions/1", scene.family);
    let page = String::from_utf8(scene.app.anybody().get_as(&first, "text/html").bytes).unwrap();
    assert!(!page.contains("What is different since") && !page.contains("A. Colleague"));

    // The text that a late proposal is about has changed meanwhile.
    let late = scene.propose(
        &scene.district.earner,
        &json!({ "text": WHY, "pointer": PLACE, "proposed": "Something else again." }),
    );
    assert_eq!(code(&author.act(&at(&late, "/draft"))), "text-changed");
}

#[test]
fn every_fault_of_a_proposal_is_listed_and_nothing_is_kept() {
    let scene = Scene::new();
    let earner = &scene.district.earner;
    let codes = |by: &Person, body: Value| -> Vec<(String, String)> {
        let refused = by.post(&scene.path, &body);
        assert_eq!(refused.status, 422, "{refused:?}");
        refused.faults()
    };
    let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    let long = "x".repeat(4001);
    assert_eq!(codes(earner, json!({ "text": "short" })), [fault("/text", "words")]);
    assert_eq!(codes(earner, json!({ "text": long })), [fault("/text", "words")]);
    assert_eq!(
        codes(earner, json!({ "text": "a\u{7}bell rings here" })),
        [fault("/text", "words")]
    );
    assert_eq!(
        codes(earner, json!({ "text": WHY, "credit_name": " ", "email": "me@example.org" })),
        [fault("/credit_name", "name"), fault("/email", "not-needed")]
    );
    let visitor = scene.app.anybody();
    assert_eq!(
        codes(&visitor, json!({ "text": WHY, "email": "nowhere" })),
        [fault("/email", "email")]
    );
    assert_eq!(
        codes(earner, json!({ "text": WHY, "pointer": PLACE })),
        [fault("/pointer", "alone")]
    );
    let with = |pointer: &str, proposed: &str| json!({ "text": WHY, "pointer": pointer, "proposed": proposed });
    assert_eq!(codes(earner, with("/no/where", "x")), [fault("/pointer", "unknown-place")]);
    assert_eq!(codes(earner, with("/audience", "x")), [fault("/pointer", "unknown-place")]);
    assert_eq!(codes(earner, with("/id", "mc-other")), [fault("/proposed", "no-change")]);
    assert_eq!(codes(earner, with(PLACE, " ")), [fault("/proposed", "bad_text")]);
    assert_eq!(codes(earner, with(PLACE, &"x".repeat(8001))), [fault("/proposed", "too-long")]);
    assert_eq!(visitor.post(&scene.path, &json!({ "text": WHY, "spam": 1 })).problem(), "invalid");
    assert!(scene.shown().is_empty());
    let retired = format!("/api/v1/micro-credentials/{}/versions/1/retire", scene.family);
    scene.district.designers[0].act(&retired).expect(200);
    assert_eq!(earner.post(&scene.path, &json!({ "text": WHY })).problem(), "wrong-state");
    assert!(
        scene.page().contains("This version is retired") && !scene.page().contains("proposal-form")
    );
    let nowhere = scene.path.replace("/versions/1/", "/versions/9/");
    assert_eq!(earner.post(&nowhere, &json!({ "text": WHY })).problem(), "not-found");
}

#[test]
fn hostile_proposals_stay_text_on_the_page() {
    let hostile = "<script>alert(1)</script>\"' onmouseover=alert(1)".to_owned();
    let page = ProposalsPage {
        micro_credential_id: hostile.clone(),
        version: 1,
        title: hostile.clone(),
        language: hostile.clone(),
        is_open: true,
        items: vec![ProposalLine {
            credit_name: Some(hostile.clone()),
            sent_on: "1 November 2026".to_owned(),
            version: 1,
            paragraphs: vec![hostile.clone()],
            differences: vec![hostile.clone()],
            answer: Some(AnswerLine {
                outcome: "taken up",
                on: "2 November 2026".to_owned(),
                paragraphs: vec![hostile.clone()],
            }),
            became: Some(2),
        }],
        has_more: true,
    };
    let html = proposals_page(&page).unwrap();
    assert!(html.contains("alert(1)"));
    let scripts: Vec<&str> =
        html.match_indices("<script").map(|(place, _)| &html[place..place + 21]).collect();
    assert_eq!(scripts, ["<script src=\"/assets/"]);
    assert!(!html.contains("\"' onmouseover") && !html.contains("<script>alert"));
}

#[test]
fn states_follow_the_table() {
    let legal = |state: ProposalState| {
        let all = ProposalEvent::ALL.iter();
        all.filter(|event| state.require(**event).is_ok()).count()
    };
    let counts: Vec<usize> = ProposalState::ALL.iter().map(|state| legal(*state)).collect();
    assert_eq!(counts, [2, 2, 1, 0]);
}
