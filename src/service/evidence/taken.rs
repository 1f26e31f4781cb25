//! Files on their way to become items of evidence.

use super::{Incoming, ItemTerms, blank};
use crate::domain::evidence_metadata::EvidenceMetadata;
use crate::domain::ids::SubmissionId;
use crate::files::{
    DataKey, Limits, STRIP_LIMIT, Stored, can_strip, extension_for, has_no_metadata, seal_bytes,
};
use crate::service::context::Resources;
use crate::service::error::Error;
use crate::service::submissions;
use crate::store::evidence::{BlindCopy, StoredEvidence};
use crate::store::submissions::StoredSubmission;

/// The most characters of a file's display name.
const LONGEST_FILE_NAME: usize = 255;

/// A file that bytes are written to, sealed with the submission's key while they come.
pub(in crate::service) fn open_incoming(
    resources: &Resources,
    stored: &StoredSubmission,
) -> Result<Incoming, Error> {
    let key = submissions::open_key(resources, stored)?;
    Ok(resources.evidence.begin(&key, Limits::default())?)
}

/// A file that has come whole and is of a type that is taken, with the copy that readers get. It belongs to no row yet: whoever adds none
/// discards it.
pub(in crate::service) struct TakenFile {
    file: Stored,
    /// What its sender calls it.
    pub(super) name: String,
    metadata: EvidenceMetadata,
    copy: Option<Stored>,
}

impl TakenFile {
    /// Ends an upload.
    ///
    /// # Errors
    /// [`Error::UnsupportedFile`], [`Error::FileTooLarge`]; the file is removed then.
    pub(in crate::service) fn new(
        resources: &Resources,
        stored: &StoredSubmission,
        incoming: Incoming,
        file_name: &str,
        media: &[String],
    ) -> Result<TakenFile, Error> {
        let allowed: Vec<&str> = media.iter().map(String::as_str).collect();
        let file = incoming.finish(file_name, &allowed)?;
        let key = submissions::open_key(resources, stored)?;
        match make_copy(resources, &file, &key) {
            Ok((metadata, copy)) => {
                Ok(TakenFile { file, name: display_name(file_name), metadata, copy })
            }
            Err(error) => {
                discard(resources, &file);
                Err(error)
            }
        }
    }

    /// The file as an item.
    pub(super) fn item(
        &self,
        id: SubmissionId,
        terms: &ItemTerms,
        key: &DataKey,
    ) -> Result<StoredEvidence, Error> {
        let (file, name) = (&self.file, self.name.as_bytes());
        Ok(StoredEvidence {
            kind: "file".to_owned(),
            media_type: Some(file.media_type.to_owned()),
            size_bytes: i64::try_from(file.size).unwrap_or(i64::MAX),
            sha256: file.sha256.clone(),
            storage_name: Some(file.storage_name.as_str().to_owned()),
            sealed_name: Some(seal_bytes(key, name, b"name").map_err(Error::internal)?),
            metadata: self.metadata,
            copy: self.copy.as_ref().map(|copy| BlindCopy {
                storage_name: copy.storage_name.as_str().to_owned(),
                size_bytes: i64::try_from(copy.size).unwrap_or(i64::MAX),
                sha256: copy.sha256.clone(),
            }),
            ..blank(id, terms)
        })
    }

    /// Removes it with its copy.
    pub(in crate::service) fn discard(&self, resources: &Resources) {
        discard(resources, &self.file);
        if let Some(copy) = &self.copy {
            discard(resources, copy);
        }
    }
}

/// Makes the copy that readers get: the file without what says whose it is. What cannot be taken apart is handed on as it is, and its
/// earner is told so.
fn make_copy(
    resources: &Resources,
    file: &Stored,
    key: &DataKey,
) -> Result<(EvidenceMetadata, Option<Stored>), Error> {
    let media_type = file.media_type;
    if has_no_metadata(media_type) {
        return Ok((EvidenceMetadata::None, None));
    }
    if !can_strip(media_type) || file.size > STRIP_LIMIT {
        return Ok((EvidenceMetadata::Kept, None));
    }
    let original = resources.evidence.open_file(&file.storage_name, key)?;
    let mut incoming = resources.evidence.begin(key, Limits::default())?;
    let is_stripped =
        resources.stripper.strip(media_type, original, &mut |part| incoming.write(part))?;
    if !is_stripped {
        return Ok((EvidenceMetadata::Kept, None));
    }
    let extension = extension_for(media_type).unwrap_or("bin");
    // A copy that is not of its kind any more is worse than none.
    match incoming.finish(&format!("copy.{extension}"), &[media_type]) {
        Ok(copy) => Ok((EvidenceMetadata::Removed, Some(copy))),
        Err(error) => {
            tracing::error!(%error, media_type, "a file without its metadata is not of its kind");
            Ok((EvidenceMetadata::Kept, None))
        }
    }
}

fn discard(resources: &Resources, file: &Stored) {
    if let Err(error) = resources.evidence.remove(&file.storage_name) {
        // The sweeper finds it later.
        tracing::warn!(%error, "a refused file could not be removed");
    }
}

/// The last part of a path, without control characters: display text and nothing else.
fn display_name(file_name: &str) -> String {
    let last = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).take(LONGEST_FILE_NAME).collect();
    if clean.trim().is_empty() { "file".to_owned() } else { clean }
}
