//! Micro-credentials: authoring and the public catalogue.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Paging;
use crate::domain::ids::{MicroCredentialId, OrganizationId};
use crate::domain::review_policy::{
    DOUBLE_SCORED_BEFORE, SAME_DECISION_PERCENT, is_conditional_borne_out,
};
use crate::domain::statistics::agreement::Agreement;
use crate::domain::version::Vote;
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::micro_credentials::{self, ApprovalStatus, CatalogueQuery, Version};
use crate::service::{Cx, Error, Fault};

/// A definition to look at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DefinitionBody {
    /// Follows `credential-schemas/micro-credential.schema.json`.
    definition: Value,
}

/// One finding.
#[derive(Serialize, ToSchema)]
pub struct FindingView {
    /// Where, in the request.
    pointer: String,
    /// A stable word.
    code: String,
    /// What to do about it.
    detail: String,
}

impl From<Fault> for FindingView {
    fn from(fault: Fault) -> FindingView {
        FindingView { pointer: fault.pointer, code: fault.code, detail: fault.detail }
    }
}

/// What is wrong with a definition.
#[derive(Serialize, ToSchema)]
pub struct ValidationView {
    /// Whether it could be published as it is.
    valid: bool,
    /// Every finding at once.
    findings: Vec<FindingView>,
    /// SHA-256 over everything, when it follows the schema.
    content_hash: Option<String>,
    /// SHA-256 over what scores depend on.
    scoring_hash: Option<String>,
    /// SHA-256 over review policy, file types and limits.
    policy_hash: Option<String>,
}

/// `POST /api/v1/micro-credentials/validate`
pub async fn validate_definition(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<DefinitionBody>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "validate_definition", move |cx| {
        let (faults, parsed) = micro_credentials::validate(cx, &body.value.definition)?;
        let (content_hash, scoring_hash, policy_hash) = match parsed {
            Some(parsed) => {
                (Some(parsed.content_hash), Some(parsed.scoring_hash), Some(parsed.policy_hash))
            }
            None => (None, None, None),
        };
        let findings: Vec<FindingView> = faults.into_iter().map(FindingView::from).collect();
        let view = ValidationView {
            valid: findings.is_empty(),
            findings,
            content_hash,
            scoring_hash,
            policy_hash,
        };
        Answer::json(200, &view)
    })
    .await
}

/// A new micro-credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMicroCredential {
    /// Who will own it.
    #[schema(value_type = String, format = "uuid")]
    organization_id: OrganizationId,
    /// Follows `credential-schemas/micro-credential.schema.json`.
    definition: Value,
}

/// A version of a micro-credential.
#[derive(Serialize, ToSchema)]
pub struct VersionView {
    /// The micro-credential.
    #[schema(format = "uuid")]
    id: String,
    /// Who owns it.
    #[schema(format = "uuid")]
    organization_id: String,
    /// 1, 2, …
    version: i32,
    /// The definition's own id.
    slug: String,
    /// The definition's own version.
    label: String,
    /// draft, proposed, approved, published or retired.
    state: &'static str,
    /// Its title.
    title: String,
    /// The whole definition, the same for assessors and everybody else.
    definition: Value,
    /// SHA-256 over everything (RFC 8785 form).
    content_hash: String,
    /// SHA-256 over what scores depend on.
    scoring_hash: String,
    /// SHA-256 over review policy, file types and limits.
    policy_hash: String,
    /// Since when it is public.
    #[schema(format = "date-time")]
    published_at: Option<String>,
    /// Its public page and Achievement document.
    achievement_path: String,
}

impl TryFrom<Version> for VersionView {
    type Error = Error;

    fn try_from(version: Version) -> Result<VersionView, Error> {
        let definition: Value =
            serde_json::from_str(&version.definition).map_err(Error::internal)?;
        let slug = definition["id"].as_str().unwrap_or_default().to_owned();
        Ok(VersionView {
            id: version.micro_credential.to_string(),
            organization_id: version.organization.to_string(),
            version: version.number,
            slug,
            label: version.label,
            state: version.state.as_str(),
            title: version.title,
            definition,
            content_hash: version.content_hash,
            scoring_hash: version.scoring_hash,
            policy_hash: version.policy_hash,
            published_at: version.published_at.map(|moment| moment.to_string()),
            achievement_path: format!(
                "/achievements/{}/versions/{}",
                version.micro_credential, version.number
            ),
        })
    }
}

fn answer(status: u16, version: Version) -> Result<Answer, Error> {
    let revision = version.revision;
    Ok(Answer::json(status, &VersionView::try_from(version)?)?.with_revision(revision))
}

fn location(version: &Version) -> String {
    format!("/api/v1/micro-credentials/{}/versions/{}", version.micro_credential, version.number)
}

/// `POST /api/v1/micro-credentials`
pub async fn create_micro_credential(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<NewMicroCredential>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![body.bytes.to_vec()];
    app.write(meta, "create_micro_credential", parts, move |cx| {
        let version =
            micro_credentials::create(cx, body.value.organization_id, &body.value.definition)?;
        let location = location(&version);
        Ok(answer(201, version)?.with_location(location))
    })
    .await
}

/// What the catalogue is searched for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueParameters {
    /// Words of title, summary, competency and skills.
    pub q: Option<String>,
    organization_id: Option<OrganizationId>,
    /// A skill's code.
    pub skill: Option<String>,
    /// An audience.
    pub audience: Option<String>,
    limit: Option<i64>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

impl CatalogueParameters {
    /// The query for the catalogue, and how it is paged.
    ///
    /// # Errors
    /// `invalid` for a limit or cursor that is not one.
    pub fn query(&self) -> Result<(CatalogueQuery, Paging), Problem> {
        let paging = Paging::new(self.limit, self.cursor.as_deref())?;
        let q = self.q.as_deref().unwrap_or_default();
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let query = CatalogueQuery {
            words: CatalogueQuery::words_of(q),
            organization: self.organization_id,
            skill: given(&self.skill),
            audience: given(&self.audience),
            after: paging.after.clone(),
            limit: paging.fetch(),
        };
        Ok((query, paging))
    }
}

/// One line of the catalogue.
#[derive(Serialize, ToSchema)]
pub struct CatalogueItem {
    /// The micro-credential.
    #[schema(format = "uuid")]
    id: String,
    /// Who owns it.
    #[schema(format = "uuid")]
    organization_id: String,
    /// Its newest published version.
    version: i32,
    /// The definition's own version.
    label: String,
    /// Its title.
    title: String,
    /// What it is, in a paragraph.
    summary: String,
    /// Whom it is for.
    audience: Vec<String>,
    /// Codes of the skills that it shows.
    skills: Vec<String>,
    /// SHA-256 over everything.
    content_hash: String,
    /// Its public page and Achievement document.
    achievement_path: String,
}

impl From<Version> for CatalogueItem {
    fn from(version: Version) -> CatalogueItem {
        let definition: Value = serde_json::from_str(&version.definition).unwrap_or_default();
        CatalogueItem {
            id: version.micro_credential.to_string(),
            organization_id: version.organization.to_string(),
            version: version.number,
            achievement_path: format!(
                "/achievements/{}/versions/{}",
                version.micro_credential, version.number
            ),
            label: version.label,
            title: version.title,
            summary: definition["summary"].as_str().unwrap_or_default().to_owned(),
            audience: version.audiences.into_iter().collect(),
            skills: version.skills.into_iter().collect(),
            content_hash: version.content_hash,
        }
    }
}

/// `GET /api/v1/micro-credentials`
pub async fn list_micro_credentials(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<CatalogueParameters>,
) -> Result<HttpResponse, Problem> {
    let (query, paging) = parameters.query()?;
    app.read(meta, "list_micro_credentials", move |cx| {
        let fetched = micro_credentials::list(cx, &query)?;
        Answer::json(
            200,
            &paging.page(fetched, |item| item.micro_credential.to_string(), CatalogueItem::from),
        )
    })
    .await
}

/// `GET /api/v1/micro-credentials/{id}`
pub async fn read_micro_credential(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<MicroCredentialId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_micro_credential", move |cx| answer(200, micro_credentials::find(cx, id)?))
        .await
}

/// `GET /api/v1/micro-credentials/{id}/versions/{n}`
pub async fn read_version(
    app: web::Data<App>,
    meta: Meta,
    Path((id, number)): Path<(MicroCredentialId, i32)>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_version", move |cx| {
        answer(200, micro_credentials::find_version(cx, id, number)?)
    })
    .await
}

/// `POST /api/v1/micro-credentials/{id}/versions`
pub async fn create_version(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<MicroCredentialId>,
    body: JsonBody<DefinitionBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_version", parts, move |cx| {
        let version = micro_credentials::create_version(cx, id, &body.value.definition)?;
        let location = location(&version);
        Ok(answer(201, version)?.with_location(location))
    })
    .await
}

/// `PUT /api/v1/micro-credentials/{id}/versions/{n}`
pub async fn put_version(
    app: web::Data<App>,
    meta: Meta,
    Path((id, number)): Path<(MicroCredentialId, i32)>,
    if_match: IfMatch,
    body: JsonBody<DefinitionBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "put_version", parts, move |cx| {
        let done = micro_credentials::edit(cx, id, number, &body.value.definition, if_match.0);
        edited(cx, id, number, done)
    })
    .await
}

/// The answer of an edit, or the version as it is now for whoever has read an older one.
pub(super) fn edited(
    cx: &mut Cx<'_>,
    id: MicroCredentialId,
    number: i32,
    done: Result<Version, Error>,
) -> Result<Reply, Error> {
    match done {
        Ok(version) => Ok(answer(200, version)?.into()),
        Err(Error::Stale) => {
            let current = VersionView::try_from(micro_credentials::find_version(cx, id, number)?)?;
            Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
        }
        Err(error) => Err(error),
    }
}

/// A vote.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalBody {
    /// For the content as it is now, or against it.
    pub(super) approve: bool,
    /// Why.
    #[serde(default)]
    pub(super) comment: String,
}

/// A valid vote.
#[derive(Serialize, ToSchema)]
pub struct VoteView {
    /// Who.
    #[schema(format = "uuid")]
    person_id: String,
    /// For it?
    approve: bool,
    /// The departments the voter belongs to.
    department_ids: Vec<String>,
}

impl From<Vote> for VoteView {
    fn from(vote: Vote) -> VoteView {
        VoteView {
            person_id: vote.person.to_string(),
            approve: vote.approves,
            department_ids: vote.departments.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Where a group's approval stands.
#[derive(Serialize, ToSchema)]
pub struct ApprovalView {
    /// The version's state after the vote.
    state: &'static str,
    /// The content that the votes are about.
    content_hash: String,
    /// The valid votes.
    approvals: Vec<VoteView>,
    /// How many approvals publishing takes.
    needed_approvals: usize,
    /// From how many departments, one approver at least not being an author.
    needed_departments: usize,
    /// Where a conditional second reading is voted on: what two readings have shown so far. None in other modes.
    conditional_double: Option<DoubleScoredView>,
}

/// What speaks for a conditional second reading. It is for the group to weigh: nothing is refused by it.
#[derive(Serialize, ToSchema)]
pub struct DoubleScoredView {
    /// Submissions of this rubric that were read twice.
    submissions: u64,
    /// In how many of them both readings would have decided the same.
    same_decision: u64,
    /// How many should have been read twice before.
    needed_submissions: u64,
    /// In how many of a hundred both should have decided the same.
    needed_same_decision_percent: u64,
    /// Whether both are so.
    is_borne_out: bool,
}

impl From<Agreement> for DoubleScoredView {
    fn from(found: Agreement) -> DoubleScoredView {
        DoubleScoredView {
            submissions: found.n,
            same_decision: found.decision,
            needed_submissions: DOUBLE_SCORED_BEFORE,
            needed_same_decision_percent: SAME_DECISION_PERCENT,
            is_borne_out: is_conditional_borne_out(found.n, found.decision),
        }
    }
}

impl From<ApprovalStatus> for ApprovalView {
    fn from(status: ApprovalStatus) -> ApprovalView {
        ApprovalView {
            state: status.version.state.as_str(),
            content_hash: status.version.content_hash,
            approvals: status.votes.into_iter().map(VoteView::from).collect(),
            needed_approvals: status.rule.approvals,
            needed_departments: status.rule.departments,
            conditional_double: status.double_scored.map(DoubleScoredView::from),
        }
    }
}

/// `POST /api/v1/micro-credentials/{id}/versions/{n}/approvals`
pub async fn create_approval(
    app: web::Data<App>,
    meta: Meta,
    Path((id, number)): Path<(MicroCredentialId, i32)>,
    body: JsonBody<ApprovalBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let ApprovalBody { approve, comment } = body.value;
    app.write(meta, "create_approval", parts, move |cx| {
        let status = micro_credentials::vote(cx, id, number, approve, &comment)?;
        let revision = status.version.revision;
        Ok(Answer::json(201, &ApprovalView::from(status))?.with_revision(revision))
    })
    .await
}

/// `POST /api/v1/micro-credentials/{id}/versions/{n}/publish`
pub async fn publish_version(
    app: web::Data<App>,
    meta: Meta,
    Path((id, number)): Path<(MicroCredentialId, i32)>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "publish_version", parts, move |cx| {
        answer(200, micro_credentials::publish(cx, id, number)?)
    })
    .await
}

/// `POST /api/v1/micro-credentials/{id}/versions/{n}/retire`
pub async fn retire_version(
    app: web::Data<App>,
    meta: Meta,
    Path((id, number)): Path<(MicroCredentialId, i32)>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "retire_version", parts, move |cx| {
        answer(200, micro_credentials::retire(cx, id, number)?)
    })
    .await
}
