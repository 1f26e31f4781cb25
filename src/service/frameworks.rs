//! Frameworks: CASE 1.1 packages brought in, shown and given out again, and rubrics in the same form.

use serde_json::Value;

use super::audit::Change;
use super::badge_content::achievement_url;
use super::case_document::{self, Package, RubricSource};
use super::context::{Cx, above, new_uuid};
use super::definition_document::{self, FieldError};
use super::error::{Error, Fault};
use super::{micro_credentials, publications};
use crate::domain::ids::{FrameworkId, MicroCredentialId, OrganizationId};
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::domain::timestamp::Timestamp;
use crate::store::micro_credentials::Version;
use crate::store::{self, StoreError};

pub use crate::store::frameworks::{Framework, FrameworkItem};

/// The frameworks that come with the program, by name. `{base_url}` in them stands for the installation's address.
const SHIPPED: [(&str, &str); 1] = [(
    "collective-leadership",
    include_str!("../../credential-schemas/frameworks/collective-leadership.json"),
)];

/// The names of the frameworks that come with the program.
#[must_use]
pub fn shipped_names() -> Vec<&'static str> {
    SHIPPED.iter().map(|(name, _)| *name).collect()
}

fn refuse(errors: Vec<FieldError>) -> Error {
    let faults = errors
        .into_iter()
        .map(|error| Fault::new(error.pointer, error.code, error.detail))
        .collect();
    let summary =
        "the package is not one of CASE 1.1, or does not hang together; each fault is listed";
    Error::Invalid { code: "invalid-framework", summary: summary.to_owned(), faults }
}

/// Whether the caller may bring a framework into the organization; asked before a large body is read.
///
/// # Errors
/// [`Error::Denied`] when not.
pub fn require_import(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<(), Error> {
    let (_, subject) = super::organizations::load(cx.conn, organization)?;
    Ok(policy::require(&cx.actor, "import_framework", &subject)?)
}

/// `POST /organizations/{id}/frameworks`.
///
/// # Errors
/// [`Error::Invalid`] with every fault, [`Error::AlreadyThere`] for a framework that the organization has.
pub fn import(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    document: &Value,
) -> Result<Framework, Error> {
    require_import(cx, organization)?;
    let package = case_document::read(document).map_err(refuse)?;
    create(cx, "import_framework", organization, &package)
}

/// `POST /organizations/{id}/shipped-frameworks`: a framework that comes with the program. Its items get addresses of this installation.
///
/// # Errors
/// [`Error::Invalid`] for an unknown name, [`Error::AlreadyThere`] the second time.
pub fn import_shipped(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    name: &str,
) -> Result<Framework, Error> {
    let (_, subject) = super::organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "import_shipped_framework", &subject)?;
    let (_, text) = SHIPPED.iter().find(|(known, _)| *known == name).ok_or_else(|| {
        let known = shipped_names().join(", ");
        Error::invalid("/name", "unknown-framework", format!("it is one of {known}"))
    })?;
    let text = text.replace("{base_url}", &cx.installation()?.base_url);
    let document: Value = serde_json::from_str(&text).map_err(Error::internal)?;
    let package = case_document::read(&document).map_err(refuse)?;
    create(cx, "import_shipped_framework", organization, &package)
}

fn create(
    cx: &mut Cx<'_>,
    operation: &'static str,
    organization: OrganizationId,
    package: &Package,
) -> Result<Framework, Error> {
    let id = FrameworkId::from_uuid(new_uuid());
    let framework = framework_from(id, organization, 1, package, cx.now);
    let items = items_from(id, package);
    let text = package.document.to_string();
    let by = cx.signed_in()?.person;
    cx.write(|conn| {
        match store::frameworks::create(conn, &framework, &text, &items, by) {
            Err(StoreError::Duplicate(_)) => {
                let detail = format!(
                    "the organization has the framework {}; put the newer package in its place instead",
                    framework.identifier
                );
                return Err(Error::AlreadyThere { code: "framework-there", detail });
            }
            other => other?,
        }
        let change = Change::new(operation, Some(organization), "framework", id)
            .with("identifier", &framework.identifier)
            .with("items", framework.n_items);
        Ok((framework.clone(), change))
    })
}

fn framework_from(
    id: FrameworkId,
    organization: OrganizationId,
    revision: i32,
    package: &Package,
    now: Timestamp,
) -> Framework {
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    Framework {
        id,
        organization,
        identifier: package.identifier.clone(),
        title: package.title.clone(),
        creator: package.creator.clone(),
        version: package.version.clone(),
        language: package.language.clone(),
        n_items: count(package.items.len()),
        n_rubrics: count(package.n_rubrics),
        n_kept: count(package.n_kept),
        revision,
        updated_at: now,
    }
}

fn items_from(framework: FrameworkId, package: &Package) -> Vec<FrameworkItem> {
    let numbered = (1_i32..).zip(&package.items);
    numbered
        .map(|(position, item)| FrameworkItem {
            framework,
            position,
            identifier: item.identifier.clone(),
            uri: item.uri.clone(),
            code: item.code.clone(),
            label: item.label.clone(),
            statement: item.statement.clone(),
            item_type: item.item_type.clone(),
        })
        .collect()
}

/// Whether the caller may change the framework; asked before a large body is read.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Denied`].
pub fn require_change(cx: &mut Cx<'_>, id: FrameworkId) -> Result<Framework, Error> {
    let framework = find(cx, id)?;
    let subject = Subject {
        kind: "framework",
        organization: framework.organization,
        above: above(cx.conn, framework.organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Public,
    };
    policy::require(&cx.actor, "put_framework", &subject)?;
    Ok(framework)
}

/// `PUT /frameworks/{id}`: a newer package of the same framework. Published versions keep the words that they were aligned with.
///
/// # Errors
/// [`Error::Stale`], [`Error::Invalid`] also for another framework's package.
pub fn replace(
    cx: &mut Cx<'_>,
    id: FrameworkId,
    document: &Value,
    revision: i32,
) -> Result<Framework, Error> {
    let current = require_change(cx, id)?;
    if current.revision != revision {
        return Err(Error::Stale);
    }
    let package = case_document::read(document).map_err(refuse)?;
    if package.identifier != current.identifier {
        let detail =
            format!("the package is of another framework; this one is {}", current.identifier);
        return Err(Error::invalid("/CFDocument/identifier", "other-framework", detail));
    }
    let changed = framework_from(id, current.organization, revision + 1, &package, cx.now);
    let items = items_from(id, &package);
    let text = package.document.to_string();
    let by = cx.signed_in()?.person;
    cx.write(|conn| {
        store::frameworks::save(conn, &changed, &text, &items, by)?;
        let change = Change::new("put_framework", Some(changed.organization), "framework", id)
            .with("items", changed.n_items);
        Ok((changed.clone(), change))
    })
}

const fn hidden() -> Error {
    Error::Denied(Denied::Hidden("framework"))
}

/// `GET /frameworks/{id}`. Frameworks are public, like the rubrics that name them.
///
/// # Errors
/// [`Error::Denied`] when there is none.
pub fn find(cx: &mut Cx<'_>, id: FrameworkId) -> Result<Framework, Error> {
    store::frameworks::find(cx.conn, id)?.ok_or_else(hidden)
}

/// `GET /frameworks`.
///
/// # Errors
/// [`Error::Internal`] when the database fails.
pub fn list(
    cx: &mut Cx<'_>,
    organization: Option<OrganizationId>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Framework>, Error> {
    Ok(store::frameworks::list(cx.conn, organization, after, limit)?)
}

/// `GET /frameworks/{id}/package`: a package that follows the published schema and can be brought in again without a loss.
///
/// # Errors
/// [`Error::Denied`] when there is none.
pub fn export(cx: &mut Cx<'_>, id: FrameworkId) -> Result<Value, Error> {
    let text = store::frameworks::find_package(cx.conn, id)?.ok_or_else(hidden)?;
    let package: Value = serde_json::from_str(&text).map_err(Error::internal)?;
    Ok(case_document::export(&package))
}

/// `GET /frameworks/{id}/items`.
///
/// # Errors
/// [`Error::Denied`] when there is no such framework.
pub fn list_items(
    cx: &mut Cx<'_>,
    id: FrameworkId,
    after: i32,
    limit: i64,
) -> Result<Vec<FrameworkItem>, Error> {
    find(cx, id)?;
    Ok(store::frameworks::list_items(cx.conn, id, after, limit)?)
}

/// `GET /framework-items/{identifier}`.
///
/// # Errors
/// [`Error::Denied`] when no framework has it.
pub fn find_item(cx: &mut Cx<'_>, identifier: &str) -> Result<FrameworkItem, Error> {
    store::frameworks::find_item(cx.conn, identifier)?.ok_or_else(hidden)
}

/// `PUT /micro-credentials/{id}/versions/{n}/rubric`: the rubric of a package in the place of a draft's prompts and criteria.
///
/// # Errors
/// [`Error::Invalid`] with every fault and its place in the package; otherwise as of [`micro_credentials::edit`].
pub fn import_rubric(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
    package: &Value,
    revision: i32,
) -> Result<Version, Error> {
    let draft = micro_credentials::require_edit(cx, "import_rubric", family, number)?;
    let package = case_document::read(package).map_err(refuse)?;
    let mut definition: Value = serde_json::from_str(&draft.definition).map_err(Error::internal)?;
    let places = case_document::put_rubric(&package.document, &mut definition).map_err(refuse)?;
    if let Err(errors) = definition_document::parse(&definition) {
        let at_place = |error: FieldError| {
            FieldError::new(places.of(&error.pointer), error.code, error.detail)
        };
        return Err(refuse(errors.into_iter().map(at_place).collect()));
    }
    micro_credentials::edit(cx, family, number, &definition, revision)
}

/// `GET /micro-credentials/{id}/versions/{n}/rubric`: the rubric of a published version as a CFRubric.
///
/// # Errors
/// [`Error::Denied`] or [`Error::NotFound`] for a version that is not public.
pub fn export_rubric(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
) -> Result<Value, Error> {
    let view = publications::achievement(cx, family, number)?;
    let package =
        format!("{}/api/v1/micro-credentials/{family}/versions/{number}/rubric", view.base_url);
    // A public version has its day of publication.
    let published_at = view.version.published_at.unwrap_or(cx.now).to_string();
    Ok(case_document::package_of_rubric(&RubricSource {
        achievement: &achievement_url(&view.base_url, family, number),
        package: &package,
        creator: &view.organization.name,
        published_at: &published_at,
        definition: &view.definition,
    }))
}
