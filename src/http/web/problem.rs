//! The page of a problem: what is wrong, and what a person can do about it.

use askama::Template;

/// What the page of a problem shows: one that just happened, or the meaning of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemPage {
    /// The stable code, the last segment of the problem's `type`.
    pub code: String,
    /// The title.
    pub title: String,
    /// The HTTP status, where the code always has the same.
    pub status: Option<u16>,
    /// What is wrong.
    pub detail: String,
    /// What a person can do now.
    pub what_to_do: String,
    /// The id under which the operator finds the request, when there is one.
    pub request_id: Option<String>,
}

/// Writes the page of a problem.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn problem_page(page: &ProblemPage) -> Result<String, askama::Error> {
    ProblemTemplate { page }.render()
}

#[derive(Template)]
#[template(path = "problem.html", config = "src/http/web/templates/askama.toml")]
struct ProblemTemplate<'a> {
    page: &'a ProblemPage,
}
