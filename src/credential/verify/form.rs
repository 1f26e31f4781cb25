//! Telling the forms of a badge apart, before anything is trusted.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::InputError;
use crate::credential::json::{self, JsonError};
use crate::credential::lint::{has_type, items};

/// Longest text, JSON or JWT.
pub const TEXT_LIMIT: usize = json::LIMITS.bytes;
/// Longest image.
pub const IMAGE_LIMIT: usize = 4 * 1024 * 1024;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

pub(super) enum Form {
    /// A credential with the data model and proofs that are understood.
    Credential(Value),
    /// A form that exists, but is not read here.
    Unsupported(&'static str),
    /// JSON that passes a limit or has a key twice.
    Unreadable(Unreadable),
}

pub(super) struct Unreadable {
    pub(super) code: &'static str,
    pub(super) detail: &'static str,
}

pub(super) fn recognise(input: &[u8]) -> Result<Form, InputError> {
    if input.starts_with(PNG) {
        return image(input, "A badge in a PNG image");
    }
    let text = input.trim_ascii();
    if text.starts_with(b"<") {
        return if is_svg(text) {
            image(input, "A badge in an SVG image")
        } else if input.len() > TEXT_LIMIT {
            Err(InputError::TooLarge { limit: TEXT_LIMIT })
        } else {
            Err(InputError::NotParseable)
        };
    }
    if input.len() > TEXT_LIMIT {
        return Err(InputError::TooLarge { limit: TEXT_LIMIT });
    }
    if is_compact_jwt(text) {
        return Ok(Form::Unsupported("A badge that is signed as a JWT"));
    }
    let (code, detail) = match json::parse(input, &json::LIMITS) {
        Ok(document) => return credential(document),
        Err(JsonError::TooLarge { limit }) => return Err(InputError::TooLarge { limit }),
        Err(JsonError::NotJson(_)) => return Err(InputError::NotParseable),
        Err(_) if !text.starts_with(b"{") => return Err(InputError::NotACredential),
        Err(JsonError::TooDeep { .. }) => ("too-deep", "The document is nested too deeply."),
        Err(JsonError::TooManyNodes { .. }) => {
            ("too-many-values", "The document has too many values.")
        }
        Err(JsonError::DuplicateKey { .. }) => (
            "duplicate-key",
            "The document names one member twice, so readers could disagree about it.",
        ),
    };
    Ok(Form::Unreadable(Unreadable { code, detail }))
}

fn image(input: &[u8], name: &'static str) -> Result<Form, InputError> {
    if input.len() > IMAGE_LIMIT {
        Err(InputError::TooLarge { limit: IMAGE_LIMIT })
    } else {
        Ok(Form::Unsupported(name))
    }
}

fn is_svg(text: &[u8]) -> bool {
    let head = &text[..text.len().min(4_096)];
    head.windows(4).any(|window| window.eq_ignore_ascii_case(b"<svg"))
}

fn is_compact_jwt(text: &[u8]) -> bool {
    let parts: Vec<&[u8]> = text.split(|&byte| byte == b'.').take(4).collect();
    let [header, payload, _signature] = parts.as_slice() else { return false };
    if payload.is_empty() || header.len() > 16 * 1024 {
        return false;
    }
    URL_SAFE_NO_PAD
        .decode(header)
        .ok()
        .and_then(|header| json::parse(&header, &json::LIMITS).ok())
        .is_some_and(|header| header["alg"].is_string())
}

fn credential(document: Value) -> Result<Form, InputError> {
    let types = ["VerifiableCredential", "AchievementCredential", "OpenBadgeCredential"];
    let contexts = items(document.get("@context"));
    let names = |url: &str| contexts.iter().any(|(_, context)| context.as_str() == Some(url));
    if !document.is_object() {
        return Err(InputError::NotACredential);
    }
    if names("https://w3id.org/openbadges/v2") || names("https://w3id.org/openbadges/v1") {
        return Ok(Form::Unsupported("A badge of Open Badges 2.0 or older"));
    }
    let is_credential = types.iter().any(|name| has_type(&document, name))
        || (document.get("credentialSubject").is_some() && document.get("issuer").is_some());
    if !is_credential {
        return Err(InputError::NotACredential);
    }
    if has_type(&document, "EnvelopedVerifiableCredential") {
        return Ok(Form::Unsupported("An enveloped credential"));
    }
    if names("https://www.w3.org/2018/credentials/v1") {
        return Ok(Form::Unsupported("A badge of version 1.1 of the credentials data model"));
    }
    if has_type(&document, "ClrCredential") {
        return Ok(Form::Unsupported("A learner record"));
    }
    if has_type(&document, "EndorsementCredential") {
        return Ok(Form::Unsupported("An endorsement"));
    }
    Ok(Form::Credential(document))
}
