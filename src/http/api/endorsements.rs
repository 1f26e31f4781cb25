//! Endorsements of other districts' definitions, and the awards that were accepted by them.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::PageQuery;
use crate::domain::ids::{EndorsementId, MicroCredentialId, OrganizationId};
use crate::domain::timestamp::Timestamp;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::Error;
use crate::service::endorsements::{self, AcceptedAward, Endorsement, NewEndorsement};

/// What is to be endorsed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndorsementBody {
    /// The address of the other district's version, as it stands in its badges.
    achievement: String,
    /// The own micro-credential that it counts as.
    #[schema(value_type = String, format = "uuid")]
    micro_credential_id: MicroCredentialId,
    /// The number of the own published version.
    version: i32,
}

/// An endorsement.
#[derive(Serialize, ToSchema)]
pub struct EndorsementView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Who endorses.
    #[schema(format = "uuid")]
    organization_id: String,
    /// The version whose awards are accepted.
    achievement: String,
    /// The own micro-credential that it counts as.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// The number of the own version.
    version: i32,
    /// What both are scored by.
    scoring_hash: String,
    /// Since when.
    #[schema(format = "date-time")]
    endorsed_at: String,
    /// Whether awards are accepted by it now.
    in_force: bool,
    /// Since when not any more.
    #[schema(format = "date-time")]
    ended_at: Option<String>,
    /// Why.
    end_reason: Option<String>,
    /// The document as it was signed.
    statement: Value,
    /// A detached JWS (RFC 7515, appendix F) over the statement in the form of RFC 8785.
    signature: String,
}

impl TryFrom<Endorsement> for EndorsementView {
    type Error = Error;

    fn try_from(endorsement: Endorsement) -> Result<EndorsementView, Error> {
        let (ended_at, end_reason) = endorsement.ended.unzip();
        Ok(EndorsementView {
            id: endorsement.id.to_string(),
            organization_id: endorsement.organization.to_string(),
            achievement: endorsement.achievement,
            micro_credential_id: endorsement.micro_credential.to_string(),
            version: endorsement.number,
            scoring_hash: endorsement.scoring_hash,
            endorsed_at: endorsement.endorsed_at.to_string(),
            in_force: ended_at.is_none(),
            ended_at: ended_at.map(|at| at.to_string()),
            end_reason,
            statement: serde_json::from_str(&endorsement.statement).map_err(Error::internal)?,
            signature: endorsement.signature,
        })
    }
}

/// `POST /api/v1/organizations/{id}/endorsements`
pub async fn create_endorsement(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    body: JsonBody<EndorsementBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let new = NewEndorsement {
        achievement: body.value.achievement,
        micro_credential: body.value.micro_credential_id,
        number: body.value.version,
    };
    app.write(meta, "create_endorsement", parts, move |cx| {
        let view = EndorsementView::try_from(endorsements::create(cx, id, &new)?)?;
        let location = format!("/api/v1/endorsements/{}", view.id);
        Ok(Answer::json(201, &view)?.with_location(location))
    })
    .await
}

/// `GET /api/v1/organizations/{id}/endorsements`
pub async fn list_endorsements(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_endorsements", move |cx| {
        let fetched = endorsements::list(cx, id, paging.after.as_deref(), paging.fetch())?;
        let views: Vec<EndorsementView> =
            fetched.into_iter().map(EndorsementView::try_from).collect::<Result<_, _>>()?;
        Answer::json(200, &paging.page(views, |view| view.id.clone(), |view| view))
    })
    .await
}

/// `GET /api/v1/endorsements/{id}`
pub async fn read_endorsement(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<EndorsementId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_endorsement", move |cx| {
        Answer::json(200, &EndorsementView::try_from(endorsements::find(cx, id)?)?)
    })
    .await
}

/// Why an endorsement ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndBody {
    /// In words; they are public.
    reason: String,
}

/// `POST /api/v1/endorsements/{id}/end`
pub async fn end_endorsement(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<EndorsementId>,
    body: JsonBody<EndBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "end_endorsement", parts, move |cx| {
        let ended = endorsements::end(cx, id, &body.value.reason)?;
        Answer::json(200, &EndorsementView::try_from(ended)?)
    })
    .await
}

/// A badge that somebody brings.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BroughtBadge {
    /// The badge: its document, or its JWT as a text.
    credential: Value,
}

/// An award that was accepted.
#[derive(Serialize, ToSchema)]
pub struct AcceptedAwardView {
    /// Its id here.
    #[schema(format = "uuid")]
    id: String,
    /// The endorsement that speaks for it.
    #[schema(format = "uuid")]
    endorsement_id: String,
    /// The id of the badge: its address, where its present state can be verified.
    credential: String,
    /// What was achieved.
    achievement: String,
    /// What it was scored by.
    scoring_hash: String,
    /// Whose it is.
    #[schema(format = "uuid")]
    earner_id: String,
    /// When it was verified and accepted.
    #[schema(format = "date-time")]
    accepted_at: String,
    /// When the endorsement ended; what was accepted before stays accepted.
    #[schema(format = "date-time")]
    endorsement_ended_at: Option<String>,
}

fn accepted_view((accepted, ended_at): (AcceptedAward, Option<Timestamp>)) -> AcceptedAwardView {
    AcceptedAwardView {
        id: accepted.id.to_string(),
        endorsement_id: accepted.endorsement.to_string(),
        credential: accepted.credential,
        achievement: accepted.achievement,
        scoring_hash: accepted.scoring_hash,
        earner_id: accepted.earner.to_string(),
        accepted_at: accepted.accepted_at.to_string(),
        endorsement_ended_at: ended_at.map(|at| at.to_string()),
    }
}

/// `POST /api/v1/organizations/{id}/accepted-awards`
pub async fn accept_award(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    body: JsonBody<BroughtBadge>,
) -> Result<HttpResponse, Problem> {
    let email =
        app.run(&meta, "accept_award", move |cx| endorsements::require_accept(cx, id)).await?;
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let verdict = {
        let _turn = app.verifying.enter().await?;
        let credential = body.value.credential;
        app.block(move |resources| endorsements::verify(resources, &credential, &email)).await?
    };
    app.write(meta, "accept_award", parts, move |cx| {
        let accepted = endorsements::accept(cx, id, &verdict)?;
        Answer::json(201, &accepted_view((accepted, None)))
    })
    .await
}

/// `GET /api/v1/organizations/{id}/accepted-awards`
pub async fn list_accepted_awards(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_accepted_awards", move |cx| {
        let fetched = endorsements::list_accepted(cx, id, paging.after.as_deref(), paging.fetch())?;
        let key = |one: &(AcceptedAward, Option<Timestamp>)| one.0.id.to_string();
        Answer::json(200, &paging.page(fetched, key, accepted_view))
    })
    .await
}
