//! The files that pages refer to: one stylesheet, one emblem and seven scripts, all inside the program.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A file served under `/assets/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The last segment of its path.
    pub name: &'static str,
    /// What goes into `Content-Type`.
    pub media_type: &'static str,
    /// The contents.
    pub bytes: &'static [u8],
    /// The strong entity tag, with its quotation marks: a part of the SHA-256 of the contents.
    pub etag: String,
}

/// Every file that a page refers to. Names do not change with the contents, so browsers must revalidate.
pub static ASSETS: LazyLock<[Asset; 10]> = LazyLock::new(|| {
    [
        asset("assay.css", "text/css; charset=utf-8", include_bytes!("assets/assay.css")),
        asset("hallmark.svg", "image/svg+xml", include_bytes!("assets/hallmark.svg")),
        asset(
            "credential.js",
            "text/javascript; charset=utf-8",
            include_bytes!("assets/credential.js"),
        ),
        asset("verify.js", "text/javascript; charset=utf-8", include_bytes!("assets/verify.js")),
        asset(
            "invitation.js",
            "text/javascript; charset=utf-8",
            include_bytes!("assets/invitation.js"),
        ),
        asset(
            "contribution.js",
            "text/javascript; charset=utf-8",
            include_bytes!("assets/contribution.js"),
        ),
        asset(
            "proposal.js",
            "text/javascript; charset=utf-8",
            include_bytes!("assets/proposal.js"),
        ),
        asset("session.js", "text/javascript; charset=utf-8", include_bytes!("assets/session.js")),
        asset("stacks.js", "text/javascript; charset=utf-8", include_bytes!("assets/stacks.js")),
        asset(
            "submission.js",
            "text/javascript; charset=utf-8",
            include_bytes!("assets/submission.js"),
        ),
    ]
});

/// The file with this name, if there is one.
#[must_use]
pub fn find_asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

fn asset(name: &'static str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    let digest = Sha256::digest(bytes);
    let tag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Asset { name, media_type, bytes, etag: format!("\"{tag}\"") }
}
