//! How an organization issues.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body_word;
use crate::domain::ids::OrganizationId;
use crate::domain::issuing::{IdentifierMethod, IssuerSettings, KeyAlgorithm, StatusMethod};
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path};
use crate::service::{Error, issuer_settings};

/// How an organization issues.
#[derive(Serialize, ToSchema)]
pub struct IssuerSettingsView {
    /// https, did_web or did_key.
    identifier: &'static str,
    /// EdDSA, ES256 or RS256.
    jwt_algorithm: &'static str,
    /// bitstring, bitstring_with_suspension or revocation_list.
    status_method: &'static str,
}

impl From<IssuerSettings> for IssuerSettingsView {
    fn from(settings: IssuerSettings) -> IssuerSettingsView {
        IssuerSettingsView {
            identifier: settings.identifier.as_str(),
            jwt_algorithm: settings.jwt_algorithm.as_str(),
            status_method: settings.status_method.as_str(),
        }
    }
}

fn settings_answer(settings: IssuerSettings) -> Result<Answer, Error> {
    Ok(Answer::json(200, &IssuerSettingsView::from(settings))?.with_revision(settings.revision))
}

/// `GET /api/v1/organizations/{id}/issuer-settings`
pub async fn read_issuer_settings(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_issuer_settings", move |cx| {
        settings_answer(issuer_settings::find(cx, organization)?)
    })
    .await
}

/// How an organization is to issue from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettingsBody {
    /// https (the default), did_web or did_key.
    identifier: String,
    /// RS256 (the default), ES256 or EdDSA.
    jwt_algorithm: String,
    /// bitstring (the default), bitstring_with_suspension or revocation_list.
    status_method: String,
}

/// `PUT /api/v1/organizations/{id}/issuer-settings`
pub async fn put_issuer_settings(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    if_match: IfMatch,
    body: JsonBody<IssuerSettingsBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "put_issuer_settings", parts, move |cx| {
        // Who may not know of the organization is told that first.
        issuer_settings::find(cx, organization)?;
        let IssuerSettingsBody { identifier, jwt_algorithm, status_method } = &body.value;
        let settings = IssuerSettings {
            identifier: body_word(
                "/identifier",
                identifier,
                IdentifierMethod::parse,
                IdentifierMethod::ALL,
            )?,
            jwt_algorithm: body_word(
                "/jwt_algorithm",
                jwt_algorithm,
                KeyAlgorithm::parse,
                KeyAlgorithm::ALL,
            )?,
            status_method: body_word(
                "/status_method",
                status_method,
                StatusMethod::parse,
                StatusMethod::ALL,
            )?,
            revision: if_match.0,
        };
        match issuer_settings::put(cx, organization, settings) {
            Err(Error::Stale) => {
                let current = IssuerSettingsView::from(issuer_settings::find(cx, organization)?);
                Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
            }
            other => Ok(settings_answer(other?)?.into()),
        }
    })
    .await
}
