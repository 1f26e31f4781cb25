//! The page where somebody without an account adds an item to an earner's evidence.

use askama::Template;

/// What the page shows. It knows nothing: the secret stays in the fragment of the link, which no server sees.
#[derive(Template)]
#[template(path = "contribution.html", config = "src/http/web/templates/askama.toml")]
struct ContributionPage {}

/// Writes the page of a contributor's link. Its script asks `/api/v1/contributions/read` what to show.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn contribution_page() -> Result<String, askama::Error> {
    ContributionPage {}.render()
}
