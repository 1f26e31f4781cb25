//! Calibration sets: known work, keyed by lead assessors who do not see one another's keys.

use std::collections::{BTreeMap, BTreeSet};

use super::audit::Change;
use super::context::{Cx, above, new_uuid, organizations_under};
use super::error::{Broken, Error, Fault};
use super::known_work::{self, KnownWork};
use super::micro_credentials::parse_stored;
use crate::domain::calibration::{MIN_SET_SCORES, SetKind, SetState, agreed_level};
use crate::domain::definition::Definition;
use crate::domain::ids::{
    CalibrationPaperId, CalibrationSetId, MicroCredentialId, PersonId, SubmissionId,
};
use crate::domain::organization::Role;
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::rubric::{Criterion, Level};
use crate::domain::timestamp::Timestamp;
use crate::store::calibration::{Paper, Reasons, SetQuery};
use crate::store::{self, DbConn, StoreError};

pub use crate::store::calibration::CalibrationSet;
pub use crate::store::qualifications::Attempt;

/// The most papers of one set.
const MOST_PAPERS: usize = 60;

/// The set with its policy subject. Whoever is no lead assessor there does not learn of drafts and seed papers.
pub(super) fn load(
    cx: &mut Cx<'_>,
    id: CalibrationSetId,
) -> Result<(CalibrationSet, Subject), Error> {
    let hidden = || Error::Denied(Denied::Hidden("calibration set"));
    let set = store::calibration::find_set(cx.conn, id)?.ok_or_else(hidden)?;
    let subject = Subject {
        kind: "calibration set",
        organization: set.organization,
        above: above(cx.conn, set.organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Private("read_calibration_set"),
    };
    let is_lead = cx.actor.holds(Role::LeadAssessor, set.organization, &subject.above);
    if !is_lead && (set.kind == SetKind::Seed || set.state == SetState::Draft) {
        return Err(hidden());
    }
    Ok((set, subject))
}

/// The definition that a set is keyed by.
pub(super) fn definition_of(conn: &mut DbConn, set: &CalibrationSet) -> Result<Definition, Error> {
    let version = store::micro_credentials::find_pinned(conn, set.organization, set.version)?
        .ok_or_else(|| Error::internal(Broken("a calibration set without its version")))?;
    Ok(parse_stored(&version)?.definition)
}

/// Refuses whoever may not do an operation to a set.
///
/// # Errors
/// [`Error::Denied`].
pub fn require(
    cx: &mut Cx<'_>,
    id: CalibrationSetId,
    operation: &'static str,
) -> Result<(), Error> {
    let (_, subject) = load(cx, id)?;
    Ok(policy::require(&cx.actor, operation, &subject)?)
}

/// A new set.
#[derive(Clone, Debug)]
pub struct NewSet {
    /// For which micro-credential.
    pub micro_credential: MicroCredentialId,
    /// For which version, the newest public one if none.
    pub version: Option<i32>,
    /// What it is for.
    pub kind: SetKind,
    /// What lead assessors call it.
    pub title: String,
}

/// `POST /calibration-sets`: starts a set for the scoring hash of a public version.
///
/// # Errors
/// [`Error::Denied`] without the role over the micro-credential's organization.
pub fn create(cx: &mut Cx<'_>, new: &NewSet) -> Result<SetDetail, Error> {
    let hidden = || Error::Denied(Denied::Hidden("micro-credential"));
    let version = match new.version {
        Some(number) => {
            store::micro_credentials::find_version(cx.conn, new.micro_credential, number)?
        }
        None => store::micro_credentials::find_newest(cx.conn, new.micro_credential, true)?,
    }
    .filter(|version| version.state.is_public())
    .ok_or_else(hidden)?;
    let subject = Subject {
        kind: "micro-credential",
        organization: version.organization,
        above: above(cx.conn, version.organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Public,
    };
    policy::require(&cx.actor, "create_calibration_set", &subject)?;
    if !(1..=200).contains(&new.title.trim().chars().count()) {
        return Err(Error::invalid("/title", "title", "a title has 1 to 200 characters"));
    }
    let (created_by, now) = (cx.signed_in()?.person, cx.now);
    let set = CalibrationSet {
        id: CalibrationSetId::from_uuid(new_uuid()),
        organization: version.organization,
        micro_credential: new.micro_credential,
        version: version.id,
        scoring_hash: version.scoring_hash,
        kind: new.kind,
        title: new.title.trim().to_owned(),
        is_provisional: true,
        state: SetState::Draft,
        created_by,
        revision: 1,
        created_at: now,
        published_at: None,
    };
    cx.write(|conn| {
        store::calibration::create_set(conn, &set)?;
        let change = Change::new(
            "create_calibration_set",
            Some(set.organization),
            "calibration_set",
            set.id,
        )
        .with("kind", set.kind);
        Ok(((), change))
    })?;
    find(cx, set.id)
}

/// A paper of a new set.
#[derive(Clone, Debug)]
pub struct NewPaper {
    /// Work made for the purpose, or the submission of an earner who consents.
    pub source: PaperSource,
    /// What a training paper shows, by criterion.
    pub anchors: Reasons,
}

/// Where known work comes from.
#[derive(Clone, Debug)]
pub enum PaperSource {
    /// Made for the purpose.
    Constructed(KnownWork),
    /// An earner's.
    Submission(SubmissionId),
}

/// `POST /calibration-sets/{id}/papers`: adds a paper to a draft.
///
/// # Errors
/// [`Error::Invalid`] for work that could not have been handed in, or without consent; [`Error::WrongState`] once published.
pub fn add_paper(
    cx: &mut Cx<'_>,
    id: CalibrationSetId,
    new: &NewPaper,
) -> Result<SetDetail, Error> {
    let (set, subject) = load(cx, id)?;
    policy::require(&cx.actor, "add_calibration_paper", &subject)?;
    require_draft(&set)?;
    let definition = definition_of(cx.conn, &set)?;
    let (now, resources) = (cx.now, cx.resources);
    let mut faults = faults_of_reasons(&new.anchors, "/anchors", &definition);
    if !new.anchors.is_empty() && set.kind != SetKind::Training {
        let detail = "only training papers show levels; set keys for the others";
        faults.push(Fault::new("/anchors", "anchors", detail));
    }
    let (submission, content) = match &new.source {
        PaperSource::Constructed(work) => {
            faults.extend(known_work::faults_of(work, &definition));
            (None, Some(serde_json::to_string(work).map_err(Error::internal)?))
        }
        PaperSource::Submission(submission) => {
            let stored = store::submissions::find(cx.conn, *submission)?;
            let is_usable = match stored {
                Some(stored) if stored.submission.facts().organization == set.organization => {
                    let (version, _) = super::submissions::pinned(cx.conn, &stored)?;
                    version.scoring_hash == set.scoring_hash
                        && known_work::of_submission(cx.conn, resources, *submission, now)?
                            .is_some()
                }
                Some(_) | None => false,
            };
            if !is_usable {
                let detail = "it is no decided work by this rubric, of texts alone, whose earner lets it be known work";
                faults.push(Fault::new("/submission_id", "no-consent", detail));
            }
            (Some(*submission), None)
        }
    };
    refuse(faults, "the paper cannot be added like this")?;
    cx.write(|conn| {
        require_draft_now(conn, &set, now)?;
        let n_papers = store::calibration::list_papers(conn, id)?.len();
        if n_papers >= MOST_PAPERS {
            let detail = format!("a set has at most {MOST_PAPERS} papers");
            return Err(Error::invalid("", "too-many", detail));
        }
        let paper = Paper {
            id: CalibrationPaperId::from_uuid(new_uuid()),
            set: id,
            position: i32::try_from(n_papers + 1).unwrap_or(i32::MAX),
            submission,
            content: content.clone(),
        };
        store::calibration::create_paper(conn, &paper, now)?;
        store::calibration::save_anchors(conn, paper.id, &new.anchors)?;
        let change =
            Change::new("add_calibration_paper", Some(set.organization), "calibration_set", id)
                .with("paper", paper.id)
                .with("is_constructed", submission.is_none());
        Ok(((), change))
    })?;
    find(cx, id)
}

fn require_draft(set: &CalibrationSet) -> Result<(), Error> {
    if set.state == SetState::Draft {
        return Ok(());
    }
    Err(Error::WrongState {
        detail: format!("a set that is {} does not change any more; make another one", set.state),
        allowed_events: Vec::new(),
    })
}

/// Refuses what comes while somebody publishes the set: whichever is first counts, and the other is told.
fn require_draft_now(conn: &mut DbConn, set: &CalibrationSet, now: Timestamp) -> Result<(), Error> {
    let fresh = store::calibration::find_set(conn, set.id)?.ok_or(Error::Stale)?;
    require_draft(&fresh)?;
    Ok(store::calibration::save_set_state(conn, &fresh, fresh.state, fresh.is_provisional, now)?)
}

fn refuse(faults: Vec<Fault>, summary: &str) -> Result<(), Error> {
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::Invalid { code: "invalid-calibration", summary: summary.to_owned(), faults })
}

fn find_criterion<'a>(definition: &'a Definition, id: &str) -> Option<&'a Criterion> {
    definition.rubric().criteria().iter().find(|criterion| criterion.id().as_str() == id)
}

fn faults_of_reasons(reasons: &Reasons, pointer: &str, definition: &Definition) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (id, (level, rationale)) in reasons {
        let pointer = format!("{pointer}/{}", super::submissions::escape_pointer(id));
        let Some(criterion) = find_criterion(definition, id) else {
            faults.push(Fault::new(pointer, "unknown-criterion", "there is no such criterion"));
            continue;
        };
        if !criterion.levels().iter().any(|known| known.level() == Level::new(*level)) {
            faults.push(Fault::new(&pointer, "unknown-level", "the criterion has no such level"));
        }
        if !(1..=4000).contains(&rationale.trim().chars().count()) {
            let detail = "say in at most 4,000 characters what shows the level";
            faults.push(Fault::new(pointer, "rationale", detail));
        }
    }
    faults
}

/// `POST /calibration-sets/{id}/papers/{paper_id}/keys`: a lead assessor sets their own key, once. Nobody sees another's.
///
/// # Errors
/// [`Error::AlreadyThere`] the second time, [`Error::Invalid`] unless every criterion has a level and a reason.
pub fn set_key(
    cx: &mut Cx<'_>,
    id: CalibrationSetId,
    paper: CalibrationPaperId,
    key: &Reasons,
) -> Result<SetDetail, Error> {
    let (set, subject) = load(cx, id)?;
    policy::require(&cx.actor, "set_calibration_key", &subject)?;
    require_draft(&set)?;
    if !set.kind.is_keyed() {
        return Err(Error::invalid(
            "",
            "not-keyed",
            "a training set shows anchors and has no keys",
        ));
    }
    let author = cx.signed_in()?.person;
    let definition = definition_of(cx.conn, &set)?;
    let mut faults = faults_of_reasons(key, "/levels", &definition);
    for criterion in definition.rubric().criteria() {
        let id = criterion.id().as_str();
        if !key.contains_key(id) {
            let pointer = format!("/levels/{}", super::submissions::escape_pointer(id));
            faults.push(Fault::new(pointer, "level-missing", "give every criterion a level"));
        }
    }
    refuse(faults, "the key cannot be set like this")?;
    let now = cx.now;
    cx.write(|conn| {
        require_draft_now(conn, &set, now)?;
        if !store::calibration::list_papers(conn, id)?.iter().any(|one| one.id == paper) {
            return Err(Error::NotFound("calibration set"));
        }
        match store::calibration::save_key(conn, paper, author, key) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "you have set your key of this paper; it is not changed".to_owned();
                return Err(Error::AlreadyThere { code: "key-set", detail });
            }
            other => other?,
        }
        let change =
            Change::new("set_calibration_key", Some(set.organization), "calibration_set", id)
                .with("paper", paper);
        Ok(((), change))
    })?;
    find(cx, id)
}

/// The levels that lead assessors agree on, by criterion, with one of their reasons; none where one more key is needed.
pub(super) fn agreed_key(
    conn: &mut DbConn,
    paper: CalibrationPaperId,
    definition: &Definition,
) -> Result<BTreeMap<String, Option<(u8, String)>>, Error> {
    let keys = store::calibration::list_keys(conn, paper)?;
    Ok(definition
        .rubric()
        .criteria()
        .iter()
        .map(|criterion| {
            let id = criterion.id().as_str();
            let given: Vec<&(u8, String)> = keys.values().filter_map(|key| key.get(id)).collect();
            let votes: Vec<u8> = given.iter().map(|(level, _)| *level).collect();
            let agreed = agreed_level(&votes).and_then(|agreed| {
                given.iter().find(|(level, _)| *level == agreed).map(|one| (*one).clone())
            });
            (id.to_owned(), agreed)
        })
        .collect())
}

/// Whether a person has keyed any paper of a set.
pub(super) fn is_key_author(
    conn: &mut DbConn,
    set: CalibrationSetId,
    person: PersonId,
) -> Result<bool, Error> {
    for paper in store::calibration::list_papers(conn, set)? {
        if store::calibration::list_keys(conn, paper.id)?.contains_key(&person) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `POST /calibration-sets/{id}/publish`: from now on it is in use, and does not change.
///
/// # Errors
/// [`Error::Invalid`] with everything that is missing: anchors of a training set, keys that two lead assessors agree on, scores of a
/// qualifying set.
pub fn publish(cx: &mut Cx<'_>, id: CalibrationSetId) -> Result<SetDetail, Error> {
    let (set, subject) = load(cx, id)?;
    policy::require(&cx.actor, "publish_calibration_set", &subject)?;
    let now = cx.now;
    let definition = definition_of(cx.conn, &set)?;
    cx.write(|conn| {
        let set = store::calibration::find_set(conn, id)?.ok_or(Error::Stale)?;
        require_draft(&set)?;
        let papers = store::calibration::list_papers(conn, id)?;
        refuse(
            faults_of_publish(conn, &set, &papers, &definition)?,
            "the set cannot be published yet",
        )?;
        let is_provisional = papers.iter().any(|paper| paper.submission.is_none());
        store::calibration::save_set_state(conn, &set, SetState::Published, is_provisional, now)?;
        let change =
            Change::new("publish_calibration_set", Some(set.organization), "calibration_set", id)
                .with("kind", set.kind)
                .with("papers", papers.len())
                .with("is_provisional", is_provisional);
        Ok(((), change))
    })?;
    find(cx, id)
}

fn faults_of_publish(
    conn: &mut DbConn,
    set: &CalibrationSet,
    papers: &[Paper],
    definition: &Definition,
) -> Result<Vec<Fault>, Error> {
    let mut faults = Vec::new();
    let criteria = definition.rubric().criteria();
    if papers.is_empty() {
        faults.push(Fault::new("/papers", "no-papers", "add papers first"));
    }
    if set.kind.is_qualifying() && papers.len() * criteria.len() < MIN_SET_SCORES {
        let detail = format!("a qualifying set has at least {MIN_SET_SCORES} criterion scores");
        faults.push(Fault::new("/papers", "too-few-scores", detail));
    }
    if set.kind == SetKind::Training {
        let mut shown: BTreeSet<(String, u8)> = BTreeSet::new();
        for paper in papers {
            let anchors = store::calibration::list_anchors(conn, paper.id)?;
            shown.extend(anchors.into_iter().map(|(id, (level, _))| (id, level)));
        }
        for criterion in criteria {
            for level in criterion.levels() {
                let place = (criterion.id().as_str().to_owned(), level.level().number());
                if !shown.contains(&place) {
                    let detail = format!("no anchor shows level {} of {}", place.1, place.0);
                    faults.push(Fault::new("/papers", "anchor-missing", detail));
                }
            }
        }
        return Ok(faults);
    }
    for (index, paper) in papers.iter().enumerate() {
        for (criterion, agreed) in agreed_key(conn, paper.id, definition)? {
            if agreed.is_none() {
                let detail = format!(
                    "{criterion} needs the same level from two lead assessors; where two differ, a third sets a key"
                );
                faults.push(Fault::new(format!("/papers/{index}"), "key-open", detail));
            }
        }
    }
    Ok(faults)
}

/// `POST /calibration-sets/{id}/retire`: nobody begins it any more. What was passed on it stays.
///
/// # Errors
/// [`Error::WrongState`] unless it is published.
pub fn retire(cx: &mut Cx<'_>, id: CalibrationSetId) -> Result<SetDetail, Error> {
    let (_, subject) = load(cx, id)?;
    policy::require(&cx.actor, "retire_calibration_set", &subject)?;
    let now = cx.now;
    cx.write(|conn| {
        let set = store::calibration::find_set(conn, id)?.ok_or(Error::Stale)?;
        if set.state != SetState::Published {
            return Err(Error::WrongState {
                detail: format!("a set that is {} cannot be retired", set.state),
                allowed_events: Vec::new(),
            });
        }
        let is_provisional = set.is_provisional;
        store::calibration::save_set_state(conn, &set, SetState::Retired, is_provisional, now)?;
        let change =
            Change::new("retire_calibration_set", Some(set.organization), "calibration_set", id);
        Ok(((), change))
    })?;
    find(cx, id)
}

/// A paper as a lead assessor, or for a training set an assessor, sees it. Nobody's key but one's own is in it.
#[derive(Clone, Debug)]
pub struct PaperDetail {
    /// The paper.
    pub paper: Paper,
    /// What stands in it; none once its earner has withdrawn it.
    pub work: Option<KnownWork>,
    /// What a training paper shows.
    pub anchors: Reasons,
    /// How many lead assessors have set a key.
    pub n_keys: usize,
    /// The criteria that need one more key.
    pub open_criteria: Vec<String>,
    /// The caller's own key.
    pub own_key: Reasons,
}

/// A set as its reader sees it.
#[derive(Clone, Debug)]
pub struct SetDetail {
    /// The set.
    pub set: CalibrationSet,
    /// Its papers; none for an assessor, but of a training set.
    pub papers: Vec<PaperDetail>,
}

/// `GET /calibration-sets/{id}`: with its papers for lead assessors, and those of training sets for assessors.
///
/// # Errors
/// [`Error::Denied`] for drafts and seed papers to anybody but a lead assessor.
pub fn find(cx: &mut Cx<'_>, id: CalibrationSetId) -> Result<SetDetail, Error> {
    let (set, subject) = load(cx, id)?;
    policy::require(&cx.actor, "read_calibration_set", &subject)?;
    let is_lead = cx.actor.holds(Role::LeadAssessor, set.organization, &subject.above);
    if !is_lead && set.kind != SetKind::Training {
        return Ok(SetDetail { set, papers: Vec::new() });
    }
    let definition = definition_of(cx.conn, &set)?;
    let (person, now, resources) = (cx.signed_in()?.person, cx.now, cx.resources);
    // A lead assessor who may still qualify on the set must not read it once it is in use.
    let shows_work = set.state == SetState::Draft || set.kind == SetKind::Training;
    let mut papers = Vec::new();
    for paper in store::calibration::list_papers(cx.conn, id)? {
        let mut keys = store::calibration::list_keys(cx.conn, paper.id)?;
        let open_criteria = agreed_key(cx.conn, paper.id, &definition)?
            .into_iter()
            .filter(|(_, agreed)| agreed.is_none())
            .map(|(criterion, _)| criterion)
            .collect();
        papers.push(PaperDetail {
            work: if shows_work {
                known_work::read(cx.conn, resources, &paper, now)?
            } else {
                None
            },
            anchors: store::calibration::list_anchors(cx.conn, paper.id)?,
            n_keys: keys.len(),
            open_criteria,
            own_key: keys.remove(&person).unwrap_or_default(),
            paper,
        });
    }
    Ok(SetDetail { set, papers })
}

/// `GET /calibration-sets`: for lead assessors everything, for assessors what is published and no seed paper.
///
/// # Errors
/// [`Error::Denied`] without a sign-in.
pub fn list(
    cx: &mut Cx<'_>,
    micro_credential: Option<MicroCredentialId>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<CalibrationSet>, Error> {
    cx.signed_in()?;
    let query = SetQuery {
        managed: organizations_under(cx.conn, &cx.actor, Role::LeadAssessor)?,
        open: organizations_under(cx.conn, &cx.actor, Role::Assessor)?,
        micro_credential,
        after: after.map(str::to_owned),
        limit,
    };
    Ok(store::calibration::list_sets(cx.conn, &query)?)
}
