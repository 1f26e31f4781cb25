//! The page where an invited person chooses a password.

use askama::Template;

/// What the page of an invitation shows. It knows nobody: the token stays in the fragment of the link, which no server sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Template)]
#[template(path = "invitation.html", config = "src/http/web/templates/askama.toml")]
pub struct AcceptPage {}

/// Writes the page that accepts an invitation. Its script posts to `/api/v1/invitations/accept`.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn accept_invitation_page(page: &AcceptPage) -> Result<String, askama::Error> {
    page.render()
}
