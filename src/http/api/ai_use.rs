//! What an organization says about the use of AI.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body_word;
use crate::domain::ai_use::{AiUsePolicy, AiUseRule};
use crate::domain::ids::OrganizationId;
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path};
use crate::service::{Error, ai_use};

/// A policy with its words.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AiUsePolicyBody {
    /// forbidden, disclosed (nothing is handed in without a statement) or free.
    policy: String,
    /// What that means for an earner, in plain words.
    statement: String,
}

/// The policy that holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct AiUsePolicyView {
    /// forbidden, disclosed or free; null where nobody has said anything.
    policy: Option<&'static str>,
    /// What that means for an earner.
    statement: Option<String>,
}

impl From<Option<AiUseRule>> for AiUsePolicyView {
    fn from(rule: Option<AiUseRule>) -> AiUsePolicyView {
        let policy = rule.as_ref().map(|rule| rule.allowed.as_str());
        AiUsePolicyView { policy, statement: rule.map(|rule| rule.statement) }
    }
}

fn answer((rule, revision): (Option<AiUseRule>, i32)) -> Result<Answer, Error> {
    Ok(Answer::json(200, &AiUsePolicyView::from(rule))?.with_revision(revision))
}

/// `GET /api/v1/organizations/{id}/ai-use-policy`
pub async fn read_ai_use_policy(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_ai_use_policy", move |cx| answer(ai_use::find(cx, organization)?)).await
}

/// `PUT /api/v1/organizations/{id}/ai-use-policy`
pub async fn put_ai_use_policy(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    if_match: IfMatch,
    body: JsonBody<AiUsePolicyBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "put_ai_use_policy", parts, move |cx| {
        // Who may not know of the organization is told that first.
        ai_use::find(cx, organization)?;
        let AiUsePolicyBody { policy, statement } = &body.value;
        let policy = body_word("/policy", policy, AiUsePolicy::parse, AiUsePolicy::ALL)?;
        let rule = AiUseRule { allowed: policy, statement: statement.clone() };
        match ai_use::put(cx, organization, &rule, if_match.0) {
            Err(Error::Stale) => {
                let (current, _) = ai_use::find(cx, organization)?;
                let current = AiUsePolicyView::from(current);
                Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
            }
            other => {
                let (rule, revision) = other?;
                Ok(answer((Some(rule), revision))?.into())
            }
        }
    })
    .await
}
