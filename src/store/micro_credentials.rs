//! Micro-credentials, the versions of their definitions, and the votes on them.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::approvals::{self, ApprovalSubject};
use super::connection::MultiBackend;
use super::schema::{
    definition_versions, micro_credentials, version_audiences, version_authors, version_skills,
};
use super::{DbConn, StoreError};
use crate::domain::ids::{MicroCredentialId, OrganizationId, PersonId, VersionId};
use crate::domain::timestamp::Timestamp;
use crate::domain::version::VersionState;

/// A family of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MicroCredential {
    /// Its id.
    pub id: MicroCredentialId,
    /// Who owns it.
    pub organization: OrganizationId,
    /// The definition's own id.
    pub slug: String,
}

/// One version as stored: the definition is the text that its hashes are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// The family.
    pub micro_credential: MicroCredentialId,
    /// Who owns it.
    pub organization: OrganizationId,
    /// 1, 2, …
    pub number: i32,
    /// Where it stands.
    pub state: VersionState,
    /// The definition's own version.
    pub label: String,
    /// Its title.
    pub title: String,
    /// The definition, as JSON text.
    pub definition: String,
    /// SHA-256 over everything.
    pub content_hash: String,
    /// SHA-256 over what scores depend on.
    pub scoring_hash: String,
    /// SHA-256 over the review policy and limits.
    pub policy_hash: String,
    /// Lower-case text that the catalogue searches.
    pub search_text: String,
    /// Codes of the skills it shows.
    pub skills: BTreeSet<String>,
    /// Whom it is for.
    pub audiences: BTreeSet<String>,
    /// Counts its changes.
    pub revision: i32,
    /// When it became public.
    pub published_at: Option<Timestamp>,
}

type Row = (
    String,
    String,
    String,
    i32,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    i32,
    Option<NaiveDateTime>,
);

macro_rules! version_columns {
    () => {
        (
            definition_versions::id,
            definition_versions::organization_id,
            definition_versions::micro_credential_id,
            definition_versions::number,
            definition_versions::state,
            definition_versions::label,
            definition_versions::title,
            definition_versions::definition,
            definition_versions::content_hash,
            definition_versions::scoring_hash,
            definition_versions::policy_hash,
            definition_versions::search_text,
            definition_versions::revision,
            definition_versions::published_at,
        )
    };
}

fn from_row(conn: &mut DbConn, row: Row) -> Result<Version, StoreError> {
    let (
        id,
        organization,
        micro_credential,
        number,
        state,
        label,
        title,
        definition,
        content_hash,
        scoring_hash,
        policy_hash,
        search_text,
        revision,
        published_at,
    ) = row;
    let corrupt = |column| StoreError::corrupt("definition_versions", &id, column);
    let skills: Vec<String> = version_skills::table
        .filter(version_skills::version_id.eq(&id))
        .select(version_skills::code)
        .load(conn)?;
    let audiences: Vec<String> = version_audiences::table
        .filter(version_audiences::version_id.eq(&id))
        .select(version_audiences::audience)
        .load(conn)?;
    Ok(Version {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        organization: organization.parse().map_err(|_bad| corrupt("organization_id"))?,
        micro_credential: micro_credential
            .parse()
            .map_err(|_bad| corrupt("micro_credential_id"))?,
        state: VersionState::parse(&state).ok_or_else(|| corrupt("state"))?,
        number,
        label,
        title,
        definition,
        content_hash,
        scoring_hash,
        policy_hash,
        search_text,
        skills: skills.into_iter().collect(),
        audiences: audiences.into_iter().collect(),
        revision,
        published_at: published_at.map(Timestamp::from_naive),
    })
}

/// Adds a family.
///
/// # Errors
/// [`StoreError::Duplicate`] when the organization has one of that slug.
pub fn create(
    conn: &mut DbConn,
    new: &MicroCredential,
    created_by: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(micro_credentials::table)
        .values((
            micro_credentials::id.eq(new.id.to_string()),
            micro_credentials::organization_id.eq(new.organization.to_string()),
            micro_credentials::slug.eq(&new.slug),
            micro_credentials::created_by.eq(created_by.to_string()),
            micro_credentials::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("micro-credential"))?;
    Ok(())
}

/// One family. Whether the caller may know of it depends on its versions, which `service` asks for next.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    id: MicroCredentialId,
) -> Result<Option<MicroCredential>, StoreError> {
    let row: Option<(String, String)> = micro_credentials::table
        .find(id.to_string())
        .select((micro_credentials::organization_id, micro_credentials::slug))
        .first(conn)
        .optional()?;
    row.map(|(organization, slug)| {
        let organization = organization.parse().map_err(|_bad| {
            StoreError::corrupt("micro_credentials", &id.to_string(), "organization_id")
        })?;
        Ok(MicroCredential { id, organization, slug })
    })
    .transpose()
}

/// Adds a version.
///
/// # Errors
/// [`StoreError::Duplicate`] when the family has an unpublished one.
pub fn create_version(
    conn: &mut DbConn,
    new: &Version,
    author: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(definition_versions::table)
        .values((
            definition_versions::id.eq(new.id.to_string()),
            definition_versions::organization_id.eq(new.organization.to_string()),
            definition_versions::micro_credential_id.eq(new.micro_credential.to_string()),
            definition_versions::number.eq(new.number),
            definition_versions::state.eq(new.state.as_str()),
            definition_versions::label.eq(&new.label),
            definition_versions::title.eq(&new.title),
            definition_versions::definition.eq(&new.definition),
            definition_versions::content_hash.eq(&new.content_hash),
            definition_versions::scoring_hash.eq(&new.scoring_hash),
            definition_versions::policy_hash.eq(&new.policy_hash),
            definition_versions::search_text.eq(&new.search_text),
            definition_versions::revision.eq(new.revision),
            definition_versions::created_at.eq(now.naive()),
        ))
        .execute(conn)
        .map_err(StoreError::duplicate("unpublished version"))?;
    replace_lists(conn, new)?;
    add_author(conn, new.id, author)
}

fn replace_lists(conn: &mut DbConn, version: &Version) -> Result<(), StoreError> {
    let id = version.id.to_string();
    diesel::delete(version_skills::table.filter(version_skills::version_id.eq(&id)))
        .execute(conn)?;
    for code in &version.skills {
        diesel::insert_into(version_skills::table)
            .values((version_skills::version_id.eq(&id), version_skills::code.eq(code)))
            .execute(conn)?;
    }
    diesel::delete(version_audiences::table.filter(version_audiences::version_id.eq(&id)))
        .execute(conn)?;
    for audience in &version.audiences {
        diesel::insert_into(version_audiences::table)
            .values((
                version_audiences::version_id.eq(&id),
                version_audiences::audience.eq(audience),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Makes somebody one of the authors of a version.
///
/// # Errors
/// [`StoreError`].
pub fn add_author(
    conn: &mut DbConn,
    version: VersionId,
    author: PersonId,
) -> Result<(), StoreError> {
    let known = version_authors::table.find((version.to_string(), author.to_string()));
    if !diesel::select(diesel::dsl::exists(known)).get_result::<bool>(conn)? {
        diesel::insert_into(version_authors::table)
            .values((
                version_authors::version_id.eq(version.to_string()),
                version_authors::person_id.eq(author.to_string()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Everybody who has written on a version.
///
/// # Errors
/// [`StoreError`].
pub fn list_authors(
    conn: &mut DbConn,
    version: VersionId,
) -> Result<BTreeSet<PersonId>, StoreError> {
    let ids: Vec<String> = version_authors::table
        .filter(version_authors::version_id.eq(version.to_string()))
        .select(version_authors::person_id)
        .load(conn)?;
    ids.into_iter()
        .map(|id| {
            id.parse().map_err(|_bad| {
                StoreError::corrupt("version_authors", &version.to_string(), "person_id")
            })
        })
        .collect()
}

/// Replaces the text of an unpublished version and returns it to draft; its votes are void.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_edit(
    conn: &mut DbConn,
    version: &Version,
    revision: i32,
    author: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unchanged = definition_versions::table
        .find(version.id.to_string())
        .filter(definition_versions::organization_id.eq(version.organization.to_string()))
        .filter(definition_versions::revision.eq(revision));
    let n_rows = diesel::update(unchanged)
        .set((
            definition_versions::state.eq(VersionState::Draft.as_str()),
            definition_versions::label.eq(&version.label),
            definition_versions::title.eq(&version.title),
            definition_versions::definition.eq(&version.definition),
            definition_versions::content_hash.eq(&version.content_hash),
            definition_versions::scoring_hash.eq(&version.scoring_hash),
            definition_versions::policy_hash.eq(&version.policy_hash),
            definition_versions::search_text.eq(&version.search_text),
            definition_versions::revision.eq(revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 {
        return Err(StoreError::Stale);
    }
    replace_lists(conn, version)?;
    add_author(conn, version.id, author)?;
    approvals::void_all(conn, ApprovalSubject::Version(version.id), now)
}

/// Moves a version to another state.
///
/// # Errors
/// [`StoreError::Stale`] when it has moved on.
pub fn save_state(
    conn: &mut DbConn,
    version: &Version,
    next: VersionState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unchanged = definition_versions::table
        .find(version.id.to_string())
        .filter(definition_versions::organization_id.eq(version.organization.to_string()))
        .filter(definition_versions::revision.eq(version.revision));
    let published_at =
        if next == VersionState::Published { Some(now) } else { version.published_at };
    let retired_at = (next == VersionState::Retired).then_some(now);
    let n_rows = diesel::update(unchanged)
        .set((
            definition_versions::state.eq(next.as_str()),
            definition_versions::published_at.eq(published_at.map(Timestamp::naive)),
            definition_versions::retired_at.eq(retired_at.map(Timestamp::naive)),
            definition_versions::revision.eq(version.revision + 1),
        ))
        .execute(conn)?;
    if n_rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// One version of a family by its number.
///
/// # Errors
/// [`StoreError`].
pub fn find_version(
    conn: &mut DbConn,
    family: MicroCredentialId,
    number: i32,
) -> Result<Option<Version>, StoreError> {
    let row: Option<Row> = definition_versions::table
        .filter(definition_versions::micro_credential_id.eq(family.to_string()))
        .filter(definition_versions::number.eq(number))
        .select(version_columns!())
        .first(conn)
        .optional()?;
    row.map(|row| from_row(conn, row)).transpose()
}

/// One version by its id, for what is pinned to it.
///
/// # Errors
/// [`StoreError`].
pub fn find_pinned(
    conn: &mut DbConn,
    organization: OrganizationId,
    id: VersionId,
) -> Result<Option<Version>, StoreError> {
    let row: Option<Row> = definition_versions::table
        .find(id.to_string())
        .filter(definition_versions::organization_id.eq(organization.to_string()))
        .select(version_columns!())
        .first(conn)
        .optional()?;
    row.map(|row| from_row(conn, row)).transpose()
}

/// The family of an organization's slug, if one of its versions can be earned.
///
/// # Errors
/// [`StoreError`].
pub fn find_published_family(
    conn: &mut DbConn,
    organization: OrganizationId,
    slug: &str,
) -> Result<Option<MicroCredentialId>, StoreError> {
    let published = definition_versions::table
        .filter(definition_versions::state.eq(VersionState::Published.as_str()))
        .select(definition_versions::micro_credential_id);
    let id: Option<String> = micro_credentials::table
        .filter(micro_credentials::organization_id.eq(organization.to_string()))
        .filter(micro_credentials::slug.eq(slug))
        .filter(micro_credentials::id.eq_any(published))
        .select(micro_credentials::id)
        .first(conn)
        .optional()?;
    id.map(|id| id.parse().map_err(|_bad| StoreError::corrupt("micro_credentials", &id, "id")))
        .transpose()
}

/// The newest version of a family; only public ones when `public_only`.
///
/// # Errors
/// [`StoreError`].
pub fn find_newest(
    conn: &mut DbConn,
    family: MicroCredentialId,
    public_only: bool,
) -> Result<Option<Version>, StoreError> {
    let mut query = definition_versions::table
        .filter(definition_versions::micro_credential_id.eq(family.to_string()))
        .select(version_columns!())
        .into_boxed::<MultiBackend>();
    if public_only {
        query = query.filter(definition_versions::state.eq_any(["published", "retired"]));
    }
    let row: Option<Row> =
        query.order(definition_versions::number.desc()).first(conn).optional()?;
    row.map(|row| from_row(conn, row)).transpose()
}

/// The newest published version of a family that is open for submissions.
///
/// # Errors
/// [`StoreError`].
pub fn find_open(
    conn: &mut DbConn,
    family: MicroCredentialId,
) -> Result<Option<Version>, StoreError> {
    let row: Option<Row> = definition_versions::table
        .filter(definition_versions::micro_credential_id.eq(family.to_string()))
        .filter(definition_versions::state.eq(VersionState::Published.as_str()))
        .order(definition_versions::number.desc())
        .select(version_columns!())
        .first(conn)
        .optional()?;
    row.map(|row| from_row(conn, row)).transpose()
}

/// What the catalogue is searched for.
#[derive(Clone, Debug, Default)]
pub struct CatalogueQuery {
    /// Words, all of which the text must contain.
    pub words: Vec<String>,
    /// The owner.
    pub organization: Option<OrganizationId>,
    /// A skill's code.
    pub skill: Option<String>,
    /// An audience.
    pub audience: Option<String>,
    /// After this micro-credential.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

impl CatalogueQuery {
    /// The words of what somebody typed; what is longer than any search is cut.
    #[must_use]
    pub fn words_of(typed: &str) -> Vec<String> {
        let typed: String = typed.chars().take(200).collect();
        typed.split_whitespace().map(str::to_owned).collect()
    }
}

/// Family and number of every version that is public: published, or published once and retired.
///
/// # Errors
/// [`StoreError`].
pub fn list_public_numbers(conn: &mut DbConn) -> Result<Vec<(MicroCredentialId, i32)>, StoreError> {
    let public = [VersionState::Published.as_str(), VersionState::Retired.as_str()];
    let rows: Vec<(String, i32)> = definition_versions::table
        .filter(definition_versions::state.eq_any(public))
        .order((definition_versions::micro_credential_id, definition_versions::number))
        .select((definition_versions::micro_credential_id, definition_versions::number))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, number)| {
            let corrupt = || StoreError::corrupt("definition_versions", &id, "micro_credential_id");
            Ok((id.parse().map_err(|_bad| corrupt())?, number))
        })
        .collect()
}

/// Every version that an organization has, drafts included, by family and number.
///
/// # Errors
/// [`StoreError`].
pub fn list_of_organization(
    conn: &mut DbConn,
    organization: OrganizationId,
) -> Result<Vec<Version>, StoreError> {
    let rows: Vec<Row> = definition_versions::table
        .filter(definition_versions::organization_id.eq(organization.to_string()))
        .order((definition_versions::micro_credential_id, definition_versions::number))
        .select(version_columns!())
        .load(conn)?;
    rows.into_iter().map(|row| from_row(conn, row)).collect()
}

/// A page of published micro-credentials in their newest published version, by id of the family.
///
/// # Errors
/// [`StoreError`].
pub fn list_catalogue(
    conn: &mut DbConn,
    query: &CatalogueQuery,
) -> Result<Vec<Version>, StoreError> {
    let later = diesel::alias!(definition_versions as later);
    let mut boxed = definition_versions::table
        .filter(definition_versions::state.eq(VersionState::Published.as_str()))
        .filter(diesel::dsl::not(diesel::dsl::exists(
            later
                .filter(
                    later
                        .field(definition_versions::micro_credential_id)
                        .eq(definition_versions::micro_credential_id),
                )
                .filter(
                    later.field(definition_versions::state).eq(VersionState::Published.as_str()),
                )
                .filter(later.field(definition_versions::number).gt(definition_versions::number)),
        )))
        .select(version_columns!())
        .into_boxed::<MultiBackend>();
    for word in &query.words {
        // `search_text` is in lower case; a backslash escapes what LIKE would take as a wildcard.
        let escaped: String = word.to_lowercase().chars().fold(String::new(), |mut text, c| {
            if matches!(c, '%' | '_' | '\\') {
                text.push('\\');
            }
            text.push(c);
            text
        });
        boxed = boxed
            .filter(definition_versions::search_text.like(format!("%{escaped}%")).escape('\\'));
    }
    if let Some(organization) = query.organization {
        boxed = boxed.filter(definition_versions::organization_id.eq(organization.to_string()));
    }
    if let Some(skill) = &query.skill {
        let with_skill: Vec<String> = version_skills::table
            .filter(version_skills::code.eq(skill))
            .select(version_skills::version_id)
            .load(conn)?;
        boxed = boxed.filter(definition_versions::id.eq_any(with_skill));
    }
    if let Some(audience) = &query.audience {
        let for_audience: Vec<String> = version_audiences::table
            .filter(version_audiences::audience.eq(audience))
            .select(version_audiences::version_id)
            .load(conn)?;
        boxed = boxed.filter(definition_versions::id.eq_any(for_audience));
    }
    if let Some(after) = &query.after {
        boxed = boxed.filter(definition_versions::micro_credential_id.gt(after.clone()));
    }
    let rows: Vec<Row> =
        boxed.order(definition_versions::micro_credential_id).limit(query.limit).load(conn)?;
    rows.into_iter().map(|row| from_row(conn, row)).collect()
}

/// The version that a charter names by the family's slug: that of the number, or the newest published one. The nearest of
/// `organizations` that has the family counts.
///
/// # Errors
/// [`StoreError`].
pub fn find_named(
    conn: &mut DbConn,
    organizations: &[OrganizationId],
    slug: &str,
    number: Option<i32>,
) -> Result<Option<Version>, StoreError> {
    for organization in organizations {
        let family: Option<String> = micro_credentials::table
            .filter(micro_credentials::organization_id.eq(organization.to_string()))
            .filter(micro_credentials::slug.eq(slug))
            .select(micro_credentials::id)
            .first(conn)
            .optional()?;
        let Some(family) = family else { continue };
        let mut query = definition_versions::table
            .filter(definition_versions::micro_credential_id.eq(family))
            .filter(definition_versions::state.eq(VersionState::Published.as_str()))
            .select(version_columns!())
            .into_boxed::<MultiBackend>();
        if let Some(number) = number {
            query = query.filter(definition_versions::number.eq(number));
        }
        let row: Option<Row> =
            query.order(definition_versions::number.desc()).first(conn).optional()?;
        return row.map(|row| from_row(conn, row)).transpose();
    }
    Ok(None)
}
