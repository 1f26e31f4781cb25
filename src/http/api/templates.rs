//! Definitions that travel between districts, and what is different between definitions.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::PageQuery;
use crate::domain::ids::{MicroCredentialId, OrganizationId, ProgramId, TemplateId};
use crate::http::app::{Answer, App};
use crate::http::problem::Problem;
use crate::http::request::{JsonBody, Meta, Path, Query, declared_length, parse_json, read_body};
use crate::service::reciprocity::{self, Reciprocity};
use crate::service::templates::{
    self, MAX_BYTES, NewPackage, OriginComparison, Portability, TemplateDetail, VersionComparison,
    Wanted,
};

/// One definition of a new package.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedBody {
    /// The micro-credential.
    #[schema(value_type = String, format = "uuid")]
    micro_credential_id: MicroCredentialId,
    /// The number of a published version.
    version: i32,
    /// RFC 6901 pointers to what is not to be changed, besides what is scored.
    #[serde(default)]
    locked: Vec<String>,
}

/// What a new package holds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPackageBody {
    /// What it is.
    title: String,
    /// Under which terms others may use it: an SPDX expression or a sentence.
    licence: String,
    /// The definitions.
    definitions: Vec<WantedBody>,
    /// The programme whose charter and messages come along.
    #[schema(value_type = Option<String>, format = "uuid")]
    program_id: Option<ProgramId>,
}

impl From<NewPackageBody> for NewPackage {
    fn from(body: NewPackageBody) -> NewPackage {
        let wanted = |one: WantedBody| Wanted {
            micro_credential: one.micro_credential_id,
            number: one.version,
            locked: one.locked,
        };
        NewPackage {
            title: body.title,
            licence: body.licence,
            definitions: body.definitions.into_iter().map(wanted).collect(),
            program: body.program_id,
        }
    }
}

/// A package with its signature, as it was exported.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedPackageBody {
    /// The definitions with their lineage, a charter, the structure of the training.
    package: Value,
    /// A detached JWS (RFC 7515, appendix F) over the package in the form of RFC 8785.
    signature: String,
}

/// `POST /api/v1/organizations/{id}/template-packages`
pub async fn export_template(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    body: JsonBody<NewPackageBody>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes(), body.bytes.to_vec()];
    let new = NewPackage::from(body.value);
    app.write(meta, "export_template", parts, move |cx| {
        let signed = templates::export(cx, id, &new)?;
        Answer::json(
            201,
            &SignedPackageBody { package: signed.package, signature: signed.signature },
        )
    })
    .await
}

/// A set of known work, without the work.
#[derive(Serialize, ToSchema)]
pub struct TrainingSetView {
    /// What it is for.
    kind: String,
    /// How many papers it has at the origin.
    papers: usize,
}

/// One link of a lineage.
#[derive(Serialize, ToSchema)]
pub struct LineageView {
    /// Who published it.
    issuer: String,
    /// Their name.
    issuer_name: String,
    /// The address of the published version.
    achievement: String,
    /// SHA-256 over everything.
    content_hash: String,
    /// SHA-256 over what scores depend on.
    scoring_hash: String,
    /// SHA-256 over this link and the hash of the one before.
    hash: String,
}

/// A definition of a package, and what it became here.
#[derive(Serialize, ToSchema)]
pub struct TemplateDefinitionView {
    /// The micro-credential that began as it.
    #[schema(format = "uuid")]
    micro_credential_id: String,
    /// The definition's title as it came.
    title: String,
    /// The address of the origin.
    achievement: String,
    /// Where it comes from, the first origin first.
    lineage: Vec<LineageView>,
    /// What is not to be changed by whoever wants to be comparable.
    locked: Vec<String>,
    /// Of which known work its assessors are trained there.
    training: Vec<TrainingSetView>,
}

/// A package that was brought in.
#[derive(Serialize, ToSchema)]
pub struct TemplateView {
    /// Its id here.
    #[schema(format = "uuid")]
    id: String,
    /// Who has brought it in.
    #[schema(format = "uuid")]
    organization_id: String,
    /// Its own id.
    #[schema(format = "uuid")]
    package_id: String,
    /// What it is.
    title: String,
    /// Under which terms it may be used.
    licence: String,
    /// Who made and signed it.
    issuer: String,
    /// Their name.
    issuer_name: String,
    /// When it was brought in.
    #[schema(format = "date-time")]
    imported_at: String,
    /// The programme that its charter became the draft of.
    #[schema(format = "uuid")]
    program_id: Option<String>,
    /// Its definitions.
    definitions: Vec<TemplateDefinitionView>,
}

fn lineage_view(link: templates::Link) -> LineageView {
    LineageView {
        issuer: link.issuer,
        issuer_name: link.issuer_name,
        achievement: link.achievement,
        content_hash: link.content_hash,
        scoring_hash: link.scoring_hash,
        hash: link.hash,
    }
}

impl From<TemplateDetail> for TemplateView {
    fn from(detail: TemplateDetail) -> TemplateView {
        let template = detail.template;
        let definitions = detail
            .definitions
            .into_iter()
            .map(|(family, packed)| TemplateDefinitionView {
                micro_credential_id: family.to_string(),
                title: packed.definition["title"].as_str().unwrap_or_default().to_owned(),
                achievement: packed.achievement,
                lineage: packed.lineage.into_iter().map(lineage_view).collect(),
                locked: packed.locked,
                training: packed
                    .training
                    .into_iter()
                    .map(|set| TrainingSetView { kind: set.kind, papers: set.papers })
                    .collect(),
            })
            .collect();
        TemplateView {
            id: template.id.to_string(),
            organization_id: template.organization.to_string(),
            package_id: template.package_id,
            title: template.title,
            licence: template.licence,
            issuer: template.issuer,
            issuer_name: template.issuer_name,
            imported_at: template.imported_at.to_string(),
            program_id: template.program.map(|program| program.to_string()),
            definitions,
        }
    }
}

/// `POST /api/v1/organizations/{id}/templates`
pub async fn import_template(
    app: web::Data<App>,
    meta: Meta,
    request: HttpRequest,
    Path(id): Path<OrganizationId>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    app.run(&meta, "import_template", move |cx| templates::require_import(cx, id)).await?;
    let bytes = read_body(payload.into_inner(), declared_length(&request), MAX_BYTES).await?;
    // What is no JSON object at all is said as everywhere; the limits and the signature are looked at next.
    parse_json::<Value>(&bytes)?;
    let parts = vec![meta.target.clone().into_bytes(), bytes.to_vec()];
    let opened = {
        let _turn = app.verifying.enter().await?;
        app.block(move |resources| templates::open(resources, &bytes)).await?
    };
    app.write(meta, "import_template", parts, move |cx| {
        let view = TemplateView::from(templates::import(cx, id, &opened)?);
        let location = format!("/api/v1/templates/{}", view.id);
        Ok(Answer::json(201, &view)?.with_location(location))
    })
    .await
}

/// `GET /api/v1/organizations/{id}/templates`
pub async fn list_templates(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = query.paging()?;
    app.read(meta, "list_templates", move |cx| {
        let fetched = templates::list(cx, id, paging.after.as_deref(), paging.fetch())?;
        let key = |detail: &TemplateDetail| detail.template.id.to_string();
        Answer::json(200, &paging.page(fetched, key, TemplateView::from))
    })
    .await
}

/// `GET /api/v1/templates/{id}`
pub async fn read_template(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<TemplateId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_template", move |cx| {
        Answer::json(200, &TemplateView::from(templates::find(cx, id)?))
    })
    .await
}

/// One difference in words.
#[derive(Serialize, ToSchema)]
pub struct DifferenceView {
    /// Where, as a pointer into the newer definition; of what is gone into the older one.
    pointer: String,
    /// What changed, in a sentence.
    detail: String,
    /// Whether it changes what is scored.
    is_scored: bool,
}

impl From<templates::Difference> for DifferenceView {
    fn from(difference: templates::Difference) -> DifferenceView {
        DifferenceView {
            pointer: difference.pointer,
            detail: difference.detail,
            is_scored: difference.is_scored,
        }
    }
}

/// One difference from the origin.
#[derive(Serialize, ToSchema)]
pub struct OriginDifferenceView {
    /// The difference.
    #[serde(flatten)]
    difference: DifferenceView,
    /// Whether whoever made the definition has locked the field.
    is_locked: bool,
}

/// Whether who qualified where a definition came from may score here.
#[derive(Serialize, ToSchema)]
pub struct PortabilityView {
    /// Where the definition came from.
    #[schema(format = "uuid")]
    organization_id: String,
    /// Its name.
    organization_name: String,
    /// Whether what its assessors passed there counts here.
    agreed: bool,
    /// The same in a sentence.
    detail: String,
}

impl From<Portability> for PortabilityView {
    fn from(found: Portability) -> PortabilityView {
        let word = if found.is_agreed { "agreed" } else { "not agreed" };
        PortabilityView {
            organization_id: found.origin.to_string(),
            detail: format!("Qualified assessors of {} may score here: {word}.", found.name),
            organization_name: found.name,
            agreed: found.is_agreed,
        }
    }
}

/// A version beside the definition that it came from.
#[derive(Serialize, ToSchema)]
pub struct OriginView {
    /// Who made and signed the package.
    issuer: String,
    /// Their name.
    issuer_name: String,
    /// Under which terms it may be used.
    licence: String,
    /// The address of the origin.
    achievement: String,
    /// Where it comes from, the first origin first.
    lineage: Vec<LineageView>,
    /// `unchanged`; `same_scoring`: awards are comparable, and qualifications count where they are recognised; `derived`: something of its own, qualify anew.
    relation: &'static str,
    /// What is not to be changed by whoever wants to be comparable.
    locked: Vec<String>,
    /// What each district may change.
    open: Vec<String>,
    /// What was changed here.
    differences: Vec<OriginDifferenceView>,
    /// Whether assessors of the origin may score here; null for what is derived, and for an origin of another installation.
    qualifications: Option<PortabilityView>,
}

impl From<OriginComparison> for OriginView {
    fn from(compared: OriginComparison) -> OriginView {
        let differences = compared.differences.into_iter();
        OriginView {
            issuer: compared.template.issuer,
            issuer_name: compared.template.issuer_name,
            licence: compared.template.licence,
            achievement: compared.origin.achievement,
            lineage: compared.origin.lineage.into_iter().map(lineage_view).collect(),
            relation: compared.relation.as_str(),
            locked: compared.origin.locked,
            open: compared.open,
            differences: differences
                .map(|one| OriginDifferenceView {
                    is_locked: one.is_locked,
                    difference: one.difference.into(),
                })
                .collect(),
            qualifications: compared.portability.map(PortabilityView::from),
        }
    }
}

/// `GET /api/v1/micro-credentials/{id}/versions/{n}/origin`
pub async fn read_origin(
    app: web::Data<App>,
    meta: Meta,
    Path((family, number)): Path<(MicroCredentialId, i32)>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_origin", move |cx| {
        Answer::json(200, &OriginView::from(templates::compare(cx, family, number)?))
    })
    .await
}

/// Two versions beside one another.
#[derive(Serialize, ToSchema)]
pub struct DifferencesView {
    /// The number of the older version; 0 before the first.
    from: i32,
    /// The number of the newer version.
    to: i32,
    /// Whether both are scored by the same.
    is_same_scoring: bool,
    /// What is different, in words.
    differences: Vec<DifferenceView>,
}

impl From<VersionComparison> for DifferencesView {
    fn from(compared: VersionComparison) -> DifferencesView {
        DifferencesView {
            from: compared.from,
            to: compared.to,
            is_same_scoring: compared.is_same_scoring,
            differences: compared.differences.into_iter().map(DifferenceView::from).collect(),
        }
    }
}

/// Which version to compare with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DifferencesQuery {
    from: Option<i32>,
}

/// `GET /api/v1/micro-credentials/{id}/versions/{n}/differences`
pub async fn read_differences(
    app: web::Data<App>,
    meta: Meta,
    Path((family, number)): Path<(MicroCredentialId, i32)>,
    Query(query): Query<DifferencesQuery>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_differences", move |cx| {
        let compared = templates::compare_versions(cx, family, number, query.from)?;
        Answer::json(200, &DifferencesView::from(compared))
    })
    .await
}

/// The readings of one district.
#[derive(Serialize, ToSchema)]
pub struct BalanceView {
    /// The district.
    #[schema(format = "uuid")]
    organization_id: String,
    /// Its name.
    name: String,
    /// Readings that its people made of work of others.
    given: i64,
    /// Readings of its work that others made.
    received: i64,
    /// `given` less `received`.
    balance: i64,
    /// Readings of its work by its own people.
    own: i64,
}

/// The balance of a network.
#[derive(Serialize, ToSchema)]
pub struct ReciprocityView {
    /// As of when.
    #[schema(format = "date-time")]
    as_of: String,
    /// What a reading is.
    counted: &'static str,
    /// The districts.
    districts: Vec<BalanceView>,
    /// Readings by people who belong to none of the districts.
    given_by_others: i64,
    /// Readings of work that belongs to none of the districts.
    received_by_others: i64,
}

/// `GET /api/v1/organizations/{id}/reciprocity`
pub async fn read_reciprocity(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_reciprocity", move |cx| {
        let Reciprocity { districts, by_others, for_others } = reciprocity::balance(cx, id)?;
        let view = ReciprocityView {
            as_of: cx.now.to_string(),
            counted: "locked sheets of live work",
            districts: districts
                .into_iter()
                .map(|(id, one)| BalanceView {
                    organization_id: id.to_string(),
                    name: one.name,
                    given: one.given,
                    received: one.received,
                    balance: one.given - one.received,
                    own: one.own,
                })
                .collect(),
            given_by_others: by_others,
            received_by_others: for_others,
        };
        Answer::json(200, &view)
    })
    .await
}
