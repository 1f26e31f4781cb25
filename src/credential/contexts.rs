//! The JSON-LD contexts that are part of the program.
//!
//! A context decides what a signature covers, so it comes from here and never from the network: an unknown one is
//! an error. Each is pinned by its SHA-256.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

/// Verifiable Credentials Data Model 2.0: the first context of every credential.
pub const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// Verifiable Credentials Data Model 1.1, which is read and never written.
pub const CREDENTIALS_V1: &str = "https://www.w3.org/2018/credentials/v1";
/// Open Badges 3.0, the state that new badges name.
pub const OPEN_BADGES: &str = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";
/// The types whose names begin with `1EdTech`.
pub const OPEN_BADGES_EXTENSIONS: &str = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json";
/// Multikey documents.
pub const MULTIKEY: &str = "https://w3id.org/security/multikey/v1";
/// Keys as JWK.
pub const JWK: &str = "https://w3id.org/security/jwk/v1";
/// Controller and DID documents.
pub const DID: &str = "https://www.w3.org/ns/did/v1";

/// One context of the bundle.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// The address that documents name.
    pub url: &'static str,
    /// The file under `credential-schemas/contexts`.
    pub file: &'static str,
    /// Lower-case hex of the SHA-256 of [`Bundled::bytes`].
    pub sha256: &'static str,
    /// The document, as published.
    pub bytes: &'static [u8],
}

macro_rules! bundled {
    ($url:literal, $file:literal, $sha256:literal) => {
        Bundled {
            url: $url,
            file: $file,
            sha256: $sha256,
            bytes: include_bytes!(concat!("../../credential-schemas/contexts/", $file)),
        }
    };
}

/// Every context that a document may name.
pub const BUNDLE: &[Bundled] = &[
    bundled!(
        "https://www.w3.org/ns/credentials/v2",
        "credentials-v2.jsonld",
        "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"
    ),
    bundled!(
        "https://www.w3.org/2018/credentials/v1",
        "credentials-v1.jsonld",
        "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc"
    ),
    bundled!(
        "https://www.w3.org/ns/credentials/examples/v2",
        "credentials-examples-v2.jsonld",
        "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c"
    ),
    bundled!(
        "https://www.w3.org/2018/credentials/examples/v2",
        "credentials-examples-v2.jsonld",
        "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c"
    ),
    bundled!(
        "https://w3id.org/security/data-integrity/v1",
        "data-integrity-v1.jsonld",
        "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554"
    ),
    bundled!(
        "https://w3id.org/security/data-integrity/v2",
        "data-integrity-v2.jsonld",
        "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4"
    ),
    bundled!(
        "https://w3id.org/security/multikey/v1",
        "multikey-v1.jsonld",
        "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597"
    ),
    bundled!(
        "https://w3id.org/security/jwk/v1",
        "jwk-v1.jsonld",
        "0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece"
    ),
    bundled!(
        "https://w3id.org/security/suites/ed25519-2020/v1",
        "ed25519-2020-v1.jsonld",
        "3db5c19efb0047a6edfd3b36e24346a8a3caad369d749e3c2d69e862696403e5"
    ),
    bundled!(
        "https://www.w3.org/ns/credentials/status/v1",
        "bitstring-status-list-v1.jsonld",
        "fda5add353231e6a6884a46b12e6c75464281900cb348284d9c360f62381d9f7"
    ),
    bundled!(
        "https://www.w3.org/ns/did/v1",
        "did-v1.jsonld",
        "adefa50311393eb1bd788a38ac9fe2696c65367928f6996812cd54577394f4da"
    ),
    bundled!(
        "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
        "ob-v3p0-context.json",
        "b077fa134d909d92c1dcd1c153f2af1b244aeb415967fdc1467d7fc5dd48ac10"
    ),
    bundled!(
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
        "ob-v3p0-context-3.0.1.json",
        "cfc147db5fd5e3575b06bd471fe04784e92de69296f64a351b8dff0ec3372e9c"
    ),
    bundled!(
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json",
        "ob-v3p0-context-3.0.2.json",
        "bba433989e1e700ca60838a3c22378e7d8381aeb0c9590f9ddf84d1714f10296"
    ),
    bundled!(
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "ob-v3p0-context-3.0.3.json",
        "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84"
    ),
    bundled!(
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
        "ob-v3p0-extensions.json",
        "146f85aa16effd7ca1da8056eb443f53ce1eca8a34186cb062832c0a97d889c3"
    ),
    bundled!(
        "https://purl.imsglobal.org/spec/clr/v2p0/context.json",
        "clr-v2p0-context.json",
        "e198d7b517d74c5036434ce495086f67b10244709e9a3df9dcb7f8b1579b6167"
    ),
    bundled!(
        "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json",
        "clr-v2p0-context-2.0.1.json",
        "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6"
    ),
];

static PARSED: LazyLock<HashMap<&'static str, Value>> = LazyLock::new(|| {
    let mut contexts = HashMap::new();
    for bundled in BUNDLE {
        let document = serde_json::from_slice::<Value>(bundled.bytes);
        debug_assert!(document.is_ok(), "{} is JSON", bundled.file);
        if let Ok(mut document) = document
            && let Some(context) = document.get_mut("@context")
        {
            contexts.insert(bundled.url, context.take());
        }
    }
    contexts
});

/// The value of `@context` in the bundled document at `url`, or `None` when it is not part of the bundle.
#[must_use]
pub fn find(url: &str) -> Option<&'static Value> {
    PARSED.get(url)
}
