//! The public documents and pages, by content negotiation: a page for people, the signed JSON for programs.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::NaiveDate;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    AcceptPage, AchievedLevel, AchievementPage, CONTENT_SECURITY_POLICY, CatalogueItem,
    CataloguePage, CatalogueSearch, CredentialPage, DefinitionView, IssuerKeyView, IssuerPage,
    IssuerRef, ProblemPage, Scoring, Standing, accept_invitation_page, achievement_page, assets,
    catalogue_page, credential_page, issuer_page, problem_page, submission_page, verify_page,
};
use crate::domain::award::{AwardState, RevocationReason};
use crate::domain::ids::{AwardId, MicroCredentialId, OrganizationId, StatusListId, SubmissionId};
use crate::domain::organization::Organization;
use crate::domain::timestamp::Timestamp;
use crate::domain::version::VersionState;
use crate::http::app::App;
use crate::http::problem::{Problem, find_kind};
use crate::http::request::{Meta, Path, Query};
use crate::service::micro_credentials::{CatalogueQuery, Version};
use crate::service::publications::{self, AchievementView, CredentialView, IssuerView};
use crate::service::{Cx, Error, renewals};

/// In which form a public document is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Page,
    Json(&'static str),
}

/// The media types under which the same JSON is served.
const JSON_TYPES: [&str; 3] = ["application/json", "application/ld+json", "application/vc"];

/// Chooses the form by `Accept` (RFC 9110, 12.5.1). Nothing, `*/*` and the JSON types mean JSON, so that a verifier that says nothing
/// gets what it can read.
fn negotiate(request: &HttpRequest) -> Result<Form, Problem> {
    let values: Vec<&str> =
        request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    if values.is_empty() {
        return Ok(Form::Json(JSON_TYPES[0]));
    }
    let joined = values.join(",");
    let mut ranges: Vec<(String, u16)> = joined.split(',').filter_map(parse_range).collect();
    // A stable sort: of equal weights the first one named wins.
    ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    for (range, weight) in &ranges {
        if *weight == 0 {
            continue;
        }
        if range == "text/html" || range == "text/*" {
            return Ok(Form::Page);
        }
        if let Some(found) = JSON_TYPES.iter().find(|media_type| **media_type == range.as_str()) {
            return Ok(Form::Json(found));
        }
        if range == "*/*" || range == "application/*" {
            return Ok(Form::Json(JSON_TYPES[0]));
        }
    }
    Err(Problem::new(
        "not-acceptable",
        "this document comes as text/html, application/json, application/ld+json or application/vc",
    ))
}

/// Whether the headers name `text/html` as something that is wanted.
#[must_use]
pub fn accepts_page(headers: &header::HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(parse_range)
        .any(|(range, weight)| weight > 0 && range == "text/html")
}

fn parse_range(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';');
    let range = parts.next()?.trim().to_ascii_lowercase();
    if range.is_empty() {
        return None;
    }
    let weight = parts
        .find_map(|part| part.trim().strip_prefix("q="))
        .and_then(|q| q.trim().parse::<f32>().ok());
    let weight = weight.unwrap_or(1.0).clamp(0.0, 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    Some((range, (weight * 1000.0) as u16))
}

/// A public document: cacheable for a little while, and told apart by its hash.
fn document(request: &HttpRequest, media_type: &str, body: String) -> HttpResponse {
    let digest = Sha256::digest(body.as_bytes());
    let etag = format!("\"{}\"", crate::domain::audit::hex(&digest[..16]));
    let is_known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, etag))
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        // Verifiers in browsers read these from everywhere; there is nothing secret in them.
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    if is_known { response.finish() } else { response.content_type(media_type).body(body) }
}

/// A page under the policy that it was written for.
#[must_use]
pub fn page(status: u16, html: String) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or_default();
    HttpResponse::build(status)
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .content_type("text/html; charset=utf-8")
        .body(html)
}

fn rendered(html: Result<String, askama::Error>) -> Result<HttpResponse, Problem> {
    Ok(page(200, html.map_err(|error| Problem::from(Error::internal(error)))?))
}

fn day(moment: Timestamp) -> NaiveDate {
    moment.as_utc().date_naive()
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn reference(organization: &Organization) -> IssuerRef {
    IssuerRef { organization_id: organization.id.to_string(), name: organization.name.clone() }
}

/// `GET /credentials/{award_id}` and `GET /credentials/{award_id}.json`
pub async fn read_credential(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(name): Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, has_suffix) = match name.strip_suffix(".json") {
        Some(id) => (id, true),
        None => (name.as_str(), false),
    };
    let id: AwardId = id.parse().map_err(|_no_id| Problem::from(Error::NotFound("credential")))?;
    let form = if has_suffix { Form::Json(JSON_TYPES[0]) } else { negotiate(&request)? };
    match form {
        Form::Json(media_type) => {
            let body = app
                .run(&meta, "read_credential", move |cx| publications::credential(cx, id))
                .await?;
            Ok(document(&request, media_type, body))
        }
        Form::Page => {
            let view = app
                .run(&meta, "read_credential", move |cx| {
                    let now = cx.now;
                    let view = publications::credential_view(cx, id)?;
                    let newest = publications::newest_label(cx, view.version.micro_credential)?;
                    let successor = renewals::find_successor(cx, id)?;
                    Ok(credential_page_of(&view, newest, successor, now))
                })
                .await?;
            rendered(credential_page(&view))
        }
    }
}

fn credential_page_of(
    view: &CredentialView,
    newest_label: Option<String>,
    successor: Option<AwardId>,
    now: Timestamp,
) -> CredentialPage {
    let award = &view.award;
    let standing = match award.state.as_of(award.valid_until, now) {
        AwardState::PendingKey => Standing::NotIssued,
        AwardState::Revoked => Standing::Revoked {
            on: award.revoked_at.map_or_else(|| day(now), day),
            reason: award.revocation_reason.unwrap_or(RevocationReason::IssuedInError),
        },
        AwardState::Suspended => Standing::Suspended,
        AwardState::Active => Standing::Valid,
        AwardState::Expired => {
            Standing::Expired { on: award.valid_until.map_or_else(|| day(now), day) }
        }
        AwardState::Superseded => match award.valid_until.filter(|until| *until < now) {
            // A verifier of the badge says that its time is over, renewed or not.
            Some(until) => Standing::Expired { on: day(until) },
            None => Standing::Superseded,
        },
    };
    let says_successor = matches!(standing, Standing::Superseded | Standing::Expired { .. });
    let decision = &view.decision;
    let levels = if view.include_results {
        let criteria = view.definition.rubric().criteria().iter();
        criteria
            .filter_map(|criterion| {
                let number = decision.levels.get(criterion.id().as_str())?.level?;
                let level =
                    criterion.levels().iter().find(|level| level.level().number() == number)?;
                Some(AchievedLevel {
                    criterion: criterion.title().to_owned(),
                    level: number,
                    top_level: criterion
                        .levels()
                        .iter()
                        .map(|level| level.level().number())
                        .max()
                        .unwrap_or(number),
                    label: level.label().to_owned(),
                    is_passing: level.level() >= criterion.pass_level(),
                })
            })
            .collect()
    } else {
        Vec::new()
    };
    let about = view.definition.about();
    CredentialPage {
        award_id: award.id.to_string(),
        credential_id: view.document["id"].as_str().unwrap_or_default().to_owned(),
        standing,
        successor_id: successor.filter(|_| says_successor).map(|id| id.to_string()),
        checked_on: day(now),
        title: about.title.clone(),
        language: about.language.clone(),
        competency: about.competency.clone(),
        skills: view.definition.skills().iter().map(|skill| skill.label.clone()).collect(),
        issuer: reference(&view.issuer),
        issued_on: award.issued_at.map(day),
        valid_until: award.valid_until.map(day),
        micro_credential_id: award.micro_credential.to_string(),
        version: count(view.version.number),
        version_label: view.version.label.clone(),
        current_version_label: newest_label.filter(|label| *label != view.version.label),
        is_definition_retired: view.version.state == VersionState::Retired,
        scoring: Scoring {
            mode: view.definition.review_policy().mode(),
            raters: count(decision.raters),
            assessors_qualified: decision.assessors_qualified,
        },
        levels,
    }
}

/// `GET /achievements/{micro_credential_id}/versions/{n}`
pub async fn read_achievement(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path((family, name)): Path<(MicroCredentialId, String)>,
) -> Result<HttpResponse, Problem> {
    let (number, has_suffix) = match name.strip_suffix(".json") {
        Some(number) => (number, true),
        None => (name.as_str(), false),
    };
    let number: i32 =
        number.parse().map_err(|_no_number| Problem::from(Error::NotFound("achievement")))?;
    let form = if has_suffix { Form::Json(JSON_TYPES[0]) } else { negotiate(&request)? };
    let (view, newer) = app
        .run(&meta, "read_achievement", move |cx| {
            let view = publications::achievement(cx, family, number)?;
            let newer = publications::newer_version(cx, family, number)?;
            Ok((view, newer))
        })
        .await?;
    match form {
        Form::Json(media_type) => Ok(document(&request, media_type, view.document().to_string())),
        Form::Page => rendered(achievement_page(&achievement_page_of(&view, newer))),
    }
}

fn achievement_page_of(view: &AchievementView, newer: Option<i32>) -> AchievementPage {
    AchievementPage {
        micro_credential_id: view.version.micro_credential.to_string(),
        version: count(view.version.number),
        organization: reference(&view.organization),
        is_retired: view.version.state == VersionState::Retired,
        newer_version: newer.map(count),
        content_hash: view.version.content_hash.clone(),
        scoring_hash: view.version.scoring_hash.clone(),
        definition: DefinitionView::from(&view.definition),
    }
}

/// `GET /issuers/{organization_id}`
pub async fn read_issuer(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    let form = negotiate(&request)?;
    let view = app.run(&meta, "read_issuer", move |cx| publications::issuer(cx, id)).await?;
    match form {
        Form::Json(media_type) => Ok(document(&request, media_type, view.document().to_string())),
        Form::Page => rendered(issuer_page(&issuer_page_of(view)?)),
    }
}

fn issuer_page_of(view: IssuerView) -> Result<IssuerPage, Problem> {
    let issuer_id = view.document()["id"].as_str().unwrap_or_default().to_owned();
    let organization = view.organization;
    let micro_credentials = view
        .catalogue
        .iter()
        .map(|version| item(version, &organization.name))
        .collect::<Result<_, Error>>()?;
    Ok(IssuerPage {
        organization_id: organization.id.to_string(),
        issuer_id,
        name: organization.name,
        kind: organization.kind.as_str().to_owned(),
        url: organization.url,
        email: organization.email,
        keys: view
            .keys
            .into_iter()
            .map(|key| IssuerKeyView {
                multikey: key.multikey,
                state: key.state,
                since: day(key.created_at),
            })
            .collect(),
        micro_credentials,
    })
}

fn item(version: &Version, organization: &str) -> Result<CatalogueItem, Error> {
    let definition = crate::service::micro_credentials::parse_stored(version)?.definition;
    let about = definition.about();
    Ok(CatalogueItem {
        micro_credential_id: version.micro_credential.to_string(),
        version: count(version.number),
        title: about.title.clone(),
        language: about.language.clone(),
        organization: organization.to_owned(),
        summary: about.summary.clone(),
        audience: about.audience.clone(),
        skills: definition.skills().iter().map(|skill| skill.label.clone()).collect(),
    })
}

/// `GET /status-lists/{id}`
pub async fn read_status_list(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<StatusListId>,
) -> Result<HttpResponse, Problem> {
    // A list has no page: a browser gets the JSON as well.
    let media_type = match negotiate(&request)? {
        Form::Json(media_type) => media_type,
        Form::Page => JSON_TYPES[0],
    };
    let body =
        app.run(&meta, "read_status_list", move |cx| publications::status_list(cx, id)).await?;
    Ok(document(&request, media_type, body))
}

/// What the front page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchParameters {
    #[serde(default)]
    q: String,
    #[serde(default)]
    skill: String,
    #[serde(default)]
    audience: String,
    #[serde(default)]
    cursor: String,
}

/// How many micro-credentials the front page shows at a time.
const FRONT_PAGE: usize = 24;

/// `GET /`
pub async fn home_page(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<SearchParameters>,
) -> Result<HttpResponse, Problem> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let query = CatalogueQuery {
        words: CatalogueQuery::words_of(&parameters.q),
        organization: None,
        skill: given(&parameters.skill),
        audience: given(&parameters.audience),
        after: given(&parameters.cursor)
            .and_then(|id| id.parse::<MicroCredentialId>().ok())
            .map(|id| id.to_string()),
        limit: i64::try_from(FRONT_PAGE + 1).unwrap_or(i64::MAX),
    };
    let found = app
        .run(&meta, "home_page", move |cx: &mut Cx<'_>| {
            publications::catalogue(cx, &query)?
                .iter()
                .map(|(version, organization)| item(version, &organization.name))
                .collect::<Result<Vec<CatalogueItem>, Error>>()
        })
        .await?;
    let has_more = found.len() > FRONT_PAGE;
    let items: Vec<CatalogueItem> = found.into_iter().take(FRONT_PAGE).collect();
    let next_cursor =
        items.last().filter(|_| has_more).map(|last| last.micro_credential_id.clone());
    let search =
        CatalogueSearch { q: parameters.q, skill: parameters.skill, audience: parameters.audience };
    rendered(catalogue_page(&CataloguePage {
        search,
        skills: Vec::new(),
        audiences: Vec::new(),
        items,
        next_cursor,
    }))
}

/// `GET /verify`
pub async fn show_verify_page() -> Result<HttpResponse, Problem> {
    rendered(verify_page())
}

/// `GET /invitations/accept`
pub async fn show_accept_page() -> Result<HttpResponse, Problem> {
    rendered(accept_invitation_page(&AcceptPage {}))
}

/// `GET /submissions/{id}`
///
/// Nothing is looked up: whoever has not signed in must not learn from it whether there is such a submission.
pub async fn show_submission_page(_id: Path<SubmissionId>) -> Result<HttpResponse, Problem> {
    rendered(submission_page())
}

/// `GET /problems/{code}`
pub async fn show_problem_page(Path(code): Path<String>) -> Result<HttpResponse, Problem> {
    let kind = find_kind(&code).ok_or_else(|| Problem::from(Error::NotFound("problem")))?;
    rendered(problem_page(&ProblemPage {
        code,
        title: kind.title.to_owned(),
        status: Some(kind.status),
        detail: kind.help.to_owned(),
        what_to_do: kind.help.to_owned(),
        request_id: None,
    }))
}

/// `GET /assets/{name}`
pub async fn read_asset(
    request: HttpRequest,
    Path(name): Path<String>,
) -> Result<HttpResponse, Problem> {
    let asset = assets::find_asset(&name).ok_or_else(|| Problem::from(Error::NotFound("asset")))?;
    let is_known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == asset.etag));
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, asset.etag.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-cache"));
    Ok(if is_known {
        response.finish()
    } else {
        response.content_type(asset.media_type).body(asset.bytes)
    })
}
