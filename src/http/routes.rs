//! The table of routes: one line an operation. The router and the API description are both made of it.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::api::{
    Page, ai_use, answers, artwork, assessors, audit_events, awards, bank_comments, bank_items,
    calendars, calibration, cases, co_earners, coachings, cohorts, conflicts, contributions,
    credit, endorsements, evidence, external_badges, frameworks, funnel, inventory,
    issuer_settings, members, micro_credentials, operator, organizations, program_readiness,
    programs, proposals, recognitions, rehearsals, reports, reviews, screenings, sessions,
    signing_keys, stacks, submissions, succession, templates, trusted_issuers, verify,
};
use super::problem::Problem;
use super::web::proposals as proposals_web;
use super::web::{issuer_documents, pictures, public, report};
use crate::domain::policy;

/// A schema with its name and the schemas that it refers to.
#[derive(Clone, Copy)]
pub struct SchemaOf {
    /// The name under `components/schemas`.
    pub name: fn() -> std::borrow::Cow<'static, str>,
    /// The schema.
    pub schema: fn() -> RefOr<Schema>,
    /// What it refers to.
    pub referred: fn(&mut Vec<(String, RefOr<Schema>)>),
}

const fn schema<T: ToSchema + PartialSchema>() -> Option<SchemaOf> {
    Some(SchemaOf { name: T::name, schema: T::schema, referred: T::schemas })
}

/// A page of a list: the generic type has one name for all, so the item's name tells them apart.
const fn page<T: ToSchema + PartialSchema>() -> Option<SchemaOf> {
    Some(SchemaOf { name: page_name::<T>, schema: Page::<T>::schema, referred: page_referred::<T> })
}

fn page_name<T: ToSchema>() -> std::borrow::Cow<'static, str> {
    format!("{}Page", T::name()).into()
}

fn page_referred<T: ToSchema + PartialSchema>(referred: &mut Vec<(String, RefOr<Schema>)>) {
    referred.push((T::name().into_owned(), T::schema()));
    T::schemas(referred);
}

/// One operation: where it is, who answers, and how it is described.
#[derive(Clone, Copy)]
pub struct Route {
    /// Its name, the key of the policy table.
    pub operation: &'static str,
    /// GET, POST, …
    pub method: &'static str,
    /// The path with its parameters.
    pub path: &'static str,
    /// The handler.
    pub handler: fn() -> actix_web::Route,
    /// A sentence for the description.
    pub summary: &'static str,
    /// The body that it takes.
    pub body: Option<SchemaOf>,
    /// The status of success.
    pub status: u16,
    /// The body that it answers with.
    pub answer: Option<SchemaOf>,
    /// The names that its query takes.
    pub query: &'static [&'static str],
}

const PAGING: &[&str] = &["limit", "cursor"];
const BANK: &[&str] = &["framework_item", "kind", "organization_id", "limit", "cursor"];
const CATALOGUE: &[&str] = &["q", "organization_id", "skill", "audience", "limit", "cursor"];

macro_rules! route {
    ($operation:literal $method:ident $path:literal $handler:expr, $summary:literal,
     $body:expr, $status:literal, $answer:expr, $query:expr) => {
        Route {
            operation: $operation,
            method: stringify!($method),
            path: $path,
            handler: || web::route().to($handler),
            summary: $summary,
            body: $body,
            status: $status,
            answer: $answer,
            query: $query,
        }
    };
}

/// Every route of the service.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    route!("health_live" GET "/health/live" operator::health_live, "Whether the process runs.", None, 200, None, &[]),
    route!("health_ready" GET "/health/ready" operator::health_ready, "Whether it takes requests; 503 with the failed check when not.", None, 200, None, &[]),
    route!("read_metrics" GET "/metrics" operator::read_metrics, "Figures in the text format of Prometheus.", None, 200, None, &[]),
    route!("read_openapi" GET "/api/v1/openapi.json" operator::read_openapi, "This description.", None, 200, None, &[]),
    route!("create_session" POST "/api/v1/sessions" sessions::create_session, "Sign in with e-mail address and password.", schema::<sessions::NewSession>(), 201, schema::<sessions::TokensView>(), &[]),
    route!("refresh_session" POST "/api/v1/sessions/refresh" sessions::refresh_session, "Exchange a refresh token; one that comes twice ends the sign-in.", schema::<sessions::Refresh>(), 200, schema::<sessions::TokensView>(), &[]),
    route!("end_session" DELETE "/api/v1/sessions/current" sessions::end_session, "Sign out.", None, 204, None, &[]),
    route!("read_me" GET "/api/v1/me" sessions::read_me, "The person who has signed in.", None, 200, schema::<sessions::Me>(), &[]),
    route!("create_organization" POST "/api/v1/organizations" organizations::create_organization, "Add an organization below one that you administer.", schema::<organizations::NewOrganization>(), 201, schema::<organizations::OrganizationView>(), &[]),
    route!("list_organizations" GET "/api/v1/organizations" organizations::list_organizations, "The organizations of your branches.", None, 200, page::<organizations::OrganizationView>(), PAGING),
    route!("read_organization" GET "/api/v1/organizations/{id}" organizations::read_organization, "One organization.", None, 200, schema::<organizations::OrganizationView>(), &[]),
    route!("switch_issuing" PUT "/api/v1/organizations/{id}/issuing" organizations::switch_issuing, "Stop signing badges here and below, or let it go on.", schema::<organizations::IssuingSwitch>(), 200, schema::<organizations::IssuingSwitch>(), &[]),
    route!("create_invitation" POST "/api/v1/organizations/{id}/invitations" members::create_invitation, "Invite somebody by mail.", schema::<members::InvitationBody>(), 201, schema::<members::InvitationView>(), &[]),
    route!("accept_invitation" POST "/api/v1/invitations/accept" members::accept_invitation, "Accept an invitation with the secret of its mail.", schema::<members::Acceptance>(), 200, schema::<members::MemberView>(), &[]),
    route!("list_members" GET "/api/v1/organizations/{id}/members" members::list_members, "The members of an organization.", None, 200, page::<members::MemberView>(), PAGING),
    route!("read_member" GET "/api/v1/organizations/{id}/members/{person_id}" members::read_member, "One membership, with the entity tag for changing it.", None, 200, schema::<members::MemberView>(), &[]),
    route!("put_member" PUT "/api/v1/organizations/{id}/members/{person_id}" members::put_member, "Change roles and state; every sign-in of the person ends.", schema::<members::MemberBody>(), 200, schema::<members::MemberView>(), &[]),
    route!("read_succession" GET "/api/v1/organizations/{id}/succession" succession::read_succession, "Who holds the offices of an organization, and of the districts below it, and which of them nobody can be reached in.", None, 200, schema::<succession::SuccessionView>(), &[]),
    route!("create_signing_key" POST "/api/v1/organizations/{id}/signing-keys" signing_keys::create_signing_key, "Make a new signing key, which signs from now on.", schema::<signing_keys::NewSigningKey>(), 201, schema::<signing_keys::SigningKeyView>(), &[]),
    route!("list_signing_keys" GET "/api/v1/organizations/{id}/signing-keys" signing_keys::list_signing_keys, "Every key the organization has had.", None, 200, schema::<signing_keys::SigningKeyList>(), &[]),
    route!("retire_signing_key" POST "/api/v1/organizations/{id}/signing-keys/{key_id}/retire" signing_keys::retire_signing_key, "Take a key out of use; what it signed stays valid.", None, 200, schema::<signing_keys::SigningKeyView>(), &[]),
    route!("compromise_signing_key" POST "/api/v1/organizations/{id}/signing-keys/{key_id}/compromise" signing_keys::compromise_signing_key, "Give a key up; its badges are signed again under the same ids, and their earners told.", None, 200, schema::<signing_keys::CompromiseView>(), &[]),
    route!("read_issuer_settings" GET "/api/v1/organizations/{id}/issuer-settings" issuer_settings::read_issuer_settings, "How the organization issues.", None, 200, schema::<issuer_settings::IssuerSettingsView>(), &[]),
    route!("put_issuer_settings" PUT "/api/v1/organizations/{id}/issuer-settings" issuer_settings::put_issuer_settings, "Set how badges are issued from now on; If-Match is \"0\" where nobody has set anything.", schema::<issuer_settings::IssuerSettingsBody>(), 200, schema::<issuer_settings::IssuerSettingsView>(), &[]),
    route!("put_artwork" PUT "/api/v1/organizations/{id}/artwork" artwork::put_artwork, "Upload the picture of the organization's badges as PNG; only its pixels are kept.", None, 200, schema::<artwork::ArtworkView>(), &[]),
    route!("delete_artwork" DELETE "/api/v1/organizations/{id}/artwork" artwork::delete_artwork, "Take the picture away; badges are drawn from their definitions again.", None, 204, None, &[]),
    route!("read_trusted_issuers" GET "/api/v1/organizations/{id}/trusted-issuers" trusted_issuers::read_trusted_issuers, "The issuers that the organization recognises.", None, 200, schema::<trusted_issuers::TrustedIssuersBody>(), &[]),
    route!("put_trusted_issuers" PUT "/api/v1/organizations/{id}/trusted-issuers" trusted_issuers::put_trusted_issuers, "Set the issuers that the organization recognises; If-Match is \"0\" where nobody has set any.", schema::<trusted_issuers::TrustedIssuersBody>(), 200, schema::<trusted_issuers::TrustedIssuersBody>(), &[]),
    route!("validate_definition" POST "/api/v1/micro-credentials/validate" micro_credentials::validate_definition, "Every finding on a definition at once.", schema::<micro_credentials::DefinitionBody>(), 200, schema::<micro_credentials::ValidationView>(), &[]),
    route!("create_micro_credential" POST "/api/v1/micro-credentials" micro_credentials::create_micro_credential, "Start a micro-credential with the draft of its first version.", schema::<micro_credentials::NewMicroCredential>(), 201, schema::<micro_credentials::VersionView>(), &[]),
    route!("list_micro_credentials" GET "/api/v1/micro-credentials" micro_credentials::list_micro_credentials, "The public catalogue.", None, 200, page::<micro_credentials::CatalogueItem>(), CATALOGUE),
    route!("read_micro_credential" GET "/api/v1/micro-credentials/{id}" micro_credentials::read_micro_credential, "The newest public version.", None, 200, schema::<micro_credentials::VersionView>(), &[]),
    route!("create_version" POST "/api/v1/micro-credentials/{id}/versions" micro_credentials::create_version, "Start the next version.", schema::<micro_credentials::DefinitionBody>(), 201, schema::<micro_credentials::VersionView>(), &[]),
    route!("read_version" GET "/api/v1/micro-credentials/{id}/versions/{n}" micro_credentials::read_version, "One version with its whole definition.", None, 200, schema::<micro_credentials::VersionView>(), &[]),
    route!("put_version" PUT "/api/v1/micro-credentials/{id}/versions/{n}" micro_credentials::put_version, "Edit a version that is not published; its approvals are void.", schema::<micro_credentials::DefinitionBody>(), 200, schema::<micro_credentials::VersionView>(), &[]),
    route!("create_approval" POST "/api/v1/micro-credentials/{id}/versions/{n}/approvals" micro_credentials::create_approval, "Vote on this very content.", schema::<micro_credentials::ApprovalBody>(), 201, schema::<micro_credentials::ApprovalView>(), &[]),
    route!("publish_version" POST "/api/v1/micro-credentials/{id}/versions/{n}/publish" micro_credentials::publish_version, "Make an approved version public, for ever as it is.", None, 200, schema::<micro_credentials::VersionView>(), &[]),
    route!("retire_version" POST "/api/v1/micro-credentials/{id}/versions/{n}/retire" micro_credentials::retire_version, "Take no new submissions at a version; what was earned stays.", None, 200, schema::<micro_credentials::VersionView>(), &[]),
    route!("validate_charter" POST "/api/v1/programs/validate" programs::validate_charter, "Every finding on a charter at once.", schema::<programs::CharterBody>(), 200, schema::<programs::CharterValidationView>(), &[]),
    route!("create_program" POST "/api/v1/programs" programs::create_program, "Start a programme with the draft of its charter.", schema::<programs::NewProgram>(), 201, schema::<programs::ProgramView>(), &[]),
    route!("list_programs" GET "/api/v1/programs" programs::list_programs, "Programmes that are or were open, and those you work on.", None, 200, page::<programs::ProgramLine>(), &["organization_id", "limit", "cursor"]),
    route!("read_program" GET "/api/v1/programs/{id}" programs::read_program, "A programme with its charter: public once it is open.", None, 200, schema::<programs::ProgramView>(), &[]),
    route!("put_program" PUT "/api/v1/programs/{id}" programs::put_program, "Edit the charter before the programme opens; its approvals are void.", schema::<programs::CharterEdit>(), 200, schema::<programs::ProgramView>(), &[]),
    route!("create_program_approval" POST "/api/v1/programs/{id}/approvals" programs::create_program_approval, "Vote on this very charter; comments become public when it opens.", schema::<micro_credentials::ApprovalBody>(), 201, schema::<programs::CharterApprovalView>(), &[]),
    route!("read_program_readiness" GET "/api/v1/programs/{id}/readiness" program_readiness::read_program_readiness, "Whether a programme could open: seats, assessors, conflicts, hours, days and cost, each with what to do about it.", None, 200, schema::<program_readiness::ReadinessView>(), &["rate_minor", "currency"]),
    route!("rehearse_program" POST "/api/v1/programs/{id}/rehearse" programs::rehearse_program, "Begin the rehearsal of a complete charter.", schema::<programs::StepBody>(), 200, schema::<programs::ProgramView>(), &[]),
    route!("create_practice_attempt" POST "/api/v1/programs/{id}/practice-attempts" rehearsals::create_practice_attempt, "Hand in practice work in a rehearsal; it counts nowhere.", schema::<rehearsals::PracticeBody>(), 201, schema::<rehearsals::PracticeAttemptView>(), &[]),
    route!("list_practice_attempts" GET "/api/v1/programs/{id}/practice-attempts" rehearsals::list_practice_attempts, "The practice work of a rehearsal, without names.", None, 200, page::<rehearsals::PracticeAttemptView>(), PAGING),
    route!("screen_practice_attempt" POST "/api/v1/programs/{id}/practice-attempts/{attempt_id}/screening" rehearsals::screen_practice_attempt, "Say whether practice work of another is complete.", schema::<rehearsals::PracticeScreening>(), 200, schema::<rehearsals::PracticeAttemptView>(), &[]),
    route!("score_practice_attempt" POST "/api/v1/programs/{id}/practice-attempts/{attempt_id}/sheets" rehearsals::score_practice_attempt, "Score practice work of another; the last sheet that is needed decides.", schema::<reviews::SheetBody>(), 200, schema::<rehearsals::PracticeAttemptView>(), &[]),
    route!("read_practice_badge" GET "/api/v1/programs/{id}/practice-attempts/{attempt_id}/badge" rehearsals::read_practice_badge, "What a badge would say: marked as practice, without issuer and proof.", None, 200, None, &[]),
    route!("open_program" POST "/api/v1/programs/{id}/open" programs::open_program, "Open an approved programme; its charter is public from now on.", schema::<programs::StepBody>(), 200, schema::<programs::ProgramView>(), &[]),
    route!("close_program" POST "/api/v1/programs/{id}/close" programs::close_program, "End a programme.", schema::<programs::StepBody>(), 200, schema::<programs::ProgramView>(), &[]),
    route!("list_program_changes" GET "/api/v1/programs/{id}/changes" programs::list_program_changes, "What happened to a programme, why, and who saw it otherwise.", None, 200, page::<programs::ProgramLogLine>(), PAGING),
    route!("create_cohort_invitations" POST "/api/v1/programs/{id}/cohorts/{cohort}/invitations" cohorts::create_cohort_invitations, "Invite a list of people by CSV; with dry_run only look. Each row that is at fault has its own reasons.", schema::<cohorts::BatchBody>(), 200, schema::<cohorts::BatchView>(), &[]),
    route!("create_stays" POST "/api/v1/programs/{id}/stays" cohorts::create_stays, "Say who is still employed after a year, by CSV; with dry_run only look. Each row that is at fault has its own reasons.", schema::<cohorts::StaysBody>(), 200, schema::<cohorts::StaysView>(), &[]),
    route!("list_invitees" GET "/api/v1/programs/{id}/invitees" cohorts::list_invitees, "Who is invited to a programme, and what they have answered.", None, 200, page::<cohorts::InviteeView>(), &["cohort", "state", "limit", "cursor"]),
    route!("read_invitee" GET "/api/v1/programs/{id}/invitees/{invitee_id}" cohorts::read_invitee, "One invitee, with the entity tag for giving them more time.", None, 200, schema::<cohorts::InviteeView>(), &[]),
    route!("put_extension" PUT "/api/v1/programs/{id}/invitees/{invitee_id}/extension" cohorts::put_extension, "Give somebody a last day of their own, or take it back.", schema::<cohorts::ExtensionBody>(), 200, schema::<cohorts::InviteeView>(), &[]),
    route!("put_accommodations" PUT "/api/v1/programs/{id}/invitees/{invitee_id}/accommodations" cohorts::put_accommodations, "Say what was arranged with somebody, so that they can answer in another form.", schema::<cohorts::AccommodationsView>(), 200, schema::<cohorts::InviteeView>(), &[]),
    route!("read_invitation_codes" GET "/api/v1/programs/{id}/invitation-codes" cohorts::read_invitation_codes, "The printed codes of those without an address who have not answered, as CSV.", None, 200, None, &[]),
    route!("preview_message" GET "/api/v1/programs/{id}/message-preview" cohorts::preview_message, "A mail of the programme as people of an audience will read it.", None, 200, schema::<cohorts::PreviewView>(), &["cohort", "audience", "message"]),
    route!("read_funnel" GET "/api/v1/programs/{id}/funnel" funnel::read_funnel, "How many were invited, took part, worked and earned, by audience or school, as far as nobody can be singled out; format=csv for a table, svg for a plot; exact=true for data stewards.", None, 200, schema::<funnel::FunnelView>(), &["by", "group", "format", "exact"]),
    route!("read_enrolment" GET "/api/v1/programs/{id}/enrolment" cohorts::read_enrolment, "Your own place in a programme.", None, 200, schema::<cohorts::EnrolmentView>(), &[]),
    route!("create_enrolment" POST "/api/v1/programs/{id}/enrolment" cohorts::create_enrolment, "Take part in a programme that you are invited to.", None, 200, schema::<cohorts::EnrolmentView>(), &[]),
    route!("decline_invitation" POST "/api/v1/invitations/decline" cohorts::decline_invitation, "Say no to a programme, with the secret of the mail or a printed code.", schema::<cohorts::DeclineBody>(), 204, None, &[]),
    route!("redeem_invitation" POST "/api/v1/invitations/redeem" cohorts::redeem_invitation, "Have the invitation of a printed code sent to your address.", schema::<cohorts::RedeemBody>(), 202, None, &[]),
    route!("create_submission" POST "/api/v1/micro-credentials/{id}/submissions" submissions::create_submission, "Start an attempt as a draft.", schema::<submissions::NewSubmission>(), 201, schema::<submissions::SubmissionView>(), &[]),
    route!("list_submissions" GET "/api/v1/submissions" submissions::list_submissions, "Your own submissions, and by progress those you coordinate.", None, 200, page::<submissions::SubmissionLineView>(), &["state", "micro_credential_id", "limit", "cursor"]),
    route!("read_submission" GET "/api/v1/submissions/{id}" submissions::read_submission, "One submission: everything for its earner, progress for a coordinator.", None, 200, schema::<submissions::SubmissionView>(), &[]),
    route!("patch_submission" PATCH "/api/v1/submissions/{id}" submissions::patch_submission, "Save the draft.", schema::<submissions::DraftPatch>(), 200, schema::<submissions::SubmissionView>(), &[]),
    route!("add_evidence" POST "/api/v1/submissions/{id}/evidence" evidence::add_evidence, "Add a link or a text as JSON, or a file as multipart/form-data with file, requirement_id, contains_students and consent.", schema::<evidence::NewItem>(), 201, schema::<evidence::EvidenceView>(), &[]),
    route!("delete_evidence" DELETE "/api/v1/submissions/{id}/evidence/{evidence_id}" evidence::delete_evidence, "Take an item away while the work is not handed in.", None, 204, None, &[]),
    route!("read_evidence_content" GET "/api/v1/submissions/{id}/evidence/{evidence_id}/content" evidence::read_evidence_content, "The content of an item, as attachment; each opening is recorded.", None, 200, None, &[]),
    route!("create_contribution_link" POST "/api/v1/submissions/{id}/contribution-links" contributions::create_contribution_link, "A link by which a colleague, a family or a student adds one item to your draft without an account.", schema::<contributions::ContributionLinkBody>(), 201, schema::<contributions::ContributionLinkView>(), &[]),
    route!("list_contribution_links" GET "/api/v1/submissions/{id}/contribution-links" contributions::list_contribution_links, "The links that you have handed on, and what became of them.", None, 200, page::<contributions::ContributionLinkView>(), &[]),
    route!("end_contribution_link" DELETE "/api/v1/submissions/{id}/contribution-links/{link_id}" contributions::end_contribution_link, "Take a link back that nobody has used.", None, 204, None, &[]),
    route!("read_contribution" POST "/api/v1/contributions/read" contributions::read_contribution, "What is asked of whoever holds a link.", schema::<contributions::ContributionToken>(), 200, schema::<contributions::ContributionRequestView>(), &[]),
    route!("create_contribution" POST "/api/v1/contributions" contributions::create_contribution, "Add one item, words or a file, with the secret of a link, which is used up by it.", schema::<contributions::ContributionBody>(), 204, None, &[]),
    route!("submit_submission" POST "/api/v1/submissions/{id}/submit" submissions::submit_submission, "Hand the work in, or learn everything that is missing.", None, 200, schema::<submissions::SubmissionView>(), &[]),
    route!("recall_submission" POST "/api/v1/submissions/{id}/recall" submissions::recall_submission, "Take it back before anybody has looked at it.", None, 200, schema::<submissions::SubmissionView>(), &[]),
    route!("withdraw_submission" POST "/api/v1/submissions/{id}/withdraw" submissions::withdraw_submission, "Give the attempt up.", None, 200, schema::<submissions::SubmissionView>(), &[]),
    route!("resubmit_submission" POST "/api/v1/submissions/{id}/resubmit" answers::resubmit_submission, "Start the next attempt after a not-yet; what was passed is carried forward.", schema::<answers::ResubmitBody>(), 201, schema::<submissions::SubmissionView>(), &[]),
    route!("rate_feedback" POST "/api/v1/submissions/{id}/feedback-rating" answers::rate_feedback, "Say once how useful the feedback was.", schema::<answers::RatingBody>(), 201, schema::<submissions::SubmissionView>(), &[]),
    route!("create_co_earner" POST "/api/v1/submissions/{id}/co-earners" co_earners::create_co_earner, "Say with whom you have made an item; they are asked, and will not score it.", schema::<co_earners::NewCoEarner>(), 201, schema::<co_earners::CoEarnerView>(), &[]),
    route!("list_co_earners" GET "/api/v1/submissions/{id}/co-earners" co_earners::list_co_earners, "With whom you have made items, and what they say.", None, 200, page::<co_earners::CoEarnerView>(), &[]),
    route!("delete_co_earner" DELETE "/api/v1/submissions/{id}/co-earners/{co_earner_id}" co_earners::delete_co_earner, "Take back that you have made an item with somebody, before you hand it in.", None, 204, None, &[]),
    route!("list_shared_evidence" GET "/api/v1/shared-evidence" co_earners::list_shared_evidence, "What colleagues say that you have made together with them.", None, 200, page::<co_earners::SharedEvidenceView>(), PAGING),
    route!("answer_shared_evidence" POST "/api/v1/shared-evidence/{id}/answer" co_earners::answer_shared_evidence, "Say whether you had a part in it.", schema::<co_earners::SharedEvidenceAnswer>(), 200, schema::<co_earners::SharedEvidenceView>(), &[]),
    route!("answer_coaching" POST "/api/v1/submissions/{id}/coaching" answers::answer_coaching, "Say whether you would like to talk with a coach, where one was offered.", schema::<answers::CoachingBody>(), 200, schema::<submissions::SubmissionView>(), &[]),
    route!("list_coaches" GET "/api/v1/submissions/{id}/coaches" coachings::list_coaches, "Whom you can ask to look at this attempt.", None, 200, page::<coachings::CoachView>(), &[]),
    route!("create_coaching" POST "/api/v1/submissions/{id}/coachings" coachings::create_coaching, "Ask a coach and say what they may see, or change that; they will not score it.", schema::<coachings::NewCoaching>(), 201, schema::<coachings::CoachedWorkView>(), &[]),
    route!("list_coachings" GET "/api/v1/coachings" coachings::list_coachings, "What is shared with you as a coach, and what you have asked for, without the work.", None, 200, page::<coachings::CoachingLineView>(), PAGING),
    route!("read_coaching" GET "/api/v1/coachings/{id}" coachings::read_coaching, "One coaching with what is shared by it and what the coach has said.", None, 200, schema::<coachings::CoachedWorkView>(), &[]),
    route!("end_coaching" DELETE "/api/v1/coachings/{id}" coachings::end_coaching, "Share nothing any more; what the coach has said stays yours to read.", None, 204, None, &[]),
    route!("create_coach_comment" POST "/api/v1/coachings/{id}/comments" coachings::create_coach_comment, "Say something as the coach; nobody who scores the work sees it.", schema::<coachings::NewCoachComment>(), 201, schema::<coachings::CoachedWorkView>(), &[]),
    route!("list_comments" GET "/api/v1/micro-credentials/{id}/comments" bank_comments::list_comments, "The comment bank of a micro-credential.", None, 200, page::<bank_comments::CommentView>(), PAGING),
    route!("create_comment" POST "/api/v1/micro-credentials/{id}/comments" bank_comments::create_comment, "Keep a comment for the other assessors.", schema::<bank_comments::CommentBody>(), 201, schema::<bank_comments::CommentView>(), &[]),
    route!("put_comment" PUT "/api/v1/micro-credentials/{id}/comments/{comment_id}" bank_comments::put_comment, "Change a comment of your own; a lead assessor changes any.", schema::<bank_comments::CommentBody>(), 200, schema::<bank_comments::CommentView>(), &[]),
    route!("delete_comment" DELETE "/api/v1/micro-credentials/{id}/comments/{comment_id}" bank_comments::delete_comment, "Take a comment of your own away; a lead assessor takes any.", None, 204, None, &[]),
    route!("import_framework" POST "/api/v1/organizations/{id}/frameworks" frameworks::import_framework, "Bring a framework in: a CASE 1.1 package of at most 4 MiB; every fault is listed.", schema::<frameworks::CasePackage>(), 201, schema::<frameworks::FrameworkView>(), &[]),
    route!("import_shipped_framework" POST "/api/v1/organizations/{id}/shipped-frameworks" frameworks::import_shipped_framework, "Bring a framework in that comes with the program: collective-leadership.", schema::<frameworks::ShippedBody>(), 201, schema::<frameworks::FrameworkView>(), &[]),
    route!("put_framework" PUT "/api/v1/frameworks/{id}" frameworks::put_framework, "Put a newer package of the same framework in its place; published versions keep the words that they were aligned with.", schema::<frameworks::CasePackage>(), 200, schema::<frameworks::FrameworkView>(), &[]),
    route!("list_frameworks" GET "/api/v1/frameworks" frameworks::list_frameworks, "The frameworks of an organization, or of all.", None, 200, page::<frameworks::FrameworkView>(), &["organization_id", "limit", "cursor"]),
    route!("read_framework" GET "/api/v1/frameworks/{id}" frameworks::read_framework, "One framework, with the entity tag for changing it.", None, 200, schema::<frameworks::FrameworkView>(), &[]),
    route!("export_framework" GET "/api/v1/frameworks/{id}/package" frameworks::export_framework, "The framework as a CASE 1.1 package.", None, 200, schema::<frameworks::CasePackage>(), &[]),
    route!("list_framework_items" GET "/api/v1/frameworks/{id}/items" frameworks::list_framework_items, "The items of a framework, in its own order.", None, 200, page::<frameworks::FrameworkItemView>(), PAGING),
    route!("read_framework_item" GET "/framework-items/{identifier}" frameworks::read_framework_item, "One item by its GUID: the address that badges name for items of shipped frameworks.", None, 200, schema::<frameworks::FrameworkItemView>(), &[]),
    route!("import_rubric" PUT "/api/v1/micro-credentials/{id}/versions/{n}/rubric" frameworks::import_rubric, "Put the CFRubric of a CASE 1.1 package in the place of a draft's prompts and criteria; its approvals are void.", schema::<frameworks::CasePackage>(), 200, schema::<micro_credentials::VersionView>(), &[]),
    route!("list_bank_items" GET "/api/v1/bank-items" bank_items::list_bank_items, "The assessment bank: published prompts and criteria, by the framework item that they belong to.", None, 200, page::<bank_items::BankItemView>(), BANK),
    route!("read_bank_item" GET "/api/v1/bank-items/{id}" bank_items::read_bank_item, "One item of the assessment bank.", None, 200, schema::<bank_items::BankItemView>(), &[]),
    route!("take_bank_item" POST "/api/v1/micro-credentials/{id}/versions/{n}/bank-items" bank_items::take_bank_item, "Take an item of the bank into a draft; its approvals are void.", schema::<bank_items::TakeBody>(), 200, schema::<micro_credentials::VersionView>(), &[]),
    route!("create_stack" POST "/api/v1/organizations/{id}/stacks" stacks::create_stack, "A stack as a draft, or its next version.", schema::<stacks::StackBody>(), 201, schema::<stacks::StackView>(), &[]),
    route!("list_stacks" GET "/api/v1/stacks" stacks::list_stacks, "The stacks that can be earned; for designers all of their organizations.", None, 200, page::<stacks::StackView>(), &["organization_id", "limit", "cursor"]),
    route!("read_stack" GET "/api/v1/stacks/{id}" stacks::read_stack, "One stack.", None, 200, schema::<stacks::StackView>(), &[]),
    route!("put_stack" PUT "/api/v1/stacks/{id}" stacks::put_stack, "Edit a draft.", schema::<stacks::StackBody>(), 200, schema::<stacks::StackView>(), &[]),
    route!("publish_stack" POST "/api/v1/stacks/{id}/publish" stacks::publish_stack, "Make a draft that somebody else has written public, for ever as it is.", None, 200, schema::<stacks::StackView>(), &[]),
    route!("retire_stack" POST "/api/v1/stacks/{id}/retire" stacks::retire_stack, "Let nobody earn it any more; what was earned goes on.", None, 200, schema::<stacks::StackView>(), &[]),
    route!("read_stack_progress" GET "/api/v1/stacks/{id}/progress" stacks::read_stack_progress, "How far you are: what counts, and what is missing.", None, 200, schema::<stacks::StackProgressView>(), &[]),
    route!("list_own_stacks" GET "/api/v1/me/stacks" stacks::list_own_stacks, "The stacks of your organizations, each with how far you are.", None, 200, page::<stacks::OwnStackView>(), PAGING),
    route!("claim_stack" POST "/api/v1/stacks/{id}/awards" stacks::claim_stack, "Have the award of a stack whose rule you meet; its badge names the awards that count.", None, 201, schema::<awards::AwardView>(), &[]),
    route!("export_rubric" GET "/api/v1/micro-credentials/{id}/versions/{n}/rubric" frameworks::export_rubric, "The rubric of a published version as a CFRubric, in a CASE 1.1 package.", None, 200, schema::<frameworks::CasePackage>(), &[]),
    route!("appeal_submission" POST "/api/v1/submissions/{id}/appeal" cases::appeal_submission, "Appeal a decision, within 30 days and once.", schema::<cases::AppealBody>(), 201, schema::<submissions::SubmissionView>(), &[]),
    route!("flag_submission" POST "/api/v1/submissions/{id}/flag" cases::flag_submission, "Stop a submission until a panel has looked at a doubt about it.", schema::<cases::FlagBody>(), 201, schema::<cases::CaseLine>(), &[]),
    route!("list_cases" GET "/api/v1/cases" cases::list_cases, "Your own appeals and integrity cases, and those that your panel is asked about.", None, 200, page::<cases::CaseLine>(), PAGING),
    route!("read_case" GET "/api/v1/cases/{id}" cases::read_case, "One case.", None, 200, schema::<cases::CaseView>(), &[]),
    route!("reply_to_case" POST "/api/v1/cases/{id}/reply" cases::reply_to_case, "Say what you think of a doubt about your work.", schema::<cases::ReplyBody>(), 200, schema::<cases::CaseView>(), &[]),
    route!("vote_on_case" POST "/api/v1/cases/{id}/votes" cases::vote_on_case, "Vote with reasons; the third vote concludes the case.", schema::<cases::VoteBody>(), 201, schema::<cases::CaseView>(), &[]),
    route!("list_evidence_matches" GET "/api/v1/evidence-matches" cases::list_evidence_matches, "Where two earners have handed in the same bytes: a signal to look at, and no verdict.", None, 200, page::<cases::EvidenceMatchView>(), PAGING),
    route!("export_template" POST "/api/v1/organizations/{id}/template-packages" templates::export_template, "Pack published definitions for other districts, signed: with their lineage, what is locked, a charter and the structure of the training, without known work, keys or people.", schema::<templates::NewPackageBody>(), 201, schema::<templates::SignedPackageBody>(), &[]),
    route!("import_template" POST "/api/v1/organizations/{id}/templates" templates::import_template, "Bring in a signed package of at most 2 MiB: each definition becomes a draft of yours, its charter the draft of a programme.", schema::<templates::SignedPackageBody>(), 201, schema::<templates::TemplateView>(), &[]),
    route!("list_templates" GET "/api/v1/organizations/{id}/templates" templates::list_templates, "The packages that were brought in.", None, 200, page::<templates::TemplateView>(), PAGING),
    route!("read_template" GET "/api/v1/templates/{id}" templates::read_template, "One package, with what its definitions became.", None, 200, schema::<templates::TemplateView>(), &[]),
    route!("read_origin" GET "/api/v1/micro-credentials/{id}/versions/{n}/origin" templates::read_origin, "A version beside the definition of another district that it came from: what is locked and what was changed, in words.", None, 200, schema::<templates::OriginView>(), &[]),
    route!("read_differences" GET "/api/v1/micro-credentials/{id}/versions/{n}/differences" templates::read_differences, "What is different since the version before, or since the one named by from, in words.", None, 200, schema::<templates::DifferencesView>(), &["from"]),
    route!("read_reciprocity" GET "/api/v1/organizations/{id}/reciprocity" templates::read_reciprocity, "How many readings each district of a network has given to the others and received from them.", None, 200, schema::<templates::ReciprocityView>(), &[]),
    route!("create_endorsement" POST "/api/v1/organizations/{id}/endorsements" endorsements::create_endorsement, "Say, signed and in public, that awards of another district's definition count as yours; refused where its rubric is another one.", schema::<endorsements::EndorsementBody>(), 201, schema::<endorsements::EndorsementView>(), &[]),
    route!("list_endorsements" GET "/api/v1/organizations/{id}/endorsements" endorsements::list_endorsements, "What an organization has endorsed, and whether it is in force.", None, 200, page::<endorsements::EndorsementView>(), PAGING),
    route!("read_endorsement" GET "/api/v1/endorsements/{id}" endorsements::read_endorsement, "One endorsement, as it was signed.", None, 200, schema::<endorsements::EndorsementView>(), &[]),
    route!("end_endorsement" POST "/api/v1/endorsements/{id}/end" endorsements::end_endorsement, "End an endorsement; what was accepted by it stays accepted.", schema::<endorsements::EndBody>(), 200, schema::<endorsements::EndorsementView>(), &[]),
    route!("create_recognition" POST "/api/v1/organizations/{id}/recognitions" recognitions::create_recognition, "Let qualifications that were passed by another organization's calibration sets count for your work.", schema::<recognitions::RecognitionBody>(), 201, schema::<recognitions::RecognitionView>(), &[]),
    route!("list_recognitions" GET "/api/v1/organizations/{id}/recognitions" recognitions::list_recognitions, "Whose qualifications an organization recognises, who recognises its own, and what is in force.", None, 200, page::<recognitions::RecognitionView>(), PAGING),
    route!("read_recognition" GET "/api/v1/recognitions/{id}" recognitions::read_recognition, "One recognition, for the people of both organizations.", None, 200, schema::<recognitions::RecognitionView>(), &[]),
    route!("end_recognition" POST "/api/v1/recognitions/{id}/end" recognitions::end_recognition, "End a recognition; who qualified there steps back from what they read here, and what is locked stays.", schema::<recognitions::RecognitionEndBody>(), 200, schema::<recognitions::RecognitionView>(), &[]),
    route!("accept_award" POST "/api/v1/organizations/{id}/accepted-awards" endorsements::accept_award, "Have a badge of yours from another district accepted, where an endorsement speaks for it.", schema::<endorsements::BroughtBadge>(), 201, schema::<endorsements::AcceptedAwardView>(), &[]),
    route!("list_accepted_awards" GET "/api/v1/organizations/{id}/accepted-awards" endorsements::list_accepted_awards, "Awards of other districts that were accepted: your own; all of them for coordinators and issuing officers.", None, 200, page::<endorsements::AcceptedAwardView>(), PAGING),
    route!("create_proposal" POST "/api/v1/micro-credentials/{id}/versions/{n}/proposals" proposals::create_proposal, "Propose a change to a published rubric: public at once for whoever has signed in, after a look for visitors.", schema::<proposals::ProposalBody>(), 201, schema::<proposals::ProposalView>(), &[]),
    route!("list_proposals" GET "/api/v1/micro-credentials/{id}/proposals" proposals::list_proposals, "What was proposed, with its answers; for designers also what waits for a look (state=waiting).", None, 200, page::<proposals::ProposalView>(), &["state", "limit", "cursor"]),
    route!("read_proposal" GET "/api/v1/proposals/{id}" proposals::read_proposal, "One proposal; one that waits for a look for designers only.", None, 200, schema::<proposals::ProposalView>(), &[]),
    route!("create_charter_proposal" POST "/api/v1/programs/{id}/proposals" proposals::create_charter_proposal, "Propose a change to the charter of a programme that is or was open; without an account it waits for a look.", schema::<proposals::ProposalBody>(), 201, schema::<proposals::ProposalView>(), &[]),
    route!("list_charter_proposals" GET "/api/v1/programs/{id}/proposals" proposals::list_charter_proposals, "What people propose to change in a charter, with the answers.", None, 200, page::<proposals::ProposalView>(), &["state", "limit", "cursor"]),
    route!("remove_proposal" POST "/api/v1/proposals/{id}/removal" proposals::remove_proposal, "Take down a proposal that is shown: its words are gone for good, the reason stands in their place.", schema::<proposals::RemovalBody>(), 200, schema::<proposals::ProposalView>(), &[]),
    route!("moderate_proposal" POST "/api/v1/proposals/{id}/moderation" proposals::moderate_proposal, "Show what a visitor has proposed, or never.", schema::<proposals::ModerationBody>(), 200, schema::<proposals::ProposalView>(), &[]),
    route!("answer_proposal" POST "/api/v1/proposals/{id}/answer" proposals::answer_proposal, "Answer a proposal in public; whoever proposed it is told by mail.", schema::<proposals::ProposalAnswerBody>(), 200, schema::<proposals::ProposalView>(), &[]),
    route!("draft_proposal" POST "/api/v1/proposals/{id}/draft" proposals::draft_proposal, "Make a proposal the next draft, with its author among the authors.", None, 201, schema::<proposals::ProposalView>(), &[]),
    route!("import_rubric_table" PUT "/api/v1/micro-credentials/{id}/versions/{n}/rubric-table" frameworks::import_rubric_table, "Put the criteria of a table in the place of a draft's: CSV, or the first table of a DOCX; the first row names the levels.", None, 200, schema::<micro_credentials::VersionView>(), &[]),
    route!("add_external_badge" POST "/api/v1/me/external-badges" external_badges::add_external_badge, "Keep a badge of another issuer in your wallet; it is verified first, and counts nowhere.", schema::<external_badges::ExternalBadgeBody>(), 201, schema::<external_badges::ExternalBadgeView>(), &[]),
    route!("list_external_badges" GET "/api/v1/me/external-badges" external_badges::list_external_badges, "The badges of other issuers that you keep.", None, 200, page::<external_badges::ExternalBadgeView>(), PAGING),
    route!("read_external_badge" GET "/api/v1/me/external-badges/{id}" external_badges::read_external_badge, "One of them, verified as of now.", None, 200, schema::<external_badges::VerifiedBadgeView>(), &[]),
    route!("delete_external_badge" DELETE "/api/v1/me/external-badges/{id}" external_badges::delete_external_badge, "Take a badge of another issuer out of your wallet.", None, 204, None, &[]),
    route!("read_external_badge_sharing" GET "/api/v1/me/external-badges/{id}/sharing" external_badges::read_external_badge_sharing, "Whether a badge of another issuer is shown in your organization's inventory, and what its last check has said.", None, 200, schema::<external_badges::BadgeSharingView>(), &[]),
    route!("put_external_badge_sharing" PUT "/api/v1/me/external-badges/{id}/sharing" external_badges::put_external_badge_sharing, "Let it be shown with your name while it is found valid, or no more; If-Match is \"0\" where you have not said.", schema::<external_badges::BadgeSharingBody>(), 200, schema::<external_badges::BadgeSharingView>(), &[]),
    route!("list_screenings" GET "/api/v1/screenings" screenings::list_screenings, "What waits for a pre-screener.", None, 200, page::<screenings::ScreeningLineView>(), PAGING),
    route!("begin_screening" POST "/api/v1/submissions/{id}/screening/begin" screenings::begin_screening, "Open the blinded work to see whether it is complete; from then on it cannot be recalled.", None, 200, schema::<screenings::ScreeningView>(), &[]),
    route!("screen_submission" POST "/api/v1/submissions/{id}/screening" screenings::screen_submission, "Say that it is complete, or send it back with a reason for each item.", schema::<screenings::ScreeningBody>(), 200, schema::<screenings::ScreenedView>(), &[]),
    route!("claim_review" POST "/api/v1/reviews/claim" reviews::claim_review, "Lease the most urgent submission that you may score; 204 when there is none.", schema::<reviews::ClaimBody>(), 201, schema::<reviews::ReviewView>(), &[]),
    route!("list_reviews" GET "/api/v1/reviews" reviews::list_reviews, "Your own reviews.", None, 200, page::<reviews::ReviewLine>(), &["state", "limit", "cursor"]),
    route!("read_review" GET "/api/v1/reviews/{id}" reviews::read_review, "The blinded work beside its rubric, and the sheet.", None, 200, schema::<reviews::ReviewView>(), &[]),
    route!("renew_review" POST "/api/v1/reviews/{id}/renew" reviews::renew_review, "Begin the lease anew.", None, 200, schema::<reviews::ReviewView>(), &[]),
    route!("put_scores" PUT "/api/v1/reviews/{id}/scores" reviews::put_scores, "Save the draft sheet.", schema::<reviews::SheetBody>(), 200, schema::<reviews::ReviewView>(), &[]),
    route!("lock_review" POST "/api/v1/reviews/{id}/lock" reviews::lock_review, "Make the sheet final; the last one that is needed decides.", None, 200, schema::<reviews::LockedView>(), &[]),
    route!("recuse_review" POST "/api/v1/reviews/{id}/recuse" reviews::recuse_review, "Step back without blame.", schema::<reviews::RecuseBody>(), 200, schema::<reviews::ReviewView>(), &[]),
    route!("create_conflict" POST "/api/v1/conflicts" conflicts::create_conflict, "Declare a tie to somebody, so that neither scores the other's work.", schema::<conflicts::NewConflict>(), 201, schema::<conflicts::ConflictView>(), &[]),
    route!("list_conflicts" GET "/api/v1/conflicts" conflicts::list_conflicts, "The ties that you have declared.", None, 200, page::<conflicts::ConflictView>(), PAGING),
    route!("end_conflict" DELETE "/api/v1/conflicts/{id}" conflicts::end_conflict, "End a tie that you have declared; it stays in the record.", None, 204, None, &[]),
    route!("complete_module" PUT "/api/v1/me/modules/{module}" conflicts::complete_module, "State that you have completed a module that comes before scoring: bias or conflicts.", None, 200, schema::<conflicts::ModulesView>(), &[]),
    route!("read_blocked_queue" GET "/api/v1/queue/blocked" conflicts::read_blocked_queue, "What waits for a reader, and which rule keeps how many assessors from it; nothing of its content.", None, 200, schema::<conflicts::BlockedQueueView>(), &["all"]),
    route!("put_load_cap" PUT "/api/v1/organizations/{id}/load-caps/{person_id}" conflicts::put_load_cap, "Set how many reviews somebody may hold at a time; null for the usual number.", schema::<conflicts::LoadCapBody>(), 200, schema::<conflicts::LoadCapBody>(), &[]),
    route!("read_same_district_waiver" GET "/api/v1/organizations/{id}/same-district-waiver" conflicts::read_same_district_waiver, "The group decision that lets assessors of the district score one another's work.", None, 200, schema::<conflicts::WaiverView>(), &[]),
    route!("put_same_district_waiver" PUT "/api/v1/organizations/{id}/same-district-waiver" conflicts::put_same_district_waiver, "Record that decision; If-Match is \"0\" where there is none. Every not-yet is then scored twice and a tenth read again.", schema::<conflicts::WaiverBody>(), 200, schema::<conflicts::WaiverView>(), &[]),
    route!("read_ai_use_policy" GET "/api/v1/organizations/{id}/ai-use-policy" ai_use::read_ai_use_policy, "What earners are told about the use of AI, by the organization or the nearest one above; null where nobody has said anything.", None, 200, schema::<ai_use::AiUsePolicyView>(), &[]),
    route!("put_ai_use_policy" PUT "/api/v1/organizations/{id}/ai-use-policy" ai_use::put_ai_use_policy, "Say whether AI is forbidden, to be disclosed, or free, for what is handed in from now on; If-Match is \"0\" where nobody has set anything.", schema::<ai_use::AiUsePolicyBody>(), 200, schema::<ai_use::AiUsePolicyView>(), &[]),
    route!("read_calendar" GET "/api/v1/organizations/{id}/calendar" calendars::read_calendar, "The working days by which dates are promised.", None, 200, schema::<calendars::CalendarBody>(), &[]),
    route!("put_calendar" PUT "/api/v1/organizations/{id}/calendar" calendars::put_calendar, "Set weekend days, holidays and school breaks; If-Match is \"0\" where nobody has set anything.", schema::<calendars::CalendarBody>(), 200, schema::<calendars::CalendarBody>(), &[]),
    route!("create_calibration_set" POST "/api/v1/calibration-sets" calibration::create_calibration_set, "Start a set of known work for a rubric.", schema::<calibration::NewCalibrationSet>(), 201, schema::<calibration::CalibrationSetView>(), &[]),
    route!("list_calibration_sets" GET "/api/v1/calibration-sets" calibration::list_calibration_sets, "The sets of your organizations; assessors see what is in use, and no seed papers.", None, 200, page::<calibration::CalibrationSetLine>(), &["micro_credential_id", "limit", "cursor"]),
    route!("read_calibration_set" GET "/api/v1/calibration-sets/{id}" calibration::read_calibration_set, "One set; a training set with its anchors.", None, 200, schema::<calibration::CalibrationSetView>(), &[]),
    route!("add_calibration_paper" POST "/api/v1/calibration-sets/{id}/papers" calibration::add_calibration_paper, "Add a paper to a draft set.", schema::<calibration::NewPaperBody>(), 201, schema::<calibration::CalibrationSetView>(), &[]),
    route!("set_calibration_key" POST "/api/v1/calibration-sets/{id}/papers/{paper_id}/keys" calibration::set_calibration_key, "Set your own key of a paper, once; nobody sees another's.", schema::<calibration::KeyBody>(), 201, schema::<calibration::CalibrationSetView>(), &[]),
    route!("publish_calibration_set" POST "/api/v1/calibration-sets/{id}/publish" calibration::publish_calibration_set, "Take a set into use, or learn everything that is missing.", None, 200, schema::<calibration::CalibrationSetView>(), &[]),
    route!("retire_calibration_set" POST "/api/v1/calibration-sets/{id}/retire" calibration::retire_calibration_set, "Take a set out of use; what was passed on it stays.", None, 200, schema::<calibration::CalibrationSetView>(), &[]),
    route!("start_calibration_attempt" POST "/api/v1/calibration-sets/{id}/attempts" calibration::start_calibration_attempt, "Practise, or try to qualify: two sets, then coaching, then one more.", None, 201, schema::<calibration::CalibrationAttemptView>(), &[]),
    route!("list_calibration_attempts" GET "/api/v1/calibration-sets/{id}/attempts" calibration::list_calibration_attempts, "What came of a set.", None, 200, page::<calibration::CalibrationAttemptLine>(), PAGING),
    route!("read_calibration_attempt" GET "/api/v1/calibration-attempts/{id}" calibration::read_calibration_attempt, "Your attempt with its papers; its outcome for lead assessors.", None, 200, schema::<calibration::CalibrationAttemptView>(), &[]),
    route!("score_calibration_paper" POST "/api/v1/calibration-attempts/{id}/papers/{paper_id}/scores" calibration::score_calibration_paper, "Score a paper, once; a practice paper is corrected at once.", schema::<calibration::PaperScoresBody>(), 200, schema::<calibration::CalibrationAttemptView>(), &[]),
    route!("finish_calibration_attempt" POST "/api/v1/calibration-attempts/{id}/finish" calibration::finish_calibration_attempt, "Finish an attempt; who passes a qualifying set may score.", None, 200, schema::<calibration::CalibrationAttemptView>(), &[]),
    route!("record_calibration_coaching" POST "/api/v1/calibration-attempts/{id}/coaching" calibration::record_calibration_coaching, "Record that you spoke about a failed attempt with its person.", None, 200, schema::<calibration::CalibrationAttemptView>(), &[]),
    route!("list_assessors" GET "/api/v1/assessors" assessors::list_assessors, "Where the assessors of your organizations stand, by rubric; at most 500.", None, 200, page::<assessors::StandingView>(), &["micro_credential_id"]),
    route!("read_assessor" GET "/api/v1/assessors/{person_id}" assessors::read_assessor, "Where an assessor stands for each rubric, and what comes next: yourself, or for lead assessors.", None, 200, page::<assessors::StandingView>(), &[]),
    route!("accept_assessing" POST "/api/v1/assessors/{person_id}/accept" assessors::accept_assessing, "Say that you have declared your conflicts of interest, and begin to train.", schema::<assessors::AcceptanceBody>(), 200, schema::<assessors::StandingView>(), &[]),
    route!("suspend_assessor" POST "/api/v1/assessors/{person_id}/suspend" assessors::suspend_assessor, "Stop an assessor for a reason; what they hold goes back to the queue.", schema::<assessors::ReasonedBody>(), 200, schema::<assessors::StandingView>(), &[]),
    route!("coach_assessor" POST "/api/v1/assessors/{person_id}/coaching" assessors::coach_assessor, "Record that you spoke with a suspended assessor.", schema::<assessors::RubricBody>(), 200, schema::<assessors::StandingView>(), &[]),
    route!("requalify_assessor" POST "/api/v1/assessors/{person_id}/requalify" assessors::requalify_assessor, "Let a suspended assessor try the qualifying sets again, after coaching.", schema::<assessors::RubricBody>(), 200, schema::<assessors::StandingView>(), &[]),
    route!("release_assessor" POST "/api/v1/assessors/{person_id}/release" assessors::release_assessor, "Stop being an assessor of a rubric, or let somebody go.", schema::<assessors::ReasonedBody>(), 200, schema::<assessors::StandingView>(), &[]),
    route!("invite_assessor" POST "/api/v1/assessors/{person_id}/invite" assessors::invite_assessor, "Ask an assessor back who was released.", schema::<assessors::RubricBody>(), 200, schema::<assessors::StandingView>(), &[]),
    route!("put_sample_consent" PUT "/api/v1/submissions/{id}/sample-consent" calibration::put_sample_consent, "Let your decided work be known work until a date, or withdraw that.", schema::<calibration::SampleConsentBody>(), 200, schema::<calibration::SampleConsentBody>(), &[]),
    route!("list_rereads" GET "/api/v1/queue/rereads" conflicts::list_rereads, "Sheets that are read again after the decision, by chance or since their assessor was suspended: those that differ first, then those that wait; at most 200.", None, 200, page::<conflicts::RereadView>(), &[]),
    route!("read_agreement_report" GET "/api/v1/reports/agreement" reports::read_agreement_report, "How far assessors agree, by criterion and by assessor; format=csv for a table, svg and svg_severity for plots.", None, 200, schema::<reports::AgreementReport>(), &["micro_credential_id", "format"]),
    route!("read_own_agreement" GET "/api/v1/reports/agreement/mine" reports::read_own_agreement, "How far you agree with those who read the same; null under 20 comparisons.", None, 200, schema::<reports::OwnAgreement>(), &["micro_credential_id"]),
    route!("read_skills_inventory" GET "/api/v1/reports/skills-inventory" inventory::read_skills_inventory, "How many persons hold which skill by an award in force, by school, audience and year, told in steps of five; whom programmes have reached; gaps. format=csv for a table, svg for a page to print.", None, 200, schema::<inventory::InventoryView>(), &["organization_id", "by", "group", "skill", "format", "exact"]),
    route!("list_people_with_skill" GET "/api/v1/reports/skills-inventory/people" inventory::list_people_with_skill, "Who can lead this? Those who want to be named for an award in force that carries the skill.", None, 200, page::<inventory::SkilledPersonView>(), &["organization_id", "skill", "limit", "cursor"]),
    route!("list_shown_badges" GET "/api/v1/reports/skills-inventory/external-badges" external_badges::list_shown_badges, "Badges of other issuers that members let be shown, found valid within 30 days; labelled external, and in none of the numbers.", None, 200, page::<external_badges::ShownBadgeView>(), &["organization_id", "limit", "cursor"]),
    route!("read_inventory_purpose" GET "/api/v1/organizations/{id}/inventory-purpose" inventory::read_inventory_purpose, "What skills are counted for, by the organization or the nearest one above; null where nobody has said it.", None, 200, schema::<inventory::PurposeView>(), &[]),
    route!("put_inventory_purpose" PUT "/api/v1/organizations/{id}/inventory-purpose" inventory::put_inventory_purpose, "Say what skills are counted for and what not; If-Match is \"0\" where nobody has set anything.", schema::<inventory::PurposeBody>(), 200, schema::<inventory::PurposeView>(), &[]),
    route!("create_inventory_snapshot" POST "/api/v1/organizations/{id}/inventory-snapshots" inventory::create_inventory_snapshot, "Sign the inventory as everybody sees it now.", None, 201, schema::<inventory::SnapshotView>(), &[]),
    route!("list_inventory_snapshots" GET "/api/v1/organizations/{id}/inventory-snapshots" inventory::list_inventory_snapshots, "The signed inventories of an organization.", None, 200, page::<inventory::SnapshotView>(), PAGING),
    route!("read_inventory_snapshot" GET "/api/v1/inventory-snapshots/{id}" inventory::read_inventory_snapshot, "One signed inventory.", None, 200, schema::<inventory::SnapshotView>(), &[]),
    route!("read_sharing" GET "/api/v1/awards/{id}/sharing" inventory::read_sharing, "Whether you are named for an award of yours.", None, 200, schema::<inventory::SharingBody>(), &[]),
    route!("put_sharing" PUT "/api/v1/awards/{id}/sharing" inventory::put_sharing, "Be named for an award when somebody looks for its skills, or no more; If-Match is \"0\" where you have not said.", schema::<inventory::SharingBody>(), 200, schema::<inventory::SharingBody>(), &[]),
    route!("create_credit_rule" POST "/api/v1/organizations/{id}/credit-rules" credit::create_credit_rule, "Write down what awards count for, in the place of the rule of the same id.", schema::<credit::NewCreditRule>(), 201, schema::<credit::CreditRuleView>(), &[]),
    route!("list_credit_rules" GET "/api/v1/organizations/{id}/credit-rules" credit::list_credit_rules, "The rules of an authority, with those that have ended.", None, 200, page::<credit::CreditRuleView>(), PAGING),
    route!("end_credit_rule" POST "/api/v1/credit-rules/{id}/end" credit::end_credit_rule, "Give nothing by a rule any more; what was given stays.", None, 200, schema::<credit::CreditRuleView>(), &[]),
    route!("read_credit_outlook" GET "/api/v1/credit-outlook" credit::read_credit_outlook, "What a micro-credential or stack will count for with your authorities, what it may, and what is not known.", None, 200, schema::<credit::CreditOutlookView>(), &["micro_credential_id", "stack_id"]),
    route!("create_credit_grant" POST "/api/v1/credit-rules/{id}/grants" credit::create_credit_grant, "Give credit for an award, divided among categories; once for each authority.", schema::<credit::NewGrant>(), 201, schema::<credit::GrantView>(), &[]),
    route!("reverse_credit_grant" POST "/api/v1/credit-grants/{id}/reversal" credit::reverse_credit_grant, "Take credit back, with a reason that its person is told; the award can be used again.", schema::<credit::CreditReversalBody>(), 201, schema::<credit::GrantView>(), &[]),
    route!("list_credit_grants" GET "/api/v1/organizations/{id}/credit-grants" credit::list_credit_grants, "The ledger of an authority; format=csv for the whole of it as a table.", None, 200, page::<credit::LedgerLineView>(), &["format", "limit", "cursor"]),
    route!("list_own_credit" GET "/api/v1/me/credit-grants" credit::list_own_credit, "What you were given.", None, 200, page::<credit::LedgerLineView>(), PAGING),
    route!("list_awards" GET "/api/v1/awards" awards::list_awards, "Your own awards, and those that you may revoke.", None, 200, page::<awards::AwardView>(), &["person_id", "micro_credential_id", "state", "limit", "cursor"]),
    route!("read_award" GET "/api/v1/awards/{id}" awards::read_award, "One award.", None, 200, schema::<awards::AwardView>(), &[]),
    route!("revoke_award" POST "/api/v1/awards/{id}/revoke" awards::revoke_award, "Revoke an award; the status list is published in the same commit.", schema::<awards::RevokeBody>(), 200, schema::<awards::AwardView>(), &[]),
    route!("bulk_revoke_awards" POST "/api/v1/awards/bulk-revocations" awards::bulk_revoke_awards, "Look which awards a filter finds, and revoke them if they are still as many as the preview said: all or none.", schema::<awards::BulkRevocationBody>(), 200, schema::<awards::BulkRevocationView>(), &[]),
    route!("suspend_award" POST "/api/v1/awards/{id}/suspend" awards::suspend_award, "Take an award out of force while a panel sits.", schema::<awards::PanelBody>(), 200, schema::<awards::AwardView>(), &[]),
    route!("reinstate_award" POST "/api/v1/awards/{id}/reinstate" awards::reinstate_award, "End a suspension in favour of the earner; what has ended or was renewed meanwhile is expired or superseded then.", schema::<awards::PanelBody>(), 200, schema::<awards::AwardView>(), &[]),
    route!("renew_award" POST "/api/v1/awards/{id}/renew" awards::renew_award, "Start the attempt that renews your award, until 90 days after its end; where the definition knows renewal.", None, 201, schema::<submissions::SubmissionView>(), &[]),
    route!("list_audit_events" GET "/api/v1/audit-events" audit_events::list_audit_events, "The hash-chained trail of your organizations, the newest first.", None, 200, page::<audit_events::AuditEventView>(), PAGING),
    route!("verify_credential" POST "/api/v1/verify" verify::verify_credential, "The verdict on a badge: the document itself, {\"url\"} or {\"credential\", \"expect\": {\"email\", \"trusted_issuers\"}}. Who has signed in is also told whether their district recognises the issuer.", None, 200, None, &[]),
    route!("read_credential" GET "/credentials/{award_id}" public::read_credential, "A badge: its page, or the signed document by content negotiation or with a suffix (.json, .jwt, .png, .svg).", None, 200, None, &[]),
    route!("read_preview" GET "/credentials/{award_id}/preview.png" pictures::read_preview, "The picture that other sites show beside a link to the badge.", None, 200, None, &[]),
    route!("read_achievement" GET "/achievements/{micro_credential_id}/versions/{n}" public::read_achievement, "What was achieved: a page with the rubric, or the Achievement as JSON-LD.", None, 200, None, &[]),
    route!("proposals_page" GET "/achievements/{micro_credential_id}/versions/{n}/proposals" proposals_web::show_proposals_page, "What people propose to change in a rubric, with the answers, and a form for one more.", None, 200, None, &[]),
    route!("read_stack_achievement" GET "/stacks/{id}" public::read_stack_achievement, "What a stack asks: a page, or the Achievement as JSON-LD.", None, 200, None, &[]),
    route!("read_issuer" GET "/issuers/{organization_id}" public::read_issuer, "The issuer: a page, or the Profile with its keys as JSON-LD.", None, 200, None, &[]),
    route!("read_did_document" GET "/issuers/{organization_id}/did.json" issuer_documents::read_did_document, "The DID document of the issuer's did:web.", None, 200, None, &[]),
    route!("read_jwks" GET "/issuers/{organization_id}/jwks.json" issuer_documents::read_jwks, "The keys with which the issuer signs JWTs.", None, 200, None, &[]),
    route!("read_artwork" GET "/issuers/{organization_id}/artwork.png" pictures::read_artwork, "The picture of the issuer's badges.", None, 200, None, &[]),
    route!("read_key" GET "/keys/{id}" issuer_documents::read_key, "One bare JWK, the document of a JWT's kid; 410 for a key that is given up.", None, 200, None, &[]),
    route!("read_status_list" GET "/status-lists/{id}" issuer_documents::read_status_list, "A signed BitstringStatusListCredential, with an embedded proof or as a JWT.", None, 200, None, &[]),
    route!("read_revocation_list" GET "/revocation-lists/{organization_id}" issuer_documents::read_revocation_list, "The issuer's revoked badges as a 1EdTechRevocationList.", None, 200, None, &[]),
    route!("home_page" GET "/" public::home_page, "The catalogue as a page.", None, 200, None, &["q", "skill", "audience", "cursor"]),
    route!("verify_page" GET "/verify" public::show_verify_page, "The page where a badge is verified.", None, 200, None, &[]),
    route!("accept_invitation_page" GET "/invitations/accept" public::show_accept_page, "The page that an invitation's mail leads to.", None, 200, None, &[]),
    route!("contribution_page" GET "/contributions/new" public::show_contribution_page, "The page that a contributor's link leads to.", None, 200, None, &[]),
    route!("stacks_page" GET "/stacks" public::show_stacks_page, "The page where an earner sees how far they are with each stack; it signs in there.", None, 200, None, &[]),
    route!("coaching_page" GET "/coachings" public::show_coaching_page, "The page that the mails to coaches and co-earners lead to; it shows what they are asked and signs in there.", None, 200, None, &[]),
    route!("charter_proposals_page" GET "/programs/{id}/proposals" proposals_web::show_charter_proposals_page, "What people propose to change in the charter of a programme, with the answers, and a form for one more.", None, 200, None, &[]),
    route!("program_report_page" GET "/programs/{id}/report" report::show_report_sign_in, "The page that asks who wants to read and print the outcome report of a programme.", None, 200, None, &[]),
    route!("show_program_report" POST "/programs/{id}/report" report::show_report, "The outcome report of a programme as a page to print, by a plain form with e-mail address and password; for whoever may read its figures.", None, 200, None, &[]),
    route!("submission_page" GET "/submissions/{id}" public::show_submission_page, "The page that the mails about a submission lead to; it shows the submission to whoever may see it and signs in there.", None, 200, None, &[]),
    route!("problem_page" GET "/problems/{code}" public::show_problem_page, "What a problem means and what to do about it.", None, 200, None, &[]),
    route!("asset" GET "/assets/{name}" public::read_asset, "A file that pages refer to.", None, 200, None, &[]),
];

/// The route of a method and path pattern.
#[must_use]
pub fn find_route(method: &str, pattern: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == pattern && route.method == method)
}

/// An operation that nobody has decided who may use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no policy row for {}; nothing is served before each operation has exactly one", .0.join(", "))]
pub struct Undeclared(pub Vec<&'static str>);

/// Refuses to start unless every route has exactly one policy row.
///
/// # Errors
/// [`Undeclared`] with the operations at fault.
pub fn require_policy(routes: &[Route]) -> Result<(), Undeclared> {
    let n_rows = |operation: &str| policy::rows().filter(|row| row.operation == operation).count();
    let faults: Vec<&'static str> = routes
        .iter()
        .map(|route| route.operation)
        .filter(|operation| n_rows(operation) != 1)
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Undeclared(faults)) }
}

fn method_of(name: &str) -> Method {
    match name {
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => Method::GET,
    }
}

/// Registers every route. Methods that a path does not take are answered with those that it does.
pub fn configure(config: &mut web::ServiceConfig) {
    let mut paths: Vec<&'static str> = Vec::new();
    for route in ROUTES {
        if !paths.contains(&route.path) {
            paths.push(route.path);
        }
    }
    // Fixed segments before parameters, so that `/micro-credentials/validate` is not taken for an id.
    paths.sort_by_key(|path| path.contains('{'));
    for path in paths {
        let mut resource = web::resource(path);
        let mut methods = Vec::new();
        for route in ROUTES.iter().filter(|route| route.path == path) {
            resource = resource.route((route.handler)().method(method_of(route.method)));
            methods.push(route.method);
            if route.method == "GET" {
                // The same without its body (RFC 9110, 9.3.2).
                resource = resource.route((route.handler)().method(Method::HEAD));
            }
        }
        let allow = methods.join(", ");
        config.service(resource.default_service(web::to(move || {
            let allow = allow.clone();
            async move {
                let problem =
                    Problem::new("method-not-allowed", format!("this address takes {allow}"));
                let mut response = HttpResponse::from_error(problem);
                if let Ok(value) = actix_web::http::header::HeaderValue::from_str(&allow) {
                    response.headers_mut().insert(actix_web::http::header::ALLOW, value);
                }
                response
            }
        })));
    }
    config.default_service(web::to(|| async {
        Err::<HttpResponse, Problem>(Problem::new(
            "not-found",
            "there is nothing here, or it is not yours to see",
        ))
    }));
}
