//! The skills inventory: counted from live awards, told in steps, names of those alone who want it, and a snapshot that can be checked.

mod attack;

use std::collections::BTreeMap;

use assay::credential::jwk::PublicJwk;
use assay::credential::jwt::is_signed_by;
use assay::domain::organization::OrganizationKind;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{District, Person, TestApp, definition};

const PURPOSE: &str =
    "To call on people for what they do well. Not to rank anybody, and not for evaluation.";

/// A district in which some have earned the small micro-credential.
struct Scene {
    app: TestApp,
    district: District,
    /// The code of a skill that it shows.
    skill: String,
    earners: Vec<Person>,
    awards: Vec<String>,
    steward: Person,
}

impl Scene {
    fn new(n_earners: usize) -> Scene {
        let app = TestApp::new();
        let district = app.district();
        let family = district.publish_small_group();
        let mut earners = Vec::new();
        let mut awards = Vec::new();
        for number in 0..n_earners {
            let email = format!("earner-{number}@willow.example.org");
            let earner = app.seed(&district.schools[0], &email, &["earner"]);
            awards.push(district.award(&earner, &family).1);
            earners.push(earner);
        }
        app.resources.as_system(assay::service::issuance::issue_pending).unwrap();
        let steward = app.seed(&district.id, "steward@example.org", &["data_steward"]);
        let shown = definition("mc-ia-small-group-support");
        let skill = shown["skills"][0]["code"].as_str().unwrap().to_owned();
        Scene { app, district, skill, earners, awards, steward }
    }

    fn purpose_path(&self) -> String {
        format!("/api/v1/organizations/{}/inventory-purpose", self.district.id)
    }

    fn path(&self, query: &str) -> String {
        format!("/api/v1/reports/skills-inventory?organization_id={}{query}", self.district.id)
    }

    fn people_path(&self) -> String {
        let organization = &self.district.id;
        let skill = &self.skill;
        format!(
            "/api/v1/reports/skills-inventory/people?organization_id={organization}&skill={skill}"
        )
    }

    fn say_purpose(&self) {
        let body = json!({ "statement": PURPOSE });
        self.district.admin.put(&self.purpose_path(), "\"0\"", &body).expect(200);
    }

    /// Says whether the person is named for the award.
    #[track_caller]
    fn share(&self, number: usize, named: bool) {
        let path = format!("/api/v1/awards/{}/sharing", self.awards[number]);
        let etag = self.earners[number].get(&path).etag();
        let answer = self.earners[number].put(&path, &etag, &json!({ "named": named })).expect(200);
        assert_eq!(answer["named"], named);
    }

    fn named(&self, by: &Person) -> Vec<String> {
        let found = by.get(&self.people_path()).expect(200);
        let items = found["items"].as_array().unwrap().iter();
        items.map(|one| one["person_id"].as_str().unwrap().to_owned()).collect()
    }
}

/// What is told of each item.
fn numbers(items: &Value) -> BTreeMap<String, Option<u64>> {
    let items = items.as_array().unwrap().iter();
    items.map(|one| (one["id"].as_str().unwrap().to_owned(), one["at_least"].as_u64())).collect()
}

#[test]
fn numbers_come_from_live_awards_and_are_told_in_steps() {
    let scene = Scene::new(12);
    let reader = &scene.district.earner;

    // Nobody's default: without a purpose there is no inventory.
    let without = reader.get(&scene.path(""));
    assert_eq!((without.status, without.problem().as_str()), (409, "wrong-state"));
    assert_eq!(without.json["allowed_events"], json!(["put_inventory_purpose"]));
    let path = scene.purpose_path();
    assert_eq!(reader.get(&path).expect(200)["statement"], Value::Null);
    let body = json!({ "statement": PURPOSE });
    assert_eq!(scene.district.coordinator.put(&path, "\"0\"", &body).status, 403);
    assert_eq!(scene.district.admin.put(&path, "\"0\"", &json!({ "statement": " " })).status, 422);
    scene.say_purpose();
    assert_eq!(scene.district.admin.put(&path, "\"0\"", &body).status, 412);

    // One is revoked: eleven are left, and at least ten are told.
    scene.district.revoke(&scene.awards[0]).expect(200);
    let seen = reader.get(&scene.path("")).expect(200);
    assert_eq!(
        (&seen["purpose"], &seen["exact"], &seen["step"]),
        (&json!(PURPOSE), &json!(false), &json!(5))
    );
    let told = numbers(&seen["items"]);
    assert_eq!(told[&scene.skill], Some(10));
    let exact = numbers(&scene.steward.get(&scene.path("&exact=true")).expect(200)["items"]);
    assert_eq!(exact[&scene.skill], Some(11));
    for id in ["invited", "enrolled", "earned"] {
        assert_eq!((told[id], exact[id]), (Some(0), Some(0)), "there is no programme");
    }
    assert_eq!(scene.district.coordinator.get(&scene.path("&exact=true")).status, 403);

    // What can be earned and nobody holds is a gap.
    let mut other = definition("mc-ia-small-group-support");
    other["id"] = json!("mc-something-else");
    other["skills"] = json!([{ "code": "nobody-yet", "label": "Something that nobody has shown" }]);
    other["review_policy"]["backread_share_bp"] = json!(0);
    scene.district.publish(&other);
    let seen = reader.get(&scene.path("")).expect(200);
    let gaps: Vec<&str> = seen["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["gap"] == true)
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(gaps, ["nobody-yet"]);

    // Everybody else together is large enough to be a row.
    for number in 0..3 {
        scene.app.seed(&scene.district.id, &format!("staff-{number}@example.org"), &["coach"]);
    }
    let seen = reader.get(&scene.path("&by=school")).expect(200);
    let rows = seen["tables"][0]["rows"].as_array().unwrap();
    assert_eq!((seen["tables"].as_array().unwrap().len(), rows.len()), (1, 2), "{seen}");
    let willow = rows.iter().find(|row| row["names"] == json!(["Willow"])).unwrap();
    // Thirteen people work there: that eleven of them hold it is not told, since two do not.
    assert_eq!(numbers(&willow["items"])[&scene.skill], Some(5));
    let picked = format!("&by=school&group={}", scene.district.schools[0]);
    let picked = reader.get(&scene.path(&picked)).expect(200);
    assert_eq!(picked["tables"][0]["rows"], json!([willow]), "a filter only picks");
    let skill = reader.get(&scene.path(&format!("&skill={}", scene.skill))).expect(200);
    assert_eq!(numbers(&skill["items"]), BTreeMap::from([(scene.skill.clone(), Some(10))]));

    // The other forms say the same.
    let csv = String::from_utf8(reader.get(&scene.path("&format=csv")).bytes).unwrap();
    let line = csv.lines().find(|line| line.contains(&scene.skill) && line.contains("everybody"));
    assert!(line.unwrap().contains(",10,false,"), "{csv}");
    assert!(csv.lines().skip(1).all(|line| line.contains("To call on people")), "{csv}");
    let svg = reader.get(&scene.path("&format=svg"));
    assert_eq!(svg.headers["content-type"], "image/svg+xml");
    let svg = String::from_utf8(svg.bytes).unwrap();
    assert!(svg.contains("at least 10") && svg.contains("To call on people"), "{svg}");
    for query in ["&by=role", "&format=pdf", "&everything=true"] {
        assert_eq!(reader.get(&scene.path(query)).status, 422, "{query}");
    }

    // Another district does not know that there is one.
    let valley = scene.app.seed_root("Valley");
    let stranger =
        scene.app.seed(&valley, "stranger@example.org", &["coordinator", "data_steward"]);
    assert_eq!(stranger.get(&scene.path("")).status, 404);
    assert_eq!(stranger.get(&scene.people_path()).status, 404);
    assert_eq!(stranger.get(&path).status, 404);
}

#[test]
fn only_those_who_want_it_are_named_and_no_longer_than_they_do() {
    let scene = Scene::new(4);
    let reader = &scene.district.coordinator;
    let sharing = |number: usize| format!("/api/v1/awards/{}/sharing", scene.awards[number]);
    scene.say_purpose();
    assert!(scene.named(reader).is_empty(), "nobody is named who has not said so");

    // It is theirs to say, with the tag that they have read.
    let unconditional =
        scene.earners[0].request(reqwest::Method::PUT, &sharing(0)).json(&json!({ "named": true }));
    assert_eq!(scene.earners[0].send(unconditional).status, 428);
    assert_eq!(scene.earners[1].get(&sharing(0)).status, 404);
    let body = json!({ "named": true });
    assert_eq!(scene.earners[1].put(&sharing(0), "\"0\"", &body).status, 404);
    assert_eq!(scene.district.officer.put(&sharing(0), "\"0\"", &body).status, 403);
    for number in 0..4 {
        scene.share(number, true);
    }
    let stale = scene.earners[0].put(&sharing(0), "\"0\"", &body);
    assert_eq!((stale.status, &stale.json["current"]["named"]), (412, &json!(true)));
    let all: Vec<String> = scene.earners.iter().map(|one| one.id.clone()).collect();
    assert_eq!(scene.named(reader), all);
    let first = reader.get(&format!("{}&limit=1", scene.people_path())).expect(200);
    assert_eq!(first["items"][0]["name"], scene.earners[0].email);
    assert_eq!(first["items"][0]["credential_path"], format!("/credentials/{}", scene.awards[0]));
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = reader.get(&format!("{}&cursor={cursor}", scene.people_path())).expect(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 3);
    assert_eq!(reader.get(&scene.people_path().replace("&skill=", "&limit=2&cursor=")).status, 422);

    // Taken back, revoked, left: each is at once not named any more.
    scene.share(0, false);
    scene.district.revoke(&scene.awards[1]).expect(200);
    let member = format!(
        "/api/v1/organizations/{}/members/{}",
        scene.district.schools[0], scene.earners[2].id
    );
    let etag = scene.district.admin.get(&member).etag();
    let removed = json!({ "roles": [], "state": "removed" });
    scene.district.admin.put(&member, &etag, &removed).expect(200);
    assert_eq!(scene.named(reader), [scene.earners[3].id.as_str()]);
    let people = scene.people_path().replace(&scene.skill, "nothing-like-it");
    assert_eq!(reader.get(&people).expect(200)["items"], json!([]));

    // Each of it is in the trail.
    let trail = scene.district.auditor.get("/api/v1/audit-events?limit=100").expect(200);
    let said: Vec<&Value> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["verb"] == "put_sharing" || event["operation"] == "put_sharing")
        .collect();
    assert_eq!(said.len(), 5, "{trail}");
}

#[test]
fn a_snapshot_is_signed_by_the_issuer_and_can_be_checked_with_its_published_keys() {
    let scene = Scene::new(2);
    let path = format!("/api/v1/organizations/{}/inventory-snapshots", scene.district.id);
    assert_eq!(scene.district.coordinator.act(&path).status, 409, "no purpose, no snapshot");
    scene.say_purpose();
    assert_eq!(scene.district.earner.act(&path).status, 403);
    let made = scene.district.coordinator.act(&path).expect(201);
    let jwt = made["jwt"].as_str().unwrap();
    let part = |text: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let parts: Vec<&str> = jwt.split('.').collect();
    let (header, claims) = (part(parts[0]), part(parts[1]));
    assert_eq!(header["typ"], "skills-inventory+jwt");
    assert_eq!(claims["jti"], format!("urn:uuid:{}", made["id"].as_str().unwrap()));
    assert!(claims["iss"].as_str().unwrap().ends_with(&scene.district.id));

    // It says what everybody was told, with its purpose, and has no exact numbers.
    let mut told = scene.district.earner.get(&scene.path("")).expect(200);
    told["as_of"] = claims["inventory"]["as_of"].clone();
    assert_eq!(claims["inventory"], told);

    // Anybody checks it with the keys that the issuer publishes.
    let anybody = scene.app.anybody();
    let keys = anybody.get(made["keys_path"].as_str().unwrap()).expect(200);
    let kid = header["kid"].as_str().unwrap();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
    let key = PublicJwk::parse(key).unwrap();
    assert!(is_signed_by(jwt, &key));
    let mut altered = claims.clone();
    altered["inventory"]["purpose"] = json!("To rank people.");
    let altered = URL_SAFE_NO_PAD.encode(altered.to_string());
    assert!(!is_signed_by(&format!("{}.{altered}.{}", parts[0], parts[2]), &key));
    // And nobody takes it for a badge.
    let request = anybody.request(reqwest::Method::POST, "/api/v1/verify").body(jwt.to_owned());
    let verdict = anybody.send(request);
    assert_ne!(verdict.json["verdict"], "valid", "{verdict:?}");

    // It is kept, for those of the district.
    let one = format!("/api/v1/inventory-snapshots/{}", made["id"].as_str().unwrap());
    assert_eq!(scene.district.earner.get(&one).expect(200), made);
    assert_eq!(scene.district.earner.get(&path).expect(200)["items"], json!([made]));
    let valley = scene.app.seed_root("Valley");
    let stranger = scene.app.seed(&valley, "stranger@example.org", &["coordinator"]);
    assert_eq!(stranger.get(&one).status, 404);
    assert_eq!(stranger.act(&path).status, 404);

    // The stop switch holds for it.
    let issuing = format!("/api/v1/organizations/{}/issuing", scene.district.id);
    scene.district.officer.put(&issuing, "\"0\"", &json!({ "stopped": true })).expect(200);
    assert_eq!(scene.district.coordinator.act(&path).problem(), "cannot-issue");
}

#[test]
fn part_of_a_district_is_told_of_by_the_district_alone() {
    let scene = Scene::new(1);
    scene.say_purpose();
    let school = &scene.district.schools[0];
    let path =
        |rest: &str| format!("/api/v1/reports/skills-inventory?organization_id={school}{rest}");
    let refused = scene.district.coordinator.get(&path(""));
    assert_eq!(refused.faults()[0].1, "part-of-a-district");
    let snapshots = format!("/api/v1/organizations/{school}/inventory-snapshots");
    let refused = scene.steward.post(&snapshots, &json!({}));
    assert_eq!(refused.faults()[0].1, "part-of-a-district", "{refused:?}");
    scene.steward.get(&path("&exact=true")).expect(200);
    let of_school = format!("&by=school&group={school}");
    scene.district.coordinator.get(&scene.path(&of_school)).expect(200);
}

#[test]
fn names_are_told_in_the_same_district_and_at_a_network_numbers_alone() {
    let scene = Scene::new(1);
    scene.say_purpose();
    scene.share(0, true);
    let (app, root) = (&scene.app, &scene.district);
    let path = |organization: &str| {
        let skill = &scene.skill;
        format!(
            "/api/v1/reports/skills-inventory/people?organization_id={organization}&skill={skill}"
        )
    };
    // A network of two districts, with somebody of its own.
    let valley = app.seed_root_of_kind("Valley", OrganizationKind::Network);
    let admin = app.seed(&valley, "admin@valley.example.org", &["administrator", "coordinator"]);
    let [north, south] =
        ["North", "South"].map(|name| app.organization(&admin, &valley, name, "district"));
    let school = app.organization(&admin, &north, "Willow", "school");
    let purpose = format!("/api/v1/organizations/{valley}/inventory-purpose");
    admin.put(&purpose, "\"0\"", &json!({ "statement": PURPOSE })).expect(200);
    let colleague = app.seed(&school, "colleague@north.example.org", &["earner"]);
    let of_north = app.seed(&north, "runs@north.example.org", &["coordinator"]);
    let of_south = app.seed(&south, "runs@south.example.org", &["coordinator", "data_steward"]);
    // Badges from elsewhere name their owners too.
    let elsewhere = |organization: &str| {
        format!("/api/v1/reports/skills-inventory/external-badges?organization_id={organization}")
    };
    for at_home in [&colleague, &of_north] {
        for part in [&north, &school] {
            assert_eq!(at_home.get(&path(part)).expect(200)["items"], json!([]));
            assert_eq!(at_home.get(&elsewhere(part)).expect(200)["items"], json!([]));
        }
    }
    for outside in [&admin, &of_south] {
        for part in [&north, &school] {
            for named in [path(part), elsewhere(part)] {
                let refused = outside.get(&named).status;
                assert!(matches!(refused, 403 | 404), "{named}: {refused}");
            }
        }
    }
    assert_eq!(admin.get(&path(&north)).problem(), "forbidden");
    for anybody in [&admin, &colleague, &of_south] {
        let refused = anybody.get(&elsewhere(&valley));
        assert_eq!(refused.faults()[0].1, "names-by-district");
        let refused = anybody.get(&path(&valley));
        assert_eq!(refused.faults()[0].1, "names-by-district");
        let report = format!("/api/v1/reports/skills-inventory?organization_id={valley}");
        anybody.get(&report).expect(200);
    }
    // A district below another one is a house of its own, and so is what is above it.
    let inner = app.organization(&root.admin, &root.id, "Inner", "district");
    let mover = app.invite(&root.admin, &inner, &scene.earners[0].email, &["earner"]);
    assert_eq!(scene.named(&root.coordinator), [mover.id.as_str()]);
    let member = format!("/api/v1/organizations/{}/members/{}", root.schools[0], mover.id);
    let etag = root.admin.get(&member).etag();
    let removed = json!({ "roles": [], "state": "removed" });
    root.admin.put(&member, &etag, &removed).expect(200);
    assert!(scene.named(&root.coordinator).is_empty(), "they are of the inner district now");
    let again = app.sign_in(&mover.email);
    assert_eq!(again.get(&path(&inner)).expect(200)["items"][0]["person_id"], mover.id.as_str());
    assert_eq!(root.coordinator.get(&path(&inner)).problem(), "forbidden");
}
