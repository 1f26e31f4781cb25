//! The front page: what this is, and what can be earned.

use askama::Template;
use url::form_urlencoded;

use super::achievement::SkillView;
use super::words;

/// What the front page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CataloguePage {
    /// What was looked for.
    pub search: CatalogueSearch,
    /// Skills to choose from. Without any, the page has no such choice.
    pub skills: Vec<SkillView>,
    /// Audiences to choose from, in the words of definitions. Without any, the page has no such choice.
    pub audiences: Vec<String>,
    /// What was found.
    pub items: Vec<CatalogueItem>,
    /// Where the next items begin, if there are more.
    pub next_cursor: Option<String>,
}

/// What the front page is asked for, as its query has it: `?q=&skill=&audience=`. An empty field asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogueSearch {
    /// Words of the title or summary.
    pub q: String,
    /// The code of a skill.
    pub skill: String,
    /// An audience.
    pub audience: String,
}

/// A published micro-credential in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueItem {
    /// The family of the definition.
    pub micro_credential_id: String,
    /// The version that can be earned now, counted from 1.
    pub version: u32,
    /// The title.
    pub title: String,
    /// The language of the definition's words, a tag of BCP 47.
    pub language: String,
    /// The organization that owns it.
    pub organization: String,
    /// What it is, in a paragraph.
    pub summary: String,
    /// Roles whose work it fits, in the words of definitions.
    pub audience: Vec<String>,
    /// What an award shows that the earner can do, in words.
    pub skills: Vec<String>,
}

impl CatalogueItem {
    pub(super) fn audience_in_words(&self) -> String {
        let roles: Vec<String> =
            self.audience.iter().map(|role| words::code_in_words(role)).collect();
        roles.join(", ")
    }
}

impl CatalogueSearch {
    fn is_empty(&self) -> bool {
        [&self.q, &self.skill, &self.audience].iter().all(|field| field.trim().is_empty())
    }
}

/// Writes the front page.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn catalogue_page(page: &CataloguePage) -> Result<String, askama::Error> {
    CatalogueTemplate { page }.render()
}

#[derive(Template)]
#[template(path = "catalogue.html", config = "src/http/web/templates/askama.toml")]
struct CatalogueTemplate<'a> {
    page: &'a CataloguePage,
}

impl CatalogueTemplate<'_> {
    /// What was looked for, as a person would say it.
    fn asked_for(&self) -> String {
        let search = &self.page.search;
        let mut parts = Vec::new();
        if !search.q.trim().is_empty() {
            parts.push(format!("“{}”", search.q.trim()));
        }
        if !search.skill.trim().is_empty() {
            let known = self.page.skills.iter().find(|skill| skill.code == search.skill);
            let label = known.map_or(search.skill.trim(), |skill| skill.label.as_str());
            parts.push(format!("the skill “{label}”"));
        }
        if !search.audience.trim().is_empty() {
            parts.push(format!("the audience “{}”", words::code_in_words(search.audience.trim())));
        }
        parts.join(" and ")
    }

    fn audience_options(&self) -> Vec<(&str, String)> {
        self.page.audiences.iter().map(|code| (code.as_str(), words::code_in_words(code))).collect()
    }

    fn more_link(&self, cursor: &str) -> String {
        let search = &self.page.search;
        let mut query = form_urlencoded::Serializer::for_suffix("/?".to_owned(), 2);
        for (name, value) in
            [("q", &search.q), ("skill", &search.skill), ("audience", &search.audience)]
        {
            if !value.trim().is_empty() {
                query.append_pair(name, value);
            }
        }
        query.append_pair("cursor", cursor).finish()
    }
}
