//! Proposals from everyone: a change to a published rubric, a look where a stranger sent it, a public answer, a draft that credits its author.

use assay::domain::proposal::{ProposalEvent, ProposalState};
use assay::http::web::proposals::{
    AnswerLine, PageAbout, ProposalLine, ProposalsPage, proposals_page,
};
use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::harness::{Answer, District, Person, TestApp, complete_charter, definition};

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
        ("wrong-state", &json!(["draft", "remove"]))
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

    // What is shown and never answered stays; its address is forgotten after half a year, and not before.
    let unanswered = scene.propose(&visitor, &body);
    let designer = scene.app.sign_in("designer-0@example.org");
    designer.post(&at(&unanswered, "/moderation"), &json!({ "show": true })).expect(200);
    scene.app.advance(TimeDelta::days(179));
    clean();
    assert_eq!(contact(&unanswered), (true, true));
    scene.app.advance(TimeDelta::days(2));
    clean();
    assert_eq!(contact(&unanswered), (false, true));
    let designer = scene.app.sign_in("designer-0@example.org");
    designer.post(&at(&unanswered, "/answer"), &answered("adopted")).expect(200);
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

/// How long somebody is asked to wait.
#[track_caller]
fn pause(refused: &Answer) -> i64 {
    assert_eq!((refused.status, refused.problem().as_str()), (429, "too-many-proposals"));
    let seconds = refused.headers["retry-after"].parse().unwrap();
    assert!((1..=600).contains(&seconds), "{seconds}");
    seconds
}

#[test]
fn nobody_who_has_signed_in_buries_the_design_team_alone_or_with_others() {
    let scene = Scene::new();
    let body = json!({ "text": "One of very many proposals." });
    let charter = complete_charter("pilot", &["mc-ia-small-group-support"]);
    let program = scene.district.open_program(&scene.district.coordinator, &charter);
    let charters = format!("/api/v1/programs/{program}/proposals");
    // Ten of one person, whatever they are about.
    let eager = &scene.district.earner;
    for _ in 0..9 {
        scene.propose(eager, &body);
    }
    eager.post(&charters, &body).expect(201);
    let seconds = pause(&eager.post(&scene.path, &body));
    pause(&eager.post(&charters, &body));
    // Taking one down makes no room for the next.
    let one = scene.shown()[0].clone();
    let reason = json!({ "reason": "This is an advertisement." });
    scene.district.designers[0].post(&at(&one, "/removal"), &reason).expect(200);
    pause(&eager.post(&scene.path, &body));
    // Nobody else is kept waiting by them, before all of them together have sent fifty to the organization.
    for n in 0..4 {
        let email = format!("eager-{n}@example.org");
        let other = scene.app.seed(&scene.district.schools[0], &email, &["earner"]);
        for _ in 0..10 {
            scene.propose(&other, &body);
        }
    }
    let late = scene.app.seed(&scene.district.schools[0], "late@example.org", &["earner"]);
    pause(&late.post(&scene.path, &body));
    scene.propose(&scene.app.anybody(), &body);
    scene.app.advance(TimeDelta::seconds(seconds + 1));
    scene.propose(eager, &body);
    scene.propose(&late, &body);
}

#[test]
fn what_is_shown_can_be_taken_down_with_a_public_reason_and_its_words_are_gone() {
    let scene = Scene::new();
    let [designer, _] = &scene.district.designers;
    let named = "Ask Miss Quillfeather of class 3b, she cannot do it.";
    let body =
        json!({ "text": named, "pointer": PLACE, "proposed": WORDS, "credit_name": "Angry" });
    let open = scene.propose(&scene.district.earner, &body);
    let path = at(&open, "/removal");
    let reason = json!({ "reason": "It names somebody.\nPlease send it again without the name." });
    // Not by whoever has sent it, not by a colleague, not from elsewhere, and not without a reason.
    for person in [&scene.district.earner, &scene.district.coordinator, &scene.district.admin] {
        assert_eq!(person.post(&path, &reason).problem(), "forbidden");
    }
    assert_eq!(scene.app.anybody().post(&path, &reason).problem(), "unauthenticated");
    let harbour = scene.app.seed_root("Harbour");
    let stranger = scene.app.seed(&harbour, "far@harbour.example.org", &["designer"]);
    assert_eq!(stranger.post(&path, &reason).problem(), "forbidden");
    assert_eq!(code(&designer.post(&path, &json!({ "reason": "No." }))), "words");
    assert_eq!(scene.shown().len(), 1);

    let removed = designer.post(&path, &reason).expect(200);
    assert_eq!((&removed["state"], &removed["text"]), (&json!("removed"), &Value::Null));
    assert_eq!(removed["removal_reason"], reason["reason"]);
    assert_eq!(json!(scene.shown()), json!([removed]));
    assert_eq!(scene.app.anybody().get(&at(&open, "")).expect(200), removed);
    let page = scene.page();
    assert!(page.contains("Taken down by the design team") && page.contains("It names somebody."));
    assert!(!page.contains("has not answered yet"));
    // Nothing of the words, the text and the name is left, in no column.
    let conn = &mut *scene.app.resources.database.connection().unwrap();
    let id = open["id"].as_str().unwrap().parse().unwrap();
    let kept = format!("{:?}", assay::store::proposals::find(conn, id).unwrap().unwrap());
    for gone in ["Quillfeather", WORDS, "Angry"] {
        assert!(!kept.contains(gone) && !page.contains(gone), "{gone}: {kept}");
    }
    for (what, body) in [
        ("/removal", reason.clone()),
        ("/answer", answered("adopted")),
        ("/moderation", json!({ "show": true })),
        ("/draft", json!({})),
    ] {
        assert_eq!(designer.post(&at(&open, what), &body).problem(), "wrong-state", "{what}");
    }

    // What waits is refused and not taken down; what is answered keeps its answer, and a visitor's address goes at once.
    let visitor = scene.app.anybody();
    let body =
        json!({ "text": "Say what counts as written down.", "email": "visitor@example.com" });
    let sent = scene.propose(&visitor, &body);
    assert_eq!(designer.post(&at(&sent, "/removal"), &reason).problem(), "wrong-state");
    designer.post(&at(&sent, "/moderation"), &json!({ "show": true })).expect(200);
    designer.post(&at(&sent, "/answer"), &answered("partly")).expect(200);
    let removed = designer.post(&at(&sent, "/removal"), &reason).expect(200);
    assert_eq!(
        (&removed["state"], &removed["outcome"], &removed["answer"]),
        (&json!("removed"), &json!("partly"), &answered("partly")["answer"])
    );
    let id = sent["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(assay::store::proposals::find_contact(conn, id).unwrap(), None);
}

#[test]
fn everybody_proposes_for_a_charter_and_the_answer_stands_in_its_change_log() {
    let scene = Scene::new();
    let mut charter = complete_charter("pilot", &["mc-ia-small-group-support"]);
    charter["title"] = json!("A pilot of one's own");
    let body = json!({ "organization_id": scene.district.id, "charter": charter });
    let coordinator = &scene.district.coordinator;
    let draft = coordinator.post("/api/v1/programs", &body).expect(201);
    let draft = format!("/api/v1/programs/{}", draft["id"].as_str().unwrap());
    let words = json!({ "text": "Invite the bus drivers as well." });
    // A draft is nobody's business, and its team edits it.
    for person in [&scene.app.anybody(), &scene.district.earner] {
        assert_eq!(person.post(&format!("{draft}/proposals"), &words).problem(), "not-found");
        assert_eq!(person.get(&format!("{draft}/proposals")).problem(), "not-found");
    }
    assert_eq!(coordinator.post(&format!("{draft}/proposals"), &words).problem(), "wrong-state");
    charter["id"] = json!("second");
    let id = scene.district.open_program(coordinator, &charter);
    let program = format!("/api/v1/programs/{id}");
    let path = format!("{program}/proposals");
    let page = || {
        let page = scene.app.anybody().get_as(&format!("/programs/{id}/proposals"), "text/html");
        assert_eq!(page.status, 200);
        String::from_utf8(page.bytes).unwrap()
    };
    assert!(page().contains("If educators whom regular professional learning reaches least"));
    let hidden = draft.replace("/api/v1", "") + "/proposals";
    assert_eq!(scene.app.anybody().get_as(&hidden, "text/html").status, 404);

    // A visitor's words wait for a look; a text cannot be put in the place of another.
    let visitor = scene.app.anybody();
    let with = json!({ "text": WHY, "pointer": "/title", "proposed": "Another title" });
    assert_eq!(code(&visitor.post(&path, &with)), "words-only");
    let mail = json!({ "text": "Invite the bus drivers as well.", "email": "driver@example.com" });
    let sent = visitor.post(&path, &mail).expect(201);
    assert_eq!(
        [&sent["state"], &sent["program_id"], &sent["micro_credential_id"], &sent["version"]],
        [&json!("waiting"), &json!(id), &Value::Null, &Value::Null]
    );
    assert_eq!(visitor.get(&path).expect(200)["items"], json!([]));
    assert!(!page().contains("bus drivers"));
    assert_eq!(visitor.get(&format!("{path}?state=waiting")).problem(), "unauthenticated");
    assert_eq!(coordinator.get(&format!("{path}?state=waiting")).problem(), "forbidden");
    let [designer, _] = &scene.district.designers;
    let waiting = designer.get(&format!("{path}?state=waiting")).expect(200);
    assert_eq!(waiting["items"], json!([sent]));
    designer.post(&at(&sent, "/moderation"), &json!({ "show": true })).expect(200);
    // Somebody of another district, who has signed in, is public at once.
    let harbour = scene.app.seed_root("Harbour");
    let stranger = scene.app.seed(&harbour, "far@harbour.example.org", &["earner"]);
    let other = stranger.post(&path, &json!({ "text": "Say who pays for it." })).expect(201);
    assert_eq!(other["state"], "open");
    assert_eq!(visitor.get(&path).expect(200)["items"].as_array().unwrap().len(), 2);
    assert!(page().contains("bus drivers") && page().contains("Say who pays for it."));
    // The list of the rubric has nothing of them.
    assert!(scene.shown().is_empty());

    // The answer is public in the change log, and goes to whoever has proposed it.
    let log = || visitor.get(&format!("{program}/changes?limit=100")).expect(200)["items"].clone();
    let before = log();
    assert!(!before.to_string().contains("proposal_id\":\""));
    designer.post(&at(&sent, "/answer"), &answered("partly")).expect(200);
    let after = log();
    let (last, rest) = after.as_array().unwrap().split_last().unwrap();
    assert_eq!(json!(rest), before);
    assert_eq!(
        [&last["event"], &last["reason"], &last["proposal_id"], &last["outcome"]],
        [&json!("answer"), &answered("partly")["answer"], &sent["id"], &json!("partly")]
    );
    assert_eq!(last["content_hash"], visitor.get(&program).expect(200)["content_hash"]);
    let mail = mail_to(&scene, "driver@example.com");
    assert!(
        mail.contains("A pilot of one's own")
            && mail.contains(&format!("/programs/{id}/proposals")),
        "{mail}"
    );
    // It becomes no draft: the charter is fixed.
    assert_eq!(designer.act(&at(&other, "/draft")).problem(), "wrong-state");
    // The log keeps its pages.
    let first = visitor.get(&format!("{program}/changes?limit=2")).expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = visitor.get(&format!("{program}/changes?limit=100&cursor={cursor}")).expect(200);
    let n_rest = rest["items"].as_array().unwrap().len();
    assert_eq!(2 + n_rest, after.as_array().unwrap().len());
    // A programme that is closed has been one to learn from.
    let reason = json!({ "reason": "The year is over." });
    coordinator.post(&format!("{program}/close"), &reason).expect(200);
    visitor.post(&path, &json!({ "text": "Do it again next year." })).expect(201);
}

#[test]
fn a_proposal_that_changes_a_row_of_the_bank_becomes_no_draft() {
    let scene = Scene::new();
    // One rubric belongs to an item of a framework, and a second one takes its criterion from the bank.
    let aligned = |slug: &str| {
        let mut aligned = definition("mc-ia-small-group-support");
        aligned["id"] = json!(slug);
        aligned["submission"]["part2"]["criteria"][0]["alignments"] = json!([{
            "framework": "District goals", "name": "Goal",
            "identifier": "11111111-2222-4333-8444-555555555555",
            "url": "https://goals.example.org/11111111-2222-4333-8444-555555555555",
        }]);
        aligned
    };
    scene.district.publish(&aligned("mc-first"));
    let listed = scene.app.anybody().get("/api/v1/bank-items?kind=criterion").expect(200);
    let mut second = aligned("mc-second");
    second["submission"]["part2"]["criteria"][0]["bank_item"] = listed["items"][0]["id"].clone();
    let family = scene.district.publish(&second);
    let path = format!("/api/v1/micro-credentials/{family}/versions/1/proposals");
    let body = json!({ "text": WHY, "pointer": PLACE, "proposed": WORDS });
    let proposal = scene.district.earner.post(&path, &body).expect(201);
    let [designer, _] = &scene.district.designers;
    let refused = designer.act(&at(&proposal, "/draft"));
    assert_eq!((refused.status, code(&refused).as_str()), (422, "changed-bank-item"));
    let version = format!("/api/v1/micro-credentials/{family}/versions/2");
    assert_eq!(designer.get(&version).status, 404, "nothing is left of it");
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
        about: PageAbout::Rubric { micro_credential_id: hostile.clone(), version: 1 },
        title: hostile.clone(),
        language: Some(hostile.clone()),
        is_open: true,
        items: vec![ProposalLine {
            credit_name: Some(hostile.clone()),
            sent_on: "1 November 2026".to_owned(),
            version: Some(1),
            paragraphs: vec![hostile.clone()],
            removed: Some((vec![hostile.clone()], "3 November 2026".to_owned())),
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
    let about = PageAbout::Charter { program_id: hostile.clone(), theory: vec![hostile.clone()] };
    for page in [ProposalsPage { about, language: None, ..page.clone() }, page] {
        let html = proposals_page(&page).unwrap();
        assert!(html.contains("alert(1)"));
        let scripts: Vec<&str> =
            html.match_indices("<script").map(|(place, _)| &html[place..place + 35]).collect();
        assert_eq!(scripts, ["<script type=\"module\" src=\"/assets/"]);
        assert!(!html.contains("\"' onmouseover") && !html.contains("<script>alert"));
    }
}

#[test]
fn states_follow_the_table() {
    let legal = |state: ProposalState| {
        let all = ProposalEvent::ALL.iter();
        all.filter(|event| state.require(**event).is_ok()).count()
    };
    let counts: Vec<usize> = ProposalState::ALL.iter().map(|state| legal(*state)).collect();
    assert_eq!(counts, [2, 3, 2, 0, 0]);
}

#[test]
fn proposals_come_through_the_change_of_their_table_with_their_addresses() {
    const UP: &str =
        include_str!("../../migrations/sqlite/2026-11-22-000071_charter_proposals/up.sql");
    const DOWN: &str =
        include_str!("../../migrations/sqlite/2026-11-22-000071_charter_proposals/down.sql");
    let scene = Scene::new();
    let [designer, _] = &scene.district.designers;
    let visitor = scene.app.anybody();
    let with = json!({ "text": WHY, "pointer": PLACE, "proposed": WORDS, "credit_name": "Far" });
    let first = scene.propose(&scene.district.earner, &with);
    let body =
        json!({ "text": "Say what counts as written down.", "email": "visitor@example.com" });
    let second = scene.propose(&visitor, &body);
    designer.post(&at(&second, "/moderation"), &json!({ "show": true })).expect(200);
    designer.post(&at(&second, "/answer"), &answered("partly")).expect(200);
    let waiting = scene.propose(&visitor, &body);
    let read = || [&first, &second, &waiting].map(|one| designer.get(&at(one, "")).expect(200));
    let before = read();
    let gone = scene.propose(&scene.district.earner, &with);
    designer.post(&at(&gone, "/removal"), &json!({ "reason": "It names somebody." })).expect(200);
    let mut conn = scene.app.resources.database.connection().unwrap();
    // The form before has no place for what was taken down; it loses nothing else, and neither does the way back.
    for text in [DOWN, UP] {
        conn.batch_execute(text).unwrap();
    }
    assert_eq!(read(), before);
    assert_eq!(designer.get(&at(&gone, "")).problem(), "not-found");
    let id = waiting["id"].as_str().unwrap().parse().unwrap();
    let contact = assay::store::proposals::find_contact(&mut conn, id).unwrap();
    assert_eq!(contact.as_deref(), Some("visitor@example.com"));
    drop(conn);
    designer.post(&at(&first, "/answer"), &answered("adopted")).expect(200);
}
