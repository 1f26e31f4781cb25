//! The files that pages refer to: one stylesheet, one emblem, a script for each page that needs one and the modules that these share, all
//! inside the program. The modules are served as they are written: nothing builds them.

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
pub static ASSETS: LazyLock<[Asset; 14]> = LazyLock::new(|| {
    [
        asset("assay.css", "text/css; charset=utf-8", include_bytes!("assets/assay.css")),
        asset("hallmark.svg", "image/svg+xml", include_bytes!("assets/hallmark.svg")),
        script("page.js", include_bytes!("assets/page.js")),
        script("credential.js", include_bytes!("assets/credential.js")),
        script("verify.js", include_bytes!("assets/verify.js")),
        script("invitation.js", include_bytes!("assets/invitation.js")),
        script("contribution.js", include_bytes!("assets/contribution.js")),
        script("proposal.js", include_bytes!("assets/proposal.js")),
        script("session.js", include_bytes!("assets/session.js")),
        script("stacks.js", include_bytes!("assets/stacks.js")),
        script("submission.js", include_bytes!("assets/submission.js")),
        script("coaching.js", include_bytes!("assets/coaching.js")),
        script("coaches.js", include_bytes!("assets/coaches.js")),
        script("work.js", include_bytes!("assets/work.js")),
    ]
});

/// The file with this name, if there is one.
#[must_use]
pub fn find_asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

fn script(name: &'static str, bytes: &'static [u8]) -> Asset {
    asset(name, "text/javascript; charset=utf-8", bytes)
}

fn asset(name: &'static str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    let digest = Sha256::digest(bytes);
    let tag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Asset { name, media_type, bytes, etag: format!("\"{tag}\"") }
}
