//! Signing in and out.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::calibration::QualificationView;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta};
use crate::service::Fault;
use crate::service::sessions::{self, Tokens};
use crate::service::{qualifying, tokens};

/// E-mail address and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The address of the account.
    email: String,
    /// Its password.
    password: String,
    /// A code of a second factor. There are none yet: null, or left out.
    totp: Option<String>,
}

/// A refresh token to be exchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The token from the last answer.
    refresh_token: String,
}

/// The tokens of a sign-in.
#[derive(Serialize, ToSchema)]
pub struct TokensView {
    /// For the `Authorization` header, as `Bearer`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Life of the access token in seconds.
    expires_in: i64,
    /// To be exchanged once for the next pair.
    refresh_token: String,
}

impl From<Tokens> for TokensView {
    fn from(tokens: Tokens) -> TokensView {
        TokensView {
            access_token: tokens.access_token,
            token_type: "Bearer",
            expires_in: tokens::LIFE.num_seconds(),
            refresh_token: tokens.refresh_token,
        }
    }
}

/// `POST /api/v1/sessions`
pub async fn create_session(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<NewSession>,
) -> Result<HttpResponse, Problem> {
    let NewSession { email, password, totp } = body.value;
    if totp.is_some() {
        let detail = "no account has a second factor yet; leave totp out";
        return Err(Problem::new("invalid", detail).with_errors(vec![Fault::new(
            "/totp",
            "no-second-factor",
            detail,
        )]));
    }
    let _turn = app.passwords.enter().await?;
    // An old token must not get in the way of a new sign-in.
    let meta = Meta { access_token: None, ..meta };
    app.read(meta, "create_session", move |cx| {
        let tokens = sessions::create(cx, &email, &password)?;
        Ok(Answer::json(201, &TokensView::from(tokens))?.with_secrets())
    })
    .await
}

/// `POST /api/v1/sessions/refresh`
pub async fn refresh_session(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<Refresh>,
) -> Result<HttpResponse, Problem> {
    let token = body.value.refresh_token;
    let meta = Meta { access_token: None, ..meta };
    app.read(meta, "refresh_session", move |cx| {
        let tokens = sessions::refresh(cx, &token)?;
        Ok(Answer::json(200, &TokensView::from(tokens))?.with_secrets())
    })
    .await
}

/// `DELETE /api/v1/sessions/current`
pub async fn end_session(app: web::Data<App>, meta: Meta) -> Result<HttpResponse, Problem> {
    app.read(meta, "end_session", |cx| {
        sessions::end(cx)?;
        Ok(Answer::empty(204))
    })
    .await
}

/// A membership of the person who has signed in.
#[derive(Serialize, ToSchema)]
pub struct MyMembership {
    /// Where.
    #[schema(format = "uuid")]
    organization_id: String,
    /// What the organization is.
    kind: &'static str,
    /// invited, confirmed, suspended or removed.
    state: &'static str,
    /// The roles held there.
    roles: Vec<&'static str>,
}

/// The person who has signed in.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// Their id.
    #[schema(format = "uuid")]
    id: String,
    /// Their name.
    name: String,
    /// Their address.
    email: String,
    /// Their memberships.
    memberships: Vec<MyMembership>,
    /// Every role of a confirmed membership.
    roles: Vec<&'static str>,
    /// Rights to score.
    qualifications: Vec<QualificationView>,
}

/// `GET /api/v1/me`
pub async fn read_me(app: web::Data<App>, meta: Meta) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_me", |cx| {
        let (profile, signed_in) = sessions::me(cx)?;
        let now = cx.now;
        let qualifications =
            qualifying::own(cx)?.iter().map(|held| QualificationView::at(held, now)).collect();
        let mut roles = std::collections::BTreeSet::new();
        let memberships = signed_in
            .facets
            .iter()
            .map(|facet| {
                let words: Vec<&'static str> =
                    facet.roles.iter().map(|role| role.as_str()).collect();
                if facet.state == crate::domain::organization::MembershipState::Confirmed {
                    roles.extend(words.iter().copied());
                }
                MyMembership {
                    organization_id: facet.organization.to_string(),
                    kind: facet.kind.as_str(),
                    state: facet.state.as_str(),
                    roles: words,
                }
            })
            .collect();
        let me = Me {
            id: profile.person.to_string(),
            name: profile.name,
            email: profile.email,
            memberships,
            roles: roles.into_iter().collect(),
            qualifications,
        };
        Answer::json(200, &me)
    })
    .await
}
