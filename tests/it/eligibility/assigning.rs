//! Which waiting work goes to whom.

use assay::store::schema::{reviews, submissions};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::json;

use crate::harness::{TestApp, definition};

#[test]
fn who_scored_an_earlier_attempt_is_spared_while_there_is_somebody_else() {
    let app = TestApp::new();
    let district = app.district();
    let mut single = definition("mc-ia-small-group-support");
    single["review_policy"]["backread_share_bp"] = json!(0);
    single["id"] = json!("mc-single");
    single["review_policy"]["second_score_when_not_yet"] = json!(false);
    let family = district.publish(&single);
    district.submit(&district.earner, &family);
    district.score(&district.assessor, -1);
    let again = district.submit(&district.earner, &family);
    let claim = |email: &str| app.sign_in(email).post("/api/v1/reviews/claim", &json!({}));
    let other = "other@example.org";
    app.invite(&district.admin, &district.schools[1], other, &["assessor"]);
    assert_eq!(claim("assessor@example.org").status, 204);
    let path = format!("/api/v1/reviews/{}", {
        let review = claim(other).expect(201);
        assert_eq!(review["submission_id"], again.as_str());
        review["id"].as_str().unwrap().to_owned()
    });
    // The other steps back: now there is nobody else.
    let reason = json!({ "reason": "I recognise this person." });
    app.sign_in(other).post(&format!("{path}/recuse"), &reason).expect(200);
    assert_eq!(claim("assessor@example.org").expect(201)["submission_id"], again.as_str());
}

#[test]
fn seat_that_lapses_goes_to_the_next_who_asks() {
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group();
    let id = district.submit(&district.earner, &family);
    let claim = |email: &str| app.sign_in(email).post("/api/v1/reviews/claim", &json!({}));
    app.invite(&district.admin, &district.schools[1], "other@example.org", &["assessor"]);
    claim("assessor@example.org").expect(201);
    assert_eq!(claim("other@example.org").status, 204);
    app.advance(TimeDelta::hours(73));
    app.resources.as_system(assay::service::housekeeping::often).unwrap();
    assert_eq!(claim("other@example.org").expect(201)["submission_id"], id.as_str());
    let mut conn = app.resources.database.connection().unwrap();
    let leased = reviews::table.filter(reviews::state.eq("leased"));
    assert_eq!(leased.count().get_result::<i64>(&mut *conn).unwrap(), 1);
    let state: String = submissions::table.select(submissions::state).first(&mut *conn).unwrap();
    assert_eq!(state, "in_review");
}
