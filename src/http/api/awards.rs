//! Awards.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Paging, parse_word};
use crate::domain::award::{AwardState, RevocationReason};
use crate::domain::ids::{AwardId, MicroCredentialId, PersonId};
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::Error;
use crate::service::awards::{self, Award, ListAwards};

/// An award.
#[derive(Serialize, ToSchema)]
pub struct AwardView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Who owns the micro-credential.
    #[schema(format = "uuid")]
    organization_id: String,
    /// At which micro-credential.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// Who earned it.
    #[schema(format = "uuid")]
    person_id: String,
    /// The submission that earned it.
    #[schema(format = "uuid")]
    submission_id: String,
    /// pending_key, active, suspended, expired, superseded or revoked.
    state: &'static str,
    /// What can happen next.
    allowed_events: Vec<&'static str>,
    /// The public page of its badge.
    path: String,
    /// When it was earned.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was signed.
    #[schema(format = "date-time")]
    issued_at: Option<String>,
    /// When it ends.
    #[schema(format = "date-time")]
    valid_until: Option<String>,
    /// When it was revoked.
    #[schema(format = "date-time")]
    revoked_at: Option<String>,
    /// Why.
    revocation_reason: Option<&'static str>,
}

impl From<Award> for AwardView {
    fn from(award: Award) -> AwardView {
        AwardView {
            id: award.id.to_string(),
            organization_id: award.organization.to_string(),
            micro_credential_id: award.micro_credential.to_string(),
            person_id: award.earner.to_string(),
            submission_id: award.submission.to_string(),
            state: award.state.as_str(),
            allowed_events: award
                .state
                .allowed_events()
                .iter()
                .map(|event| event.as_str())
                .collect(),
            path: format!("/credentials/{}", award.id),
            created_at: award.created_at.to_string(),
            issued_at: award.issued_at.map(|moment| moment.to_string()),
            valid_until: award.valid_until.map(|moment| moment.to_string()),
            revoked_at: award.revoked_at.map(|moment| moment.to_string()),
            revocation_reason: award.revocation_reason.map(RevocationReason::as_str),
        }
    }
}

/// Which awards a list shows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwardParameters {
    person_id: Option<PersonId>,
    micro_credential_id: Option<MicroCredentialId>,
    state: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/awards`
pub async fn list_awards(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<AwardParameters>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(parameters.limit, parameters.cursor.as_deref())?;
    let list = ListAwards {
        person: parameters.person_id,
        micro_credential: parameters.micro_credential_id,
        state: parse_word(
            "state",
            parameters.state.as_deref(),
            AwardState::parse,
            AwardState::ALL,
        )?,
        after: paging.after.clone(),
        limit: paging.fetch(),
    };
    app.read(meta, "list_awards", move |cx| {
        let fetched = awards::list(cx, &list)?;
        Answer::json(200, &paging.page(fetched, |award| award.id.to_string(), AwardView::from))
    })
    .await
}

fn answer(award: Award) -> Result<Answer, Error> {
    let revision = award.revision;
    Ok(Answer::json(200, &AwardView::from(award))?.with_revision(revision))
}

/// `GET /api/v1/awards/{id}`
pub async fn read_award(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<AwardId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_award", move |cx| answer(awards::find(cx, id)?)).await
}

/// Why an award is revoked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeBody {
    /// issued_in_error, evidence_misrepresented, identity_mistaken, integrity_upheld or holder_request.
    reason_code: String,
    /// Who decided it and why; for staff only.
    note: String,
}

/// `POST /api/v1/awards/{id}/revoke`
pub async fn revoke_award(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<AwardId>,
    body: JsonBody<RevokeBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "revoke_award", parts, move |cx| {
        let reason = RevocationReason::parse(&body.value.reason_code);
        // Who may not revoke is told that first, and not what the reasons are called.
        awards::find(cx, id)?;
        let reason = reason.ok_or_else(|| {
            let known: Vec<&str> =
                RevocationReason::ALL.iter().map(|reason| reason.as_str()).collect();
            Error::invalid(
                "/reason_code",
                "unknown-reason",
                format!("the reason is one of {}", known.join(", ")),
            )
        })?;
        answer(awards::revoke(cx, id, reason, &body.value.note)?)
    })
    .await
}
