//! Organizations.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PageQuery;
use crate::domain::ids::OrganizationId;
use crate::domain::organization::Organization;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query};
use crate::service::organizations;

/// A new organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    /// Its name, as printed on badges.
    name: String,
    /// network, state, district, school, department or provider.
    kind: String,
    /// The organization that it belongs to.
    #[schema(value_type = Option<String>, format = "uuid")]
    parent_id: Option<OrganizationId>,
    /// Its web site.
    url: Option<String>,
    /// Its public address.
    email: Option<String>,
}

/// An organization.
#[derive(Serialize, ToSchema)]
pub struct OrganizationView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Its name.
    name: String,
    /// What it is.
    kind: &'static str,
    /// The organization above it.
    #[schema(format = "uuid")]
    parent_id: Option<String>,
    /// Its web site.
    url: Option<String>,
    /// Its public address.
    email: Option<String>,
}

impl From<Organization> for OrganizationView {
    fn from(organization: Organization) -> OrganizationView {
        OrganizationView {
            id: organization.id.to_string(),
            name: organization.name,
            kind: organization.kind.as_str(),
            parent_id: organization.parent.map(|parent| parent.to_string()),
            url: organization.url,
            email: organization.email,
        }
    }
}

fn answer(status: u16, organization: Organization) -> Result<Answer, crate::service::Error> {
    let revision = organization.revision;
    Ok(Answer::json(status, &OrganizationView::from(organization))?.with_revision(revision))
}

/// `POST /api/v1/organizations`
pub async fn create_organization(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<NewOrganization>,
) -> Result<HttpResponse, Problem> {
    let NewOrganization { name, kind, parent_id, url, email } = body.value;
    let new = organizations::NewOrganization { name, kind, parent_id, url, email };
    app.write(meta, "create_organization", vec![body.bytes.to_vec()], move |cx| {
        let organization = organizations::create(cx, &new)?;
        let location = format!("/api/v1/organizations/{}", organization.id);
        Ok(answer(201, organization)?.with_location(location))
    })
    .await
}

/// `GET /api/v1/organizations/{id}`
pub async fn read_organization(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_organization", move |cx| answer(200, organizations::find(cx, id)?)).await
}

/// `GET /api/v1/organizations`
pub async fn list_organizations(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_organizations", move |cx| {
        let fetched = organizations::list(cx, paging.after.as_deref(), paging.fetch())?;
        Answer::json(200, &paging.page(fetched, |item| item.id.to_string(), OrganizationView::from))
    })
    .await
}

/// Whether signing is stopped.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuingSwitch {
    /// True stops signing for the organization and everything below it; false lets it go on.
    stopped: bool,
}

/// `PUT /api/v1/organizations/{id}/issuing`
pub async fn switch_issuing(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    body: JsonBody<IssuingSwitch>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "switch_issuing", parts, move |cx| {
        organizations::switch_issuing(cx, id, body.value.stopped)?;
        Answer::json(200, &body.value)
    })
    .await
}
