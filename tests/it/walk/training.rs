//! Known work in the walk: sets for the rubric of the micro-credential that one reader decides, and those who train on them.

use std::collections::BTreeMap;

use assay::domain::calibration::{AttemptState, SetKind};
use assay::domain::eligibility::Module;
use assay::domain::ids::CalibrationSetId;
use assay::service::calibration::{NewPaper, NewSet, PaperSource};
use assay::service::known_work::{KnownItem, KnownWork};
use assay::service::qualifying::Finished;
use assay::service::{Error, assessors, calibration, conflicts, qualifying};
use assay::store::calibration::CalibrationSet;
use assay::store::schema::calibration_sets;
use chrono::TimeDelta;
use diesel::prelude::*;

use super::people::Walk;
use super::rules::License;

/// The criteria of the rubric: levels 0 to 2, passing at 1.
const CRITERIA: [&str; 4] = ["c1", "c2", "c3", "c4"];
/// The pass level, which is the key of every paper.
const KEY: u8 = 1;

/// The sets that the walk trains on.
pub struct Sets {
    scoring_hash: String,
    qualifying: [CalibrationSetId; 2],
    practice: CalibrationSetId,
}

fn work(number: usize) -> KnownWork {
    let text = |id: &str| (id.to_owned(), format!("We agreed, {number}."));
    let item =
        |id: &str| KnownItem { requirement_id: id.to_owned(), text: "What was shown.".to_owned() };
    KnownWork {
        responses: ["q1", "r1"].map(text).into_iter().collect(),
        evidence: ["a1", "a2", "a3"].map(item).into_iter().collect(),
        ai_use: None,
    }
}

impl Walk {
    /// A published set of so many papers, keyed by the two who lead alone.
    fn publish_set(&self, kind: SetKind, n_papers: usize) -> CalibrationSet {
        let [one, other] = self.key_authors();
        let title = kind.as_str().to_owned();
        let new = NewSet { micro_credential: self.family(false), version: None, kind, title };
        let set = self.act(one, |cx| calibration::create(cx, &new)).unwrap().set.id;
        let key: BTreeMap<String, (u8, String)> =
            CRITERIA.iter().map(|id| ((*id).to_owned(), (KEY, "It shows.".to_owned()))).collect();
        for number in 0..n_papers {
            let source = PaperSource::Constructed(work(number));
            let new = NewPaper { source, anchors: BTreeMap::new() };
            let detail = self.act(one, |cx| calibration::add_paper(cx, set, &new)).unwrap();
            let paper = detail.papers.last().unwrap().paper.id;
            for author in [one, other] {
                self.act(author, |cx| calibration::set_key(cx, set, paper, &key)).unwrap();
            }
        }
        self.act(one, |cx| calibration::publish(cx, set)).unwrap().set
    }

    /// Publishes the sets, so that a qualification is required from now on; most of the assessors have one, the others none or not the
    /// modules.
    pub fn begin_calibration(&mut self) {
        let practice = self.publish_set(SetKind::Practice, 5);
        let sets = Sets {
            scoring_hash: practice.scoring_hash,
            qualifying: [SetKind::QualifyingA, SetKind::QualifyingB]
                .map(|kind| self.publish_set(kind, 3).id),
            practice: practice.id,
        };
        self.publish_set(SetKind::Seed, 12);
        // As if the first set were real work: how that comes about is tested where it is decided.
        let mut conn = self.app.resources.database.connection().unwrap();
        let first = calibration_sets::table.find(sets.qualifying[0].to_string());
        let n_rows = diesel::update(first)
            .set(calibration_sets::is_provisional.eq(false))
            .execute(&mut *conn)
            .unwrap();
        assert_eq!(n_rows, 1);
        drop(conn);
        let readers: Vec<usize> =
            (0..self.everybody.len()).filter(|one| self.everybody[*one].is_assessor).collect();
        for (number, person) in readers.iter().copied().enumerate() {
            self.begin_to_train(&sets, person);
            if number % 6 != 4 {
                self.do_modules(person);
            }
            if number % 6 != 5 {
                assert!(self.qualify(&sets, person, number % 2, KEY));
            }
            self.everybody[person].is_careless = number % 5 == 3;
        }
        self.sets = Some(sets);
    }

    /// Does what comes before the qualifying sets and is still to do, as an assessor and as the lead who lets them go on. What their
    /// state does not ask for is refused, and that changes nothing.
    fn begin_to_train(&mut self, sets: &Sets, person: usize) {
        let (id, hash) = (self.id_of(person), &sets.scoring_hash);
        let [lead, _] = self.key_authors();
        let taken = [
            self.act(lead, |cx| assessors::coach(cx, id, hash)),
            self.act(lead, |cx| assessors::requalify(cx, id, hash)),
            self.act(person, |cx| assessors::accept(cx, id, hash, true)),
        ];
        for refused in taken.into_iter().filter_map(Result::err) {
            assert!(matches!(refused, Error::WrongState { .. }), "{refused:?}");
        }
        self.act(person, |cx| conflicts::complete_module(cx, Module::Bias)).unwrap();
        match self.try_set(person, sets.practice, KEY) {
            // Five papers, well scored, are a refresher as well.
            Ok(_) => {
                let now = self.now;
                if let Some(held) = &mut self.everybody[person].license {
                    held.seen_at = now;
                }
            }
            Err(Error::WrongState { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }

    fn do_modules(&mut self, person: usize) {
        for module in Module::ALL {
            self.act(person, |cx| conflicts::complete_module(cx, *module)).unwrap();
        }
        self.everybody[person].has_modules = true;
    }

    /// Begins an attempt, scores every paper at this level, and finishes.
    fn try_set(&self, person: usize, set: CalibrationSetId, level: u8) -> Result<Finished, Error> {
        let begun = self.act(person, |cx| qualifying::start(cx, set))?;
        let id = begun.attempt.id;
        let levels: BTreeMap<String, Option<u8>> =
            CRITERIA.iter().map(|id| ((*id).to_owned(), Some(level))).collect();
        for paper in &begun.papers {
            self.act(person, |cx| qualifying::score(cx, id, paper.id, &levels)).unwrap();
        }
        self.act(person, |cx| qualifying::finish(cx, id))
    }

    /// Tries to qualify. Returns whether they have passed; the time may not have come for another try.
    fn qualify(&mut self, sets: &Sets, person: usize, set: usize, level: u8) -> bool {
        let finished = match self.try_set(person, sets.qualifying[set], level) {
            Ok(finished) => finished,
            Err(Error::WrongState { .. }) => return false,
            Err(other) => panic!("{other:?}"),
        };
        let has_passed = finished.detail.attempt.state == AttemptState::Passed;
        assert_eq!(has_passed, level == KEY);
        if has_passed {
            let now = self.now;
            let keeps_full = self.everybody[person].license.as_ref().is_some_and(|held| {
                let is_over = held.passed_at.plus(TimeDelta::days(365)) <= now;
                held.is_full && !held.is_suspended && !is_over
            });
            let before = self.everybody[person].license.as_ref();
            let provisional_at = before.and_then(|held| held.provisional_at);
            self.everybody[person].license = Some(License {
                provisional_at: if set == 0 {
                    provisional_at
                } else {
                    provisional_at.or(Some(now))
                },
                passed_at: now,
                is_full: set == 0 || keeps_full,
                is_suspended: false,
                seen_at: now,
            });
        }
        has_passed
    }

    /// Somebody does what their qualification lacks most.
    pub fn train(&mut self, person: usize) {
        let Some(sets) = self.sets.take() else { return };
        if !self.everybody[person].has_modules {
            self.do_modules(person);
        } else if self.is_licensed(person) {
            self.try_set(person, sets.practice, KEY).unwrap();
            let now = self.now;
            self.everybody[person].license.as_mut().unwrap().seen_at = now;
        } else {
            let (set, level) = (self.below(2), if self.below(4) == 0 { 0 } else { KEY });
            self.begin_to_train(&sets, person);
            self.qualify(&sets, person, set, level);
        }
        self.sets = Some(sets);
    }
}
