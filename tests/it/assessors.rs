//! The life of an assessor of a rubric: every state, event and role, walked against the model's own file, and the facts that it follows
//! from. What people do over HTTP is in `calibration/life.rs`.

use std::collections::BTreeSet;

use assay::domain::assessor::{
    AssessorEvent, AssessorGuard, AssessorRecord, AssessorState, AssessorStep, Engagement,
    IllegalAssessorEvent, TRANSITIONS,
};
use assay::domain::eligibility::{Qualification, QualificationLevel, QualificationState};
use assay::domain::ids::PersonId;
use assay::domain::organization::Role;
use assay::domain::policy;
use assay::domain::process::Party;
use assay::domain::timestamp::Timestamp;
use assay::service::Error;
use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use uuid::Uuid;

fn model() -> Value {
    let whole: Value = serde_json::from_str(include_str!("fixtures/process-model.json")).unwrap();
    whole["assessor"].clone()
}

fn parties() -> Vec<Party> {
    let mut parties: Vec<Party> = Role::ALL.iter().map(|role| Party::Person(*role)).collect();
    parties.push(Party::System);
    parties
}

#[test]
fn transitions_are_those_of_the_model_with_actors_guards_and_targets() {
    let model = model();
    let found: Vec<Value> = TRANSITIONS
        .iter()
        .map(|transition| {
            json!({
                "from": transition.from.iter().map(|state| state.as_str()).collect::<Vec<_>>(),
                "event": transition.event.as_str(),
                "actor": transition.parties.iter().map(|party| party.as_str()).collect::<Vec<_>>(),
                "guards": transition.guards.iter().map(|guard| guard.as_str()).collect::<Vec<_>>(),
                "to": transition.to.as_str(),
            })
        })
        .collect();
    assert_eq!(json!(found), model["transitions"]);
    let states: Vec<&str> = AssessorState::ALL.iter().map(|state| state.as_str()).collect();
    assert_eq!(json!(states), model["states"]);
    assert_eq!(model["per"], "scoring_hash");
    assert_eq!(AssessorRecord::default().state(day(0)).as_str(), model["initial"]);
    let guards: BTreeSet<AssessorGuard> =
        TRANSITIONS.iter().flat_map(|transition| transition.guards).copied().collect();
    assert_eq!(guards.len(), AssessorGuard::ALL.len(), "each guard belongs to a transition");
    let verbs: BTreeSet<&str> = TRANSITIONS.iter().map(|transition| transition.audit).collect();
    assert_eq!(verbs.len(), TRANSITIONS.len(), "each event has a verb of its own in the trail");
}

#[test]
fn every_event_of_every_party_in_every_state_goes_where_the_model_says_or_is_refused() {
    let model = model();
    let has = |list: &Value, word: &str| list.as_array().unwrap().iter().any(|one| one == word);
    let (mut n_legal, mut n_refused) = (0, 0);
    for state in AssessorState::ALL {
        for event in AssessorEvent::ALL {
            for party in parties() {
                let expected: Vec<&Value> = model["transitions"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|one| has(&one["from"], state.as_str()))
                    .filter(|one| one["event"] == event.as_str())
                    .filter(|one| has(&one["actor"], party.as_str()))
                    .collect();
                match (state.take(*event, party), expected[..].first()) {
                    (Ok(taken), Some(expected)) => {
                        n_legal += 1;
                        assert_eq!(taken.to.as_str(), expected["to"], "{state} {event} {party:?}");
                    }
                    (Err(error), None) => {
                        n_refused += 1;
                        assert_eq!(error, IllegalAssessorEvent { state: *state, event: *event });
                        let Error::WrongState { allowed_events, .. } = Error::from(error) else {
                            panic!("a refusal says what is legal")
                        };
                        let legal: Vec<&str> =
                            state.allowed_events().iter().map(|event| event.as_str()).collect();
                        assert_eq!(allowed_events, legal);
                    }
                    (found, expected) => {
                        panic!("{state} {event} {party:?}: {found:?}, {expected:?}")
                    }
                }
            }
        }
    }
    assert_eq!((n_legal, n_legal + n_refused), (25, 7 * 10 * 15), "as many as the model has");
}

#[test]
fn operations_of_people_are_those_of_the_parties_of_the_model() {
    for transition in TRANSITIONS {
        let is_mine = transition.parties.contains(&Party::Person(Role::Assessor));
        let is_leads = transition.parties.contains(&Party::Person(Role::LeadAssessor));
        let row = policy::row_of(transition.audit);
        assert_eq!(row.is_some(), is_mine || is_leads, "{}", transition.audit);
        let Some(row) = row else { continue };
        let grants = |grant| row.who.contains(&grant);
        assert_eq!(grants(policy::Grant::OwnerAs(Role::Assessor)), is_mine, "{}", row.operation);
        assert_eq!(grants(policy::Grant::Role(Role::LeadAssessor)), is_leads, "{}", row.operation);
        assert_eq!(row.who.len(), usize::from(is_mine) + usize::from(is_leads));
        let from: Vec<&str> = transition.from.iter().map(|state| state.as_str()).collect();
        assert_eq!(row.states, from, "{}", row.operation);
    }
}

fn day(number: i64) -> Timestamp {
    let start = Timestamp::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    start.plus(TimeDelta::days(number))
}

fn held(state: QualificationState) -> Option<Qualification> {
    Some(Qualification {
        person: PersonId::from_uuid(Uuid::nil()),
        scoring_hash: "hash".to_owned(),
        level: QualificationLevel::Full,
        state,
        passed_at: day(10),
        expires_at: day(375),
        flagged_at: None,
        revision: 1,
    })
}

/// A person who stands in this state on day 20.
fn standing_in(state: AssessorState) -> AssessorRecord {
    let accepted = Engagement { accepted_at: Some(day(1)), ..Engagement::default() };
    let training = AssessorRecord {
        engagement: accepted,
        needs_practice: true,
        practised_at: Some(day(2)),
        ..AssessorRecord::default()
    };
    let qualifying = AssessorRecord { bias_module_at: Some(day(3)), ..training.clone() };
    let with = |state| AssessorRecord { qualification: held(state), ..qualifying.clone() };
    let record = match state {
        AssessorState::Invited => AssessorRecord::default(),
        AssessorState::InTraining => training,
        AssessorState::Qualifying => qualifying,
        AssessorState::Qualified => with(QualificationState::Qualified),
        AssessorState::Watch => with(QualificationState::Watch),
        AssessorState::Suspended => with(QualificationState::Suspended),
        AssessorState::Released => {
            let engagement = Engagement { is_released: true, ..accepted };
            AssessorRecord { engagement, ..AssessorRecord::default() }
        }
    };
    assert_eq!(record.state(day(20)), state);
    record
}

#[test]
fn facts_of_an_event_lead_where_the_table_says() {
    for transition in TRANSITIONS {
        for from in transition.from {
            let mut record = standing_in(*from);
            let mut at = day(20);
            match transition.event {
                AssessorEvent::Accept => record.engagement.accepted_at = Some(at),
                AssessorEvent::ModulesDone => record.bias_module_at = Some(at),
                AssessorEvent::Pass | AssessorEvent::Refreshed => {
                    record.qualification = held(QualificationState::Qualified);
                }
                AssessorEvent::Fail => record.exhausted_until = Some(day(300)),
                AssessorEvent::DriftWatch => record.qualification = held(QualificationState::Watch),
                AssessorEvent::DriftSuspend => {
                    record.qualification = held(QualificationState::Suspended);
                }
                AssessorEvent::Lapse => at = day(375),
                AssessorEvent::Requalify => record.engagement.is_requalifying = true,
                AssessorEvent::Release => record.engagement.is_released = true,
            }
            assert_eq!(record.state(at), transition.to, "{from} {}", transition.event);
        }
    }
}

#[test]
fn training_is_done_anew_after_a_lapse_and_not_again_once_a_set_was_tried() {
    let mut record = standing_in(AssessorState::Qualified);
    let late = day(380);
    let missing = |record: &AssessorRecord| record.training(late).missing;
    assert_eq!(missing(&record), [AssessorGuard::BiasModule, AssessorGuard::PracticeSet]);
    record.bias_module_at = Some(day(376));
    assert_eq!(missing(&record), [AssessorGuard::PracticeSet]);
    record.practised_at = Some(day(377));
    assert_eq!((missing(&record), record.state(late)), (vec![], AssessorState::Qualifying));
    // A practice set that comes into use later asks nobody back who has begun.
    let mut tried = standing_in(AssessorState::Qualifying);
    tried.practised_at = None;
    assert_eq!(tried.state(day(20)), AssessorState::InTraining);
    tried.tried_at = Some(day(19));
    assert_eq!(tried.state(day(20)), AssessorState::Qualifying);
}

#[test]
fn new_life_begins_after_a_cycle_without_tries_or_with_an_invitation() {
    let mut record = standing_in(AssessorState::Qualifying);
    record.exhausted_until = Some(day(366));
    assert_eq!(record.state(day(365)), AssessorState::Released);
    assert_eq!(record.state(day(366)), AssessorState::Invited, "the declaration is made anew");
    let steps = [
        (AssessorStep::Accept, day(1)),
        (AssessorStep::Suspend, day(12)),
        (AssessorStep::Coaching, day(12)),
        (AssessorStep::Requalify, day(12)),
    ];
    let sum = Engagement::of(steps);
    assert!(sum.is_coached && sum.is_requalifying && !sum.is_released);
    let again = Engagement::of(steps.into_iter().chain([(AssessorStep::Suspend, day(13))]));
    assert!(!again.is_coached && !again.is_requalifying, "coaching is for one suspension");
    let back = [(AssessorStep::Release, day(14)), (AssessorStep::Invite, day(15))];
    let back = Engagement::of(steps.into_iter().chain(back));
    assert_eq!(back, Engagement { invited_at: Some(day(15)), ..Engagement::default() });
    let record = AssessorRecord { engagement: back, ..standing_in(AssessorState::Qualified) };
    assert_eq!(record.state(day(20)), AssessorState::Invited, "what was passed before is past");
}
