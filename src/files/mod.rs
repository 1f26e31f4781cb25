//! Evidence files: checked while they stream in, encrypted at rest, written so that a crash leaves no half file.
//!
//! A file enters through [`EvidenceStore::begin`]. [`Incoming`] hashes, measures, looks at and
//! encrypts it chunk by chunk, and [`Incoming::finish`] gives it a random [`StorageName`] once it
//! is safely on disk. The row that names it is committed after that, by the caller; what a crash
//! leaves without a row is found by [`EvidenceStore::sweep`], what a row names without a file by
//! [`EvidenceStore::missing`].
//!
//! Every submission has its own [`DataKey`]. Deleting that key forgets the submission's files
//! everywhere, backups included. Small texts are sealed under the same key by [`seal_bytes`].

mod incoming;
mod media;
mod metadata;
mod reader;
mod seal;
mod store;
mod stripper;
mod text;

pub use incoming::{Incoming, Limits, OTHER_LIMIT, Stored, VIDEO_LIMIT};
pub use media::{ALLOWED_MEDIA, extension_for, limit_for, media_type_for_extension};
pub use metadata::{STRIP_LIMIT, StripError, Table, can_strip, has_no_metadata, read_table, strip};
pub use reader::EvidenceReader;
pub use seal::{DataKey, SealError, open_bytes, seal_bytes};
pub use store::{EvidenceStore, FilesError, StorageName, StorageNameError, SweepReport};
pub use stripper::{CANNOT, Stripper, TABLE_LIMIT};
