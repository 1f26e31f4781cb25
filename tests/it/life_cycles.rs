//! Awards, compared with the model's own file: every state, event and party, with the list of what is legal in each refusal.

use std::collections::BTreeSet;

use assay::domain::award::{
    AwardEvent, AwardGuard, AwardState, RevocationReason, TRANSITIONS, WrongAwardState,
};
use assay::domain::organization::Role;
use assay::domain::policy::{self, Grant};
use assay::domain::process::Party;
use assay::service::Error;
use serde_json::{Value, json};

fn model() -> Value {
    let whole: Value = serde_json::from_str(include_str!("fixtures/process-model.json")).unwrap();
    whole["award"].clone()
}

#[track_caller]
fn legal(error: Error) -> Vec<&'static str> {
    match error {
        Error::WrongState { allowed_events, .. } => allowed_events,
        other => panic!("{other:?} does not say what is legal"),
    }
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
