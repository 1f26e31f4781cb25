//! The page where a coach sees what is shared with them, and whoever was named says whether they have made something together.

use askama::Template;

/// Writes the page that the mails to coaches and co-earners lead to. Its script signs in and reads `/api/v1/coachings` and
/// `/api/v1/shared-evidence`.
///
/// It takes nothing: which coaching lies open is in the fragment of the address, which no server sees.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn coaching_page() -> Result<String, askama::Error> {
    CoachingTemplate.render()
}

#[derive(Template)]
#[template(path = "coaching.html", config = "src/http/web/templates/askama.toml")]
struct CoachingTemplate;
