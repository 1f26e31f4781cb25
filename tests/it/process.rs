//! The process model: every state, event and role, walked against the model's own file.

use std::collections::BTreeSet;

use assay::domain::ids::{OrganizationId, PersonId, SubmissionId, VersionId};
use assay::domain::organization::Role;
use assay::domain::process::{Guard, Party, TRANSITIONS, Target};
use assay::domain::submission::{
    IllegalEvent, Submission, SubmissionEvent, SubmissionFacts, SubmissionState,
};
use serde_json::{Value, json};
use uuid::Uuid;

fn model() -> Value {
    let whole: Value = serde_json::from_str(include_str!("fixtures/process-model.json")).unwrap();
    whole["attempt"].clone()
}

fn words(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// Everybody who could bring an event about.
fn parties() -> Vec<Party> {
    let mut parties: Vec<Party> = Role::ALL.iter().map(|role| Party::Person(*role)).collect();
    parties.push(Party::System);
    parties
}

fn submission(state: SubmissionState, held_from: Option<SubmissionState>) -> Submission {
    let facts = SubmissionFacts {
        id: SubmissionId::from_uuid(Uuid::nil()),
        organization: OrganizationId::from_uuid(Uuid::nil()),
        version: VersionId::from_uuid(Uuid::nil()),
        earner: PersonId::from_uuid(Uuid::nil()),
        attempt: 1,
        revision: 7,
    };
    Submission::new(facts, state, held_from)
}

#[test]
fn transitions_are_those_of_the_model_with_actors_guards_and_targets() {
    let found: Vec<Value> = TRANSITIONS
        .iter()
        .map(|transition| {
            json!({
                "from": transition.from.iter().map(|state| state.as_str()).collect::<Vec<_>>(),
                "event": transition.event.as_str(),
                "actor": transition.parties.iter().map(|party| party.as_str()).collect::<Vec<_>>(),
                "guards": transition.guards.iter().map(|guard| guard.as_str()).collect::<Vec<_>>(),
                "to": match transition.to {
                    Target::State(state) => state.as_str(),
                    Target::BeforeHold => "state_before_hold",
                },
            })
        })
        .collect();
    assert_eq!(json!(found), model()["transitions"]);
    let guards: BTreeSet<Guard> =
        TRANSITIONS.iter().flat_map(|transition| transition.guards).copied().collect();
    assert_eq!(guards.len(), Guard::ALL.len(), "each guard belongs to a transition");
}

/// The target that the model's file names, if the event is legal there for this party.
fn target_in_model(state: &str, event: &str, party: &str, held_from: &str) -> Option<String> {
    let model = model();
    let found: Vec<&Value> = model["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| words(&one["from"]).iter().any(|from| from == state))
        .filter(|one| one["event"] == event)
        .filter(|one| words(&one["actor"]).iter().any(|actor| actor == party))
        .collect();
    assert!(found.len() <= 1, "{state} {event} {party} stands in the model twice");
    let to = found.first()?["to"].as_str().unwrap();
    Some(if to == "state_before_hold" { held_from.to_owned() } else { to.to_owned() })
}

#[test]
fn every_event_of_every_party_in_every_state_goes_where_the_model_says_or_is_refused() {
    let held_from = SubmissionState::Queued;
    let (mut n_legal, mut n_refused) = (0, 0);
    for state in SubmissionState::ALL {
        let held = (*state == SubmissionState::OnHold).then_some(held_from);
        let before = submission(*state, held);
        for event in SubmissionEvent::ALL {
            for party in parties() {
                let expected = target_in_model(
                    state.as_str(),
                    event.as_str(),
                    party.as_str(),
                    held_from.as_str(),
                );
                match (before.take(*event, party), expected) {
                    (Ok(after), Some(to)) => {
                        n_legal += 1;
                        assert_eq!(after.state().as_str(), to, "{state} {event} {party:?}");
                        assert_eq!(after.facts().revision, 8, "each step counts");
                        let is_held = after.state() == SubmissionState::OnHold;
                        assert_eq!(after.held_from(), is_held.then_some(*state));
                    }
                    (Err(error), None) => {
                        n_refused += 1;
                        assert_eq!(error, IllegalEvent { state: *state, event: *event });
                    }
                    (found, expected) => {
                        panic!("{state} {event} {party:?}: {found:?}, {expected:?}")
                    }
                }
            }
        }
    }
    assert_eq!(n_legal + n_refused, 13 * 21 * 15);
    assert_eq!(n_legal, 44, "as many as the model has");
}

#[test]
fn refusal_lists_what_is_legal() {
    for state in SubmissionState::ALL {
        let before = submission(*state, None);
        let legal: BTreeSet<String> =
            state.allowed_events().iter().map(ToString::to_string).collect();
        for event in SubmissionEvent::ALL {
            assert_eq!(
                before.require(*event).is_ok(),
                legal.contains(event.as_str()),
                "{state} {event}"
            );
        }
    }
}

#[test]
fn hold_is_left_for_where_it_began_and_for_nowhere_without_that() {
    let panel = Party::Person(Role::ReviewPanel);
    for from in ["submitted", "queued", "in_review", "resolving", "adjudication"] {
        let from = SubmissionState::parse(from).unwrap();
        let held =
            submission(from, None).take(SubmissionEvent::IntegrityFlag, Party::System).unwrap();
        let cleared = held.take(SubmissionEvent::Cleared, panel).unwrap();
        assert_eq!((cleared.state(), cleared.held_from()), (from, None));
        let voided = held.take(SubmissionEvent::Upheld, panel).unwrap();
        assert_eq!(voided.state(), SubmissionState::Voided);
    }
    let lost = submission(SubmissionState::OnHold, None);
    assert!(lost.take(SubmissionEvent::Cleared, panel).is_err());
}
