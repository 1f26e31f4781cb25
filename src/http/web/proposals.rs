//! The page of a rubric's or a charter's proposals: what was proposed, what the design team answers, and the form for one more.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::public::rendered;
use super::words;
use crate::domain::ids::{MicroCredentialId, ProgramId};
use crate::domain::proposal::{ProposalOutcome, ProposalSubject};
use crate::domain::version::VersionState;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::{Meta, Path};
use crate::service::proposals::{self, About, ProposalDetail};
use crate::service::{Cx, Error, programs, publications};

/// So many proposals are on the page.
const ON_PAGE: usize = 100;

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalsPage {
    /// What can be proposed for.
    pub about: PageAbout,
    /// Its title.
    pub title: String,
    /// The language of the title; none where nobody has said it.
    pub language: Option<String>,
    /// Whether something can be proposed.
    pub is_open: bool,
    /// What was proposed, the oldest first.
    pub items: Vec<ProposalLine>,
    /// Whether there is more than the page shows.
    pub has_more: bool,
}

impl ProposalsPage {
    /// Where the form goes, not encoded yet.
    #[must_use]
    pub fn form_path(&self) -> String {
        match &self.about {
            PageAbout::Rubric { micro_credential_id, version } => {
                format!(
                    "/api/v1/micro-credentials/{micro_credential_id}/versions/{version}/proposals"
                )
            }
            PageAbout::Charter { .. } => self.list_path(),
        }
    }

    /// Where all of them are, not encoded yet.
    #[must_use]
    pub fn list_path(&self) -> String {
        match &self.about {
            PageAbout::Rubric { micro_credential_id, .. } => {
                format!("/api/v1/micro-credentials/{micro_credential_id}/proposals")
            }
            PageAbout::Charter { program_id, .. } => {
                format!("/api/v1/programs/{program_id}/proposals")
            }
        }
    }
}

/// What a page of proposals is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageAbout {
    /// A rubric.
    Rubric {
        /// The family.
        micro_credential_id: String,
        /// The version that is proposed for.
        version: u32,
    },
    /// The charter of a programme.
    Charter {
        /// The programme.
        program_id: String,
        /// What the team believes, a paragraph each.
        theory: Vec<String>,
    },
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalLine {
    /// Under which name.
    pub credit_name: Option<String>,
    /// The day, in words.
    pub sent_on: String,
    /// About which version of a rubric.
    pub version: Option<u32>,
    /// The words; none once it is taken down.
    pub paragraphs: Vec<String>,
    /// Why it was taken down, a paragraph each, and the day in words.
    pub removed: Option<(Vec<String>, String)>,
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

fn line(detail: ProposalDetail) -> ProposalLine {
    let proposal = detail.proposal;
    ProposalLine {
        credit_name: proposal.credit_name,
        sent_on: words::date_in_words(&proposal.created_at.as_utc().date_naive()),
        version: match proposal.subject {
            ProposalSubject::Version { number, .. } => Some(count(number)),
            ProposalSubject::Charter(_) => None,
        },
        paragraphs: words::paragraphs(&proposal.text),
        removed: proposal.removed.map(|(reason, at)| {
            (words::paragraphs(&reason), words::date_in_words(&at.as_utc().date_naive()))
        }),
        differences: detail.differences.into_iter().map(|one| one.detail).collect(),
        answer: proposal.answer.map(|(outcome, answer, at)| AnswerLine {
            outcome: in_words(outcome),
            on: words::date_in_words(&at.as_utc().date_naive()),
            paragraphs: words::paragraphs(&answer),
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
            let (items, has_more) = lines_of(cx, About::MicroCredential(family))?;
            Ok(ProposalsPage {
                about: PageAbout::Rubric {
                    micro_credential_id: family.to_string(),
                    version: count(number),
                },
                title: view.definition.about().title.clone(),
                language: Some(view.definition.about().language.clone()),
                is_open: view.version.state == VersionState::Published,
                items,
                has_more,
            })
        })
        .await?;
    rendered(proposals_page(&page))
}

/// `GET /programs/{id}/proposals`
pub async fn show_charter_proposals_page(
    app: web::Data<App>,
    meta: Meta,
    Path(program): Path<ProgramId>,
) -> Result<HttpResponse, Problem> {
    let page = app
        .run(&meta, "charter_proposals_page", move |cx| {
            let found = programs::find(cx, program)?;
            let theory = programs::theory_of_action(&found)?;
            let (items, has_more) = lines_of(cx, About::Charter(program))?;
            Ok(ProposalsPage {
                about: PageAbout::Charter {
                    program_id: program.to_string(),
                    theory: words::paragraphs(&theory),
                },
                title: found.title,
                language: None,
                is_open: found.state.is_public(),
                items,
                has_more,
            })
        })
        .await?;
    rendered(proposals_page(&page))
}

/// The first proposals, and whether there are more.
fn lines_of(cx: &mut Cx<'_>, about: About) -> Result<(Vec<ProposalLine>, bool), Error> {
    let limit = i64::try_from(ON_PAGE + 1).unwrap_or(i64::MAX);
    let mut found = proposals::list(cx, about, None, None, limit)?;
    let has_more = found.len() > ON_PAGE;
    found.truncate(ON_PAGE);
    Ok((found.into_iter().map(line).collect(), has_more))
}
