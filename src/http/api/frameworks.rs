//! Frameworks in the form of CASE 1.1.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::micro_credentials::edited;
use super::{Page, PageQuery, Paging};
use crate::domain::ids::{FrameworkId, MicroCredentialId, OrganizationId};
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{
    IfMatch, JsonBody, Meta, Path, Query, declared_length, parse_json, read_body,
};
use crate::service::case_document::MAX_BYTES;
use crate::service::frameworks::{self, Framework, FrameworkItem};
use crate::service::{Cx, Error, micro_credentials, rubric_table};

/// A CFPackage of CASE 1.1, see `credential-schemas/case/`.
#[derive(Deserialize, Serialize, ToSchema)]
pub struct CasePackage {
    /// The CFDocument; CFItems, CFAssociations, CFDefinitions, CFRubrics and extensions stand beside it.
    #[serde(rename = "CFDocument")]
    document: Value,
}

/// Which framework of the program.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippedBody {
    /// `collective-leadership`.
    name: String,
}

/// A framework.
#[derive(Serialize, ToSchema)]
pub struct FrameworkView {
    /// Its id here.
    #[schema(format = "uuid")]
    id: String,
    /// Who has brought it in.
    #[schema(format = "uuid")]
    organization_id: String,
    /// The GUID of its CFDocument.
    identifier: String,
    /// Its title.
    title: String,
    /// Who made it.
    creator: String,
    /// The version that its makers name.
    version: Option<String>,
    /// Its language.
    language: Option<String>,
    /// How many items it has.
    items: i32,
    /// How many rubrics.
    rubrics: i32,
    /// How many of its members are not in CASE 1.1; they are kept.
    kept_members: i32,
    /// When it was brought in last.
    #[schema(format = "date-time")]
    updated_at: String,
}

impl From<Framework> for FrameworkView {
    fn from(framework: Framework) -> FrameworkView {
        FrameworkView {
            id: framework.id.to_string(),
            organization_id: framework.organization.to_string(),
            identifier: framework.identifier,
            title: framework.title,
            creator: framework.creator,
            version: framework.version,
            language: framework.language,
            items: framework.n_items,
            rubrics: framework.n_rubrics,
            kept_members: framework.n_kept,
            updated_at: framework.updated_at.to_string(),
        }
    }
}

/// An item of a framework.
#[derive(Serialize, ToSchema)]
pub struct FrameworkItemView {
    /// The framework.
    #[schema(format = "uuid")]
    framework_id: String,
    /// Its place in the package, from 1.
    position: i32,
    /// Its GUID.
    identifier: String,
    /// Its address: the `url` of an alignment.
    uri: String,
    /// Its code.
    code: Option<String>,
    /// What it says in short.
    label: Option<String>,
    /// What it says.
    statement: String,
    /// What kind of item it is.
    item_type: Option<String>,
}

impl From<FrameworkItem> for FrameworkItemView {
    fn from(item: FrameworkItem) -> FrameworkItemView {
        FrameworkItemView {
            framework_id: item.framework.to_string(),
            position: item.position,
            identifier: item.identifier,
            uri: item.uri,
            code: item.code,
            label: item.label,
            statement: item.statement,
            item_type: item.item_type,
        }
    }
}

fn answer(status: u16, framework: Framework) -> Result<Answer, Error> {
    let revision = framework.revision;
    Ok(Answer::json(status, &FrameworkView::from(framework))?.with_revision(revision))
}

fn created(framework: Framework) -> Result<Answer, Error> {
    let location = format!("/api/v1/frameworks/{}", framework.id);
    Ok(answer(201, framework)?.with_location(location))
}

/// The body of a package, after `may` has said that it is worth reading.
async fn read_package(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<(Value, Vec<u8>), Problem> {
    let bytes = read_body(payload.into_inner(), declared_length(request), MAX_BYTES).await?;
    Ok((parse_json(&bytes)?, bytes.to_vec()))
}

/// `POST /api/v1/organizations/{id}/frameworks`
pub async fn import_framework(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<OrganizationId>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    app.run(&meta, "import_framework", move |cx| frameworks::require_import(cx, id)).await?;
    let (package, bytes) = read_package(&request, payload).await?;
    let parts = vec![meta.target.clone().into_bytes(), bytes];
    app.write(meta, "import_framework", parts, move |cx| {
        created(frameworks::import(cx, id, &package)?)
    })
    .await
}

/// `POST /api/v1/organizations/{id}/shipped-frameworks`
pub async fn import_shipped_framework(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    body: JsonBody<ShippedBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    app.write(meta, "import_shipped_framework", parts, move |cx| {
        created(frameworks::import_shipped(cx, id, &body.value.name)?)
    })
    .await
}

/// `PUT /api/v1/frameworks/{id}`
pub async fn put_framework(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<FrameworkId>,
    if_match: IfMatch,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    app.run(&meta, "put_framework", move |cx| frameworks::require_change(cx, id)).await?;
    let (package, bytes) = read_package(&request, payload).await?;
    let parts = vec![meta.target.clone().into_bytes(), bytes];
    app.write(meta, "put_framework", parts, move |cx| {
        match frameworks::replace(cx, id, &package, if_match.0) {
            Err(Error::Stale) => Ok(Reply::Stale(view_now(cx, id)?)),
            other => Ok(Reply::from(answer(200, other?)?)),
        }
    })
    .await
}

fn view_now(cx: &mut Cx<'_>, id: FrameworkId) -> Result<Value, Error> {
    serde_json::to_value(FrameworkView::from(frameworks::find(cx, id)?)).map_err(Error::internal)
}

/// What the list of frameworks takes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameworksQuery {
    organization_id: Option<OrganizationId>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/frameworks`
pub async fn list_frameworks(
    app: web::Data<App>,
    meta: Meta,
    Query(query): Query<FrameworksQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(query.limit, query.cursor.as_deref())?;
    app.read(meta, "list_frameworks", move |cx| {
        let after = paging.after.as_deref();
        let fetched = frameworks::list(cx, query.organization_id, after, paging.fetch())?;
        let page: Page<FrameworkView> =
            paging.page(fetched, |framework| framework.id.to_string(), FrameworkView::from);
        Answer::json(200, &page)
    })
    .await
}

/// `GET /api/v1/frameworks/{id}`
pub async fn read_framework(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<FrameworkId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_framework", move |cx| answer(200, frameworks::find(cx, id)?)).await
}

/// `GET /api/v1/frameworks/{id}/package`
pub async fn export_framework(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<FrameworkId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "export_framework", move |cx| Answer::json(200, &frameworks::export(cx, id)?))
        .await
}

/// `GET /api/v1/frameworks/{id}/items`
pub async fn list_framework_items(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<FrameworkId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    let after: i32 = match paging.after.as_deref() {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_no_number| super::bad_cursor())?,
    };
    app.read(meta, "list_framework_items", move |cx| {
        let fetched = frameworks::list_items(cx, id, after, paging.fetch())?;
        let page: Page<FrameworkItemView> =
            paging.page(fetched, |item| item.position.to_string(), FrameworkItemView::from);
        Answer::json(200, &page)
    })
    .await
}

/// `GET /framework-items/{identifier}`
pub async fn read_framework_item(
    app: web::Data<App>,
    meta: Meta,
    Path(identifier): Path<String>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_framework_item", move |cx| {
        Answer::json(200, &FrameworkItemView::from(frameworks::find_item(cx, &identifier)?))
    })
    .await
}

/// `PUT /api/v1/micro-credentials/{id}/versions/{n}/rubric`
pub async fn import_rubric(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path((family, number)): Path<(MicroCredentialId, i32)>,
    if_match: IfMatch,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    app.run(&meta, "import_rubric", move |cx| {
        micro_credentials::require_edit(cx, "import_rubric", family, number)
    })
    .await?;
    let (package, bytes) = read_package(&request, payload).await?;
    let parts = vec![meta.target.clone().into_bytes(), bytes];
    app.write(meta, "import_rubric", parts, move |cx| {
        let done = frameworks::import_rubric(cx, family, number, &package, if_match.0);
        edited(cx, family, number, done)
    })
    .await
}

/// `PUT /api/v1/micro-credentials/{id}/versions/{n}/rubric-table`
///
/// The body is the file: CSV, or a DOCX whose first table is the rubric. What it is is told by its bytes.
pub async fn import_rubric_table(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path((family, number)): Path<(MicroCredentialId, i32)>,
    if_match: IfMatch,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    app.run(&meta, "import_rubric_table", move |cx| {
        micro_credentials::require_edit(cx, "import_rubric_table", family, number)
    })
    .await?;
    let declared = declared_length(&request);
    let file = read_body(payload.into_inner(), declared, rubric_table::MAX_BYTES).await?;
    let parts = vec![meta.target.clone().into_bytes(), file.to_vec()];
    let table = {
        let _turn = app.drawing.enter().await?;
        app.block(move |resources| rubric_table::read(resources, &file)).await?
    };
    app.write(meta, "import_rubric_table", parts, move |cx| {
        let done = rubric_table::import(cx, family, number, &table, if_match.0);
        edited(cx, family, number, done)
    })
    .await
}

/// `GET /api/v1/micro-credentials/{id}/versions/{n}/rubric`
pub async fn export_rubric(
    app: web::Data<App>,
    meta: Meta,
    Path((family, number)): Path<(MicroCredentialId, i32)>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "export_rubric", move |cx| {
        Answer::json(200, &frameworks::export_rubric(cx, family, number)?)
    })
    .await
}
