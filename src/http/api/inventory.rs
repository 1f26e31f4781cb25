//! The skills inventory: counts, people who can be asked, its purpose, and signed snapshots.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Format, PageQuery, Paging, attachment, parse_word};
use crate::domain::csv;
use crate::domain::ids::{AwardId, OrganizationId, SnapshotId};
use crate::domain::inventory::{By, Item};
use crate::domain::suppression::FEWEST;
use crate::http::app::{Answer, App, Reply};
use crate::http::problem::Problem;
use crate::http::request::{IfMatch, JsonBody, Meta, Path, Query};
use crate::service::inventory::{
    self, InventoryQuery, NamedItem, NamedPerson, PeopleQuery, Report, Snapshot,
};
use crate::service::{Error, Fault};

const fn kind_of(item: &Item) -> &'static str {
    match item {
        Item::Skill(_) => "skill",
        Item::Stack(_) => "stack",
        Item::Access(_) => "access",
    }
}

fn id_of(item: &Item) -> &str {
    match item {
        Item::Skill(id) | Item::Stack(id) => id,
        Item::Access(access) => access.as_str(),
    }
}

/// How many persons there are of something.
#[derive(Serialize, ToSchema)]
pub struct InventoryNumber {
    /// skill, stack (persons with an award in force) or access (whom programmes have reached).
    kind: &'static str,
    /// The skill's code, the stack's own id, or invited, enrolled, earned.
    id: String,
    /// In words.
    label: String,
    /// At least so many persons, in steps of `step`; null where any number would tell of few. Exact numbers where `exact` is true.
    at_least: Option<u64>,
}

/// One thing that persons are counted by.
#[derive(Serialize, ToSchema)]
pub struct InventoryItem {
    /// Its number.
    #[serde(flatten)]
    number: InventoryNumber,
    /// Whether fewer than `step` persons hold what can be earned.
    gap: bool,
}

/// A group, or several that are too small alone.
#[derive(Serialize, ToSchema)]
pub struct InventoryRow {
    /// The words or ids that it is asked for by; an empty one is no school, or no audience.
    keys: Vec<String>,
    /// Their names.
    names: Vec<String>,
    /// The numbers that the table shows.
    items: Vec<InventoryNumber>,
}

/// A table by group.
#[derive(Serialize, ToSchema)]
pub struct InventoryTable {
    /// school, audience or year (in which those who hold it now have earned it).
    by: &'static str,
    /// The rows; none where the groups are too small to be told apart.
    rows: Vec<InventoryRow>,
}

/// An inventory.
#[derive(Serialize, ToSchema)]
pub struct InventoryView {
    /// Of which organization, with all below it.
    #[schema(format = "uuid")]
    organization_id: String,
    /// Its name.
    organization: String,
    /// What it counts skills for, in its own words.
    purpose: String,
    /// When it was counted.
    #[schema(format = "date-time")]
    as_of: String,
    /// Whether numbers are as they are.
    exact: bool,
    /// Numbers are told in steps of so many.
    step: u64,
    /// Of everybody.
    items: Vec<InventoryItem>,
    /// By group.
    tables: Vec<InventoryTable>,
}

fn number(named: &NamedItem, numbers: &BTreeMap<Item, u64>) -> InventoryNumber {
    InventoryNumber {
        kind: kind_of(&named.item),
        id: id_of(&named.item).to_owned(),
        label: named.label.clone(),
        at_least: numbers.get(&named.item).copied(),
    }
}

impl From<&Report> for InventoryView {
    fn from(report: &Report) -> InventoryView {
        let item = |named: &NamedItem| InventoryItem {
            number: number(named, &report.total),
            gap: report.is_gap(named),
        };
        let row = |one: &inventory::NamedRow| InventoryRow {
            keys: one.row.keys.iter().cloned().collect(),
            names: one.names.clone(),
            items: report
                .items
                .iter()
                .filter(|named| one.row.numbers.contains_key(&named.item))
                .map(|named| number(named, &one.row.numbers))
                .collect(),
        };
        InventoryView {
            organization_id: report.organization.to_string(),
            organization: report.name.clone(),
            purpose: report.purpose.clone(),
            as_of: report.as_of.to_string(),
            exact: report.is_exact,
            step: FEWEST,
            items: report.items.iter().map(item).collect(),
            tables: report
                .tables
                .iter()
                .map(|(by, rows)| InventoryTable {
                    by: by.as_str(),
                    rows: rows.iter().map(row).collect(),
                })
                .collect(),
        }
    }
}

fn to_csv(report: &Report) -> String {
    let view = InventoryView::from(report);
    let mut text =
        csv::line(&["by", "group", "kind", "id", "label", "at_least", "exact", "as_of", "purpose"]);
    let mut add = |by: &str, group: &str, one: &InventoryNumber| {
        text += &csv::line(&[
            by.to_owned(),
            group.to_owned(),
            one.kind.to_owned(),
            one.id.clone(),
            one.label.clone(),
            one.at_least.map(|count| count.to_string()).unwrap_or_default(),
            view.exact.to_string(),
            view.as_of.clone(),
            view.purpose.clone(),
        ]);
    };
    for item in &view.items {
        add("", "everybody", &item.number);
    }
    for table in &view.tables {
        for row in &table.rows {
            for one in &row.items {
                add(table.by, &row.names.join("; "), one);
            }
        }
    }
    text
}

/// Which numbers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryParameters {
    organization_id: OrganizationId,
    by: Option<String>,
    group: Option<String>,
    skill: Option<String>,
    format: Option<String>,
    #[serde(default)]
    exact: bool,
}

/// `GET /api/v1/reports/skills-inventory`
pub async fn read_skills_inventory(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<InventoryParameters>,
) -> Result<HttpResponse, Problem> {
    let format = parse_word("format", parameters.format.as_deref(), Format::parse, &Format::ALL)?
        .unwrap_or(Format::Json);
    let wanted = InventoryQuery {
        organization: parameters.organization_id,
        by: parse_word("by", parameters.by.as_deref(), By::parse, By::ALL)?,
        group: parameters.group,
        skill: parameters.skill,
        is_exact: parameters.exact,
    };
    if format == Format::Json {
        return app
            .read(meta, "read_skills_inventory", move |cx| {
                Answer::json(200, &InventoryView::from(&inventory::find(cx, &wanted)?))
            })
            .await;
    }
    let report =
        app.run(&meta, "read_skills_inventory", move |cx| inventory::find(cx, &wanted)).await?;
    let (media_type, name, body) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "skills-inventory.csv", to_csv(&report)),
        Format::Svg | Format::Json => {
            ("image/svg+xml", "skills-inventory.svg", inventory::plot(&report))
        }
    };
    Ok(attachment(media_type, name, body))
}

/// Somebody who wants to be asked.
#[derive(Serialize, ToSchema)]
pub struct SkilledPersonView {
    /// Who.
    #[schema(format = "uuid")]
    person_id: String,
    /// Their name.
    name: String,
    /// The award for which they are named.
    #[schema(format = "uuid")]
    award_id: String,
    /// What it is at.
    title: String,
    /// The page of its badge.
    credential_path: String,
    /// When it was earned.
    #[schema(format = "date-time")]
    earned_at: String,
}

impl From<NamedPerson> for SkilledPersonView {
    fn from(one: NamedPerson) -> SkilledPersonView {
        SkilledPersonView {
            person_id: one.person.to_string(),
            name: one.name,
            award_id: one.award.to_string(),
            title: one.title,
            credential_path: format!("/credentials/{}", one.award),
            earned_at: one.earned_at.to_string(),
        }
    }
}

/// Who can be asked about what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleParameters {
    organization_id: OrganizationId,
    skill: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// `GET /api/v1/reports/skills-inventory/people`
pub async fn list_people_with_skill(
    app: web::Data<App>,
    meta: Meta,
    Query(parameters): Query<PeopleParameters>,
) -> Result<HttpResponse, Problem> {
    let paging = Paging::new(parameters.limit, parameters.cursor.as_deref())?;
    let Some(skill) = parameters.skill else {
        let detail = "say with skill= which one, by its code as the inventory lists it";
        return Err(
            Problem::new("invalid", detail).with_errors(vec![Fault::new("", "skill", detail)])
        );
    };
    app.read(meta, "list_people_with_skill", move |cx| {
        let wanted = PeopleQuery {
            organization: parameters.organization_id,
            skill,
            after: paging.after.clone(),
            limit: paging.fetch(),
        };
        let found = inventory::list_people(cx, wanted)?;
        let page = paging.page(found, |one| one.award.to_string(), SkilledPersonView::from);
        Answer::json(200, &page)
    })
    .await
}

/// Whether you are named for an award.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SharingBody {
    /// Whether everybody of your organization's branch may see that you hold this award, when they look for its skills.
    named: bool,
}

fn sharing((named, revision): (bool, i32)) -> Result<Answer, Error> {
    Ok(Answer::json(200, &SharingBody { named })?.with_revision(revision))
}

/// `GET /api/v1/awards/{id}/sharing`
pub async fn read_sharing(
    app: web::Data<App>,
    meta: Meta,
    Path(award): Path<AwardId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_sharing", move |cx| sharing(inventory::find_sharing(cx, award)?)).await
}

/// `PUT /api/v1/awards/{id}/sharing`
pub async fn put_sharing(
    app: web::Data<App>,
    meta: Meta,
    Path(award): Path<AwardId>,
    if_match: IfMatch,
    body: JsonBody<SharingBody>,
) -> Result<HttpResponse, Problem> {
    let tag = if_match.0.to_string().into_bytes();
    let parts = vec![meta.target.clone().into_bytes(), tag, body.bytes.to_vec()];
    app.write(meta, "put_sharing", parts, move |cx| {
        match inventory::put_sharing(cx, award, body.value.named, if_match.0) {
            Err(Error::Stale) => {
                let (named, _) = inventory::find_sharing(cx, award)?;
                let current = serde_json::to_value(SharingBody { named });
                Ok(Reply::Stale(current.map_err(Error::internal)?))
            }
            other => Ok(sharing(other?)?.into()),
        }
    })
    .await
}

/// What an organization counts skills for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurposeBody {
    /// In plain words: what the inventory is for, and what it is not for.
    statement: String,
}

/// The purpose that holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct PurposeView {
    /// Null where nobody has said anything; there is no inventory then.
    statement: Option<String>,
}

fn purpose((statement, revision): (Option<String>, i32)) -> Result<Answer, Error> {
    Ok(Answer::json(200, &PurposeView { statement })?.with_revision(revision))
}

/// `GET /api/v1/organizations/{id}/inventory-purpose`
pub async fn read_inventory_purpose(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_inventory_purpose", move |cx| {
        purpose(inventory::find_purpose(cx, organization)?)
    })
    .await
}

/// `PUT /api/v1/organizations/{id}/inventory-purpose`
pub async fn put_inventory_purpose(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    if_match: IfMatch,
    body: JsonBody<PurposeBody>,
) -> Result<HttpResponse, Problem> {
    let tag = if_match.0.to_string().into_bytes();
    let parts = vec![meta.target.clone().into_bytes(), tag, body.bytes.to_vec()];
    app.write(meta, "put_inventory_purpose", parts, move |cx| {
        match inventory::put_purpose(cx, organization, &body.value.statement, if_match.0) {
            Err(Error::Stale) => {
                let (statement, _) = inventory::find_purpose(cx, organization)?;
                let current = serde_json::to_value(PurposeView { statement });
                Ok(Reply::Stale(current.map_err(Error::internal)?))
            }
            other => {
                let (statement, revision) = other?;
                Ok(purpose((Some(statement), revision))?.into())
            }
        }
    })
    .await
}

/// An inventory as it was signed.
#[derive(Serialize, ToSchema)]
pub struct SnapshotView {
    /// Its id, also the token's `jti`.
    #[schema(format = "uuid")]
    id: String,
    /// Of which organization.
    #[schema(format = "uuid")]
    organization_id: String,
    /// Who has signed it: that organization, or the nearest above with a key.
    #[schema(format = "uuid")]
    issuer_id: String,
    /// When.
    #[schema(format = "date-time")]
    created_at: String,
    /// The signed token: its claim `inventory` is what `GET /reports/skills-inventory` answered then, its `kid` names the key.
    jwt: String,
    /// Where the issuer's keys are.
    keys_path: String,
}

impl From<Snapshot> for SnapshotView {
    fn from(snapshot: Snapshot) -> SnapshotView {
        SnapshotView {
            id: snapshot.id.to_string(),
            organization_id: snapshot.organization.to_string(),
            issuer_id: snapshot.issuer.to_string(),
            created_at: snapshot.created_at.to_string(),
            jwt: snapshot.jwt,
            keys_path: format!("/issuers/{}/jwks.json", snapshot.issuer),
        }
    }
}

/// `POST /api/v1/organizations/{id}/inventory-snapshots`
pub async fn create_inventory_snapshot(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
) -> Result<HttpResponse, Problem> {
    let parts = vec![meta.target.clone().into_bytes()];
    app.write(meta, "create_inventory_snapshot", parts, move |cx| {
        let view = |report: &Report| -> Result<Value, Error> {
            serde_json::to_value(InventoryView::from(report)).map_err(Error::internal)
        };
        let snapshot = inventory::create_snapshot(cx, organization, view)?;
        let location = format!("/api/v1/inventory-snapshots/{}", snapshot.id);
        Ok(Answer::json(201, &SnapshotView::from(snapshot))?.with_location(location))
    })
    .await
}

/// `GET /api/v1/organizations/{id}/inventory-snapshots`
pub async fn list_inventory_snapshots(
    app: web::Data<App>,
    meta: Meta,
    Path(organization): Path<OrganizationId>,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let paging = page.paging()?;
    app.read(meta, "list_inventory_snapshots", move |cx| {
        let after = paging.after.as_deref();
        let found = inventory::list_snapshots(cx, organization, after, paging.fetch())?;
        Answer::json(200, &paging.page(found, |one| one.id.to_string(), SnapshotView::from))
    })
    .await
}

/// `GET /api/v1/inventory-snapshots/{id}`
pub async fn read_inventory_snapshot(
    app: web::Data<App>,
    meta: Meta,
    Path(id): Path<SnapshotId>,
) -> Result<HttpResponse, Problem> {
    app.read(meta, "read_inventory_snapshot", move |cx| {
        Answer::json(200, &SnapshotView::from(inventory::find_snapshot(cx, id)?))
    })
    .await
}
