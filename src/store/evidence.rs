//! Items of evidence, and who has opened them.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{evidence, evidence_accesses};
use super::{DbConn, StoreError};
use crate::domain::contribution::Contributor;
use crate::domain::evidence_metadata::EvidenceMetadata;
use crate::domain::ids::{EvidenceId, PersonId, SubmissionId};
use crate::domain::timestamp::Timestamp;

/// An item as stored; names and contents are sealed with the submission's data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvidence {
    /// Its id.
    pub id: EvidenceId,
    /// The submission it belongs to.
    pub submission: SubmissionId,
    /// The evidence requirement, or the prompt, it answers.
    pub requirement: String,
    /// `file`, `link` or `text`.
    pub kind: String,
    /// The type that the bytes have.
    pub media_type: Option<String>,
    /// How many bytes.
    pub size_bytes: i64,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// The random name of the file.
    pub storage_name: Option<String>,
    /// The name that the earner gave the file.
    pub sealed_name: Option<Vec<u8>>,
    /// The link or the text.
    pub sealed_content: Option<Vec<u8>>,
    /// Whether students can be seen or heard.
    pub contains_students: bool,
    /// Whether the consents are there.
    pub consent: bool,
    /// When it was handed in.
    pub created_at: Timestamp,
    /// What became of its metadata.
    pub metadata: EvidenceMetadata,
    /// The copy that readers get in place of the file.
    pub copy: Option<BlindCopy>,
    /// Who has added it in the earner's place.
    pub contributor: Option<Contributor>,
}

/// A file without what says whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlindCopy {
    /// The random name of the file.
    pub storage_name: String,
    /// How many bytes.
    pub size_bytes: i64,
    /// SHA-256 of the bytes.
    pub sha256: String,
}

type Row = (
    (String, String, String, String, Option<String>, i64, String),
    (Option<String>, Option<Vec<u8>>, Option<Vec<u8>>, bool, bool, NaiveDateTime),
    (String, Option<String>, Option<i64>, Option<String>, Option<String>),
);

macro_rules! evidence_columns {
    () => {
        (
            (
                evidence::id,
                evidence::submission_id,
                evidence::requirement_id,
                evidence::kind,
                evidence::media_type,
                evidence::size_bytes,
                evidence::sha256,
            ),
            (
                evidence::storage_name,
                evidence::sealed_name,
                evidence::sealed_content,
                evidence::contains_students,
                evidence::consent,
                evidence::created_at,
            ),
            (
                evidence::metadata,
                evidence::copy_storage_name,
                evidence::copy_size_bytes,
                evidence::copy_sha256,
                evidence::contributor,
            ),
        )
    };
}

fn from_row(
    ((id, submission, requirement, kind, media_type, size_bytes, sha256), rest, copy): Row,
) -> Result<StoredEvidence, StoreError> {
    let (storage_name, sealed_name, sealed_content, contains_students, consent, created_at) = rest;
    let (metadata, copy_name, copy_size, copy_sha256, contributor) = copy;
    let corrupt = |column| StoreError::corrupt("evidence", &id, column);
    let copy = match (copy_name, copy_size, copy_sha256) {
        (Some(storage_name), Some(size_bytes), Some(sha256)) => {
            Some(BlindCopy { storage_name, size_bytes, sha256 })
        }
        (None, None, None) => None,
        (_, _, _) => return Err(corrupt("copy_storage_name")),
    };
    Ok(StoredEvidence {
        id: id.parse().map_err(|_bad| corrupt("id"))?,
        submission: submission.parse().map_err(|_bad| corrupt("submission_id"))?,
        requirement,
        kind,
        media_type,
        size_bytes,
        sha256,
        storage_name,
        sealed_name,
        sealed_content,
        contains_students,
        consent,
        created_at: Timestamp::from_naive(created_at),
        metadata: EvidenceMetadata::parse(&metadata).ok_or_else(|| corrupt("metadata"))?,
        copy,
        contributor: contributor
            .map(|word| Contributor::parse(&word).ok_or_else(|| corrupt("contributor")))
            .transpose()?,
    })
}

/// Adds an item. The bytes of a file are durable before its row is.
///
/// # Errors
/// [`StoreError`].
pub fn create(conn: &mut DbConn, new: &StoredEvidence) -> Result<(), StoreError> {
    diesel::insert_into(evidence::table)
        .values((
            evidence::id.eq(new.id.to_string()),
            evidence::submission_id.eq(new.submission.to_string()),
            evidence::requirement_id.eq(&new.requirement),
            evidence::kind.eq(&new.kind),
            evidence::media_type.eq(&new.media_type),
            evidence::size_bytes.eq(new.size_bytes),
            evidence::sha256.eq(&new.sha256),
            evidence::storage_name.eq(&new.storage_name),
            evidence::sealed_name.eq(&new.sealed_name),
            evidence::sealed_content.eq(&new.sealed_content),
            evidence::contains_students.eq(new.contains_students),
            evidence::consent.eq(new.consent),
            evidence::created_at.eq(new.created_at.naive()),
            evidence::metadata.eq(new.metadata.as_str()),
            evidence::copy_storage_name.eq(new.copy.as_ref().map(|copy| &copy.storage_name)),
            evidence::copy_size_bytes.eq(new.copy.as_ref().map(|copy| copy.size_bytes)),
            evidence::copy_sha256.eq(new.copy.as_ref().map(|copy| &copy.sha256)),
            evidence::contributor.eq(new.contributor.map(Contributor::as_str)),
        ))
        .execute(conn)?;
    Ok(())
}

/// The items of a submission in the order they came.
///
/// # Errors
/// [`StoreError`].
pub fn list(
    conn: &mut DbConn,
    submission: SubmissionId,
) -> Result<Vec<StoredEvidence>, StoreError> {
    let rows: Vec<Row> = evidence::table
        .filter(evidence::submission_id.eq(submission.to_string()))
        .order(evidence::id)
        .select(evidence_columns!())
        .load(conn)?;
    rows.into_iter().map(from_row).collect()
}

/// One item, through its submission.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    conn: &mut DbConn,
    submission: SubmissionId,
    id: EvidenceId,
) -> Result<Option<StoredEvidence>, StoreError> {
    let row: Option<Row> = evidence::table
        .find(id.to_string())
        .filter(evidence::submission_id.eq(submission.to_string()))
        .select(evidence_columns!())
        .first(conn)
        .optional()?;
    row.map(from_row).transpose()
}

/// Takes an item away.
///
/// # Errors
/// [`StoreError`].
pub fn delete(
    conn: &mut DbConn,
    submission: SubmissionId,
    id: EvidenceId,
) -> Result<(), StoreError> {
    diesel::delete(
        evidence::table
            .find(id.to_string())
            .filter(evidence::submission_id.eq(submission.to_string())),
    )
    .execute(conn)?;
    Ok(())
}

/// Whether a file of this random name belongs to any item whose submission can still be read.
///
/// # Errors
/// [`StoreError`].
pub fn is_known_file(conn: &mut DbConn, storage_name: &str) -> Result<bool, StoreError> {
    use super::schema::submissions;
    let known = evidence::table
        .inner_join(submissions::table.on(submissions::id.eq(evidence::submission_id)))
        .filter(
            evidence::storage_name
                .eq(Some(storage_name))
                .or(evidence::copy_storage_name.eq(Some(storage_name))),
        )
        .filter(submissions::sealed_key.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(conn)?)
}

/// Records who opened an item (or `responses`, the answers), why and when.
///
/// # Errors
/// [`StoreError`].
pub fn record_access(
    conn: &mut DbConn,
    access_id: &str,
    item: &str,
    submission: SubmissionId,
    person: PersonId,
    purpose: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(evidence_accesses::table)
        .values((
            evidence_accesses::id.eq(access_id),
            evidence_accesses::evidence_id.eq(item),
            evidence_accesses::submission_id.eq(submission.to_string()),
            evidence_accesses::person_id.eq(person.to_string()),
            evidence_accesses::purpose.eq(purpose),
            evidence_accesses::accessed_at.eq(now.naive()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets who opened what before `before`.
///
/// # Errors
/// [`StoreError`].
pub fn purge_accesses(conn: &mut DbConn, before: Timestamp) -> Result<(), StoreError> {
    diesel::delete(
        evidence_accesses::table.filter(evidence_accesses::accessed_at.lt(before.naive())),
    )
    .execute(conn)?;
    Ok(())
}
