//! The page of an issuer: who signs, with which keys, and what can be earned.

use askama::Template;
use chrono::NaiveDate;

use super::catalogue::CatalogueItem;
use super::words;

/// An organization as other pages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerRef {
    /// Its id, the last segment of its page's path.
    pub organization_id: String,
    /// Its name, as printed on badges.
    pub name: String,
}

/// What the page of an issuer shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerPage {
    /// The organization's id, the last segment of the page's path.
    pub organization_id: String,
    /// The issuer's own id, a whole URL, as it stands in badges.
    pub issuer_id: String,
    /// Its name, as printed on badges.
    pub name: String,
    /// What it is: the word of the API, such as `district`.
    pub kind: String,
    /// Its web site. It becomes a link only if it leads to the web.
    pub url: Option<String>,
    /// Its public address.
    pub email: Option<String>,
    /// Its keys, in use or not: what a retired key signed stays verifiable.
    pub keys: Vec<IssuerKeyView>,
    /// What it has published.
    pub micro_credentials: Vec<CatalogueItem>,
}

/// One of an issuer's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerKeyView {
    /// The public key as a Multikey, `z6Mk…`.
    pub multikey: String,
    /// The word of the API: `active`, `retired` or `compromised`.
    pub state: String,
    /// The day on which it was made.
    pub since: NaiveDate,
}

impl IssuerKeyView {
    fn short_key(&self) -> String {
        words::shortened(&self.multikey)
    }

    fn state_in_words(&self) -> String {
        match self.state.as_str() {
            "active" => "In use".to_owned(),
            "retired" => "Retired: badges it signed stay valid".to_owned(),
            "compromised" => "Compromised: ask the issuer about badges it signed".to_owned(),
            other => words::code_in_words(other),
        }
    }

    fn since_in_words(&self) -> String {
        words::date_in_words(&self.since)
    }

    fn since_iso(&self) -> String {
        words::iso_date(&self.since)
    }
}

/// Writes the page of an issuer.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn issuer_page(page: &IssuerPage) -> Result<String, askama::Error> {
    let template = IssuerTemplate {
        page,
        kind: words::code_in_words(&page.kind),
        web_site: page.url.as_deref().and_then(words::web_link),
        mail_link: page.email.as_deref().and_then(words::mail_link),
    };
    template.render()
}

#[derive(Template)]
#[template(path = "issuer.html", config = "src/http/web/templates/askama.toml")]
struct IssuerTemplate<'a> {
    page: &'a IssuerPage,
    kind: String,
    web_site: Option<String>,
    mail_link: Option<String>,
}
