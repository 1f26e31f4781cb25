//! What people without an account add to an earner's evidence: links, what they ask for, and the item.

use actix_multipart::Multipart;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::uploads::{self, Received};
use super::{Page, body_word};
use crate::domain::contribution::Contributor;
use crate::domain::ids::{ContributionLinkId, SubmissionId};
use crate::domain::timestamp::Timestamp;
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path};
use crate::service::Cx;
use crate::service::contributions::{self, ContributionLink, NewLink, Request};
use crate::service::evidence::ItemTerms;

/// Whom to ask, and for what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionLinkBody {
    /// The evidence requirement.
    requirement_id: String,
    /// colleague, family or student.
    contributor: String,
    /// What you say to them, at most 1000 characters.
    message: Option<String>,
    /// Whether students can be recognised in what they will write.
    #[serde(default)]
    contains_students: bool,
    /// Whether you keep the consent form; needed for families and students, and where students can be recognised.
    #[serde(default)]
    consent: bool,
}

/// A link by which somebody adds one item.
#[derive(Serialize, ToSchema)]
pub struct ContributionLinkView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The evidence requirement.
    requirement_id: String,
    /// colleague, family or student.
    contributor: &'static str,
    /// open, used, ended or expired.
    state: &'static str,
    /// Until when it works.
    #[schema(format = "date-time")]
    expires_at: String,
    /// The link to hand on. Shown once: whoever has it can use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl ContributionLinkView {
    fn new(link: &ContributionLink, url: Option<String>, now: Timestamp) -> ContributionLinkView {
        let state = match (link.used_at, link.ended_at) {
            (Some(_), _) => "used",
            (None, Some(_)) => "ended",
            (None, None) if link.works(now) => "open",
            (None, None) => "expired",
        };
        ContributionLinkView {
            id: link.id.to_string(),
            requirement_id: link.requirement.clone(),
            contributor: link.contributor.as_str(),
            state,
            expires_at: link.expires_at.to_string(),
            url,
        }
    }
}

/// `POST /api/v1/submissions/{id}/contribution-links`
pub async fn create_contribution_link(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
    body: JsonBody<ContributionLinkBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "create_contribution_link", parts, move |cx| {
        let body = body.value;
        let contributor =
            body_word("/contributor", &body.contributor, Contributor::parse, Contributor::ALL)?;
        let terms = ItemTerms {
            requirement_id: body.requirement_id,
            contains_students: body.contains_students,
            consent: body.consent,
        };
        let new = NewLink { contributor, terms, message: body.message };
        let (link, url) = contributions::create(cx, id, &new)?;
        let view = ContributionLinkView::new(&link, Some(url), cx.now);
        Ok(Answer::json(201, &view)?.with_secrets())
    })
    .await
}

/// `GET /api/v1/submissions/{id}/contribution-links`
pub async fn list_contribution_links(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SubmissionId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "list_contribution_links", move |cx| {
        let now = cx.now;
        let links = contributions::list(cx, id)?;
        let items = links.iter().map(|link| ContributionLinkView::new(link, None, now)).collect();
        Answer::json(200, &Page { items, next_cursor: None })
    })
    .await
}

/// `DELETE /api/v1/submissions/{id}/contribution-links/{link_id}`
pub async fn end_contribution_link(
    app: web::Data<App>,
    meta: Meta,
    Path((id, link)): Path<(SubmissionId, ContributionLinkId)>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "end_contribution_link", parts, move |cx| {
        contributions::end(cx, id, link)?;
        Ok(Answer::empty(204))
    })
    .await
}

/// The secret of a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionToken {
    /// What stands behind # in the link.
    token: String,
}

/// What is asked of whoever holds a link.
#[derive(Serialize, ToSchema)]
pub struct ContributionRequestView {
    /// The title of the micro-credential.
    title: String,
    /// What is asked for.
    requirement_title: String,
    /// In more words.
    requirement_description: Option<String>,
    /// colleague, family or student.
    contributor: &'static str,
    /// What the earner says.
    message: Option<String>,
    /// The types of file that are taken in place of words.
    files: Vec<FileKindView>,
    /// Until when the link works.
    #[schema(format = "date-time")]
    expires_at: String,
}

/// A type of file that is taken.
#[derive(Serialize, ToSchema)]
pub struct FileKindView {
    /// The media type.
    media_type: String,
    /// The most bytes.
    max_bytes: u64,
}

impl From<Request> for ContributionRequestView {
    fn from(request: Request) -> ContributionRequestView {
        ContributionRequestView {
            title: request.title,
            requirement_title: request.requirement_title,
            requirement_description: request.requirement_description,
            contributor: request.link.contributor.as_str(),
            message: request.message,
            files: request
                .files
                .into_iter()
                .map(|(media_type, max_bytes)| FileKindView { media_type, max_bytes })
                .collect(),
            expires_at: request.link.expires_at.to_string(),
        }
    }
}

/// `POST /api/v1/contributions/read`
pub async fn read_contribution(
    app: web::Data<App>,
    meta: Meta,
    body: JsonBody<ContributionToken>,
) -> Result<HttpResponse, Problem> {
    let token = body.value.token;
    let meta = Meta { access_token: None, ..meta };
    app.read(meta, "read_contribution", move |cx| {
        Answer::json(200, &ContributionRequestView::from(contributions::read(cx, &token)?))
    })
    .await
}

/// What somebody adds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionBody {
    /// What stands behind # in the link.
    token: String,
    /// The words, at most 20,000 characters. A file goes as multipart/form-data: token, then file.
    text: String,
}

/// `POST /api/v1/contributions`
pub async fn create_contribution(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let meta = Meta { access_token: None, ..meta };
    if uploads::is_form(&request) {
        let form = Multipart::new(request.headers(), payload);
        return create_from_file(app, meta, form).await;
    }
    let body = JsonBody::<ContributionBody>::from_request(&request, &mut payload.into_inner());
    let ContributionBody { token, text } = body.await?.value;
    app.read(meta, "create_contribution", move |cx| {
        contributions::contribute(cx, &token, &text)?;
        Ok(Answer::empty(204))
    })
    .await
}

async fn create_from_file(
    app: web::Data<App>,
    meta: Meta,
    mut multipart: Multipart,
) -> Result<HttpResponse, Problem> {
    let (mut token, mut file): (Option<String>, Option<Received>) = (None, None);
    while let Some(field) = uploads::next_field(&mut multipart).await? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "token" if token.is_none() => token = Some(uploads::read_field(field).await?),
            "file" if file.is_none() => {
                // Nothing is taken from whoever has no link.
                let token = token.clone().ok_or_else(|| {
                    uploads::missing("/token", "send the secret of the link, and the file after it")
                })?;
                let begin = move |cx: &mut Cx<'_>| contributions::begin_file(cx, &token);
                let incoming = app.run(&meta, "create_contribution", begin).await?;
                file = Some(uploads::receive(&app, field, incoming).await?);
            }
            _ => {
                let detail = "the form takes token and file, each once and in this order";
                return Err(uploads::unknown_field(&name, detail));
            }
        }
    }
    let token = token.ok_or_else(|| uploads::missing("/token", "send the secret of the link"))?;
    let received = file.ok_or_else(|| uploads::missing("/file", "choose a file"))?;
    app.read(meta, "create_contribution", move |cx| {
        let Received { incoming, file_name, .. } = received;
        contributions::contribute_file(cx, &token, incoming, &file_name)?;
        Ok(Answer::empty(204))
    })
    .await
}
