//! The page of a stack: what has to be held for it. The page of all of them: how far somebody is.

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
    /// What has to be held, part by part of the rule.
    pub rule: Vec<AskedLine>,
}

/// One part of a stack's rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedLine {
    /// The category, where the rule has one.
    pub category: Option<String>,
    /// How many of them, in words.
    pub words: String,
    /// The micro-credentials that count.
    pub items: Vec<AskedItem>,
}

/// A micro-credential that a stack names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedItem {
    /// Its title.
    pub title: String,
    /// Its id and the number of its newest public version, where it has one.
    pub page: Option<(String, u32)>,
}

/// Writes the page of a stack.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn stack_page(page: &StackPage) -> Result<String, askama::Error> {
    StackTemplate { page }.render()
}

/// Writes the page where somebody sees how far they are with each stack. Its script signs in and reads `/api/v1/me/stacks`.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn stacks_page() -> Result<String, askama::Error> {
    StacksTemplate.render()
}

#[derive(Template)]
#[template(path = "stacks.html", config = "src/http/web/templates/askama.toml")]
struct StacksTemplate;

#[derive(Template)]
#[template(path = "stack.html", config = "src/http/web/templates/askama.toml")]
struct StackTemplate<'a> {
    page: &'a StackPage,
}
