//! The way to the award of a stack: progress, the award, and a badge that names its parts and holds for a stranger.

use serde_json::{Value, json};

use super::{ELECTIVES, FOUNDATION, Pathway};

fn slugs(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["slug"].as_str().unwrap()).collect()
}

#[test]
fn pathway_of_an_instructional_assistant_is_followed_to_its_credential() {
    let pathway = Pathway::new(None);
    let (app, district) = (&pathway.app, &pathway.district);
    let earner = &district.earner;
    let own = format!("/api/v1/stacks/{}", pathway.stack);
    let progress = || earner.get(&format!("{own}/progress")).expect(200);
    let none = progress();
    assert_eq!((&none["is_met"], &none["award_id"]), (&json!(false), &json!(null)));
    assert_eq!(none["parts"][0]["category"], "Foundational");
    assert_eq!(slugs(&none["parts"][1]["missing"]), ELECTIVES);
    assert_eq!(none["parts"][1]["needed"], 1);
    let refused = earner.act(&format!("{own}/awards"));
    let at = |index: u8| (format!("/parts/{index}"), "not-met".to_owned());
    assert_eq!(refused.faults(), [at(0), at(1)]);

    let foundation = district.award(earner, &pathway.foundation).1;
    let one = progress();
    assert_eq!(one["parts"][0]["held"][0]["award_id"], json!(foundation));
    assert_eq!(
        (slugs(&one["parts"][0]["held"]), &one["parts"][0]["needed"]),
        (vec![FOUNDATION], &json!(0))
    );
    assert_eq!(earner.act(&format!("{own}/awards")).faults(), [at(1)]);
    let elective = district.award(earner, &pathway.electives[1]).1;
    assert_eq!(progress()["is_met"], true);
    // Somebody else's awards are nobody's steps.
    let other = app.invite(&district.admin, &district.schools[0], "other@example.org", &["earner"]);
    assert_eq!(other.act(&format!("{own}/awards")).faults(), [at(0), at(1)]);
    assert_eq!(district.officer.act(&format!("{own}/awards")).problem(), "forbidden");

    let award = earner.act(&format!("{own}/awards")).expect(201);
    assert_eq!((&award["state"], &award["stack_id"]), (&json!("active"), &json!(pathway.stack)));
    assert_eq!(
        (&award["submission_id"], &award["micro_credential_id"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(earner.act(&format!("{own}/awards")).problem(), "already-there");
    assert_eq!(progress()["award_id"], award["id"]);
    let id = award["id"].as_str().unwrap();
    let renew = earner.act(&format!("/api/v1/awards/{id}/renew"));
    assert_eq!(renew.problem(), "wrong-state");

    let badge = app.anybody().get(&format!("/credentials/{id}")).expect(200);
    let achievement = &badge["credentialSubject"]["achievement"];
    assert_eq!(achievement["achievementType"], "Certificate");
    assert_eq!(achievement["id"], format!("{}/stacks/{}", crate::harness::BASE_URL, pathway.stack));
    let published = app.anybody().get(&format!("/stacks/{}", pathway.stack)).expect(200);
    for member in ["id", "name", "criteria", "resultDescription", "version"] {
        assert_eq!(published[member], achievement[member], "{member}");
    }
    let named: Vec<(&str, &str)> = badge["credentialSubject"]["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let text = |member: &str| result[member].as_str().unwrap();
            (text("resultDescription").rsplit_once("#part-").unwrap().1, text("value"))
        })
        .collect();
    let address = |award: &str| format!("{}/credentials/{award}", crate::harness::BASE_URL);
    assert_eq!(
        named,
        [(FOUNDATION, address(&foundation).as_str()), (ELECTIVES[1], address(&elective).as_str())]
    );
    let verdict = app.anybody().post("/api/v1/verify", &badge).expect(200);
    assert_eq!(
        (&verdict["verdict"], &verdict["credential"]["scoring"]),
        (&json!("valid"), &json!(null))
    );
    let mut altered = badge.clone();
    altered["credentialSubject"]["result"][0]["value"] = json!("https://elsewhere.example.org/1");
    assert_eq!(app.anybody().post("/api/v1/verify", &altered).expect(200)["verdict"], "invalid");

    let page = app.anybody().get_as(&format!("/credentials/{id}"), "text/html");
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains("Rests on two badges"), "{html}");
    for part in [&foundation, &elective] {
        assert!(html.contains(&format!("href=\"/credentials/{part}\"")));
    }
    for suffix in ["jwt", "png", "svg"] {
        assert_eq!(app.anybody().get(&format!("/credentials/{id}.{suffix}")).status, 200);
    }
    let listed = earner.get("/api/v1/awards").expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
}

#[test]
fn stack_is_for_people_of_its_organization() {
    let pathway = Pathway::new(None);
    let app = &pathway.app;
    let harbour = app.seed_root("Harbour");
    let stranger = app.seed(&harbour, "stranger@harbour.example.org", &["earner", "designer"]);
    let own = format!("/api/v1/stacks/{}", pathway.stack);
    stranger.get(&own).expect(200);
    for path in [format!("{own}/awards"), format!("{own}/retire")] {
        assert_eq!(stranger.act(&path).problem(), "forbidden");
    }
    assert_eq!(stranger.get(&format!("{own}/progress")).problem(), "forbidden");
    assert_eq!(app.anybody().get(&format!("{own}/progress")).status, 401);
}

#[test]
fn own_stacks_are_told_with_what_counts_what_is_missing_and_what_has_fallen() {
    let pathway = Pathway::new(None);
    let (app, district) = (&pathway.app, &pathway.district);
    let earner = &district.earner;
    let own = || earner.get("/api/v1/me/stacks").expect(200)["items"].as_array().unwrap().clone();
    let [first] = &own()[..] else { panic!("one stack is there") };
    assert_eq!((&first["id"], &first["state"]), (&json!(pathway.stack), &json!("published")));
    assert_eq!(first["path"], json!(format!("/stacks/{}", pathway.stack)));
    assert_eq!(first["organization"], "Riverbend District");
    let parts = |stack: &Value| -> Vec<(Value, Value, usize)> {
        let parts = stack["parts"].as_array().unwrap().iter();
        parts
            .map(|part| {
                let held = part["held"].as_array().unwrap().len();
                (part["asked"].clone(), part["needed"].clone(), held)
            })
            .collect()
    };
    assert_eq!(parts(first), [(json!(1), json!(1), 0), (json!(1), json!(1), 0)]);
    let missing = &first["parts"][0]["missing"][0];
    assert_eq!(
        missing["path"],
        json!(format!("/achievements/{}/versions/1", pathway.foundation)),
        "where it can be earned"
    );
    assert_eq!(missing["uncounted_award_id"], json!(null));

    let (award, [foundation, elective]) = pathway.earn();
    let held = &own()[0];
    assert_eq!((&held["is_met"], &held["award_id"]), (&json!(true), &json!(award)));
    assert_eq!(parts(held), [(json!(1), json!(0), 1), (json!(1), json!(0), 1)]);
    district.revoke(&elective).expect(200);
    let fallen = &own()[0];
    assert_eq!(
        (&fallen["is_met"], &fallen["award_state"]),
        (&json!(false), &json!("suspended")),
        "{fallen:#}"
    );
    assert!(fallen["replaceable_until"].is_string());
    let of = |slug: &str| {
        let missing = fallen["parts"][1]["missing"].as_array().unwrap().iter();
        missing.clone().find(|item| item["slug"] == slug).unwrap().clone()
    };
    assert_eq!(of(ELECTIVES[0])["uncounted_award_id"], json!(elective));
    assert_eq!(of(ELECTIVES[0])["uncounted_state"], "revoked");
    assert_eq!(
        of(ELECTIVES[1])["uncounted_state"],
        json!(null),
        "would count, and never was there"
    );
    let counting = &fallen["parts"][0]["held"][0];
    assert_eq!(
        (&counting["award_id"], &counting["uncounted_state"]),
        (&json!(foundation), &json!(null))
    );

    // Somebody who holds none of it sees a retired stack no more; whoever has its award does.
    let other = app.invite(&district.admin, &district.schools[1], "other@example.org", &["earner"]);
    let of_other = other.get("/api/v1/me/stacks").expect(200);
    assert_eq!(parts(&of_other["items"][0])[0].2, 0, "nobody else's awards");
    district.designers[0].act(&format!("/api/v1/stacks/{}/retire", pathway.stack)).expect(200);
    assert_eq!(own()[0]["state"], "retired");
    assert_eq!(other.get("/api/v1/me/stacks").expect(200)["items"], json!([]));
    let harbour = app.seed_root("Harbour");
    let stranger = app.seed(&harbour, "stranger@harbour.example.org", &["earner"]);
    assert_eq!(stranger.get("/api/v1/me/stacks").expect(200)["items"], json!([]));
    assert_eq!(app.anybody().get("/api/v1/me/stacks").status, 401);
}

#[test]
fn draft_is_among_nobodys_own_stacks() {
    let app = crate::harness::TestApp::new();
    let district = app.district();
    let path = format!("/api/v1/organizations/{}/stacks", district.id);
    let document = super::shipped("pathway-grow-your-own");
    district.designers[0].post(&path, &json!({ "definition": document })).expect(201);
    for person in [&district.designers[0], &district.earner] {
        assert_eq!(person.get("/api/v1/me/stacks").expect(200)["items"], json!([]));
    }
}
