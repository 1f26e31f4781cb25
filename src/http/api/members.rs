//! Invitations and memberships.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PageQuery;
use crate::domain::ids::{OrganizationId, PersonId};
use crate::domain::organization::{Membership, MembershipState, Role};
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::members::{self, NewInvitation};
use crate::service::{Cx, Error};

/// Whom to invite, and to do what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationBody {
    /// Where the mail goes.
    email: String,
    /// The name to greet the person with.
    name: String,
    /// The roles in this organization.
    roles: Vec<String>,
}

/// An invitation. Its secret goes by mail only.
#[derive(Serialize, ToSchema)]
pub struct InvitationView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Where to.
    #[schema(format = "uuid")]
    organization_id: String,
    /// The invited person.
    #[schema(format = "uuid")]
    person_id: String,
    /// The roles that it offers.
    roles: Vec<&'static str>,
    /// `invited` until it is accepted.
    state: &'static str,
    /// Until when it can be accepted.
    #[schema(format = "date-time")]
    expires_at: String,
}

/// `POST /api/v1/organizations/{id}/invitations`
pub async fn create_invitation(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    body: JsonBody<InvitationBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let InvitationBody { email, name, roles } = body.value;
    app.write(meta, "create_invitation", parts, move |cx| {
        let new = NewInvitation { email, name, roles: members::parse_roles(&roles, "/roles")? };
        let invited = members::invite(cx, organization, &new)?;
        let view = InvitationView {
            id: invited.invitation.id.to_string(),
            organization_id: organization.to_string(),
            person_id: invited.invitation.person.to_string(),
            roles: invited.roles.iter().map(|role| role.as_str()).collect(),
            state: MembershipState::Invited.as_str(),
            expires_at: invited.invitation.expires_at.to_string(),
        };
        Answer::json(201, &view)
    })
    .await
}

/// The secret of an invitation, and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// What stands behind the `#` in the mail's link.
    token: String,
    /// A new password, or the account's own if there is one already.
    password: String,
}

/// A membership.
#[derive(Serialize, ToSchema)]
pub struct MemberView {
    /// Where.
    #[schema(format = "uuid")]
    organization_id: String,
    /// Who.
    #[schema(format = "uuid")]
    person_id: String,
    /// The name; null once it was erased, and where only the membership is shown.
    name: Option<String>,
    /// The address, under the same conditions.
    email: Option<String>,
    /// invited, confirmed, suspended or removed.
    state: &'static str,
    /// What the person may do there.
    roles: Vec<&'static str>,
}

impl From<Membership> for MemberView {
    fn from(membership: Membership) -> MemberView {
        MemberView {
            organization_id: membership.organization.to_string(),
            person_id: membership.person.to_string(),
            name: None,
            email: None,
            state: membership.state.as_str(),
            roles: membership.roles.iter().map(|role| role.as_str()).collect(),
        }
    }
}

/// `POST /api/v1/invitations/accept`
pub async fn accept_invitation(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<Acceptance>,
) -> Result<HttpResponse, Problem> {
    let Acceptance { token, password } = body.value;
    let _turn = app.passwords.enter().await?;
    let meta = Meta { access_token: None, ..meta };
    app.read(meta, "accept_invitation", move |cx| {
        Answer::json(200, &MemberView::from(members::accept(cx, &token, &password)?))
    })
    .await
}

/// `GET /api/v1/organizations/{id}/members`
pub async fn list_members(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_members", move |cx| {
        let fetched = members::list(cx, organization, paging.after.as_deref(), paging.fetch())?;
        let page = paging.page(
            fetched,
            |(membership, _)| membership.id.to_string(),
            |(membership, profile)| {
                let (name, email) = profile.map(|profile| (profile.name, profile.email)).unzip();
                let name = name.filter(|name| !name.is_empty());
                MemberView { name, email, ..MemberView::from(membership) }
            },
        );
        Answer::json(200, &page)
    })
    .await
}

/// `GET /api/v1/organizations/{id}/members/{person_id}`
pub async fn read_member(
    app: web::Data<App>,
    meta: Meta,
    Path((organization, person)): Path<(OrganizationId, PersonId)>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_member", move |cx| {
        let membership = members::find(cx, organization, person)?;
        let revision = membership.revision;
        Ok(Answer::json(200, &MemberView::from(membership))?.with_revision(revision))
    })
    .await
}

/// Roles and state as they shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberBody {
    /// All roles that the person shall have here.
    roles: Vec<String>,
    /// invited, confirmed, suspended or removed.
    state: String,
    /// The offices (key_custodian, lead_assessor) that nobody will hold by this, on purpose: administrators are told by mail.
    #[serde(default)]
    leaves_vacant: Vec<String>,
}

/// `PUT /api/v1/organizations/{id}/members/{person_id}`
pub async fn put_member(
    app: web::Data<App>,
    meta: Meta,
    Path((organization, person)): Path<(OrganizationId, PersonId)>,
    if_match: IfMatch,
    body: JsonBody<MemberBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let MemberBody { roles, state, leaves_vacant } = body.value;
    app.write(meta, "put_member", parts, move |cx: &mut Cx<'_>| {
        let roles: Vec<Role> = members::parse_roles(&roles, "/roles")?;
        let state = MembershipState::parse(&state).ok_or_else(|| {
            Error::invalid(
                "/state",
                "unknown-state",
                "the state is one of invited, confirmed, suspended, removed",
            )
        })?;
        let vacant = members::parse_roles(&leaves_vacant, "/leaves_vacant")?;
        match members::change(cx, organization, person, &roles, state, &vacant, if_match.0) {
            Ok(membership) => {
                let revision = membership.revision;
                Ok(Answer::json(200, &MemberView::from(membership))?.with_revision(revision).into())
            }
            Err(Error::Stale) => {
                let current = MemberView::from(members::find(cx, organization, person)?);
                Ok(Reply::Stale(serde_json::to_value(current).map_err(Error::internal)?))
            }
            Err(error) => Err(error),
        }
    })
    .await
}
