//! Badges inside of images: putting a credential into a PNG or an SVG file, and taking it out again.
//!
//! Open Badges 3.0, section 5.3. The pixels are never touched: a PNG gets one more chunk, an SVG file one more element.

mod png;
mod svg;

use crate::credential::json;

pub use png::bake_png;
pub use svg::bake_svg;

/// Longest image that is read or made.
pub const IMAGE_LIMIT: usize = 4 * 1024 * 1024;
/// Longest credential in an image.
pub const CREDENTIAL_LIMIT: usize = json::LIMITS.bytes;

/// A credential as it stands in an image, without the white space around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Baked {
    /// A JSON document, usually with an embedded proof. It begins with `{`; more was not looked at.
    Json(String),
    /// A JWT in compact form. It has three parts of the right alphabet; more was not looked at.
    Jwt(String),
}

impl Baked {
    /// The form that this text has, or nothing if it has none of the two.
    #[must_use]
    pub fn recognise(text: &str) -> Option<Baked> {
        let text = text.trim_matches(is_json_space);
        let is_base64url =
            |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let is_jwt = || {
            let parts: Vec<&str> = text.split('.').take(4).collect();
            parts.len() == 3
                && parts.iter().all(|part| is_base64url(part))
                && parts.iter().take(2).all(|part| !part.is_empty())
        };
        if text.starts_with('{') {
            Some(Baked::Json(text.to_owned()))
        } else if is_jwt() {
            Some(Baked::Jwt(text.to_owned()))
        } else {
            None
        }
    }

    /// The text of either form.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Baked::Json(text) | Baked::Jwt(text) => text,
        }
    }

    /// The text, if it is what its form promises and can be written into an image.
    fn checked_text(&self) -> Result<&str, BakeError> {
        if self.text().len() > CREDENTIAL_LIMIT {
            return Err(BakeError::TooLarge { limit: CREDENTIAL_LIMIT });
        }
        if Baked::recognise(self.text()).as_ref() != Some(self) || !self.text().chars().all(is_xml)
        {
            return Err(BakeError::NotACredential);
        }
        Ok(self.text())
    }
}

/// Why no credential was taken out of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnbakeError {
    /// The bytes are neither a PNG nor an SVG file.
    #[error("the file is neither a PNG nor an SVG image")]
    NotAnImage,
    /// The image is sound, but has no credential in it.
    #[error("the image has no badge in it")]
    NotBaked,
    /// The image has a badge of Open Badges 2.0 or older in it.
    #[error("the image has a badge of Open Badges 2.0 or older in it")]
    Legacy,
    /// The image has more than one credential, of whatever version, so readers could disagree about it.
    #[error("the image has more than one badge in it")]
    Doubled,
    /// The credential is compressed, which the standard forbids.
    #[error("the badge in the image is compressed")]
    Compressed,
    /// The image or the place of the credential in it is not well-formed.
    #[error("the image is not well-formed: {0}")]
    Malformed(&'static str),
    /// The image or the credential in it is longer than what is read.
    #[error("the image or the badge in it is larger than {limit} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit: usize,
    },
}

/// Why a credential was not put into an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BakeError {
    /// The image cannot take a credential.
    #[error("the image cannot take a badge")]
    Image(#[source] UnbakeError),
    /// The text is no JSON object or JWT, or has characters that an image cannot carry.
    #[error("the text is not a credential that an image can carry")]
    NotACredential,
    /// The credential is longer, or the image would become longer, than what is read again.
    #[error("the badge or the image with it would be larger than {limit} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit: usize,
    },
}

/// Takes the credential out of a PNG or SVG image; which of them it is, its first bytes say.
///
/// Nothing is trusted: every limit is checked before the memory for it is taken, and an image that two readers could
/// understand differently is refused. The credential itself is not looked into.
pub fn unbake(image: &[u8]) -> Result<Baked, UnbakeError> {
    if image.len() > IMAGE_LIMIT {
        return Err(UnbakeError::TooLarge { limit: IMAGE_LIMIT });
    }
    if image.starts_with(png::SIGNATURE) {
        png::unbake(image)
    } else if svg::is_markup(image) {
        svg::unbake(image)
    } else {
        Err(UnbakeError::NotAnImage)
    }
}

/// Reads what stood in the place of a credential.
fn read(text: &str) -> Result<Baked, UnbakeError> {
    if text.len() > CREDENTIAL_LIMIT {
        return Err(UnbakeError::TooLarge { limit: CREDENTIAL_LIMIT });
    }
    Baked::recognise(text)
        .ok_or(UnbakeError::Malformed("what stands in the place of the badge is no badge"))
}

/// Whether the image is not too large to be read again.
fn check_size(size: usize) -> Result<(), BakeError> {
    if size > IMAGE_LIMIT { Err(BakeError::TooLarge { limit: IMAGE_LIMIT }) } else { Ok(()) }
}

fn is_json_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Whether an XML document may have this character: the production `Char` of XML 1.0. No JSON text needs another one.
fn is_xml(c: char) -> bool {
    is_json_space(c) || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}
