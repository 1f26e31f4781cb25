//! The page of a rubric's proposals: what was proposed, what the design team answers, and the form for one more.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::public::rendered;
use super::words;
use crate::domain::ids::MicroCredentialId;
use crate::domain::proposal::ProposalOutcome;
use crate::domain::version::VersionState;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::{Meta, Path};
use crate::service::proposals::{self, ProposalDetail};
use crate::service::publications;

/// So many proposals are on the page.
const ON_PAGE: usize = 100;

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalsPage {
    /// The family.
    pub micro_credential_id: String,
    /// The version that is proposed for.
    pub version: u32,
    /// Its title.
    pub title: String,
    /// The language of the title.
    pub language: String,
    /// Whether something can be proposed.
    pub is_open: bool,
    /// What was proposed, the oldest first.
    pub items: Vec<ProposalLine>,
    /// Whether there is more than the page shows.
    pub has_more: bool,
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalLine {
    /// Under which name.
    pub credit_name: Option<String>,
    /// The day, in words.
    pub sent_on: String,
    /// About which version.
    pub version: u32,
    /// The words.
    pub paragraphs: Vec<String>,
    /// What would be different, in sentences.
    pub differences: Vec<String>,
    /// The answer.
    pub answer: Option<AnswerLine>,
    /// The version that it became the draft of.
    pub became: Option<u32>,
}

/// The answer of the design team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerLine {
    /// In a word or two.
    pub outcome: &'static str,
    /// The day, in words.
    pub on: String,
    /// The words.
    pub paragraphs: Vec<String>,
}

#[derive(Template)]
#[template(path = "proposals.html", config = "src/http/web/templates/askama.toml")]
struct ProposalsTemplate<'a> {
    page: &'a ProposalsPage,
}

/// Writes the page.
///
/// # Errors
/// [`askama::Error`] when the template cannot be written.
pub fn proposals_page(page: &ProposalsPage) -> Result<String, askama::Error> {
    ProposalsTemplate { page }.render()
}

const fn in_words(outcome: ProposalOutcome) -> &'static str {
    match outcome {
        ProposalOutcome::Adopted => "taken up",
        ProposalOutcome::Partly => "taken up in part",
        ProposalOutcome::Declined => "not taken up",
    }
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn paragraphs(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn line(detail: ProposalDetail) -> ProposalLine {
    let proposal = detail.proposal;
    ProposalLine {
        credit_name: proposal.credit_name,
        sent_on: words::date_in_words(&proposal.created_at.as_utc().date_naive()),
        version: count(proposal.number),
        paragraphs: paragraphs(&proposal.text),
        differences: detail.differences.into_iter().map(|one| one.detail).collect(),
        answer: proposal.answer.map(|(outcome, answer, at)| AnswerLine {
            outcome: in_words(outcome),
            on: words::date_in_words(&at.as_utc().date_naive()),
            paragraphs: paragraphs(&answer),
        }),
        became: proposal.became.map(count),
    }
}

/// `GET /achievements/{micro_credential_id}/versions/{n}/proposals`
pub async fn show_proposals_page(
    app: web::Data<App>,
    meta: Meta,
    Path((family, number)): Path<(MicroCredentialId, i32)>,
) -> Result<HttpResponse, Problem> {
    let page = app
        .run(&meta, "proposals_page", move |cx| {
            let view = publications::achievement(cx, family, number)?;
            let limit = i64::try_from(ON_PAGE + 1).unwrap_or(i64::MAX);
            let mut found = proposals::list(cx, family, None, None, limit)?;
            let has_more = found.len() > ON_PAGE;
            found.truncate(ON_PAGE);
            Ok(ProposalsPage {
                micro_credential_id: family.to_string(),
                version: count(number),
                title: view.definition.about().title.clone(),
                language: view.definition.about().language.clone(),
                is_open: view.version.state == VersionState::Published,
                items: found.into_iter().map(line).collect(),
                has_more,
            })
        })
        .await?;
    rendered(proposals_page(&page))
}
