//! Templates: definitions that go to another district as a signed package, become drafts there, and are compared with where they came from.

use std::collections::BTreeSet;

use serde_json::Value;

use super::audit::Change;
use super::badge_content::achievement_url;
use super::context::{Cx, Resources, above, new_uuid};
use super::definition_document::{
    self, ParsedDefinition, canonicalize, differences, is_scored_place,
};
use super::eligibility::accepted_by;
use super::error::{Broken, Error, Fault};
use super::micro_credentials::{self, Version, parse_stored, version_from};
use super::statements::{self, Signer, StatementKind};
use super::template_package::{
    self, CheckedPackage, FORMAT, MAX_DEFINITIONS, MAX_LOCKED, PackedDefinition, TemplatePackage,
    TrainingSet, charter_to_send, fault_of_line,
};
use super::{bank_items, charter_document, organizations, programs};
use crate::domain::calibration::{SetKind, SetState};
use crate::domain::ids::{MicroCredentialId, OrganizationId, ProgramId, TemplateId, VersionId};
use crate::domain::policy::{self, Denied, Subject, Visibility};
use crate::store::micro_credentials::MicroCredential;
use crate::store::{self, DbConn, StoreError};

pub use super::definition_document::Difference;
pub use super::template_package::{Link, MAX_BYTES};
pub use crate::store::templates::Template;

/// One definition that is to be exported.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of which micro-credential.
    pub micro_credential: MicroCredentialId,
    /// Which published version.
    pub number: i32,
    /// What is not to be changed, besides what is scored.
    pub locked: Vec<String>,
}

/// What a package is to hold.
#[derive(Clone, Debug)]
pub struct NewPackage {
    /// What it is.
    pub title: String,
    /// Under which terms others may use it.
    pub licence: String,
    /// The definitions.
    pub definitions: Vec<Wanted>,
    /// The programme whose charter comes along.
    pub program: Option<ProgramId>,
}

/// A package with its signature.
#[derive(Clone, Debug)]
pub struct SignedPackage {
    /// The document.
    pub package: Value,
    /// Its signature.
    pub signature: String,
}

fn refuse(faults: Vec<Fault>) -> Error {
    let summary = "the package cannot be made like this; each fault is listed".to_owned();
    Error::Invalid { code: "invalid-template", summary, faults }
}

/// What of a definition is scored: these fields are locked in every package.
fn scored_fields(definition: &Value) -> Vec<String> {
    [
        "/decision_rule",
        "/submission/part1/prompts",
        "/submission/part2/criteria",
        "/submission/part3/prompts",
    ]
    .into_iter()
    .filter(|pointer| definition.pointer(pointer).is_some())
    .map(str::to_owned)
    .collect()
}

/// `POST /organizations/{id}/template-packages`: published definitions for other districts, signed. Nothing of it is kept here.
///
/// # Errors
/// [`Error::Invalid`] with every fault, [`Error::CannotIssue`] without a key to sign with.
pub fn export(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    new: &NewPackage,
) -> Result<SignedPackage, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "export_template", &subject)?;
    let mut faults: Vec<Fault> = [("title", &new.title), ("licence", &new.licence)]
        .into_iter()
        .filter_map(|(name, text)| fault_of_line(name, text))
        .map(|fault| Fault { pointer: fault.pointer.replacen("/package", "", 1), ..fault })
        .collect();
    if new.definitions.is_empty() || new.definitions.len() > MAX_DEFINITIONS {
        let detail = format!("name 1 to {MAX_DEFINITIONS} published versions");
        faults.push(Fault::new("/definitions", "definitions", detail));
    }
    if !faults.is_empty() {
        return Err(refuse(faults));
    }
    let signer = Signer::of(cx, organization)?;
    let mut definitions = Vec::new();
    let mut slugs = BTreeSet::new();
    for (index, wanted) in new.definitions.iter().enumerate() {
        let pointer = format!("/definitions/{index}");
        match pack(cx.conn, &signer, organization, wanted, &pointer)? {
            Ok((slug, packed)) if slugs.insert(slug.clone()) => definitions.push(packed),
            Ok(_) => {
                let detail = "the package has a version of this micro-credential already";
                faults.push(Fault::new(pointer, "repeated-id", detail));
            }
            Err(found) => faults.extend(found),
        }
    }
    let charter = match new.program {
        None => None,
        Some(id) => match store::programs::find(cx.conn, id)?
            .filter(|program| program.organization == organization && program.state.is_public())
        {
            Some(program) => Some(charter_to_send(
                serde_json::from_str(&program.charter).map_err(Error::internal)?,
            )),
            None => {
                let detail = "the organization has no programme of this id that was opened";
                faults.push(Fault::new("/program_id", "unknown-program", detail));
                None
            }
        },
    };
    if !faults.is_empty() {
        return Err(refuse(faults));
    }
    let package = TemplatePackage {
        format: FORMAT.to_owned(),
        id: new_uuid(),
        title: new.title.trim().to_owned(),
        issuer: signer.issuer.clone(),
        issuer_name: signer.issuer_name.clone(),
        licence: new.licence.trim().to_owned(),
        exported_at: cx.now.to_string(),
        definitions,
        charter,
    };
    let id = package.id;
    let package = serde_json::to_value(&package).map_err(Error::internal)?;
    let signature = signer.sign(cx.resources, StatementKind::Template, &package)?;
    let n_definitions = new.definitions.len();
    cx.write(|_conn| {
        let change = Change::new("export_template", Some(organization), "template_package", id)
            .with("definitions", n_definitions);
        Ok((SignedPackage { package: package.clone(), signature: signature.clone() }, change))
    })
}

/// A published version with its lineage, or what is wrong with the wish.
fn pack(
    conn: &mut DbConn,
    signer: &Signer,
    organization: OrganizationId,
    wanted: &Wanted,
    pointer: &str,
) -> Result<Result<(String, PackedDefinition), Vec<Fault>>, Error> {
    let found =
        store::micro_credentials::find_version(conn, wanted.micro_credential, wanted.number)?
            .filter(|version| version.organization == organization && version.state.is_public());
    let Some(version) = found else {
        let detail = "the organization has no published version of this number";
        return Ok(Err(vec![Fault::new(pointer, "unknown-version", detail)]));
    };
    let parsed = parse_stored(&version)?;
    let definition: Value = serde_json::from_str(&version.definition).map_err(Error::internal)?;
    let mut faults = Vec::new();
    if wanted.locked.len() > MAX_LOCKED - scored_fields(&definition).len() {
        let detail = format!("at most {MAX_LOCKED} fields are locked");
        faults.push(Fault::new(format!("{pointer}/locked"), "too-many", detail));
    }
    for (index, locked) in wanted.locked.iter().enumerate().take(MAX_LOCKED) {
        if locked.is_empty() || definition.pointer(locked).is_none() {
            let detail = "the definition has no such field; name it by an RFC 6901 pointer";
            faults.push(Fault::new(format!("{pointer}/locked/{index}"), "unknown-field", detail));
        }
    }
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let achievement = achievement_url(&signer.base_url, version.micro_credential, version.number);
    let mut lineage = match store::templates::find_origin(conn, version.micro_credential)? {
        Some((template, position)) => packed_of(&template, position)?.lineage,
        None => Vec::new(),
    };
    let link = Link::after(&lineage, &signer.issuer, &signer.issuer_name, &achievement, &parsed);
    lineage.push(link);
    let locked: BTreeSet<String> =
        scored_fields(&definition).into_iter().chain(wanted.locked.iter().cloned()).collect();
    let training = training_of(conn, &version)?;
    let locked = locked.into_iter().collect();
    let packed = PackedDefinition { achievement, definition, lineage, locked, training };
    Ok(Ok((parsed.slug, packed)))
}

/// The sets of known work that assessors of a version are trained with, without the work; nothing of what is presented blind.
fn training_of(conn: &mut DbConn, version: &Version) -> Result<Vec<TrainingSet>, Error> {
    let mut sets = Vec::new();
    for set in store::calibration::list_used(conn, Some(&version.scoring_hash))? {
        let is_told = set.organization == version.organization
            && set.state == SetState::Published
            && set.kind != SetKind::Seed;
        if is_told && sets.len() < 100 {
            let papers = store::calibration::list_papers(conn, set.id)?.len();
            sets.push(TrainingSet { kind: set.kind.as_str().to_owned(), papers });
        }
    }
    Ok(sets)
}

/// A package that came from outside: its signature holds, and its members were checked.
#[derive(Clone, Debug)]
pub struct OpenedPackage {
    document: Value,
    signature: String,
    checked: CheckedPackage,
}

/// Whether the caller may bring a package into the organization; asked before a large body is read.
///
/// # Errors
/// [`Error::Denied`] when not.
pub fn require_import(cx: &mut Cx<'_>, organization: OrganizationId) -> Result<(), Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    Ok(policy::require(&cx.actor, "import_template", &subject)?)
}

/// Reads a package and checks its signature first. No connection is held while keys are fetched.
///
/// # Errors
/// [`Error::Invalid`] with every fault and its place.
pub fn open(resources: &Resources, text: &[u8]) -> Result<OpenedPackage, Error> {
    let envelope = template_package::read_envelope(text)?;
    statements::verify(
        resources,
        StatementKind::Template,
        &envelope.issuer,
        &envelope.package,
        &envelope.signature,
    )?;
    let checked = template_package::check(&envelope.package)?;
    Ok(OpenedPackage { document: envelope.package, signature: envelope.signature, checked })
}

/// `POST /organizations/{id}/templates`: each definition becomes the draft of a micro-credential, the charter the draft of a programme.
///
/// # Errors
/// [`Error::Invalid`] for ids that the organization has, [`Error::AlreadyThere`] for a package that it has.
pub fn import(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    opened: &OpenedPackage,
) -> Result<TemplateDetail, Error> {
    require_import(cx, organization)?;
    let CheckedPackage { package, parsed } = &opened.checked;
    let drafts = drafts_of(cx.conn, parsed, package)?;
    let program = match &package.charter {
        None => None,
        Some(charter) => {
            let (_, subject) = organizations::load(cx.conn, organization)?;
            policy::require(&cx.actor, "create_program", &subject)?;
            let charter = charter_document::parse(charter)
                .map_err(|_errors| Error::internal(Broken("a charter that was checked")))?;
            Some(programs::draft_of(organization, &charter))
        }
    };
    let (author, now) = (cx.signed_in()?.person, cx.now);
    let template = Template {
        id: TemplateId::from_uuid(new_uuid()),
        organization,
        package_id: package.id.to_string(),
        title: package.title.trim().to_owned(),
        licence: package.licence.trim().to_owned(),
        issuer: package.issuer.clone(),
        issuer_name: package.issuer_name.clone(),
        package: canonicalize(&opened.document).map_err(Error::internal)?,
        signature: opened.signature.clone(),
        program: program.as_ref().map(|program| program.id),
        imported_by: author,
        imported_at: now,
    };
    let slugs: Vec<&str> = drafts.iter().map(|draft| draft.slug.as_str()).collect();
    cx.write(|conn| {
        let taken = store::templates::list_taken(conn, organization, &slugs)?;
        refuse_taken(&slugs, &taken)?;
        if let Some(program) = &program {
            programs::insert(conn, program, author, now)?;
        }
        match store::templates::create(conn, &template) {
            Err(StoreError::Duplicate(_)) => {
                let detail = "the organization has brought this package in before".to_owned();
                return Err(Error::AlreadyThere { code: "template-there", detail });
            }
            other => other?,
        }
        for (position, draft) in (0_i32..).zip(&drafts) {
            let family = MicroCredential {
                id: MicroCredentialId::from_uuid(new_uuid()),
                organization,
                slug: draft.slug.clone(),
            };
            let version = version_from(VersionId::from_uuid(new_uuid()), &family, 1, draft);
            store::micro_credentials::create(conn, &family, author, now)?;
            store::micro_credentials::create_version(conn, &version, author, now)?;
            store::templates::create_origin(conn, family.id, template.id, position)?;
        }
        let change = Change::new("import_template", Some(organization), "template", template.id)
            .with("package", &template.package_id)
            .with("definitions", drafts.len());
        Ok(((), change))
    })?;
    detail_of(cx.conn, template)
}

fn refuse_taken(slugs: &[&str], taken: &BTreeSet<String>) -> Result<(), Error> {
    let faults: Vec<Fault> = slugs
        .iter()
        .enumerate()
        .filter(|(_, slug)| taken.contains(**slug))
        .map(|(index, slug)| {
            let detail = format!(
                "the organization has a micro-credential {slug}; compare with it, or ask for a package without this definition"
            );
            Fault::new(format!("/package/definitions/{index}/definition/id"), "slug-taken", detail)
        })
        .collect();
    if faults.is_empty() {
        return Ok(());
    }
    let summary = "the organization has definitions of these ids already".to_owned();
    Err(Error::Invalid { code: "slug-taken", summary, faults })
}

/// The definitions as drafts. What names an assessment bank that is not here, names none: the words stay.
fn drafts_of(
    conn: &mut DbConn,
    parsed: &[ParsedDefinition],
    package: &TemplatePackage,
) -> Result<Vec<ParsedDefinition>, Error> {
    let mut drafts = Vec::new();
    for (one, packed) in parsed.iter().zip(&package.definitions) {
        let unknown = bank_items::find_faults(conn, &packed.definition)?;
        if unknown.is_empty() {
            drafts.push(one.clone());
            continue;
        }
        let mut definition = packed.definition.clone();
        for fault in unknown {
            let row = fault.pointer.trim_end_matches("/bank_item");
            if let Some(row) = definition.pointer_mut(row).and_then(Value::as_object_mut) {
                row.remove("bank_item");
            }
        }
        drafts.push(
            definition_document::parse(&definition)
                .map_err(|_errors| Error::internal(Broken("a definition that was checked")))?,
        );
    }
    Ok(drafts)
}

/// A package that was brought in, with what became of it.
#[derive(Clone, Debug)]
pub struct TemplateDetail {
    /// As it came.
    pub template: Template,
    /// Its definitions, each with the micro-credential that began as it.
    pub definitions: Vec<(MicroCredentialId, PackedDefinition)>,
}

fn package_of(template: &Template) -> Result<TemplatePackage, Error> {
    serde_json::from_str(&template.package).map_err(Error::internal)
}

fn packed_of(template: &Template, position: i32) -> Result<PackedDefinition, Error> {
    let index = usize::try_from(position).unwrap_or(usize::MAX);
    let packed = package_of(template)?.definitions.into_iter().nth(index);
    packed.ok_or_else(|| Error::internal(Broken("an origin that is not in its package")))
}

fn detail_of(conn: &mut DbConn, template: Template) -> Result<TemplateDetail, Error> {
    let begun = store::templates::list_begun(conn, template.id)?;
    let definitions = begun.into_iter().zip(package_of(&template)?.definitions).collect();
    Ok(TemplateDetail { template, definitions })
}

/// `GET /templates/{id}`.
///
/// # Errors
/// [`Error::Denied`] for whoever does not work on definitions there.
pub fn find(cx: &mut Cx<'_>, id: TemplateId) -> Result<TemplateDetail, Error> {
    let template =
        store::templates::find(cx.conn, id)?.ok_or(Error::Denied(Denied::Hidden("template")))?;
    let subject = Subject {
        kind: "template",
        organization: template.organization,
        above: above(cx.conn, template.organization)?,
        owner: None,
        assigned: None,
        visibility: Visibility::Private("read_template"),
    };
    policy::require(&cx.actor, "read_template", &subject)?;
    detail_of(cx.conn, template)
}

/// `GET /organizations/{id}/templates`.
///
/// # Errors
/// [`Error::Denied`] for whoever does not work on definitions there.
pub fn list(
    cx: &mut Cx<'_>,
    organization: OrganizationId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<TemplateDetail>, Error> {
    let (_, subject) = organizations::load(cx.conn, organization)?;
    policy::require(&cx.actor, "list_templates", &subject)?;
    let templates = store::templates::list(cx.conn, organization, after, limit)?;
    templates.into_iter().map(|template| detail_of(cx.conn, template)).collect()
}

/// How a version stands to the definition that its micro-credential began as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Word for word the same.
    Unchanged,
    /// Scored by the same: awards are comparable.
    SameScoring,
    /// What is scored was changed: derived from it, and something of its own.
    Derived,
}

impl Relation {
    /// The word that stands for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Relation::Unchanged => "unchanged",
            Relation::SameScoring => "same_scoring",
            Relation::Derived => "derived",
        }
    }
}

/// A difference from the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginDifference {
    /// What it is.
    pub difference: Difference,
    /// Whether the field was locked by whoever made the definition.
    pub is_locked: bool,
}

/// Whether who qualified where a definition came from may score here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portability {
    /// Where it came from: an organization of this installation.
    pub origin: OrganizationId,
    /// Its name.
    pub name: String,
    /// Whether its qualifications count here.
    pub is_agreed: bool,
}

/// A version beside its origin.
#[derive(Clone, Debug)]
pub struct OriginComparison {
    /// The package that it came in.
    pub template: Template,
    /// The definition in it.
    pub origin: PackedDefinition,
    /// How the version stands to it.
    pub relation: Relation,
    /// The fields that are not locked: members of the definition, and of its submission.
    pub open: Vec<String>,
    /// What is different, in words.
    pub differences: Vec<OriginDifference>,
    /// Whether assessors of the origin may score here; none for what is scored by something else, and for an origin elsewhere.
    pub portability: Option<Portability>,
}

/// `GET /micro-credentials/{id}/versions/{n}/origin`: what was changed since the definition came here. As public as the version.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not know of, [`Error::NotFound`] for a definition that did not come from elsewhere.
pub fn compare(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
) -> Result<OriginComparison, Error> {
    let version = micro_credentials::find_version(cx, family, number)?;
    let (template, position) =
        store::templates::find_origin(cx.conn, family)?.ok_or(Error::NotFound("origin"))?;
    let origin = packed_of(&template, position)?;
    let now: Value = serde_json::from_str(&version.definition).map_err(Error::internal)?;
    let scoring_hash = origin.lineage.last().map(|link| link.scoring_hash.as_str());
    let content_hash = origin.lineage.last().map(|link| link.content_hash.as_str());
    let relation = if content_hash == Some(&version.content_hash) {
        Relation::Unchanged
    } else if scoring_hash == Some(&version.scoring_hash) {
        Relation::SameScoring
    } else {
        Relation::Derived
    };
    let differences = differences(&origin.definition, &now)
        .into_iter()
        .map(|difference| OriginDifference {
            is_locked: is_locked(&origin.locked, &difference),
            difference,
        })
        .collect();
    let open = open_fields(&origin);
    let portability = match relation {
        Relation::Unchanged | Relation::SameScoring => {
            portability(cx, &template.issuer, version.organization)?
        }
        Relation::Derived => None,
    };
    Ok(OriginComparison { template, origin, relation, open, differences, portability })
}

/// Whether qualifications of an issuer count for the work of an organization. People of another installation have no account here.
fn portability(
    cx: &mut Cx<'_>,
    issuer: &str,
    organization: OrganizationId,
) -> Result<Option<Portability>, Error> {
    let Some(installation) = store::installation::find(cx.conn)? else { return Ok(None) };
    let address = format!("{}/issuers/", installation.base_url);
    let named = issuer.strip_prefix(&address).and_then(|id| id.parse().ok());
    let Some(origin) = named else { return Ok(None) };
    let Some(found) = store::organizations::find(cx.conn, origin)? else { return Ok(None) };
    let is_agreed = accepted_by(cx.conn, organization)?.contains(&origin);
    Ok(Some(Portability { origin, name: found.name, is_agreed }))
}

/// A locked field covers everything in it. Inside the scored fields what is not scored is free: alignments, for instance.
fn is_locked(locked: &[String], difference: &Difference) -> bool {
    locked.iter().any(|field| {
        let is_inside = difference.pointer == *field
            || difference.pointer.strip_prefix(field).is_some_and(|rest| rest.starts_with('/'))
            || field.strip_prefix(&difference.pointer).is_some_and(|rest| rest.starts_with('/'));
        is_inside && (difference.is_scored || !is_scored_place(field))
    })
}

fn open_fields(origin: &PackedDefinition) -> Vec<String> {
    let members = origin.definition.as_object();
    members
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .map(|name| definition_document::join("", name))
        .filter(|field| {
            let touches =
                |locked: &String| locked == field || locked.starts_with(&format!("{field}/"));
            !origin.locked.iter().any(touches)
        })
        .collect()
}

/// Two versions of one micro-credential beside one another.
#[derive(Clone, Debug)]
pub struct VersionComparison {
    /// The number of the older one.
    pub from: i32,
    /// The number of the newer one.
    pub to: i32,
    /// Whether both are scored by the same.
    pub is_same_scoring: bool,
    /// What is different, in words.
    pub differences: Vec<Difference>,
}

/// `GET /micro-credentials/{id}/versions/{n}/differences`: what is different since another version, the one before unless one is named.
/// Each as public as it is.
///
/// # Errors
/// [`Error::Denied`] for what the caller may not know of.
pub fn compare_versions(
    cx: &mut Cx<'_>,
    family: MicroCredentialId,
    number: i32,
    from: Option<i32>,
) -> Result<VersionComparison, Error> {
    let new = micro_credentials::find_version(cx, family, number)?;
    let from = from.unwrap_or(number - 1);
    if from == 0 {
        // The first version came out of nothing.
        let differences = Vec::new();
        return Ok(VersionComparison { from: 0, to: number, is_same_scoring: false, differences });
    }
    let old = micro_credentials::find_version(cx, family, from)?;
    let text = |version: &Version| serde_json::from_str(&version.definition);
    let (before, after) =
        (text(&old).map_err(Error::internal)?, text(&new).map_err(Error::internal)?);
    Ok(VersionComparison {
        from,
        to: number,
        is_same_scoring: old.scoring_hash == new.scoring_hash,
        differences: differences(&before, &after),
    })
}
