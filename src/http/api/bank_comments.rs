//! The comment bank of a micro-credential.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PageQuery;
use crate::domain::ids::{BankCommentId, MicroCredentialId};
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::Error;
use crate::service::bank_comments::{self, BankComment, NewComment};

/// What a comment is made of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentBody {
    /// A criterion or prompt; any when left out.
    criterion_id: Option<String>,
    /// The words, in the second person.
    text: String,
}

impl From<CommentBody> for NewComment {
    fn from(body: CommentBody) -> NewComment {
        NewComment { criterion: body.criterion_id, text: body.text }
    }
}

/// A comment of the bank.
#[derive(Serialize, ToSchema)]
pub struct CommentView {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The criterion or prompt that it is for; null for any.
    criterion_id: Option<String>,
    /// The words.
    text: String,
    /// Who has written it.
    #[schema(format = "uuid")]
    author_id: String,
    /// When it was changed last.
    #[schema(format = "date-time")]
    updated_at: String,
}

impl From<BankComment> for CommentView {
    fn from(comment: BankComment) -> CommentView {
        CommentView {
            id: comment.id.to_string(),
            criterion_id: comment.criterion,
            text: comment.text,
            author_id: comment.author.to_string(),
            updated_at: comment.updated_at.to_string(),
        }
    }
}

fn answer(status: u16, comment: BankComment) -> Result<Answer, Error> {
    let revision = comment.revision;
    Ok(Answer::json(status, &CommentView::from(comment))?.with_revision(revision))
}

/// `GET /api/v1/micro-credentials/{id}/comments`
pub async fn list_comments(
    app: web::Data<App>,
    meta: Meta,
    Path(family): Path<MicroCredentialId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_comments", move |cx| {
        let fetched = bank_comments::list(cx, family, paging.after.as_deref(), paging.fetch())?;
        let page = paging.page(fetched, |comment| comment.id.to_string(), CommentView::from);
        Answer::json(200, &page)
    })
    .await
}

/// `POST /api/v1/micro-credentials/{id}/comments`
pub async fn create_comment(
    app: web::Data<App>,
    meta: Meta,
    Path(family): Path<MicroCredentialId>,
    body: JsonBody<CommentBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let new = NewComment::from(body.value);
    app.write(meta, "create_comment", parts, move |cx| {
        let comment = bank_comments::create(cx, family, &new)?;
        let location = format!("/api/v1/micro-credentials/{family}/comments/{}", comment.id);
        Ok(answer(201, comment)?.with_location(location))
    })
    .await
}

/// `PUT /api/v1/micro-credentials/{id}/comments/{comment_id}`
pub async fn put_comment(
    app: web::Data<App>,
    meta: Meta,
    Path((family, id)): Path<(MicroCredentialId, BankCommentId)>,
    if_match: IfMatch,
    body: JsonBody<CommentBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let new = NewComment::from(body.value);
    app.write(meta, "put_comment", parts, move |cx| {
        Ok(Reply::from(answer(200, bank_comments::change(cx, family, id, &new, if_match.0)?)?))
    })
    .await
}

/// `DELETE /api/v1/micro-credentials/{id}/comments/{comment_id}`
pub async fn delete_comment(
    app: web::Data<App>,
    meta: Meta,
    Path((family, id)): Path<(MicroCredentialId, BankCommentId)>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "delete_comment", parts, move |cx| {
        bank_comments::delete(cx, family, id)?;
        Ok(Answer::empty(204))
    })
    .await
}
