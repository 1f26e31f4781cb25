//! Assessors of a rubric: where each stands, what comes next, and the steps that they and lead assessors take.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Page;
use crate::domain::ids::{MicroCredentialId, PersonId};
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::assessors::{self, Standing};
use crate::service::{Cx, Error};

/// An event that may come next.
#[derive(Serialize, ToSchema)]
pub struct AssessorEventView {
    /// Which.
    event: &'static str,
    /// Who brings it about: a role, or the system.
    actors: Vec<&'static str>,
    /// What must hold besides.
    guards: Vec<&'static str>,
}

/// Where somebody stands for a rubric.
#[derive(Serialize, ToSchema)]
pub struct StandingView {
    /// Who.
    #[schema(format = "uuid")]
    person_id: String,
    /// For every version of this scoring hash.
    scoring_hash: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// invited, in_training, qualifying, qualified, watch, suspended or released.
    state: &'static str,
    /// What comes next, in plain words.
    next: String,
    /// What is still to do in training: bias_module, practice_set.
    missing: Vec<&'static str>,
    /// The end of the qualification, or of the cycle whose tries are used up.
    #[schema(format = "date-time")]
    until: Option<String>,
    /// What was said at the suspension or release.
    reason: Option<String>,
    /// The organizations they are an assessor of that do not recognise where they qualified: it does not count for work there.
    not_counted_in: Vec<String>,
    /// What may happen from here.
    events: Vec<AssessorEventView>,
}

impl From<Standing> for StandingView {
    fn from(standing: Standing) -> StandingView {
        let events = standing.state.transitions().map(|transition| AssessorEventView {
            event: transition.event.as_str(),
            actors: transition.parties.iter().map(|party| party.as_str()).collect(),
            guards: transition.guards.iter().map(|guard| guard.as_str()).collect(),
        });
        StandingView {
            person_id: standing.person.to_string(),
            scoring_hash: standing.scoring_hash.clone(),
            micro_credential_id: standing.micro_credential.to_string(),
            state: standing.state.as_str(),
            next: standing.next(),
            missing: standing.missing.iter().map(|guard| guard.as_str()).collect(),
            until: standing.until.map(|moment| moment.to_string()),
            reason: standing.reason.clone(),
            not_counted_in: standing.not_counted_in.iter().map(ToString::to_string).collect(),
            events: events.collect(),
        }
    }
}

/// Which assessors are listed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssessorQuery {
    /// Those of one micro-credential.
    micro_credential_id: Option<MicroCredentialId>,
}

fn page_of(found: Vec<Standing>) -> Result<Answer, Error> {
    let items = found.into_iter().map(StandingView::from).collect();
    Answer::json(200, &Page { items, next_cursor: None })
}

/// `GET /api/v1/assessors`
pub async fn list_assessors(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<AssessorQuery>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "list_assessors", move |cx| {
        page_of(assessors::list(cx, query.micro_credential_id)?)
    })
    .await
}

/// `GET /api/v1/assessors/{person_id}`
pub async fn read_assessor(
    app: web::Data<App>,
    meta: Meta,
    Path(person): Path<PersonId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_assessor", move |cx| page_of(assessors::find(cx, person)?)).await
}

/// For which rubric an assessor begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceBody {
    /// Of which rubric.
    scoring_hash: String,
    /// Every tie to somebody whose work one may be given is declared (`POST /conflicts`).
    conflicts_declared: bool,
}

/// Which rubric it is about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RubricBody {
    /// Of which rubric.
    scoring_hash: String,
}

/// Which rubric it is about, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonedBody {
    /// Of which rubric.
    scoring_hash: String,
    /// In 1 to 2,000 characters; the assessor reads it.
    reason: String,
}

async fn take(
    app: web::Data<App>,
    meta: Meta,
    operation: &'static str,
    bytes: Vec<u8>,
    step: impl FnOnce(&mut Cx<'_>) -> Result<Standing, Error> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), bytes];
    app.write(meta, operation, parts, move |cx| Answer::json(200, &StandingView::from(step(cx)?)))
        .await
}

/// `POST /api/v1/assessors/{person_id}/accept`
pub async fn accept_assessing(
    app: web::Data<App>,
    meta: Meta,
    Path(person): Path<PersonId>,
    body: JsonBody<AcceptanceBody>,
) -> Result<HttpResponse, Problem> {
    let AcceptanceBody { scoring_hash, conflicts_declared } = body.value;
    take(app, meta, "accept_assessing", body.bytes.to_vec(), move |cx| {
        assessors::accept(cx, person, &scoring_hash, conflicts_declared)
    })
    .await
}

/// `POST /api/v1/assessors/{person_id}/suspend`
pub async fn suspend_assessor(
    app: web::Data<App>,
    meta: Meta,
    Path(person): Path<PersonId>,
    body: JsonBody<ReasonedBody>,
) -> Result<HttpResponse, Problem> {
    let ReasonedBody { scoring_hash, reason } = body.value;
    take(app, meta, "suspend_assessor", body.bytes.to_vec(), move |cx| {
        assessors::suspend(cx, person, &scoring_hash, &reason)
    })
    .await
}

/// `POST /api/v1/assessors/{person_id}/coaching`
pub async fn coach_assessor(
    app: web::Data<App>,
    meta: Meta,
    Path(person): Path<PersonId>,
    body: JsonBody<RubricBody>,
) -> Result<HttpResponse, Problem> {
    let scoring_hash = body.value.scoring_hash;
    take(app, meta, "coach_assessor", body.bytes.to_vec(), move |cx| {
        assessors::coach(cx, person, &scoring_hash)
    })
    .await
}

/// `POST /api/v1/assessors/{person_id}/requalify`
pub async fn requalify_assessor(
    app: web::Data<App>,
    meta: Meta,
    Path(person): Path<PersonId>,
    body: JsonBody<RubricBody>,
) -> Result<HttpResponse, Problem> {
    let scoring_hash = body.value.scoring_hash;
    take(app, meta, "requalify_assessor", body.bytes.to_vec(), move |cx| {
        assessors::requalify(cx, person, &scoring_hash)
    })
    .await
}

/// `POST /api/v1/assessors/{person_id}/release`
pub async fn release_assessor(
    app: web::Data<App>,
    meta: Meta,
    Path(person): Path<PersonId>,
    body: JsonBody<ReasonedBody>,
) -> Result<HttpResponse, Problem> {
    let ReasonedBody { scoring_hash, reason } = body.value;
    take(app, meta, "release_assessor", body.bytes.to_vec(), move |cx| {
        assessors::release(cx, person, &scoring_hash, &reason)
    })
    .await
}

/// `POST /api/v1/assessors/{person_id}/invite`
pub async fn invite_assessor(
    app: web::Data<App>,
    meta: Meta,
    Path(person): Path<PersonId>,
    body: JsonBody<RubricBody>,
) -> Result<HttpResponse, Problem> {
    let scoring_hash = body.value.scoring_hash;
    take(app, meta, "invite_assessor", body.bytes.to_vec(), move |cx| {
        assessors::invite(cx, person, &scoring_hash)
    })
    .await
}
