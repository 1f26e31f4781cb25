//! The pages: what a principal, an officer of human resources and an invited teacher see.
//!
//! Every function here is pure: a view goes in, a whole page comes out. What people typed is escaped by the templates,
//! and a link that somebody else chose is followed only if it leads to the web. The pages hold no script and no style of
//! their own, so that they can be served under a policy that forbids both; all of them live in [`assets`]. A page needs
//! no script to be read: only accepting an invitation, adding something by a link, verifying a badge, and looking at what is
//! one's own or what colleagues ask do, because they post JSON. The report of a programme is asked for by a plain form.
//!
//! The policy that the pages are written for is [`CONTENT_SECURITY_POLICY`].

mod achievement;
pub mod assets;
mod catalogue;
mod coaching;
mod contribution;
mod credential;
mod invitation;
mod issuer;
pub mod issuer_documents;
pub mod negotiation;
pub mod pictures;
mod problem;
pub mod proposals;
pub mod public;
pub mod report;
mod stack;
mod submission;
mod verify;
mod words;

pub use achievement::{
    AchievementPage, AlignmentView, CriterionView, DefinitionView, EvidenceView, LevelView,
    MethodView, PartView, PromptView, SkillView, StepView, achievement_page,
};
pub use catalogue::{CatalogueItem, CataloguePage, CatalogueSearch, catalogue_page};
pub use coaching::coaching_page;
pub use contribution::contribution_page;
pub use credential::{
    AchievedLevel, CredentialPage, Earned, PartLine, Scored, Scoring, Stacked, Standing,
    credential_page,
};
pub use invitation::{AcceptPage, accept_invitation_page};
pub use issuer::{IssuerKeyView, IssuerPage, IssuerRef, issuer_page};
pub use problem::{ProblemPage, problem_page};
pub use stack::{AskedItem, AskedLine, StackPage, stack_page, stacks_page};
pub use submission::submission_page;
pub use verify::verify_page;

/// The `Content-Security-Policy` under which every page works.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
