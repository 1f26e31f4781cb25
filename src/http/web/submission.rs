//! The page where somebody sees how far a submission has come.

use askama::Template;

/// Writes the page that the mails about a submission lead to. Its script signs in and reads `/api/v1/submissions/{id}`.
///
/// It takes nothing: the page is the same for every id, so that it tells nobody which submissions there are.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn submission_page() -> Result<String, askama::Error> {
    SubmissionTemplate.render()
}

#[derive(Template)]
#[template(path = "submission.html", config = "src/http/web/templates/askama.toml")]
struct SubmissionTemplate;
