//! Which waiting work goes to whom.

use assay::service::context::Proof;
use assay::service::{Cx, reviews};
use assay::store::schema::{reviews as review_rows, submissions};
use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::json;

use crate::harness::statements::{count_statements, statements_of};
use crate::harness::world::hand_in;
use crate::harness::{TestApp, definition};

#[test]
fn who_scored_an_earlier_attempt_is_spared_while_there_is_somebody_else() {
    let app = TestApp::new();
    let district = app.district();
    let mut single = definition("mc-ia-small-group-support");
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
fn nobody_is_spared_for_somebody_who_is_to_hold_nothing() {
    let app = TestApp::new();
    let district = app.district();
    let mut single = definition("mc-ia-small-group-support");
    single["review_policy"]["second_score_when_not_yet"] = json!(false);
    let family = district.publish(&single);
    district.submit(&district.earner, &family);
    district.score(&district.assessor, -1);
    let again = district.submit(&district.earner, &family);
    let office = &district.id;
    let other = app.invite(&district.admin, office, "other@example.org", &["assessor"]);
    assert_eq!(district.assessor.act("/api/v1/reviews/claim").status, 204);
    let cap = format!("/api/v1/organizations/{office}/load-caps/{}", other.id);
    district.coordinator.put(&cap, "\"0\"", &json!({ "load_cap": 0 })).expect(200);
    let claimed = district.assessor.act("/api/v1/reviews/claim").expect(201);
    assert_eq!(claimed["submission_id"], again.as_str());
}

#[test]
fn claim_asks_the_database_as_often_however_much_waits() {
    count_statements();
    let app = TestApp::new();
    let district = app.district();
    let family = district.publish_small_group().parse().unwrap();
    let [mine, other] = &district.schools;
    let colleague = app.seed(mine, "colleague@example.org", &["assessor"]);
    let cost = || {
        let proof = Proof::Token(&colleague.token);
        let claim = |cx: &mut Cx<'_>| reviews::claim(cx, None);
        let (claimed, n_statements) =
            statements_of(|| app.resources.run("claim_review", proof, claim));
        (claimed.unwrap().map(|detail| detail.review), n_statements)
    };
    let submit = |school: &str, numbers: std::ops::Range<usize>| {
        for number in numbers {
            let email = format!("earner-{number}-of-{school}@example.org");
            let earner = app.seed(school, &email, &["earner"]);
            hand_in(&app.resources, &earner.token, family);
        }
    };
    // Nothing that waits is for an assessor of the same school.
    submit(mine, 0..3);
    let (nothing, of_three) = cost();
    submit(mine, 3..30);
    let (still_nothing, of_thirty) = cost();
    assert_eq!((nothing, still_nothing), (None, None));
    assert_eq!(of_three, of_thirty);
    // Nor does it matter where in the queue that stands which is.
    submit(other, 30..31);
    let (first, behind_thirty) = cost();
    submit(other, 31..32);
    let (second, next) = cost();
    assert!(first.is_some() && second.is_some());
    assert_eq!(behind_thirty, next);
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
    let leased = review_rows::table.filter(review_rows::state.eq("leased"));
    assert_eq!(leased.count().get_result::<i64>(&mut *conn).unwrap(), 1);
    let state: String = submissions::table.select(submissions::state).first(&mut *conn).unwrap();
    assert_eq!(state, "in_review");
}
