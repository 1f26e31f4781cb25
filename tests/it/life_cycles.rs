//! The other lives of the model: every state, event and party, with the list of what is legal in each refusal. Awards are compared with the
//! model's own file; definitions, reviews, cases and memberships with the tables of DOMAIN.md, 2.5.

use std::collections::BTreeSet;

use assay::domain::award::{
    AwardEvent, AwardGuard, AwardState, RevocationReason, TRANSITIONS, WrongAwardState,
};
use assay::domain::case::{CaseEvent, CaseKind, CaseState};
use assay::domain::ids::{ReviewId, SubmissionId};
use assay::domain::organization::{MembershipState, Role};
use assay::domain::policy::{self, Grant};
use assay::domain::process::Party;
use assay::domain::review::{Review, ReviewEvent, ReviewKind, ReviewState};
use assay::domain::timestamp::Timestamp;
use assay::domain::version::{VersionEvent, VersionState};
use assay::service::Error;
use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::TestApp;

fn model() -> Value {
    let whole: Value = serde_json::from_str(include_str!("fixtures/process-model.json")).unwrap();
    whole["award"].clone()
}

#[track_caller]
fn legal(error: Error) -> Vec<&'static str> {
    let Error::WrongState { allowed_events, .. } = error else {
        panic!("{error:?} does not say what is legal")
    };
    allowed_events
}

/// The two lines in which officers stand beside the panel (decision 31).
fn with_officers(line: &Value) -> Value {
    let mut line = line.clone();
    if line["event"] == "suspend" || line["event"] == "reinstate" {
        assert_eq!(line["actor"], json!(["review_panel"]), "the model has changed");
        line["actor"] = json!(["issuing_officer", "review_panel"]);
    }
    line
}

#[test]
fn award_has_the_states_events_guards_and_reasons_of_the_model() {
    let model = model();
    let words = |list: Vec<&str>| json!(list);
    assert_eq!(words(AwardState::ALL.iter().map(|one| one.as_str()).collect()), model["states"]);
    let reasons = RevocationReason::ALL.iter().map(|one| one.as_str()).collect();
    assert_eq!(words(reasons), model["revocation_reasons"]);
    assert_eq!(model["initial"], AwardState::PendingKey.as_str());
    let found: Vec<Value> = TRANSITIONS
        .iter()
        .map(|one| {
            json!({
                "from": one.from.iter().map(|state| state.as_str()).collect::<Vec<_>>(),
                "event": one.event.as_str(),
                "actor": one.parties.iter().map(|party| party.as_str()).collect::<Vec<_>>(),
                "guards": one.guards.iter().map(|guard| guard.as_str()).collect::<Vec<_>>(),
                "to": one.to.as_str(),
            })
        })
        .collect();
    let expected: Vec<Value> =
        model["transitions"].as_array().unwrap().iter().map(with_officers).collect();
    assert_eq!(json!(found), json!(expected));
    let guards: BTreeSet<AwardGuard> =
        TRANSITIONS.iter().flat_map(|one| one.guards).copied().collect();
    assert_eq!(guards.len(), AwardGuard::ALL.len(), "each guard belongs to a transition");
}

#[test]
fn award_takes_what_the_model_has_and_refuses_the_rest_with_what_is_legal() {
    let model = model();
    let mut n_legal = 0;
    for state in AwardState::ALL {
        let expected: Vec<&str> = model["transitions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["from"].as_array().unwrap().iter().any(|from| from == state.as_str()))
            .map(|one| one["event"].as_str().unwrap())
            .collect();
        for event in AwardEvent::ALL {
            match state.require(*event) {
                Ok(()) => {
                    n_legal += 1;
                    assert!(expected.contains(&event.as_str()), "{state} {event}");
                }
                Err(error) => {
                    assert_eq!(error, WrongAwardState { state: *state, event: *event });
                    assert!(!expected.contains(&event.as_str()), "{state} {event}");
                    assert_eq!(legal(error.into()), expected);
                }
            }
        }
    }
    assert_eq!(n_legal, 8, "as many as the model has");
}

#[test]
fn operations_on_awards_are_for_the_parties_of_the_table() {
    for (operation, event) in [
        ("revoke_award", AwardEvent::Revoke),
        ("bulk_revoke_awards", AwardEvent::Revoke),
        ("suspend_award", AwardEvent::Suspend),
        ("reinstate_award", AwardEvent::Reinstate),
    ] {
        let row = policy::row_of(operation).unwrap();
        let line = TRANSITIONS.iter().find(|one| one.event == event).unwrap();
        for role in Role::ALL {
            let is_party = line.parties.contains(&Party::Person(*role));
            assert_eq!(row.who.contains(&Grant::Role(*role)), is_party, "{operation} as {role}");
        }
        let from: Vec<&str> = line.from.iter().map(|state| state.as_str()).collect();
        assert_eq!(row.states, from, "{operation}");
    }
}

#[test]
fn version_of_a_definition_is_edited_voted_on_published_and_retired_in_that_order() {
    use VersionEvent::{Approve, Edit, Publish, Retire};
    for state in VersionState::ALL {
        let expected: &[VersionEvent] = match state {
            VersionState::Draft | VersionState::Proposed => &[Edit, Approve],
            VersionState::Approved => &[Edit, Approve, Publish],
            VersionState::Published => &[Retire],
            VersionState::Retired => &[],
        };
        for event in VersionEvent::ALL {
            match state.require(*event) {
                Ok(()) => assert!(expected.contains(event), "{state} {event}"),
                Err(error) => {
                    assert!(!expected.contains(event), "{state} {event}");
                    let words: Vec<&str> = expected.iter().map(|one| one.as_str()).collect();
                    assert_eq!(legal(error.into()), words, "{state} {event}");
                }
            }
        }
    }
}

#[test]
fn review_is_worked_on_while_it_is_leased_and_until_its_lease_ends() {
    let now = Timestamp::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    for state in ReviewState::ALL {
        let review = Review {
            id: ReviewId::from_uuid(Uuid::nil()),
            submission: SubmissionId::from_uuid(Uuid::nil()),
            seat: 1,
            kind: ReviewKind::Reading,
            state: *state,
            assessor: None,
            lease_expires_at: Some(now.plus(TimeDelta::hours(72))),
            locked_at: None,
            license: None,
            case: None,
            revision: 1,
        };
        for event in ReviewEvent::ALL {
            let is_legal = *state == ReviewState::Leased;
            assert_eq!(review.require(*event, now).is_ok(), is_legal, "{state} {event}");
            let late = review.require(*event, now.plus(TimeDelta::hours(72))).unwrap_err();
            let expected = if is_legal { ReviewState::Lapsed } else { *state };
            assert_eq!(late.state, expected, "{state} {event}");
            assert_eq!(legal(late.into()), Vec::<&str>::new(), "nothing goes on from there");
        }
    }
}

#[test]
fn case_is_replied_to_then_voted_on_and_over_when_it_is_concluded() {
    use CaseEvent::{Reply, Vote};
    for kind in CaseKind::ALL {
        for state in CaseState::ALL {
            for is_reply_over in [false, true] {
                let expected: &[CaseEvent] = match (kind, state, is_reply_over) {
                    (_, CaseState::Concluded, _)
                    | (CaseKind::Appeal, CaseState::Open | CaseState::Replied, _) => &[],
                    (CaseKind::Appeal | CaseKind::Integrity, CaseState::Voting, _)
                    | (CaseKind::Integrity, CaseState::Replied, _) => &[Vote],
                    (CaseKind::Integrity, CaseState::Open, false) => &[Reply],
                    (CaseKind::Integrity, CaseState::Open, true) => &[Reply, Vote],
                };
                let found = kind.allowed_events(*state, is_reply_over);
                for event in CaseEvent::ALL {
                    let is_expected = expected.contains(event);
                    assert_eq!(found.contains(event), is_expected, "{kind} {state} {event}");
                }
            }
        }
    }
}

#[test]
fn membership_goes_where_an_administrator_may_move_it_and_nobody_is_confirmed_by_another() {
    use MembershipState::{Confirmed, Invited, Removed, Suspended};
    let expected = |state: MembershipState| -> &[MembershipState] {
        match state {
            Invited => &[Invited, Removed],
            Confirmed | Suspended => &[Confirmed, Suspended, Removed],
            Removed => &[Removed],
        }
    };
    for state in MembershipState::ALL {
        for next in MembershipState::ALL {
            let is_legal = expected(*state).contains(next);
            assert_eq!(state.may_become(*next), is_legal, "{state} to {next}");
        }
    }
    // The same over HTTP, where a refusal lists what is legal.
    let app = TestApp::new();
    let district = app.district();
    let path =
        format!("/api/v1/organizations/{}/members/{}", district.schools[0], district.earner.id);
    let mut state = Confirmed;
    for next in [Suspended, Confirmed, Removed] {
        for wrong in MembershipState::ALL.iter().filter(|one| !state.may_become(**one)) {
            let body = json!({ "roles": ["earner"], "state": wrong.as_str() });
            let refused = district.admin.put(&path, &district.admin.get(&path).etag(), &body);
            assert_eq!((refused.status, refused.problem().as_str()), (409, "wrong-state"));
            let words: Vec<&str> = expected(state).iter().map(|one| one.as_str()).collect();
            assert_eq!(refused.json["allowed_events"], json!(words), "{state} to {wrong}");
        }
        let body = json!({ "roles": ["earner"], "state": next.as_str() });
        district.admin.put(&path, &district.admin.get(&path).etag(), &body).expect(200);
        state = next;
    }
    for wrong in [Invited, Confirmed, Suspended] {
        let body = json!({ "roles": ["earner"], "state": wrong.as_str() });
        let refused = district.admin.put(&path, &district.admin.get(&path).etag(), &body);
        assert_eq!(refused.problem(), "wrong-state");
        assert_eq!(refused.json["allowed_events"], json!(["removed"]));
    }
}
