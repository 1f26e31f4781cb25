//! The page of a stack: what has to be held for it.

use askama::Template;

use super::issuer::IssuerRef;

/// What the page of a stack shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackPage {
    /// Its id, the last segment of the page's path.
    pub stack_id: String,
    /// Its own id, a whole URL, as it stands in badges.
    pub achievement_id: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub summary: Option<String>,
    /// The language of these words, a tag of BCP 47.
    pub language: String,
    /// The organization that owns it.
    pub organization: IssuerRef,
    /// What its authors call the version.
    pub label: String,
    /// SHA-256 over everything, in hexadecimal.
    pub content_hash: String,
    /// Whether it can no longer be earned.
    pub is_retired: bool,
    /// What has to be held, a sentence for each part of the rule.
    pub rule: Vec<String>,
}

/// Writes the page of a stack.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn stack_page(page: &StackPage) -> Result<String, askama::Error> {
    StackTemplate { page }.render()
}

#[derive(Template)]
#[template(path = "stack.html", config = "src/http/web/templates/askama.toml")]
struct StackTemplate<'a> {
    page: &'a StackPage,
}
