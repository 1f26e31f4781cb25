//! Telling the forms of a badge apart, before anything is trusted.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::InputError;
use crate::credential::bake::{self, Baked, UnbakeError};
use crate::credential::json::{self, JsonError};
use crate::credential::lint::{has_type, items};

pub use crate::credential::bake::IMAGE_LIMIT;

/// Longest text, JSON or JWT.
pub const TEXT_LIMIT: usize = json::LIMITS.bytes;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

pub(super) enum Form {
    /// A credential as JSON, of either version of the data model.
    Credential(Value),
    /// What looks like a compact JWT.
    Token(String),
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
        return image(input);
    }
    let text = input.trim_ascii();
    if text.starts_with(b"<") {
        return if is_svg(text) {
            image(input)
        } else if input.len() > TEXT_LIMIT {
            Err(InputError::TooLarge { limit: TEXT_LIMIT })
        } else {
            Err(InputError::NotParseable)
        };
    }
    if input.len() > TEXT_LIMIT {
        return Err(InputError::TooLarge { limit: TEXT_LIMIT });
    }
    if is_compact_jwt(text)
        && let Ok(token) = str::from_utf8(text)
    {
        return Ok(Form::Token(token.to_owned()));
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

fn image(input: &[u8]) -> Result<Form, InputError> {
    if input.len() > IMAGE_LIMIT {
        return Err(InputError::TooLarge { limit: IMAGE_LIMIT });
    }
    let (code, detail) = match bake::unbake(input) {
        Ok(Baked::Json(text) | Baked::Jwt(text)) => {
            // Unbaking finds text, never another image.
            return match recognise(text.as_bytes()) {
                Ok(form) => Ok(form),
                Err(InputError::TooLarge { limit }) => Err(InputError::TooLarge { limit }),
                Err(InputError::NotParseable | InputError::NotACredential) => {
                    Ok(Form::Unreadable(Unreadable {
                        code: "image-malformed",
                        detail: "What stands in the place of the badge in the image is no badge.",
                    }))
                }
            };
        }
        Err(UnbakeError::TooLarge { limit }) => return Err(InputError::TooLarge { limit }),
        Err(UnbakeError::NotAnImage) => return Err(InputError::NotParseable),
        Err(UnbakeError::Legacy) => {
            return Ok(Form::Unsupported("A badge of Open Badges 2.0 or older"));
        }
        Err(UnbakeError::NotBaked) => ("image-not-baked", "The image has no badge in it."),
        Err(UnbakeError::Doubled) => (
            "image-doubled",
            "The image has more than one badge in it, so readers could disagree about it.",
        ),
        Err(UnbakeError::Compressed) => {
            ("image-compressed", "The badge in the image is compressed, which is not allowed.")
        }
        Err(UnbakeError::Malformed(_)) => {
            ("image-malformed", "The image, or the badge in it, is damaged.")
        }
    };
    Ok(Form::Unreadable(Unreadable { code, detail }))
}

fn is_svg(text: &[u8]) -> bool {
    let head = &text[..text.len().min(4_096)];
    head.windows(4).any(|window| window.eq_ignore_ascii_case(b"<svg"))
}

/// Whether a text is to be read as a token: three parts, of which the first says `{`.
pub(super) fn is_compact_jwt(text: &[u8]) -> bool {
    let parts: Vec<&[u8]> = text.split(|&byte| byte == b'.').take(4).collect();
    let [header, payload, _signature] = parts.as_slice() else { return false };
    !payload.is_empty()
        && URL_SAFE_NO_PAD
            .decode(header)
            .is_ok_and(|header| header.trim_ascii_start().starts_with(b"{"))
}

pub(super) fn credential(document: Value) -> Result<Form, InputError> {
    let types = [
        "VerifiableCredential",
        "AchievementCredential",
        "OpenBadgeCredential",
        "EnvelopedVerifiableCredential",
    ];
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
        // VCDM 2.0, section 4.13: all that counts is in the address.
        let token =
            document["id"].as_str().and_then(|id| id.strip_prefix("data:application/vc+jwt,"));
        return Ok(match token.filter(|token| is_compact_jwt(token.as_bytes())) {
            Some(token) => Form::Token(token.to_owned()),
            None => Form::Unsupported("An enveloped credential of this kind"),
        });
    }
    Ok(Form::Credential(document))
}
