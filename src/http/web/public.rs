//! The public documents and pages, by content negotiation: a page for people, the signed JSON for programs.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::NaiveDate;
use serde::Deserialize;

use super::negotiation::{Form, document, negotiate, read_suffix};
use super::pictures::{Picture, send_achievement, send_picture};
use super::{
    AcceptPage, AchievedLevel, AchievementPage, AskedItem, AskedLine, CONTENT_SECURITY_POLICY,
    CatalogueItem, CataloguePage, CatalogueSearch, CredentialPage, DefinitionView, Earned,
    IssuerKeyView, IssuerPage, IssuerRef, PartLine, ProblemPage, Scored, Scoring, StackPage,
    Stacked, Standing, accept_invitation_page, achievement_page, assets, catalogue_page,
    coaching_page, contribution_page, credential_page, issuer_page, problem_page, stack_page,
    stacks_page, submission_page, verify_page,
};
use crate::domain::award::{AwardState, RevocationReason};
use crate::domain::ids::{AwardId, MicroCredentialId, OrganizationId, StackId, SubmissionId};
use crate::domain::organization::Organization;
use crate::domain::stack::StackState;
use crate::domain::timestamp::Timestamp;
use crate::domain::version::VersionState;
use crate::http::app::App;
use crate::http::problem::{Problem, find_kind};
use crate::http::request::{Meta, Path, Query};
use crate::service::award_basis::{AskedPart, Basis, ScoredWork, StackWork};
use crate::service::awards::Award;
use crate::service::micro_credentials::{CatalogueQuery, Version};
use crate::service::publications::{self, AchievementView, CredentialView, IssuerView, StackView};
use crate::service::templates::{self, VersionComparison};
use crate::service::{Cx, Error, proposals, renewals};

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

/// A page that was written, or our fault.
///
/// # Errors
/// `internal` when the template could not be filled in.
pub(super) fn rendered(html: Result<String, askama::Error>) -> Result<HttpResponse, Problem> {
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

/// The forms of a credential.
const CREDENTIAL_FORMS: &[Form] = &[
    Form::Json,
    Form::Page,
    Form::Jwt,
    Form::Png,
    Form::Svg,
    #[cfg(feature = "pdf")]
    Form::Pdf,
];

/// `GET /credentials/{award_id}`, and with a suffix for each form.
pub async fn read_credential(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(name): Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, suffix) = read_suffix(&name);
    let id: AwardId = id.parse().map_err(|_no_id| Problem::from(Error::NotFound("credential")))?;
    let form = negotiate(&request, suffix, CREDENTIAL_FORMS)?;
    match form {
        (Form::Page, _) => {
            let view = app
                .run(&meta, "read_credential", move |cx| {
                    let now = cx.now;
                    let view = publications::credential_view(cx, id)?;
                    let newest = match view.award.micro_credential() {
                        Some(family) => publications::newest_label(cx, family)?,
                        None => None,
                    };
                    let successor = renewals::find_successor(cx, id)?;
                    Ok(credential_page_of(&view, newest, successor, now))
                })
                .await?;
            rendered(credential_page(&view))
        }
        (Form::Jwt, media_type) => {
            let body = app
                .run(&meta, "read_credential", move |cx| publications::credential_jwt(cx, id))
                .await?;
            Ok(document(&request, media_type, body))
        }
        (Form::Png, _) => send_picture(&app, &meta, &request, id, Picture::Png).await,
        (Form::Svg, _) => send_picture(&app, &meta, &request, id, Picture::Svg).await,
        #[cfg(feature = "pdf")]
        (Form::Pdf, _) => send_picture(&app, &meta, &request, id, Picture::Pdf).await,
        (Form::Json, media_type) => {
            let body = app
                .run(&meta, "read_credential", move |cx| publications::credential(cx, id))
                .await?;
            Ok(document(&request, media_type, body))
        }
    }
}

/// Where a credential stands.
pub(super) fn standing_of(view: &CredentialView, now: Timestamp) -> Standing {
    standing_of_award(&view.award, now)
}

fn standing_of_award(award: &Award, now: Timestamp) -> Standing {
    match award.state.as_of(award.valid_until, now) {
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
    }
}

/// How a credential was earned.
pub(super) fn earned_of(view: &CredentialView, now: Timestamp) -> Earned {
    match &view.basis {
        Basis::Submission(work) => Earned::Scored(Scored {
            micro_credential_id: work.version.micro_credential.to_string(),
            version: count(work.version.number),
            scoring: scoring_of(work),
            levels: levels_of(work),
        }),
        Basis::Stack(work) => Earned::Stacked(Stacked {
            stack_id: work.stack.id.to_string(),
            parts: work
                .parts
                .iter()
                .map(|part| PartLine {
                    award_id: part.award.id.to_string(),
                    title: part.title.clone(),
                    ended: standing_of_award(&part.award, now).ended_word(),
                })
                .collect(),
        }),
    }
}

/// How a credential was earned, in a sentence or two for the certificate.
#[cfg(feature = "pdf")]
pub(super) fn said_of(view: &CredentialView) -> String {
    match &view.basis {
        Basis::Submission(work) => {
            let scoring = scoring_of(work);
            format!("{}. {}", scoring.headline(), super::words::mode_in_past(scoring.mode))
        }
        Basis::Stack(work) => {
            let titles: Vec<&str> = work.parts.iter().map(|part| part.title.as_str()).collect();
            format!("Rests on badges for these: {}.", titles.join("; "))
        }
    }
}

fn scoring_of(work: &ScoredWork) -> Scoring {
    Scoring {
        mode: work.definition.review_policy().mode(),
        raters: count(work.decision.raters),
        assessors_qualified: work.decision.assessors_qualified,
    }
}

/// The levels that the earner chose to show.
fn levels_of(work: &ScoredWork) -> Vec<AchievedLevel> {
    if !work.include_results {
        return Vec::new();
    }
    let criteria = work.definition.rubric().criteria().iter();
    criteria
        .filter_map(|criterion| {
            let number = work.decision.levels.get(criterion.id().as_str())?.level?;
            let level = criterion.levels().iter().find(|level| level.level().number() == number)?;
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
}

fn credential_page_of(
    view: &CredentialView,
    newest_label: Option<String>,
    successor: Option<AwardId>,
    now: Timestamp,
) -> CredentialPage {
    let award = &view.award;
    let standing = standing_of(view, now);
    let says_successor = matches!(standing, Standing::Superseded | Standing::Expired { .. });
    let (language, competency, skills, label, is_retired) = match &view.basis {
        Basis::Submission(work) => {
            let about = work.definition.about();
            let skills = work.definition.skills().iter().map(|skill| skill.label.clone()).collect();
            let is_retired = work.version.state == VersionState::Retired;
            let label = &work.version.label;
            (about.language.clone(), about.competency.clone(), skills, label, is_retired)
        }
        Basis::Stack(work) => {
            let summary = work.definition.summary.clone();
            let competency = summary.unwrap_or_else(|| work.stack.title.clone());
            let is_retired = work.stack.state == StackState::Retired;
            let language = work.definition.language.clone();
            (language, competency, Vec::new(), &work.stack.label, is_retired)
        }
    };
    CredentialPage {
        award_id: award.id.to_string(),
        credential_id: view.document["id"].as_str().unwrap_or_default().to_owned(),
        standing,
        successor_id: successor.filter(|_| says_successor).map(|id| id.to_string()),
        checked_on: day(now),
        title: view.basis.title().to_owned(),
        language,
        competency,
        skills,
        issuer: reference(&view.issuer),
        issued_on: award.issued_at.map(day),
        valid_until: award.valid_until.map(day),
        version_label: label.clone(),
        current_version_label: newest_label.filter(|newest| newest != label),
        is_definition_retired: is_retired,
        earned: earned_of(view, now),
        has_jwt: view.has_jwt,
    }
}

/// `GET /achievements/{micro_credential_id}/versions/{n}`
pub async fn read_achievement(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path((family, name)): Path<(MicroCredentialId, String)>,
) -> Result<HttpResponse, Problem> {
    let (number, suffix) = read_suffix(&name);
    let number: i32 =
        number.parse().map_err(|_no_number| Problem::from(Error::NotFound("achievement")))?;
    let form = negotiate(&request, suffix, &[Form::Json, Form::Page, Form::Png, Form::Svg])?;
    if let Form::Png | Form::Svg = form.0 {
        let version = (family, number);
        return send_achievement(&app, &meta, &request, version, form.0 == Form::Png).await;
    }
    let (page, view) = app
        .run(&meta, "read_achievement", move |cx| {
            let view = publications::achievement(cx, family, number)?;
            let newer = publications::newer_version(cx, family, number)?;
            // The first version has none before it, and one that is not public is nobody's business.
            let since = match templates::compare_versions(cx, family, number, None) {
                Ok(compared) => Some(compared).filter(|compared| compared.from > 0),
                Err(Error::Denied(_)) => None,
                Err(error) => return Err(error),
            };
            let credits = proposals::credits(cx, family, number)?;
            Ok((achievement_page_of(&view, newer, since, credits), view))
        })
        .await?;
    match form {
        (Form::Page, _) => rendered(achievement_page(&page)),
        (_json, media_type) => Ok(document(&request, media_type, view.document().to_string())),
    }
}

fn achievement_page_of(
    view: &AchievementView,
    newer: Option<i32>,
    since: Option<VersionComparison>,
    credits: Vec<Option<String>>,
) -> AchievementPage {
    let nameless = || "somebody who is not named".to_owned();
    AchievementPage {
        micro_credential_id: view.version.micro_credential.to_string(),
        version: count(view.version.number),
        achievement_id: view.id(),
        organization: reference(&view.organization),
        is_retired: view.version.state == VersionState::Retired,
        newer_version: newer.map(count),
        older_version: since.as_ref().map(|compared| count(compared.from)),
        differences: since.map_or_else(Vec::new, |compared| {
            compared.differences.into_iter().map(|difference| difference.detail).collect()
        }),
        credits: credits.into_iter().map(|name| name.unwrap_or_else(nameless)).collect(),
        content_hash: view.version.content_hash.clone(),
        scoring_hash: view.version.scoring_hash.clone(),
        definition: DefinitionView::from(&view.definition),
    }
}

/// `GET /stacks/{id}`
pub async fn read_stack_achievement(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(name): Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, suffix) = read_suffix(&name);
    let id: StackId = id.parse().map_err(|_no_id| Problem::from(Error::NotFound("stack")))?;
    let form = negotiate(&request, suffix, &[Form::Json, Form::Page])?;
    let view =
        app.run(&meta, "read_stack_achievement", move |cx| publications::stack(cx, id)).await?;
    match form {
        (Form::Page, _) => rendered(stack_page(&stack_page_of(&view))),
        (_json, media_type) => Ok(document(&request, media_type, view.document().to_string())),
    }
}

fn asked_of(work: &StackWork, part: AskedPart) -> AskedLine {
    let item = |(slug, title): (String, String)| AskedItem {
        page: match (work.families.get(&slug), work.newest.get(&slug)) {
            (Some(family), Some(number)) => Some((family.to_string(), count(*number))),
            (_, None) | (None, _) => None,
        },
        title,
    };
    AskedLine {
        category: part.category,
        words: match (part.needed, part.items.len()) {
            (_, 1) => "This one:".to_owned(),
            (needed, all) if needed == all => "All of these:".to_owned(),
            (1, _) => "Any one of these:".to_owned(),
            (needed, _) => format!("Any {needed} of these:"),
        },
        items: part.items.into_iter().map(item).collect(),
    }
}

fn stack_page_of(view: &StackView) -> StackPage {
    let work = &view.work;
    StackPage {
        stack_id: work.stack.id.to_string(),
        title: work.stack.title.clone(),
        summary: work.definition.summary.clone(),
        language: work.definition.language.clone(),
        organization: reference(&view.organization),
        label: work.stack.label.clone(),
        content_hash: work.stack.content_hash.clone(),
        is_retired: work.stack.state == StackState::Retired,
        rule: work.asked_parts().into_iter().map(|part| asked_of(work, part)).collect(),
        achievement_id: view.id(),
    }
}

/// `GET /issuers/{organization_id}`
pub async fn read_issuer(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(name): Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, suffix) = read_suffix(&name);
    let id: OrganizationId =
        id.parse().map_err(|_no_id| Problem::from(Error::NotFound("issuer")))?;
    let form = negotiate(&request, suffix, &[Form::Json, Form::Page])?;
    let view = app.run(&meta, "read_issuer", move |cx| publications::issuer(cx, id)).await?;
    match form {
        (Form::Page, _) => rendered(issuer_page(&issuer_page_of(view)?)),
        (_json, media_type) => Ok(document(&request, media_type, view.document()?.to_string())),
    }
}

fn issuer_page_of(view: IssuerView) -> Result<IssuerPage, Problem> {
    let issuer_id = view.identifier()?;
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
                state: key.state.as_str().to_owned(),
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

/// `GET /contributions/new`
pub async fn show_contribution_page() -> Result<HttpResponse, Problem> {
    rendered(contribution_page())
}

/// `GET /stacks`
pub async fn show_stacks_page() -> Result<HttpResponse, Problem> {
    rendered(stacks_page())
}

/// `GET /coachings`
pub async fn show_coaching_page() -> Result<HttpResponse, Problem> {
    rendered(coaching_page())
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
