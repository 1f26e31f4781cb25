//! Calibration: sets of known work, keys, attempts, and the qualifications that follow.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PageQuery, Paging, body_word};
use crate::domain::calibration::SetKind;
use crate::domain::eligibility::Qualification;
use crate::domain::ids::{
    CalibrationAttemptId, CalibrationPaperId, CalibrationSetId, MicroCredentialId, SubmissionId,
};
use crate::domain::timestamp::Timestamp;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::calibration::{
    self, Attempt, CalibrationSet, NewPaper, NewSet, PaperDetail, PaperSource, SetDetail,
};
use crate::service::known_work::{self, KnownItem, KnownWork};
use crate::service::qualifying::{self, AttemptDetail, Finished, TriedPaper};
use crate::service::{Error, Fault};

/// A new calibration set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCalibrationSet {
    /// For which micro-credential.
    #[schema(value_type = String, format = "uuid")]
    micro_credential_id: MicroCredentialId,
    /// For which of its versions; the newest public one if left out.
    version: Option<i32>,
    /// training, practice, qualifying_a, qualifying_b or seed.
    kind: String,
    /// What lead assessors call it.
    title: String,
}

/// A calibration set without its papers.
#[derive(Serialize, ToSchema)]
pub struct CalibrationSetLine {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// For which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// For every version of this scoring hash.
    scoring_hash: String,
    /// training, practice, qualifying_a, qualifying_b or seed.
    kind: &'static str,
    /// What lead assessors call it.
    title: String,
    /// Whether any of its work was made for the purpose: a qualification is provisional then.
    is_provisional: bool,
    /// draft, published or retired.
    state: &'static str,
    /// When it was made.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was published.
    #[schema(format = "date-time")]
    published_at: Option<String>,
}

impl From<CalibrationSet> for CalibrationSetLine {
    fn from(set: CalibrationSet) -> CalibrationSetLine {
        CalibrationSetLine {
            id: set.id.to_string(),
            micro_credential_id: set.micro_credential.to_string(),
            scoring_hash: set.scoring_hash,
            kind: set.kind.as_str(),
            title: set.title,
            is_provisional: set.is_provisional,
            state: set.state.as_str(),
            created_at: set.created_at.to_string(),
            published_at: set.published_at.map(|moment| moment.to_string()),
        }
    }
}

/// An item of known work.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownItemBody {
    /// What it shows.
    requirement_id: String,
    /// What stands in it.
    text: String,
}

/// Known work.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownWorkBody {
    /// Answers by prompt.
    responses: BTreeMap<String, String>,
    /// Items of evidence, as texts.
    evidence: Vec<KnownItemBody>,
    /// What is said about the use of AI, as in live work; null for nothing.
    ai_use: Option<String>,
}

impl From<KnownWork> for KnownWorkBody {
    fn from(work: KnownWork) -> KnownWorkBody {
        let item = |item: KnownItem| KnownItemBody {
            requirement_id: item.requirement_id,
            text: item.text,
        };
        KnownWorkBody {
            responses: work.responses,
            evidence: work.evidence.into_iter().map(item).collect(),
            ai_use: work.ai_use,
        }
    }
}

impl From<KnownWorkBody> for KnownWork {
    fn from(body: KnownWorkBody) -> KnownWork {
        let item = |item: KnownItemBody| KnownItem {
            requirement_id: item.requirement_id,
            text: item.text,
        };
        KnownWork {
            responses: body.responses,
            evidence: body.evidence.into_iter().map(item).collect(),
            ai_use: body.ai_use,
        }
    }
}

/// A level of a criterion, and what shows it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    /// The criterion.
    criterion_id: String,
    /// Its level.
    level: u8,
    /// What in the work shows it.
    rationale: String,
}

type Reasons = BTreeMap<String, (u8, String)>;

fn reasons(pointer: &str, lines: Vec<ReasonBody>) -> Result<Reasons, Error> {
    let mut found = BTreeMap::new();
    for (index, line) in lines.into_iter().enumerate() {
        if found.insert(line.criterion_id, (line.level, line.rationale)).is_some() {
            let pointer = format!("{pointer}/{index}/criterion_id");
            let detail = "this criterion stands here twice";
            return Err(Error::invalid(&pointer, "duplicate-criterion", detail));
        }
    }
    Ok(found)
}

fn reason_lines(reasons: Reasons) -> Vec<ReasonBody> {
    reasons
        .into_iter()
        .map(|(criterion_id, (level, rationale))| ReasonBody { criterion_id, level, rationale })
        .collect()
}

/// A paper of a set, as a lead assessor sees it. No key but one's own is in it.
#[derive(Serialize, ToSchema)]
pub struct PaperView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// 1, 2, …
    position: i32,
    /// Whether it was made for the purpose.
    is_constructed: bool,
    /// The work; null once the set is in use, or its earner has withdrawn it.
    work: Option<KnownWorkBody>,
    /// What a training paper shows.
    anchors: Vec<ReasonBody>,
    /// How many lead assessors have set a key.
    n_keys: usize,
    /// The criteria that need one more key.
    open_criteria: Vec<String>,
    /// The caller's own key.
    own_key: Vec<ReasonBody>,
}

impl From<PaperDetail> for PaperView {
    fn from(detail: PaperDetail) -> PaperView {
        PaperView {
            id: detail.paper.id.to_string(),
            position: detail.paper.position,
            is_constructed: detail.paper.submission.is_none(),
            work: detail.work.map(KnownWorkBody::from),
            anchors: reason_lines(detail.anchors),
            n_keys: detail.n_keys,
            open_criteria: detail.open_criteria,
            own_key: reason_lines(detail.own_key),
        }
    }
}

/// A calibration set.
#[derive(Serialize, ToSchema)]
pub struct CalibrationSetView {
    /// The set.
    #[serde(flatten)]
    set: CalibrationSetLine,
    /// Its papers: for lead assessors, and of training sets for assessors.
    papers: Vec<PaperView>,
}

fn set_answer(status: u16, detail: SetDetail) -> Result<Answer, Error> {
    let revision = detail.set.revision;
    let view = CalibrationSetView {
        set: detail.set.into(),
        papers: detail.papers.into_iter().map(PaperView::from).collect(),
    };
    // A draft's papers are for lead assessors alone: the answer is never kept for a replay.
    Ok(Answer::json(status, &view)?.with_revision(revision).with_secrets())
}

/// `POST /api/v1/calibration-sets`
pub async fn create_calibration_set(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<NewCalibrationSet>,
) -> Result<HttpResponse, Problem> {
    app.write(meta, "create_calibration_set", vec![body.bytes.to_vec()], move |cx| {
        let NewCalibrationSet { micro_credential_id, version, kind, title } = body.value;
        let kind = body_word("/kind", &kind, SetKind::parse, SetKind::ALL)?;
        let new = NewSet { micro_credential: micro_credential_id, version, kind, title };
        let detail = calibration::create(cx, &new)?;
        let location = format!("/api/v1/calibration-sets/{}", detail.set.id);
        Ok(set_answer(201, detail)?.with_location(location))
    })
    .await
}

/// Which sets a list shows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetParameters {
    micro_credential_id: Option<MicroCredentialId>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/calibration-sets`
pub async fn list_calibration_sets(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<SetParameters>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(query.limit, query.cursor.as_deref())?;
    app.read(meta, "list_calibration_sets", move |cx| {
        let family = query.micro_credential_id;
        let fetched = calibration::list(cx, family, paging.after.as_deref(), paging.fetch())?;
        let page = paging.page(fetched, |set| set.id.to_string(), CalibrationSetLine::from);
        Answer::json(200, &page)
    })
    .await
}

/// `GET /api/v1/calibration-sets/{id}`
pub async fn read_calibration_set(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CalibrationSetId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_calibration_set", move |cx| set_answer(200, calibration::find(cx, id)?))
        .await
}

/// A new paper: work that was made for the purpose, or a submission whose earner lets it be known work.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPaperBody {
    /// Work that was made for the purpose.
    work: Option<KnownWorkBody>,
    /// Decided work of an earner who consents, of texts alone.
    #[schema(value_type = Option<String>, format = "uuid")]
    submission_id: Option<SubmissionId>,
    /// What a training paper shows.
    #[serde(default)]
    anchors: Vec<ReasonBody>,
}

/// `POST /api/v1/calibration-sets/{id}/papers`
pub async fn add_calibration_paper(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CalibrationSetId>,
    body: JsonBody<NewPaperBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "add_calibration_paper", parts, move |cx| {
        // Who may not know of the set is told that first.
        calibration::find(cx, id)?;
        let NewPaperBody { work, submission_id, anchors } = body.value;
        let source = match (work, submission_id) {
            (Some(work), None) => PaperSource::Constructed(work.into()),
            (None, Some(submission)) => PaperSource::Submission(submission),
            (Some(_), Some(_)) | (None, None) => {
                calibration::require(cx, id, "add_calibration_paper")?;
                let detail = "give work or submission_id";
                return Err(Error::invalid("/work", "one-source", detail));
            }
        };
        let new = NewPaper { source, anchors: reasons("/anchors", anchors)? };
        set_answer(201, calibration::add_paper(cx, id, &new)?)
    })
    .await
}

/// A lead assessor's key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyBody {
    /// A level for every criterion.
    levels: Vec<ReasonBody>,
}

/// `POST /api/v1/calibration-sets/{id}/papers/{paper_id}/keys`
pub async fn set_calibration_key(
    app: web::Data<App>,
    meta: Meta,
    Path((id, paper)): Path<(CalibrationSetId, CalibrationPaperId)>,
    body: JsonBody<KeyBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "set_calibration_key", parts, move |cx| {
        let key = reasons("/levels", body.value.levels)?;
        set_answer(201, calibration::set_key(cx, id, paper, &key)?)
    })
    .await
}

/// `POST /api/v1/calibration-sets/{id}/publish`
pub async fn publish_calibration_set(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CalibrationSetId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "publish_calibration_set", parts, move |cx| {
        set_answer(200, calibration::publish(cx, id)?)
    })
    .await
}

/// `POST /api/v1/calibration-sets/{id}/retire`
pub async fn retire_calibration_set(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CalibrationSetId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "retire_calibration_set", parts, move |cx| {
        set_answer(200, calibration::retire(cx, id)?)
    })
    .await
}

/// The level of one criterion of a paper; null for unscorable.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenBody {
    /// The criterion.
    criterion_id: String,
    /// Its level.
    level: Option<u8>,
}

/// A paper of an attempt.
#[derive(Serialize, ToSchema)]
pub struct TriedPaperView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The work, while the attempt is open.
    work: Option<KnownWorkBody>,
    /// What was given; null before.
    given: Option<Vec<GivenBody>>,
    /// The key with its reasons: of practice papers, once scored.
    correction: Option<Vec<ReasonBody>>,
}

impl From<TriedPaper> for TriedPaperView {
    fn from(paper: TriedPaper) -> TriedPaperView {
        let line = |(criterion_id, level)| GivenBody { criterion_id, level };
        TriedPaperView {
            id: paper.id.to_string(),
            work: paper.work.map(KnownWorkBody::from),
            given: paper.given.map(|given| given.into_iter().map(line).collect()),
            correction: paper.correction.map(reason_lines),
        }
    }
}

/// What an attempt came to.
#[derive(Serialize, ToSchema)]
pub struct AttemptOutcome {
    /// Criterion scores.
    n: i32,
    /// The same level as the key.
    exact: i32,
    /// The same decision.
    decision: i32,
    /// Two levels off or more, or unscorable.
    discrepant: i32,
}

/// An attempt at a set, without its papers.
#[derive(Serialize, ToSchema)]
pub struct CalibrationAttemptLine {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// At which set.
    #[schema(format = "uuid")]
    set_id: String,
    /// Whose.
    #[schema(format = "uuid")]
    person_id: String,
    /// practice, qualifying_a or qualifying_b.
    kind: &'static str,
    /// open, passed, failed or done.
    state: &'static str,
    /// The counts, once it is finished.
    outcome: Option<AttemptOutcome>,
    /// When it was started.
    #[schema(format = "date-time")]
    started_at: String,
    /// When it was finished.
    #[schema(format = "date-time")]
    finished_at: Option<String>,
    /// When a lead assessor spoke about it with the person.
    #[schema(format = "date-time")]
    coached_at: Option<String>,
}

impl From<Attempt> for CalibrationAttemptLine {
    fn from(attempt: Attempt) -> CalibrationAttemptLine {
        let [n, exact, decision, discrepant] = attempt.counts;
        let outcome = AttemptOutcome { n, exact, decision, discrepant };
        CalibrationAttemptLine {
            id: attempt.id.to_string(),
            set_id: attempt.set.to_string(),
            person_id: attempt.person.to_string(),
            kind: attempt.kind.as_str(),
            state: attempt.state.as_str(),
            outcome: attempt.finished_at.map(|_| outcome),
            started_at: attempt.started_at.to_string(),
            finished_at: attempt.finished_at.map(|moment| moment.to_string()),
            coached_at: attempt.coached_at.map(|moment| moment.to_string()),
        }
    }
}

/// An attempt at a set.
#[derive(Serialize, ToSchema)]
pub struct CalibrationAttemptView {
    /// The attempt.
    #[serde(flatten)]
    attempt: CalibrationAttemptLine,
    /// Its papers, for who tries.
    papers: Vec<TriedPaperView>,
    /// What fell short, where it has just been finished.
    faults: Vec<&'static str>,
}

fn attempt_answer(status: u16, finished: Finished) -> Result<Answer, Error> {
    let Finished { detail: AttemptDetail { attempt, papers }, faults } = finished;
    let revision = attempt.revision;
    let view = CalibrationAttemptView {
        attempt: attempt.into(),
        papers: papers.into_iter().map(TriedPaperView::from).collect(),
        faults: faults.into_iter().map(|fault| fault.as_str()).collect(),
    };
    Ok(Answer::json(status, &view)?.with_revision(revision).with_secrets())
}

const fn going_on(detail: AttemptDetail) -> Finished {
    Finished { detail, faults: Vec::new() }
}

/// `POST /api/v1/calibration-sets/{id}/attempts`
pub async fn start_calibration_attempt(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CalibrationSetId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "start_calibration_attempt", parts, move |cx| {
        let detail = qualifying::start(cx, id)?;
        let location = format!("/api/v1/calibration-attempts/{}", detail.attempt.id);
        Ok(attempt_answer(201, going_on(detail))?.with_location(location))
    })
    .await
}

/// `GET /api/v1/calibration-sets/{id}/attempts`
pub async fn list_calibration_attempts(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CalibrationSetId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_calibration_attempts", move |cx| {
        let fetched = qualifying::list(cx, id, paging.after.as_deref(), paging.fetch())?;
        let page = paging.page(fetched, |one| one.id.to_string(), CalibrationAttemptLine::from);
        Answer::json(200, &page)
    })
    .await
}

/// `GET /api/v1/calibration-attempts/{id}`
pub async fn read_calibration_attempt(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CalibrationAttemptId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_calibration_attempt", move |cx| {
        attempt_answer(200, going_on(qualifying::find(cx, id)?))
    })
    .await
}

/// How a paper is scored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperScoresBody {
    /// A line for every criterion.
    scores: Vec<GivenBody>,
}

/// `POST /api/v1/calibration-attempts/{id}/papers/{paper_id}/scores`
pub async fn score_calibration_paper(
    app: web::Data<App>,
    meta: Meta,
    Path((id, paper)): Path<(CalibrationAttemptId, CalibrationPaperId)>,
    body: JsonBody<PaperScoresBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let mut levels = BTreeMap::new();
    let mut faults = Vec::new();
    for (index, line) in body.value.scores.into_iter().enumerate() {
        if levels.insert(line.criterion_id, line.level).is_some() {
            let pointer = format!("/scores/{index}/criterion_id");
            let detail = "this criterion stands here twice";
            faults.push(Fault::new(pointer, "duplicate-criterion", detail));
        }
    }
    if !faults.is_empty() {
        let detail = "the paper cannot be scored like this";
        return Err(Problem::new("invalid", detail).with_errors(faults));
    }
    app.write(meta, "score_calibration_paper", parts, move |cx| {
        attempt_answer(200, going_on(qualifying::score(cx, id, paper, &levels)?))
    })
    .await
}

/// `POST /api/v1/calibration-attempts/{id}/finish`
pub async fn finish_calibration_attempt(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CalibrationAttemptId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "finish_calibration_attempt", parts, move |cx| {
        attempt_answer(200, qualifying::finish(cx, id)?)
    })
    .await
}

/// `POST /api/v1/calibration-attempts/{id}/coaching`
pub async fn record_calibration_coaching(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CalibrationAttemptId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "record_calibration_coaching", parts, move |cx| {
        attempt_answer(200, going_on(qualifying::record_coaching(cx, id)?))
    })
    .await
}

/// Until when decided work may be known work.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleConsentBody {
    /// Within five years; null withdraws the consent.
    #[schema(value_type = Option<String>, format = "date-time")]
    ends_at: Option<DateTime<Utc>>,
}

/// `PUT /api/v1/submissions/{id}/sample-consent`
pub async fn put_sample_consent(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    body: JsonBody<SampleConsentBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "put_sample_consent", parts, move |cx| {
        known_work::put_consent(cx, id, body.value.ends_at.map(Timestamp::new))?;
        Answer::json(200, &body.value)
    })
    .await
}

/// A right to score by one rubric.
#[derive(Serialize, ToSchema)]
pub struct QualificationView {
    /// For every version of this scoring hash.
    scoring_hash: String,
    /// full or provisional.
    level: &'static str,
    /// qualified, watch, suspended or expired.
    state: &'static str,
    /// When it was passed.
    #[schema(format = "date-time")]
    passed_at: String,
    /// When it ends.
    #[schema(format = "date-time")]
    expires_at: String,
}

impl QualificationView {
    /// A qualification as it stands at a moment.
    #[must_use]
    pub fn at(held: &Qualification, now: Timestamp) -> QualificationView {
        let is_over = held.expires_at <= now;
        QualificationView {
            scoring_hash: held.scoring_hash.clone(),
            level: held.level.as_str(),
            state: if is_over { "expired" } else { held.state.as_str() },
            passed_at: held.passed_at.to_string(),
            expires_at: held.expires_at.to_string(),
        }
    }
}
