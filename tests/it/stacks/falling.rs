//! What becomes of the award of a stack when an award falls that it rests on, and when that is back.

use assay::service::housekeeping;
use assay::store::schema::outbox;
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::Pathway;
use crate::harness::{Answer, Person};

#[track_caller]
fn step(by: &Person, award: &str, event: &str) -> Answer {
    by.post(&format!("/api/v1/awards/{award}/{event}"), &json!({ "note": "the panel has decided" }))
}

fn verdict(pathway: &Pathway, award: &str) -> String {
    let anybody = pathway.app.anybody();
    let badge = anybody.get(&format!("/credentials/{award}")).expect(200);
    let verdict = anybody.post("/api/v1/verify", &badge).expect(200);
    verdict["verdict"].as_str().unwrap().to_owned()
}

/// The kinds of the letters about stacks, in the order in which they were put in.
fn letters(pathway: &Pathway) -> Vec<String> {
    outbox::table
        .filter(outbox::kind.like("stack_%"))
        .order((outbox::created_at, outbox::id))
        .select(outbox::kind)
        .load(&mut *pathway.app.resources.database.connection().unwrap())
        .unwrap()
}

fn progress(pathway: &Pathway, earner: &Person) -> Value {
    earner.get(&format!("/api/v1/stacks/{}/progress", pathway.stack)).expect(200)
}

#[test]
fn award_is_suspended_with_its_part_and_back_with_it() {
    let pathway = Pathway::new(None);
    let (award, parts) = pathway.earn();
    let (earner, officer) = (&pathway.district.earner, &pathway.district.officer);
    step(officer, &parts[0], "suspend").expect(200);
    assert_eq!(pathway.state_of(&award), "suspended");
    assert_eq!(verdict(&pathway, &award), "invalid");
    assert_eq!(verdict(&pathway, &parts[1]), "valid");
    let standing = progress(&pathway, earner);
    assert_eq!(
        (&standing["award_state"], &standing["is_met"]),
        (&json!("suspended"), &json!(false))
    );
    assert!(standing["replaceable_until"].is_string());
    let page = pathway.app.anybody().get_as(&format!("/credentials/{award}"), "text/html");
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains("A badge that it rests on does not count"), "{html}");
    // Nobody puts it back by hand while its rule is not met, and a second one is not to be had.
    let refused = step(officer, &award, "reinstate");
    assert_eq!(
        (refused.problem().as_str(), &refused.json["allowed_events"]),
        ("wrong-state", &json!(["revoke"]))
    );
    let claim = earner.act(&format!("/api/v1/stacks/{}/awards", pathway.stack));
    assert_eq!(claim.problem(), "already-there");

    step(officer, &parts[0], "reinstate").expect(200);
    assert_eq!(pathway.state_of(&award), "active");
    assert_eq!(verdict(&pathway, &award), "valid");
    assert_eq!(progress(&pathway, earner)["replaceable_until"], json!(null));
    assert_eq!(letters(&pathway), ["stack_part_fell", "stack_is_back"]);
    pathway.app.send_mail();
    assert!(pathway.app.audit_events() > 0, "the chain holds");
}

#[test]
fn revoked_part_can_be_replaced_for_sixty_days() {
    for (days, expected) in [(59, "active"), (61, "suspended")] {
        let pathway = Pathway::new(None);
        let (award, parts) = pathway.earn();
        let district = &pathway.district;
        let body = json!({ "reason_code": "issued_in_error", "note": "decided by the panel" });
        let path = format!("/api/v1/awards/{}/revoke", parts[1]);
        district.officer.post(&path, &body).expect(200);
        assert_eq!(pathway.state_of(&award), "suspended");
        pathway.app.advance(TimeDelta::days(days));
        let earner = pathway.app.sign_in(&district.earner.email);
        let assessor = pathway.app.sign_in(&district.assessor.email);
        let submission = district.submit(&earner, &pathway.electives[1]);
        district.score(&assessor, 0);
        let decided = earner.get(&format!("/api/v1/submissions/{submission}")).expect(200);
        assert_eq!(decided["award"]["state"], "active");
        assert_eq!(progress(&pathway, &earner)["is_met"], true);
        assert_eq!(pathway.state_of(&award), expected, "after {days} days");
        assert_eq!(verdict(&pathway, &award) == "valid", expected == "active");
    }
}

#[test]
fn award_with_more_than_enough_parts_stands_when_one_of_them_falls() {
    let pathway = Pathway::new(None);
    let district = &pathway.district;
    district.award(&district.earner, &pathway.electives[1]);
    let (award, parts) = pathway.earn();
    let filter = json!({ "award_ids": [parts[1]] });
    let mut body = json!({
        "filter": filter, "reason_code": "issued_in_error", "note": "many at once", "dry_run": false,
        "expected_count": 1,
    });
    let bulk = "/api/v1/awards/bulk-revocations";
    district.officer.post(bulk, &body).expect(200);
    assert_eq!(pathway.state_of(&award), "active");
    let badge = pathway.app.anybody().get(&format!("/credentials/{award}")).expect(200);
    assert_eq!(badge["credentialSubject"]["result"].as_array().unwrap().len(), 3);
    body["filter"]["award_ids"] = json!([parts[0]]);
    district.officer.post(bulk, &body).expect(200);
    assert_eq!(pathway.state_of(&award), "suspended");
}

#[test]
fn expired_part_suspends_the_award_within_the_hour_and_its_renewal_brings_it_back() {
    let pathway = Pathway::new(Some(12));
    let (award, parts) = pathway.earn();
    pathway.app.advance(TimeDelta::days(370));
    let read = |id: &str| pathway.state_of(id);
    assert_eq!((read(&parts[0]).as_str(), read(&award).as_str()), ("expired", "active"));
    let district = &pathway.district;
    let earner = pathway.app.sign_in(&district.earner.email);
    assert_eq!(progress(&pathway, &earner)["is_met"], false, "what counts is told at once");
    pathway.app.resources.as_system(housekeeping::hourly).unwrap();
    assert_eq!(read(&award), "suspended");
    pathway.app.resources.as_system(housekeeping::hourly).unwrap();
    assert_eq!(letters(&pathway), ["stack_part_fell"], "told once");

    let assessor = pathway.app.sign_in(&district.assessor.email);
    district.submit(&earner, &pathway.foundation);
    district.score(&assessor, 0);
    assert_eq!(read(&award), "active");
    assert_eq!(verdict(&pathway, &award), "valid");
}

#[test]
fn suspension_by_a_panel_is_the_panels() {
    let pathway = Pathway::new(None);
    let (award, parts) = pathway.earn();
    let officer = &pathway.district.officer;
    step(officer, &award, "suspend").expect(200);
    step(officer, &parts[0], "suspend").expect(200);
    step(officer, &parts[0], "reinstate").expect(200);
    assert_eq!(pathway.state_of(&award), "suspended", "its part is back, and the panel still sits");
    assert_eq!(letters(&pathway), Vec::<String>::new());
    step(officer, &parts[0], "suspend").expect(200);
    // The panel is done; what is left is that a part has fallen.
    step(officer, &award, "reinstate").expect(200);
    assert_eq!(pathway.state_of(&award), "suspended");
    step(officer, &parts[0], "reinstate").expect(200);
    assert_eq!(pathway.state_of(&award), "active");

    // What an officer has revoked does not come back.
    pathway.district.revoke(&award).expect(200);
    step(officer, &parts[0], "suspend").expect(200);
    step(officer, &parts[0], "reinstate").expect(200);
    assert_eq!(pathway.state_of(&award), "revoked");
    let again = pathway.district.earner.act(&format!("/api/v1/stacks/{}/awards", pathway.stack));
    assert_eq!(again.expect(201)["state"], "active");
}
