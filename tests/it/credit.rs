//! Credit: what an earner can expect, what an authority gives, once for each award, and what a revocation flags.

use std::collections::{BTreeMap, BTreeSet};

use assay::domain::credit::{
    Allocation, Cap, CapPeriod, CreditKind, CreditRule, Creditable, Currency, Doubt, GrantFault,
    Outlook,
};
use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::harness::{District, Person, TestApp};

const SMALL_GROUP: &str = "mc-ia-small-group-support";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(slug: &str) -> Creditable {
    Creditable { kind: CreditKind::MicroCredential, slug: slug.to_owned() }
}

/// Ten hours in minutes for one micro-credential, twenty in a school year.
fn hours() -> CreditRule {
    CreditRule {
        slug: "pd-hours".to_owned(),
        title: "Hours".to_owned(),
        source_url: "https://state.example.org/hours".to_owned(),
        currency: Currency {
            code: "pd-hours".to_owned(),
            unit: "hours".to_owned(),
            minor_per_unit: 60,
        },
        amounts: BTreeMap::from([(at("mc-a"), 600)]),
        categories: ["content", "pedagogy"].map(str::to_owned).into(),
        cap: Some(Cap { minor: 1200, period: CapPeriod::SchoolYear }),
        window_days: Some(365),
        needs_approval: false,
        valid_from: day("2026-07-01"),
        valid_to: Some(day("2027-06-30")),
    }
}

#[test]
fn what_is_told_before_starting_follows_from_the_rule_alone() {
    let rule = hours();
    let today = day("2026-11-22");
    let told = |rule: &CreditRule, slug: &str, used: i64| rule.outlook(&at(slug), today, used);
    assert_eq!(told(&rule, "mc-a", 0), Some((Outlook::WillCount, BTreeSet::new())));
    assert_eq!(told(&rule, "mc-a", 600), Some((Outlook::WillCount, BTreeSet::new())));
    let less = Some((Outlook::MayCount, BTreeSet::from([Doubt::CapLeavesLess])));
    assert_eq!(told(&rule, "mc-a", 601), less);
    assert_eq!(told(&rule, "mc-b", 0), None, "not named is not known, and not a no");
    let stack = Creditable { kind: CreditKind::Stack, slug: "mc-a".to_owned() };
    assert_eq!(rule.outlook(&stack, today, 0), None);
    assert_eq!(rule.outlook(&at("mc-a"), day("2027-07-01"), 0), None);
    assert_eq!(rule.outlook(&at("mc-a"), day("2026-06-30"), 0), None);
    let asked = CreditRule { needs_approval: true, ..rule };
    let needs = Some((Outlook::MayCount, BTreeSet::from([Doubt::NeedsApproval])));
    assert_eq!(told(&asked, "mc-a", 0), needs);
}

#[test]
fn a_grant_keeps_to_the_rule_in_everything_at_once() {
    let rule = hours();
    let (earned, today) = (day("2026-11-01"), day("2026-11-22"));
    let part = |category: &str, minor: i64| Allocation { category: category.to_owned(), minor };
    let faults =
        |parts: &[Allocation], used: i64| rule.faults(&at("mc-a"), parts, earned, today, used);
    assert_eq!(faults(&[part("content", 400), part("pedagogy", 200)], 600), []);
    assert_eq!(faults(&[], 0), [GrantFault::NothingAllocated]);
    assert_eq!(faults(&[part("content", 601)], 0), [GrantFault::OverAmount { most: 600 }]);
    assert_eq!(faults(&[part("content", 600)], 601), [GrantFault::OverCap { left: 599 }]);
    assert_eq!(faults(&[part("content", 1)], 5000), [GrantFault::OverCap { left: 0 }]);
    assert_eq!(
        faults(&[part("content", 1), part("content", 1), part("lunch", 0)], 0),
        [
            GrantFault::RepeatedCategory(1),
            GrantFault::UnknownCategory(2),
            GrantFault::NotPositive(2)
        ]
    );
    // What is not positive lowers no sum.
    let lowered = faults(&[part("content", 700), part("pedagogy", -100)], 0);
    assert_eq!(lowered, [GrantFault::NotPositive(1), GrantFault::OverAmount { most: 600 }]);
    let whole = [part("content", 600)];
    let on =
        |earned: &str, today: &str| rule.faults(&at("mc-a"), &whole, day(earned), day(today), 0);
    assert_eq!(on("2026-07-01", "2027-07-01"), []);
    assert_eq!(on("2026-07-01", "2027-07-02"), [GrantFault::WindowOver]);
    assert_eq!(on("2026-06-30", "2026-07-01"), [GrantFault::NotValidThen]);
    let other = rule.faults(&at("mc-b"), &whole, earned, today, 0);
    assert_eq!(other, [GrantFault::NotNamed]);
}

#[test]
fn a_period_is_that_of_the_day_on_which_an_award_was_earned() {
    let of = |period: CapPeriod, text: &str| period.of(day(text));
    assert_eq!(of(CapPeriod::SchoolYear, "2026-06-30"), "2025-2026");
    assert_eq!(of(CapPeriod::SchoolYear, "2026-07-01"), "2026-2027");
    assert_eq!(of(CapPeriod::CalendarYear, "2026-12-31"), "2026");
    assert_eq!(of(CapPeriod::Ever, "1999-01-01"), "ever");
}

/// A district whose human resources give credit, and a micro-credential to earn.
struct Scene {
    app: TestApp,
    district: District,
    hr: Person,
    family: String,
}

fn document(slug: &str) -> Value {
    json!({ "rule": {
        "id": slug,
        "title": "Hours of professional learning",
        "source_url": "https://district.example.org/hours",
        "currency": { "code": "pd-hours", "unit": "hours", "minor_per_unit": 60 },
        "amounts": [{ "kind": "micro_credential", "id": SMALL_GROUP, "minor": 600 }],
        "categories": ["content", "pedagogy"],
        "cap": { "minor": 900, "period": "ever" },
        "window_days": 365,
        "needs_approval": false,
        "valid_from": "2020-01-01",
        "valid_to": null,
    }})
}

impl Scene {
    fn new() -> Scene {
        let app = TestApp::new();
        let district = app.district();
        let family = district.publish_small_group();
        let hr = app.seed(&district.id, "hr@example.org", &["credit_authority"]);
        Scene { app, district, hr, family }
    }

    fn rules_path(&self) -> String {
        format!("/api/v1/organizations/{}/credit-rules", self.district.id)
    }

    fn ledger_path(&self) -> String {
        format!("/api/v1/organizations/{}/credit-grants", self.district.id)
    }

    #[track_caller]
    fn rule(&self, document: &Value) -> String {
        let made = self.hr.post(&self.rules_path(), document).expect(201);
        made["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn outlook(&self, by: &Person) -> Value {
        let path = format!("/api/v1/credit-outlook?micro_credential_id={}", self.family);
        by.get(&path).expect(200)
    }
}

fn grants_path(rule: &str) -> String {
    format!("/api/v1/credit-rules/{rule}/grants")
}

fn hours_for(award: &str, minor: i64) -> Value {
    json!({ "award_id": award, "allocations": [{ "category": "content", "minor": minor }] })
}

#[test]
fn an_earner_sees_what_counts_before_starting_and_nothing_is_guessed() {
    let scene = Scene::new();
    let earner = &scene.district.earner;
    assert_eq!(scene.outlook(earner), json!({ "answer": "not_known", "rules": [] }));
    let rule = scene.rule(&document("pd-hours"));
    let found = scene.outlook(earner);
    assert_eq!(found["answer"], "will_count");
    let told = &found["rules"][0];
    assert_eq!((&told["minor"], &told["doubts"]), (&json!(600), &json!([])));
    assert_eq!(told["rule"]["rule"]["source_url"], "https://district.example.org/hours");
    assert_eq!(told["rule"]["id"], json!(rule));

    // Another rule of the same id takes its place; one of another id stands beside it, and the better one is the answer.
    let mut asked = document("pd-hours");
    asked["rule"]["needs_approval"] = json!(true);
    scene.rule(&asked);
    let found = scene.outlook(earner);
    assert_eq!(
        (&found["answer"], found["rules"].as_array().unwrap().len()),
        (&json!("may_count"), 1)
    );
    assert_eq!(found["rules"][0]["doubts"], json!(["needs_approval"]));
    let stipend = scene.rule(&document("stipend"));
    assert_eq!(scene.outlook(earner)["answer"], "will_count");
    scene.hr.act(&format!("/api/v1/credit-rules/{stipend}/end")).expect(200);
    assert_eq!(scene.hr.act(&format!("/api/v1/credit-rules/{stipend}/end")).status, 409);
    assert_eq!(scene.outlook(earner)["answer"], "may_count");
    let all = earner.get(&scene.rules_path()).expect(200)["items"].as_array().unwrap().len();
    assert_eq!(all, 3, "what has ended can be read");

    // Somebody of another district is told nothing of these rules.
    let valley = scene.app.seed_root("Valley");
    let stranger = scene.app.seed(&valley, "stranger@example.org", &["credit_authority", "earner"]);
    assert_eq!(scene.outlook(&stranger)["answer"], "not_known");
    assert_eq!(stranger.get(&scene.rules_path()).status, 404);
    assert_eq!(stranger.post(&scene.rules_path(), &document("mine")).status, 404);
    assert_eq!(stranger.get(&scene.ledger_path()).status, 404);
    assert_eq!(stranger.act(&format!("/api/v1/credit-rules/{rule}/end")).status, 404);
    for path in ["/api/v1/credit-outlook", "/api/v1/credit-outlook?family=x"] {
        assert_eq!(earner.get(path).status, 422, "{path}");
    }
}

#[test]
fn a_rule_is_refused_with_everything_that_is_wrong_with_it() {
    let scene = Scene::new();
    let mut bad = document("Not A Word");
    bad["rule"]["source_url"] = json!("from the office");
    bad["rule"]["currency"]["minor_per_unit"] = json!(0);
    bad["rule"]["amounts"][0]["minor"] = json!(-600);
    bad["rule"]["categories"] = json!([]);
    bad["rule"]["cap"]["minor"] = json!(0);
    bad["rule"]["valid_to"] = json!("2019-12-31");
    let refused = scene.hr.post(&scene.rules_path(), &bad);
    assert_eq!(refused.status, 422);
    let pointers: Vec<String> = refused.faults().into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(
        pointers,
        [
            "/rule/id",
            "/rule/source_url",
            "/rule/currency/minor_per_unit",
            "/rule/amounts",
            "/rule/categories",
            "/rule/cap/minor",
            "/rule/valid_to"
        ]
    );
    let mut twice = document("pd-hours");
    let again = twice["rule"]["amounts"][0].clone();
    twice["rule"]["amounts"].as_array_mut().unwrap().push(again);
    let refused = scene.hr.post(&scene.rules_path(), &twice);
    assert_eq!(refused.faults()[0].1, "repeated-item");
    let mut unknown = document("pd-hours");
    unknown["rule"]["cap"]["period"] = json!("fortnight");
    assert_eq!(scene.hr.post(&scene.rules_path(), &unknown).status, 422);
    assert_eq!(scene.district.admin.post(&scene.rules_path(), &document("pd-hours")).status, 403);
}

#[test]
fn credit_is_given_once_for_an_award_and_flagged_when_that_is_revoked() {
    let scene = Scene::new();
    let (_, award) = scene.district.award(&scene.district.earner, &scene.family);
    let rule = scene.rule(&document("pd-hours"));
    let path = grants_path(&rule);
    let refused = scene.hr.post(&path, &hours_for(&award, 601));
    assert_eq!(refused.faults(), [("/allocations".to_owned(), "over-amount".to_owned())]);
    assert_eq!(scene.district.admin.post(&path, &hours_for(&award, 600)).status, 403);
    let nobody = "01900000-0000-7000-8000-000000000000";
    assert_eq!(scene.hr.post(&path, &hours_for(nobody, 600)).status, 404);
    let both = json!({ "award_id": award, "allocations": [
        { "category": "content", "minor": 400 }, { "category": "pedagogy", "minor": 200 },
    ]});
    let given = scene.hr.post(&path, &both).expect(201);
    assert_eq!((&given["minor"], &given["period"]), (&json!(600), &json!("ever")));
    assert_eq!(given["person_id"], scene.district.earner.id.as_str());

    // Not again, by no rule of the same authority.
    let again = scene.hr.post(&path, &both);
    assert_eq!((again.status, again.faults()[0].1.as_str()), (409, "credit-given"));
    let other = scene.rule(&document("stipend"));
    assert_eq!(scene.hr.post(&grants_path(&other), &hours_for(&award, 1)).status, 409);

    // What is left of the cap is less than the next one would be worth.
    let found = scene.outlook(&scene.district.earner);
    let capped =
        found["rules"].as_array().unwrap().iter().find(|one| one["rule"]["id"] == rule.as_str());
    assert_eq!(capped.unwrap()["doubts"], json!(["cap_leaves_less"]));

    // The ledger, for the authority and the auditor; one's own for oneself.
    let ledger = scene.hr.get(&scene.ledger_path()).expect(200);
    let line = &ledger["items"][0];
    assert_eq!((&line["flag"], &line["rule"]), (&Value::Null, &json!("pd-hours")));
    assert_eq!(scene.district.auditor.get(&scene.ledger_path()).expect(200), ledger);
    for nosy in [&scene.district.coordinator, &scene.district.admin, &scene.district.earner] {
        assert_eq!(nosy.get(&scene.ledger_path()).status, 403);
    }
    let own = scene.district.earner.get("/api/v1/me/credit-grants").expect(200);
    assert_eq!(own, ledger);
    let none = scene.district.assessor.get("/api/v1/me/credit-grants").expect(200);
    assert_eq!(none["items"], json!([]));
    let csv = scene.hr.get(&format!("{}?format=csv", scene.ledger_path()));
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let csv = String::from_utf8(csv.bytes).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3, "a line for each category: {csv}");
    assert!(lines[1].contains(",content,400,ever,") && lines[2].contains(",pedagogy,200,ever,"));
    assert_eq!(scene.hr.get(&format!("{}?format=svg", scene.ledger_path())).status, 422);

    // Revoked: flagged, and all of it is still there.
    scene.district.revoke(&award).expect(200);
    let line = scene.hr.get(&scene.ledger_path()).expect(200)["items"][0].clone();
    assert_eq!((&line["flag"], &line["minor"]), (&json!("revoked"), &json!(600)));
    let csv = scene.hr.get(&format!("{}?format=csv", scene.ledger_path()));
    assert!(String::from_utf8(csv.bytes).unwrap().contains(",revoked"));
    scene.app.audit_events();
}

#[test]
fn credit_is_for_awards_in_force_of_others() {
    let scene = Scene::new();
    let rule = scene.rule(&document("pd-hours"));
    let (_, award) = scene.district.award(&scene.district.earner, &scene.family);
    scene.district.revoke(&award).expect(200);
    let refused = scene.hr.post(&grants_path(&rule), &hours_for(&award, 600));
    assert_eq!((refused.status, refused.problem().as_str()), (409, "wrong-state"));
    // Nobody gives credit to themselves.
    let own =
        scene.app.seed(&scene.district.id, "both@example.org", &["credit_authority", "earner"]);
    let (_, award) = scene.district.award(&own, &scene.family);
    assert_eq!(own.post(&grants_path(&rule), &hours_for(&award, 600)).status, 403);
    // An ended rule gives nothing, and neither does an authority of another tree.
    scene.hr.act(&format!("/api/v1/credit-rules/{rule}/end")).expect(200);
    assert_eq!(scene.hr.post(&grants_path(&rule), &hours_for(&award, 600)).status, 409);
    let valley = scene.app.seed_root("Valley");
    let stranger = scene.app.seed(&valley, "stranger@example.org", &["credit_authority"]);
    assert_eq!(stranger.post(&grants_path(&rule), &hours_for(&award, 600)).status, 404);
    let path = format!("/api/v1/organizations/{valley}/credit-rules");
    let theirs = stranger.post(&path, &document("pd-hours")).expect(201);
    let theirs = grants_path(theirs["id"].as_str().unwrap());
    assert_eq!(stranger.post(&theirs, &hours_for(&award, 600)).status, 404, "no award of theirs");
}

#[test]
fn of_many_at_once_one_gives_credit_and_no_cap_is_passed() {
    let scene = Scene::new();
    let earner = &scene.district.earner;
    let (_, award) = scene.district.award(earner, &scene.family);
    let rules = [scene.rule(&document("pd-hours")), scene.rule(&document("stipend"))];
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|number| {
                let (hr, award) = (scene.hr.clone(), award.clone());
                let path = grants_path(&rules[number % 2]);
                scope.spawn(move || hr.post(&path, &hours_for(&award, 600)).status)
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    let ledger = scene.hr.get(&scene.ledger_path()).expect(200);
    assert_eq!(ledger["items"].as_array().unwrap().len(), 1);

    // Two awards of one person by one rule, at the same time: 900 is the cap, and 600 twice is more.
    let other = scene.app.seed(&scene.district.schools[0], "twice@example.org", &["earner"]);
    let mut second = crate::harness::definition(SMALL_GROUP);
    second["id"] = json!("mc-second");
    second["review_policy"]["backread_share_bp"] = json!(0);
    let second = scene.district.publish(&second);
    let awards = [&scene.family, &second].map(|family| scene.district.award(&other, family).1);
    let mut both = document("both");
    let amount = json!({ "kind": "micro_credential", "id": "mc-second", "minor": 600 });
    both["rule"]["amounts"].as_array_mut().unwrap().push(amount);
    let path = grants_path(&scene.rule(&both));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries = awards.each_ref().map(|award| {
            let (hr, path) = (scene.hr.clone(), path.clone());
            scope.spawn(move || hr.post(&path, &hours_for(award, 600)).status)
        });
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut sorted = statuses.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [201, 422], "{statuses:?}");
}
