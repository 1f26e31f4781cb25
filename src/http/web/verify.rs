//! The page where anybody reads the verdict about a badge.

use askama::Template;

/// Writes the page where a badge is dropped or pasted. Its script posts to `/api/v1/verify`.
///
/// A path such as `/credentials/{award_id}` in the page's fragment names a badge of this service to begin with.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn verify_page() -> Result<String, askama::Error> {
    VerifyTemplate.render()
}

#[derive(Template)]
#[template(path = "verify.html", config = "src/http/web/templates/askama.toml")]
struct VerifyTemplate;
