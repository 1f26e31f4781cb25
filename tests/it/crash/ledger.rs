//! What has been seen of each award, and what must hold of it at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use assay::domain::ids::AwardId;
use assay::service::audit::{ChainReport, verify_chain};
use assay::service::{Resources, verification};
use assay::store::DbConn;
use assay::store::schema::{
    audit_events, awards, credentials, decisions, issuance_intents, outbox,
};
use diesel::prelude::*;
use serde_json::Value;

/// The place on a status list and the unsigned document.
type Intent = (String, i32, String);

/// What is in the database, read at one time.
struct Found {
    /// The state of each award.
    states: BTreeMap<String, String>,
    intents: BTreeMap<String, Intent>,
    documents: BTreeMap<String, String>,
    /// Of each award: how many events say that it was intended, and that it was issued.
    intended: BTreeMap<String, usize>,
    issued: BTreeMap<String, usize>,
    /// Of each award: how many mails bring its badge.
    mails: BTreeMap<String, usize>,
}

fn count(ids: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for id in ids {
        *counts.entry(id).or_insert(0) += 1;
    }
    counts
}

fn objects_of(conn: &mut DbConn, verb: &str) -> BTreeMap<String, usize> {
    let ids: Vec<String> = audit_events::table
        .filter(audit_events::verb.eq(verb))
        .select(audit_events::object_id)
        .load(conn)
        .unwrap();
    count(ids)
}

impl Found {
    fn read(conn: &mut DbConn) -> Found {
        let states: Vec<(String, String)> =
            awards::table.select((awards::id, awards::state)).load(conn).unwrap();
        let intents: Vec<(String, String, i32, String)> = issuance_intents::table
            .select((
                issuance_intents::award_id,
                issuance_intents::status_list_id,
                issuance_intents::status_index,
                issuance_intents::unsigned_document,
            ))
            .load(conn)
            .unwrap();
        let documents: Vec<(String, String)> = credentials::table
            .select((credentials::award_id, credentials::document))
            .load(conn)
            .unwrap();
        let parameters: Vec<String> = outbox::table
            .filter(outbox::kind.eq("badge"))
            .select(outbox::parameters)
            .load(conn)
            .unwrap();
        Found {
            states: states.into_iter().collect(),
            intents: intents
                .into_iter()
                .map(|(award, list, index, document)| (award, (list, index, document)))
                .collect(),
            documents: documents.into_iter().collect(),
            intended: objects_of(conn, "intend_credential"),
            issued: objects_of(conn, "issue_credential"),
            mails: count(parameters.iter().map(|text| {
                let parameters: Value = serde_json::from_str(text).unwrap();
                parameters["award_id"].as_str().unwrap().to_owned()
            })),
        }
    }
}

/// Whether each of these is there exactly once.
#[track_caller]
fn assert_once<V>(what: &str, counts: &BTreeMap<String, usize>, of: &BTreeMap<String, V>) {
    let expected: BTreeMap<&String, &usize> = of.keys().map(|id| (id, &1)).collect();
    assert_eq!(counts.iter().collect::<BTreeMap<_, _>>(), expected, "{what}");
}

/// What was earned, and what has been seen since.
#[derive(Default)]
pub struct Ledger {
    expected: BTreeSet<String>,
    intents: BTreeMap<String, Intent>,
    documents: BTreeMap<String, String>,
}

impl Ledger {
    /// An award that was earned.
    pub fn expect(&mut self, award: AwardId) {
        assert!(self.expected.insert(award.to_string()), "two decisions, one award");
    }

    /// How many were earned.
    pub fn n_expected(&self) -> usize {
        self.expected.len()
    }

    /// What holds at any moment, right after a kill too.
    #[track_caller]
    pub fn check(&mut self, conn: &mut DbConn) {
        let chain = verify_chain(conn).unwrap();
        assert!(matches!(chain, ChainReport::Whole { .. }), "{chain:?}");

        let earned: Vec<String> = decisions::table
            .filter(decisions::outcome.eq("earned"))
            .select(decisions::submission_id)
            .order(decisions::submission_id)
            .load(conn)
            .unwrap();
        let awarded: Vec<String> = awards::table
            .select(awards::submission_id.assume_not_null())
            .order(awards::submission_id)
            .load(conn)
            .unwrap();
        assert_eq!(earned, awarded, "one award for each earned decision");

        let found = Found::read(conn);
        assert!(found.states.keys().eq(&self.expected), "no award is lost and none is added");
        for (award, state) in &found.states {
            let expected =
                if found.documents.contains_key(award) { "active" } else { "pending_key" };
            assert_eq!(state, expected, "{award}");
        }
        // What a boundary has committed goes together, or not at all.
        assert_once("intended events", &found.intended, &found.intents);
        assert_once("issued events", &found.issued, &found.documents);
        assert_once("mails with badges", &found.mails, &found.documents);

        let places: BTreeSet<(&String, i32)> =
            found.intents.values().map(|(list, index, _)| (list, *index)).collect();
        assert_eq!(places.len(), found.intents.len(), "no two badges share a place");

        // What was decided once is never decided again, and what was signed once is never signed differently.
        for (award, intent) in &self.intents {
            assert_eq!(found.intents.get(award), Some(intent), "the intent of {award}");
        }
        for (award, document) in &self.documents {
            assert_eq!(found.documents.get(award), Some(document), "the credential of {award}");
        }
        self.intents = found.intents;
        self.documents = found.documents;
    }

    /// What holds after a restart has picked up: each award has its credential.
    #[track_caller]
    pub fn check_all_issued(&mut self, conn: &mut DbConn) {
        self.check(conn);
        assert!(self.documents.keys().eq(&self.expected), "each award has its credential");
    }

    /// Every credential is the document of its intent with a proof, and verifies.
    #[track_caller]
    pub fn check_documents(&self, resources: &Resources) {
        for (award, document) in &self.documents {
            let mut unsigned: Value = serde_json::from_str(document).unwrap();
            let members = unsigned.as_object_mut().unwrap();
            assert!(members.remove("proof").is_some());
            let (_, _, intended) = &self.intents[award];
            assert_eq!(unsigned, serde_json::from_str::<Value>(intended).unwrap(), "{award}");
            let verdict = verification::verify(resources, document.as_bytes(), None).unwrap();
            let verdict = serde_json::to_value(verdict).unwrap();
            assert_eq!(verdict["verdict"], "valid", "{verdict}");
        }
    }

    /// Every mail has left, and each badge came in one letter, however often it was sent.
    #[track_caller]
    pub fn check_mail(&self, conn: &mut DbConn, folder: &Path) {
        let waiting: i64 =
            outbox::table.filter(outbox::state.ne("sent")).count().get_result(conn).unwrap();
        assert_eq!(waiting, 0, "every mail is sent");
        let letters = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let letters = letters.filter(|path| path.extension().is_some_and(|end| end == "eml"));
        let badges = letters.flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            text.split_whitespace()
                .filter_map(|word| Some(word.split_once("/credentials/")?.1.to_owned()))
                .collect::<Vec<String>>()
        });
        assert_once("letters with badges", &count(badges), &self.documents);
    }
}
