//! Who holds the offices that no organization can be without.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::OrganizationId;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{Meta, Path};
use crate::service::succession::{self, Holder, Office};

/// Somebody who holds an office.
#[derive(Serialize, ToSchema)]
pub struct HolderView {
    /// Who.
    #[schema(format = "uuid")]
    person_id: String,
    /// Whether they can sign in and mail to them goes through.
    reachable: bool,
}

/// An office of an organization.
#[derive(Serialize, ToSchema)]
pub struct OfficeView {
    /// Whose.
    #[schema(format = "uuid")]
    organization_id: String,
    /// administrator, key_custodian or lead_assessor.
    role: &'static str,
    /// Everybody who holds it with effect on the organization, from wherever.
    holders: Vec<HolderView>,
    /// vacant, unreachable, one_only, or null where nothing is wrong.
    warning: Option<&'static str>,
}

/// The offices of an organization.
#[derive(Serialize, ToSchema)]
pub struct SuccessionView {
    /// Of the organization, and of the districts and providers below it.
    items: Vec<OfficeView>,
}

impl From<Office> for OfficeView {
    fn from(office: Office) -> OfficeView {
        let holder = |holder: &Holder| HolderView {
            person_id: holder.person.to_string(),
            reachable: holder.is_reachable,
        };
        OfficeView {
            organization_id: office.organization.to_string(),
            role: office.role.as_str(),
            holders: office.holders.iter().map(holder).collect(),
            warning: office.concern.map(|concern| concern.as_str()),
        }
    }
}

/// `GET /api/v1/organizations/{id}/succession`
pub async fn read_succession(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_succession", move |cx| {
        let items = succession::find(cx, organization)?.into_iter().map(OfficeView::from);
        Answer::json(200, &SuccessionView { items: items.collect() })
    })
    .await
}
