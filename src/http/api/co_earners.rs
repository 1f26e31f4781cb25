//! Evidence that earners have made together: whom they name, and what these say.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::conflicts::one_person;
use super::{Page, PageQuery};
use crate::domain::ids::{CoEarnerId, EvidenceId, PersonId, SubmissionId};
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::co_earners::{self, Named, SharedEvidence};
use crate::service::{Cx, Error};

/// Somebody with whom an item was made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCoEarner {
    /// The item of evidence.
    #[schema(value_type = String, format = "uuid")]
    evidence_id: EvidenceId,
    /// The other person; or give their address.
    #[schema(value_type = Option<String>, format = "uuid")]
    person_id: Option<PersonId>,
    /// The other person's address.
    email: Option<String>,
}

/// Somebody whom you have named for an item.
#[derive(Serialize, ToSchema)]
pub struct CoEarnerView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The item of evidence.
    #[schema(format = "uuid")]
    evidence_id: String,
    /// The address or id that you have given; null once the retention period is over.
    name: Option<String>,
    /// asked, confirmed, denied or ended. It stays asked where nobody of your district goes by that address or id.
    state: &'static str,
    /// When you named them.
    #[schema(format = "date-time")]
    asked_at: String,
    /// When they answered.
    #[schema(format = "date-time")]
    answered_at: Option<String>,
}

impl From<Named> for CoEarnerView {
    fn from(named: Named) -> CoEarnerView {
        let co_earner = named.co_earner;
        CoEarnerView {
            id: co_earner.id.to_string(),
            evidence_id: co_earner.evidence.to_string(),
            name: named.name,
            state: co_earner.state().as_str(),
            asked_at: co_earner.asked_at.to_string(),
            answered_at: co_earner.answered_at.map(|moment| moment.to_string()),
        }
    }
}

/// What a colleague says that you have made together.
#[derive(Serialize, ToSchema)]
pub struct SharedEvidenceView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The colleague.
    earner: super::coachings::CoachView,
    /// For which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// At which version of it.
    version: i32,
    /// Its title.
    title: String,
    /// The evidence requirement or prompt that the item answers.
    requirement_id: String,
    /// file, link or text. What it holds is your colleague's to show you.
    kind: String,
    /// asked, confirmed or denied: what you have answered.
    state: &'static str,
    /// Whether you can answer now: always once, and again until the work is handed in.
    can_answer: bool,
    /// When you were named.
    #[schema(format = "date-time")]
    asked_at: String,
}

impl From<SharedEvidence> for SharedEvidenceView {
    fn from(shared: SharedEvidence) -> SharedEvidenceView {
        let co_earner = &shared.co_earner;
        SharedEvidenceView {
            id: co_earner.id.to_string(),
            state: co_earner.state().as_str(),
            can_answer: co_earners::can_answer(co_earner, shared.state),
            asked_at: co_earner.asked_at.to_string(),
            earner: super::coachings::CoachView::new(shared.earner, shared.earner_name),
            micro_credential_id: shared.micro_credential.to_string(),
            version: shared.version,
            title: shared.title,
            requirement_id: shared.requirement,
            kind: shared.kind,
        }
    }
}

/// Somebody whom the caller has named, as it stands now. `ids` names the submission and the naming.
///
/// # Errors
/// What reading it says.
pub fn read_again(cx: &mut Cx<'_>, ids: &str, status: u16) -> Result<Answer, Error> {
    let gone = || Error::NotFound("co-earner");
    let (submission, id) = ids.split_once('/').ok_or_else(gone)?;
    let named = co_earners::list(cx, submission.parse().map_err(|_no_id| gone())?)?;
    let found = named.into_iter().find(|named| named.co_earner.id.to_string() == id);
    let view = CoEarnerView::from(found.ok_or_else(gone)?);
    Ok(Answer::json(status, &view)?.with_reread("co_earner", ids))
}

/// `POST /api/v1/submissions/{id}/co-earners`
pub async fn create_co_earner(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    body: JsonBody<NewCoEarner>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_co_earner", parts, move |cx| {
        let NewCoEarner { evidence_id, person_id, email } = body.value;
        let named = co_earners::name(cx, id, evidence_id, &one_person(person_id, email)?)?;
        let location = format!("/api/v1/submissions/{id}/co-earners/{named}");
        Ok(read_again(cx, &format!("{id}/{named}"), 201)?.with_location(location))
    })
    .await
}

/// `GET /api/v1/submissions/{id}/co-earners`
pub async fn list_co_earners(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "list_co_earners", move |cx| {
        let items = co_earners::list(cx, id)?.into_iter().map(CoEarnerView::from).collect();
        Answer::json(200, &Page { items, next_cursor: None })
    })
    .await
}

/// `DELETE /api/v1/submissions/{id}/co-earners/{co_earner_id}`
pub async fn delete_co_earner(
    app: web::Data<App>,
    meta: Meta,
    Path((id, co_earner)): Path<(SubmissionId, CoEarnerId)>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "delete_co_earner", parts, move |cx| {
        co_earners::end(cx, id, co_earner)?;
        Ok(Answer::empty(204))
    })
    .await
}

/// `GET /api/v1/shared-evidence`
pub async fn list_shared_evidence(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_shared_evidence", move |cx| {
        let fetched = co_earners::list_asked(cx, paging.after.as_deref(), paging.fetch())?;
        let key = |shared: &SharedEvidence| shared.co_earner.id.to_string();
        Answer::json(200, &paging.page(fetched, key, SharedEvidenceView::from))
    })
    .await
}

/// Whether you had a part in it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedEvidenceAnswer {
    /// true where you have made it together.
    is_confirmed: bool,
}

/// `POST /api/v1/shared-evidence/{id}/answer`
pub async fn answer_shared_evidence(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<CoEarnerId>,
    body: JsonBody<SharedEvidenceAnswer>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "answer_shared_evidence", parts, move |cx| {
        co_earners::answer(cx, id, body.value.is_confirmed)?;
        shared_again(cx, id, 200)
    })
    .await
}

/// What the caller is asked, as it stands now.
///
/// # Errors
/// What reading it says.
pub fn shared_again(cx: &mut Cx<'_>, id: CoEarnerId, status: u16) -> Result<Answer, Error> {
    let view = SharedEvidenceView::from(co_earners::find_asked(cx, id)?);
    Ok(Answer::json(status, &view)?.with_reread("shared_evidence", id))
}
