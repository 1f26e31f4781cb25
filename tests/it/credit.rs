//! Credit: what an earner can expect, what an authority gives, once for each award, and what a revocation flags.

use std::collections::{BTreeMap, BTreeSet};

use assay::domain::credit::{
    Allocation, Amount, Cap, CapPeriod, CreditKind, CreditRule, Creditable, Currency, Doubt,
    GrantFault, LevelAmount, Outlook,
};
use chrono::NaiveDate;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::district_records::exported;
use crate::harness::{Answers, District, Person, SmtpServer, TestApp, TestSettings};

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
        amounts: BTreeMap::from([(at("mc-a"), Amount::Fixed(600))]),
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
    let faults = |parts: &[Allocation], used: i64| {
        rule.faults(&at("mc-a"), None, parts, earned, today, used)
    };
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
    let on = |earned: &str, today: &str| {
        rule.faults(&at("mc-a"), None, &whole, day(earned), day(today), 0)
    };
    assert_eq!(on("2026-07-01", "2027-07-01"), []);
    assert_eq!(on("2026-07-01", "2027-07-02"), [GrantFault::WindowOver]);
    assert_eq!(on("2026-06-30", "2026-07-01"), [GrantFault::NotValidThen]);
    let other = rule.faults(&at("mc-b"), None, &whole, earned, today, 0);
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
        Scene::of(TestApp::new())
    }

    fn of(app: TestApp) -> Scene {
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

#[test]
fn amount_by_level_has_a_row_for_every_level() {
    let row = |level: u8, minor: i64| LevelAmount { level, minor };
    let table = |rows: &[LevelAmount]| Amount::ByLevel(rows.to_vec());
    let whole = table(&[row(1, 300), row(2, 450), row(3, 600)]);
    assert!(whole.is_whole());
    assert_eq!((whole.least(), whole.most()), (300, 600));
    let of = |lowest: Option<u8>| whole.of(lowest);
    assert_eq!(of(Some(1)), (300, Some(1)));
    assert_eq!(of(Some(2)), (450, Some(2)));
    assert_eq!(of(Some(3)), (600, Some(3)));
    // Below the first row, above the last one, and where nothing is shown.
    assert_eq!(of(Some(0)), (300, Some(1)));
    assert_eq!(of(Some(9)), (600, Some(3)));
    assert_eq!(of(None), (300, Some(1)));
    assert_eq!(Amount::Fixed(5).of(Some(2)), (5, None));
    for gap in [
        table(&[]),
        table(&[row(1, 300)]),
        table(&[row(1, 300), row(3, 600)]),
        table(&[row(2, 300), row(1, 600)]),
        table(&[row(1, 300), row(1, 600)]),
        table(&[row(1, 300), row(2, 299)]),
        table(&[row(255, 300), row(0, 300)]),
    ] {
        assert!(!gap.is_whole(), "{gap:?}");
    }
    assert!(table(&[row(1, 300), row(2, 300)]).is_whole());
}

/// The rule of this id, giving 300 minor units at level 1 and 600 at level 2.
fn by_level(slug: &str) -> Value {
    let mut rule = document(slug);
    rule["rule"]["amounts"] = json!([{ "kind": "micro_credential", "id": SMALL_GROUP,
        "by_level": [{ "level": 1, "minor": 300 }, { "level": 2, "minor": 600 }] }]);
    rule
}

/// An award at which every level is one above the lowest that passes.
#[track_caller]
fn outstanding(scene: &Scene, earner: &Person, include_results: bool) -> String {
    let id = scene.district.fill(earner, &scene.family);
    let path = format!("/api/v1/submissions/{id}");
    let etag = earner.get(&path).etag();
    earner.patch(&path, &etag, &json!({ "include_results": include_results })).expect(200);
    earner.act(&format!("{path}/submit")).expect(200);
    scene.district.score(&scene.district.assessor, 1);
    let decided = earner.get(&path).expect(200);
    decided["award"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn amount_by_level_is_told_as_a_range_and_given_by_the_levels_that_the_badge_shows() {
    let scene = Scene::new();
    let shows = &scene.district.earner;
    let hides = &scene.app.seed(&scene.district.schools[0], "hides@example.org", &["earner"]);
    let rule = scene.rule(&by_level("pd-hours"));
    let told = scene.outlook(shows)["rules"][0].clone();
    assert_eq!((&told["least_minor"], &told["minor"]), (&json!(300), &json!(600)));
    assert_eq!(told["needs_results"], true);
    let stored = &told["rule"]["rule"]["amounts"][0];
    assert_eq!(stored["minor"], Value::Null);
    assert_eq!(stored["by_level"], by_level("x")["rule"]["amounts"][0]["by_level"]);

    let path = grants_path(&rule);
    let [shown, hidden] = [outstanding(&scene, shows, true), outstanding(&scene, hides, false)];
    // The same work: what the badge does not show is not told by an amount either.
    let refused = scene.hr.post(&path, &hours_for(&hidden, 301));
    assert_eq!(refused.faults(), [("/allocations".to_owned(), "over-amount".to_owned())]);
    assert!(refused.json.to_string().contains("at most 300"), "{refused:?}");
    scene.hr.post(&path, &hours_for(&hidden, 300)).expect(201);
    let refused = scene.hr.post(&path, &hours_for(&shown, 601));
    assert_eq!(refused.faults()[0].1, "over-amount");
    let given = scene.hr.post(&path, &hours_for(&shown, 600)).expect(201);
    // The person sees by which row; the authority sees the amount.
    assert!(!given.to_string().contains("level"), "{given}");
    let ledger = scene.hr.get(&scene.ledger_path()).expect(200);
    let levels = ledger["items"].as_array().unwrap().iter().map(|line| line["level"].clone());
    assert_eq!(levels.collect::<Vec<_>>(), [Value::Null, Value::Null]);
    for (person, level) in [(shows, 2), (hides, 1)] {
        let own = person.get("/api/v1/me/credit-grants").expect(200);
        assert_eq!(own["items"][0]["level"], level);
    }
    let csv = scene.hr.get(&format!("{}?format=csv", scene.ledger_path()));
    assert!(!String::from_utf8(csv.bytes).unwrap().contains("level"));
}

#[test]
fn table_by_level_with_a_gap_or_beside_an_amount_is_refused() {
    let scene = Scene::new();
    let refuse = |amounts: Value, code: &str| {
        let mut rule = document("pd-hours");
        rule["rule"]["amounts"] = json!([amounts]);
        let refused = scene.hr.post(&scene.rules_path(), &rule);
        assert_eq!((refused.status, refused.faults()[0].1.as_str()), (422, code), "{amounts}");
    };
    let of = |rows: Value| json!({ "kind": "micro_credential", "id": "mc-a", "by_level": rows });
    refuse(of(json!([])), "amount");
    refuse(of(json!([{ "level": 1, "minor": 300 }])), "levels");
    refuse(of(json!([{ "level": 1, "minor": 300 }, { "level": 3, "minor": 600 }])), "levels");
    refuse(of(json!([{ "level": 1, "minor": 300 }, { "level": 2, "minor": 200 }])), "levels");
    refuse(of(json!([{ "level": 1, "minor": 0 }, { "level": 2, "minor": 200 }])), "amount");
    let rows = json!([{ "level": 1, "minor": 300 }, { "level": 2, "minor": 600 }]);
    let mut both = of(rows.clone());
    both["minor"] = json!(300);
    refuse(both, "amount");
    refuse(json!({ "kind": "micro_credential", "id": "mc-a" }), "amount");
    let mut stack = of(rows);
    stack["kind"] = json!("stack");
    refuse(stack, "levels-of-a-stack");
    // Whole minor units, and levels that there can be.
    for row in [json!({ "level": 1, "minor": 300.5 }), json!({ "level": -1, "minor": 300 })] {
        let mut rule = document("pd-hours");
        rule["rule"]["amounts"] = json!([of(json!([row]))]);
        assert_eq!(scene.hr.post(&scene.rules_path(), &rule).status, 422);
    }
}

/// The minor units of the table for HR, added up, and how many lines there are.
fn sum_of_csv(scene: &Scene) -> (i64, usize) {
    let csv = scene.hr.get(&format!("{}?format=csv", scene.ledger_path()));
    let text = String::from_utf8(csv.bytes).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let place = header.iter().position(|name| *name == "minor").unwrap();
    let amounts: Vec<i64> =
        lines.map(|line| line.split(',').nth(place).unwrap().parse().unwrap()).collect();
    (amounts.iter().sum(), amounts.len())
}

/// A district that leaves takes the same table along, but for the names: also where the last entry is a reversal.
#[track_caller]
fn assert_same_in_the_records(scene: &Scene) {
    let csv = scene.hr.get(&format!("{}?format=csv", scene.ledger_path()));
    let folder = TempDir::new().unwrap();
    let files = exported(&scene.app, &scene.district.id, folder.path(), &[]);
    let read =
        |bytes: &[u8]| assay::domain::csv::read(std::str::from_utf8(bytes).unwrap()).unwrap();
    let mut expected: Vec<Vec<String>> =
        read(&csv.bytes).into_iter().map(|row| row.cells).collect();
    let column = |name: &str| expected[0].iter().position(|cell| cell == name).unwrap();
    let (name, entry, authority) = (column("name"), column("entry"), column("authority_id"));
    assert_eq!(expected.last().unwrap()[entry], "reversal");
    for row in &mut expected[1..] {
        assert_eq!(row[authority], scene.district.id);
        assert!(!std::mem::take(&mut row[name]).is_empty());
    }
    let records = read(&files["records/credit-ledger.csv"]);
    let records: Vec<Vec<String>> = records.into_iter().map(|row| row.cells).collect();
    assert_eq!(records, expected);
}

#[test]
fn credit_that_is_taken_back_stays_in_the_ledger_with_an_entry_of_its_own() {
    let mail = SmtpServer::start(Answers::default());
    let settings = TestSettings { smtp_url: Some(mail.url("")), ..TestSettings::default() };
    let scene = Scene::of(TestApp::with(settings));
    let earner = &scene.district.earner;
    let (_, award) = scene.district.award(earner, &scene.family);
    let rule = scene.rule(&document("pd-hours"));
    let path = grants_path(&rule);
    let both = json!({ "award_id": award, "allocations": [
        { "category": "content", "minor": 400 }, { "category": "pedagogy", "minor": 200 },
    ]});
    let given = scene.hr.post(&path, &both).expect(201);
    assert_eq!(scene.outlook(earner)["rules"][0]["doubts"], json!(["cap_leaves_less"]));
    let reversal = format!("/api/v1/credit-grants/{}/reversal", given["id"].as_str().unwrap());
    let reason = json!({ "reason": "Entered for the wrong year." });

    // Who may not, and what is said.
    let valley = scene.app.seed_root("Valley");
    let stranger = scene.app.seed(&valley, "stranger@example.org", &["credit_authority"]);
    for hidden in [&stranger, earner, &scene.district.admin] {
        assert_eq!(hidden.post(&reversal, &reason).problem(), "not-found");
    }
    assert_eq!(scene.district.auditor.post(&reversal, &reason).problem(), "forbidden");
    for bad in ["", " ", &"x".repeat(2001)] {
        let refused = scene.hr.post(&reversal, &json!({ "reason": bad }));
        assert_eq!(refused.faults(), [("/reason".to_owned(), "reason".to_owned())]);
    }
    assert_eq!(sum_of_csv(&scene), (600, 2));

    // Of many at once one takes it back.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4)
            .map(|_| {
                let (hr, path, reason) = (scene.hr.clone(), reversal.clone(), reason.clone());
                scope.spawn(move || hr.post(&path, &reason).status)
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(scene.hr.post(&reversal, &reason).problem(), "wrong-state");
    let ledger = scene.hr.get(&scene.ledger_path()).expect(200);
    let [grant, taken] = &ledger["items"].as_array().unwrap()[..] else { panic!("{ledger}") };
    assert_eq!((&grant["entry"], &grant["minor"]), (&json!("grant"), &json!(600)));
    assert_eq!((&taken["entry"], &taken["minor"]), (&json!("reversal"), &json!(-600)));
    assert_eq!((&taken["id"], &taken["reason"]), (&given["id"], &reason["reason"]));
    assert_eq!(taken["allocations"][0], json!({ "category": "content", "minor": -400 }));
    assert_ne!(taken["entry_id"], grant["entry_id"]);
    assert_eq!(earner.get("/api/v1/me/credit-grants").expect(200), ledger);
    assert_eq!(sum_of_csv(&scene), (0, 4));
    assert_same_in_the_records(&scene);
    // A page at a time comes to the same.
    let first = scene.hr.get(&format!("{}?limit=1", scene.ledger_path())).expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = scene.hr.get(&format!("{}?limit=1&cursor={cursor}", scene.ledger_path()));
    let rest = rest.expect(200);
    assert_eq!((&first["items"][0], &rest["items"][0]), (grant, taken));
    assert_eq!(rest["next_cursor"], Value::Null);

    // The earner is told, once.
    scene.app.send_mail();
    let letters = mail.delivered().into_iter();
    let letters: Vec<String> = letters
        .filter(|one| one.to.iter().any(|to| to.contains("earner@example.org")))
        .map(|one| one.data)
        .filter(|text| text.contains("taken back the credit"))
        .collect();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains("Entered for the wrong year."), "{}", letters[0]);
    // The list asks for a token, which a browser does not send: it is told of in words.
    assert!(letters[0].contains("when you are signed in"), "{}", letters[0]);
    assert!(!letters[0].contains("/api/"), "{}", letters[0]);

    // The cap is free again, and so is the award; each grant is used once.
    let found = scene.outlook(earner);
    assert_eq!(
        (&found["answer"], &found["rules"][0]["doubts"]),
        (&json!("will_count"), &json!([]))
    );
    let again = scene.hr.post(&path, &both).expect(201);
    assert_ne!(again["id"], given["id"]);
    assert_eq!(scene.hr.post(&path, &both).faults()[0].1, "credit-given");
    assert_eq!(sum_of_csv(&scene), (600, 6));
    // What was taken back is not flagged any more, what was kept is.
    scene.district.revoke(&award).expect(200);
    let ledger = scene.hr.get(&scene.ledger_path()).expect(200);
    let lines = ledger["items"].as_array().unwrap().iter();
    let flags: Vec<Value> = lines.map(|line| line["flag"].clone()).collect();
    assert_eq!(flags, [Value::Null, Value::Null, json!("revoked")]);
    let trail = scene.district.auditor.get("/api/v1/audit-events?limit=100").expect(200);
    let told = trail["items"].as_array().unwrap().iter();
    assert_eq!(told.filter(|event| event["verb"] == "reverse_credit_grant").count(), 1, "{trail}");
}

#[test]
fn nobody_takes_their_own_credit_back() {
    let scene = Scene::new();
    let roles = ["credit_authority", "earner"];
    let both = scene.app.seed(&scene.district.id, "both@example.org", &roles);
    let (_, award) = scene.district.award(&both, &scene.family);
    let rule = scene.rule(&document("pd-hours"));
    let given = scene.hr.post(&grants_path(&rule), &hours_for(&award, 600)).expect(201);
    let reversal = format!("/api/v1/credit-grants/{}/reversal", given["id"].as_str().unwrap());
    let reason = json!({ "reason": "I know better." });
    assert_eq!(both.post(&reversal, &reason).problem(), "forbidden");
    scene.hr.post(&reversal, &reason).expect(201);
}
