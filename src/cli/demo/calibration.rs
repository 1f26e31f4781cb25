//! The part of the story in which two people earn the right to score.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

use super::files;
use super::story::{Person, Story};
use crate::domain::calibration::SetKind;
use crate::domain::definition::Definition;
use crate::domain::eligibility::Module;
use crate::domain::ids::{CalibrationSetId, MicroCredentialId};
use crate::domain::rubric::Criterion;
use crate::service::calibration::{self, NewPaper, NewSet, PaperSource};
use crate::service::known_work::{KnownItem, KnownWork};
use crate::service::{assessors, conflicts, micro_credentials, qualifying};
use crate::store;

/// How far each paper is from the pass levels; four criteria and three papers make the ten scores that a qualifying set needs.
const PAPERS: [i8; 3] = [-1, 0, 1];

impl Story<'_> {
    /// Two lead assessors make known work and agree on its levels; then the assessors qualify on it.
    pub(super) fn calibrate(
        &self,
        family: MicroCredentialId,
        leads: [&Person; 2],
        readers: &[&Person],
    ) -> anyhow::Result<()> {
        let (version, definition) = self.act(leads[0], "read_version", |cx| {
            let version = store::micro_credentials::find_open(cx.conn, family)?
                .ok_or(crate::service::Error::NotFound("version"))?;
            let definition = micro_credentials::parse_stored(&version)?.definition;
            Ok((version, definition))
        })?;
        let set = self.known_set(family, &version.title, &definition, leads)?;
        for (at, person) in readers.iter().enumerate() {
            let hash = &version.scoring_hash;
            self.act(person, "accept_assessing", |cx| {
                let me = cx.signed_in()?.person;
                assessors::accept(cx, me, hash, true)
            })?;
            for module in Module::ALL {
                self.act(person, "complete_module", |cx| conflicts::complete_module(cx, *module))?;
            }
            self.qualify(person, set, (&version.title, &definition), at)?;
        }
        Ok(())
    }

    fn known_set(
        &self,
        family: MicroCredentialId,
        title: &str,
        definition: &Definition,
        leads: [&Person; 2],
    ) -> anyhow::Result<CalibrationSetId> {
        let new = NewSet {
            micro_credential: family,
            version: None,
            kind: SetKind::QualifyingA,
            title: "Three lessons, three levels".to_owned(),
        };
        let made =
            self.act(leads[0], "create_calibration_set", |cx| calibration::create(cx, &new))?;
        let id = made.set.id;
        for offset in PAPERS {
            let paper = NewPaper {
                source: PaperSource::Constructed(known_work(title, definition, offset)),
                anchors: BTreeMap::new(),
            };
            let detail = self.act(leads[0], "add_calibration_paper", |cx| {
                calibration::add_paper(cx, id, &paper)
            })?;
            let added = detail.papers.last().context("a set without the paper just added")?;
            let paper = added.paper.id;
            // Each lead sets a key without seeing the other's.
            for lead in leads {
                let key = criteria_at(definition, offset)
                    .map(|(criterion, level)| {
                        let words = format!("The plan shows {}.", criterion.title().to_lowercase());
                        (criterion.id().as_str().to_owned(), (level, words))
                    })
                    .collect();
                self.act(lead, "set_calibration_key", |cx| {
                    calibration::set_key(cx, id, paper, &key)
                })?;
            }
        }
        self.act(leads[1], "publish_calibration_set", |cx| calibration::publish(cx, id))?;
        Ok(id)
    }

    /// Scores every paper; one level of each person differs from the key, as happens.
    fn qualify(
        &self,
        person: &Person,
        set: CalibrationSetId,
        (title, definition): (&str, &Definition),
        slip: usize,
    ) -> anyhow::Result<()> {
        let attempt =
            self.act(person, "start_calibration_attempt", |cx| qualifying::start(cx, set))?;
        let id = attempt.attempt.id;
        for paper in &attempt.papers {
            let work = paper.work.as_ref().context("a paper without its work")?;
            let offset = PAPERS
                .into_iter()
                .find(|offset| *work == known_work(title, definition, *offset))
                .context("a paper that nobody made")?;
            let levels = criteria_at(definition, offset)
                .enumerate()
                .map(|(at, (criterion, level))| {
                    let is_slip = offset == 1 && at == slip;
                    let given = if is_slip { level - 1 } else { level };
                    (criterion.id().as_str().to_owned(), Some(given))
                })
                .collect();
            self.act(person, "score_calibration_paper", |cx| {
                qualifying::score(cx, id, paper.id, &levels)
            })?;
        }
        let finished =
            self.act(person, "finish_calibration_attempt", |cx| qualifying::finish(cx, id))?;
        if !finished.faults.is_empty() {
            bail!("{} should have qualified: {:?}", person.name, finished.faults);
        }
        Ok(())
    }
}

/// The criteria, each so far from its pass level.
fn criteria_at(definition: &Definition, offset: i8) -> impl Iterator<Item = (&Criterion, u8)> {
    definition.rubric().criteria().iter().map(move |criterion| {
        let pass = criterion.pass_level().number();
        (criterion, pass.saturating_add_signed(offset))
    })
}

/// Work that was made to stand at a level.
fn known_work(title: &str, definition: &Definition, offset: i8) -> KnownWork {
    let words = match offset {
        ..0 => "A plan in one line; who was asked, and what came of it, is left open.",
        0 => "A plan with its reasons. Everybody was asked; one objection is named, and answered.",
        1.. => {
            "A plan with its reasons. Each person's objection is named; two of them changed the plan, and it says how."
        }
    };
    let answer = |id: &str| (id.to_owned(), files::answer_for(title, id).to_owned());
    KnownWork {
        responses: definition
            .rubric()
            .prompts()
            .map(|prompt| answer(prompt.id().as_str()))
            .collect(),
        evidence: definition
            .evidence()
            .iter()
            .map(|one| KnownItem {
                requirement_id: one.id().as_str().to_owned(),
                text: words.to_owned(),
            })
            .collect(),
        ai_use: None,
    }
}
