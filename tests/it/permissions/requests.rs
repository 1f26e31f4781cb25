//! One request for each operation, made so that nothing changes where it is allowed.

use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};

use super::world::{Target, World};
use crate::harness::{PASSWORD, Person};

/// The id of no key.
const NO_KEY: &str = "01900000-0000-7000-8000-000000000000";

/// Whose object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// The actor's.
    Own,
    /// Somebody else's of the same tree.
    Other,
    /// Of a tree that the actor does not belong to.
    Foreign,
}

impl Case {
    /// In the order of the table's columns.
    pub const ALL: [Case; 3] = [Case::Own, Case::Other, Case::Foreign];
}

/// The request of an operation; none where there is no object that could be another's.
pub fn request(
    world: &World,
    operation: &str,
    actor: &Person,
    case: Case,
    target: &Target,
) -> Option<RequestBuilder> {
    let at = |method: Method, path: String| actor.request(method, &path);
    let get = |path: String| Some(at(Method::GET, path));
    let post = |path: String, body: Value| Some(at(Method::POST, path).json(&body));
    let act = |path: String| Some(at(Method::POST, path));
    let put = |path: String, body: Value| {
        Some(at(Method::PUT, path).header("if-match", "\"-1\"").json(&body))
    };
    let organization = format!("/api/v1/organizations/{}", target.organization);
    let family = format!("/api/v1/micro-credentials/{}", target.family);
    let program = format!("/api/v1/programs/{}", target.program);
    let proposal = format!("/api/v1/proposals/{}", world.proposal);
    let submission = format!("/api/v1/submissions/{}", target.submission);
    let decided = format!("/api/v1/submissions/{}", target.decided);
    let review = format!("/api/v1/reviews/{}", target.review);
    let award = format!("/api/v1/awards/{}", target.award);
    // What has no object of its own cannot be somebody else's.
    let unless_other = |request: Option<RequestBuilder>| request.filter(|_| case != Case::Other);
    let member = format!("/api/v1/organizations/{}/members/{}", target.district, target.person);
    // What lead assessors do is done to an assessor of the tree.
    let whom = if case == Case::Other {
        target.person.clone()
    } else {
        world.actor("assessor", Case::Own).id.clone()
    };
    let hash = &world.scoring_hash;
    let assessor = format!("/api/v1/assessors/{whom}");
    match operation {
        "health_live" => get("/health/live".to_owned()),
        "health_ready" => get("/health/ready".to_owned()),
        "read_metrics" => get("/metrics".to_owned()),
        "read_openapi" => get("/api/v1/openapi.json".to_owned()),
        "create_session" => {
            let password = if case == Case::Own { PASSWORD } else { "not the right phrase" };
            // A stranger of their own for each wrong password: too many for one address are refused as such.
            let stranger = format!("{}@example.org", uuid::Uuid::now_v7());
            let is_known = case == Case::Own && !actor.token.is_empty();
            let email = if is_known { &target.email } else { &stranger };
            post("/api/v1/sessions".to_owned(), json!({ "email": email, "password": password }))
        }
        "refresh_session" => {
            let token = match case {
                Case::Own if !actor.token.is_empty() => {
                    world.app.sign_in(&actor.email).refresh_token
                }
                Case::Own | Case::Other | Case::Foreign => "made-up".to_owned(),
            };
            post("/api/v1/sessions/refresh".to_owned(), json!({ "refresh_token": token }))
        }
        "end_session" => {
            // A sign-in of its own, so that the actor's goes on.
            let path = "/api/v1/sessions/current";
            unless_other(Some(if actor.token.is_empty() {
                actor.request(Method::DELETE, path)
            } else {
                world.app.sign_in(&actor.email).request(Method::DELETE, path)
            }))
        }
        "read_me" => unless_other(get("/api/v1/me".to_owned())),
        "create_organization" => post(
            "/api/v1/organizations".to_owned(),
            json!({ "name": "Annex", "kind": "department", "parent_id": target.organization }),
        ),
        "list_organizations" => unless_other(get("/api/v1/organizations".to_owned())),
        "read_organization" => get(organization),
        "switch_issuing" => put(format!("{organization}/issuing"), json!({ "stopped": false })),
        "create_invitation" => post(
            format!("{organization}/invitations"),
            json!({ "email": "no address", "name": "Somebody", "roles": ["earner"] }),
        ),
        "accept_invitation" => post(
            "/api/v1/invitations/accept".to_owned(),
            json!({ "token": "made-up", "password": PASSWORD }),
        ),
        "list_members" => get(format!("{organization}/members")),
        "read_member" => get(member),
        "put_member" => put(member, json!({ "roles": [], "state": "confirmed" })),
        "read_succession" => get(format!("{organization}/succession")),
        "create_signing_key" => act(format!("{organization}/signing-keys")),
        "list_signing_keys" => get(format!("{organization}/signing-keys")),
        // A key that there is not: what may be done fails for that, and nothing else.
        "retire_signing_key" => act(format!("{organization}/signing-keys/{NO_KEY}/retire")),
        "compromise_signing_key" => act(format!("{organization}/signing-keys/{NO_KEY}/compromise")),
        "read_issuer_settings" => get(format!("{organization}/issuer-settings")),
        "put_issuer_settings" => put(
            format!("{organization}/issuer-settings"),
            json!({ "identifier": "https", "jwt_algorithm": "RS256", "status_method": "bitstring" }),
        ),
        "read_trusted_issuers" => get(format!("{organization}/trusted-issuers")),
        "put_trusted_issuers" => {
            put(format!("{organization}/trusted-issuers"), json!({ "issuers": [] }))
        }
        "put_artwork" => {
            Some(at(Method::PUT, format!("{organization}/artwork")).body("no picture"))
        }
        "delete_artwork" => Some(at(Method::DELETE, format!("{organization}/artwork"))),
        "validate_definition" => unless_other(post(
            "/api/v1/micro-credentials/validate".to_owned(),
            json!({ "definition": {} }),
        )),
        "create_micro_credential" => post(
            "/api/v1/micro-credentials".to_owned(),
            json!({ "organization_id": target.organization, "definition": {} }),
        ),
        "list_micro_credentials" => unless_other(get("/api/v1/micro-credentials".to_owned())),
        "read_micro_credential" => get(family),
        "create_version" => post(format!("{family}/versions"), json!({ "definition": {} })),
        "read_version" => get(format!("{family}/versions/1")),
        "put_version" => put(format!("{family}/versions/1"), json!({ "definition": {} })),
        "create_approval" => post(
            format!("{family}/versions/1/approvals"),
            json!({ "approve": true, "comment": "x".repeat(4001) }),
        ),
        "publish_version" => act(format!("{family}/versions/1/publish")),
        "retire_version" => {
            act(format!("/api/v1/micro-credentials/{}/versions/1/retire", target.retired))
        }
        "validate_charter" => {
            unless_other(post("/api/v1/programs/validate".to_owned(), json!({ "charter": {} })))
        }
        "create_program" => post(
            "/api/v1/programs".to_owned(),
            json!({ "organization_id": target.organization, "charter": {} }),
        ),
        "list_programs" => unless_other(get("/api/v1/programs".to_owned())),
        "read_program" => get(program),
        "list_program_changes" => get(format!("{program}/changes")),
        "put_program" => put(program, json!({ "charter": {}, "reason": "" })),
        "create_program_approval" => post(
            format!("{program}/approvals"),
            json!({ "approve": true, "comment": "x".repeat(4001) }),
        ),
        "rehearse_program" => post(format!("{program}/rehearse"), json!({ "reason": "" })),
        "open_program" => post(format!("{program}/open"), json!({ "reason": "" })),
        "close_program" => post(format!("{program}/close"), json!({ "reason": "" })),
        "create_cohort_invitations" => {
            post(format!("{program}/cohorts/ia/invitations"), json!({ "csv": "" }))
        }
        "create_stays" => post(
            format!("{program}/stays"),
            json!({ "csv": "email,employed\nx", "as_of": "2999-01-01" }),
        ),
        "list_invitees" => get(format!("{program}/invitees")),
        "read_invitee" => get(format!("{program}/invitees/{}", target.invitee)),
        "put_extension" => put(
            format!("{program}/invitees/{}/extension", target.invitee),
            json!({ "ends_on": null }),
        ),
        "put_accommodations" => {
            put(format!("{program}/invitees/{}/accommodations", target.invitee), json!({}))
        }
        "read_invitation_codes" => get(format!("{program}/invitation-codes")),
        "preview_message" => {
            get(format!("{program}/message-preview?cohort=ia&audience=instructional_assistant"))
        }
        "create_practice_attempt" => post(
            format!("{program}/practice-attempts"),
            json!({ "micro_credential": "none", "texts": {} }),
        ),
        "list_practice_attempts" => get(format!("{program}/practice-attempts")),
        "screen_practice_attempt" => post(
            format!("{program}/practice-attempts/{NO_KEY}/screening"),
            json!({ "complete": true }),
        ),
        "score_practice_attempt" => {
            post(format!("{program}/practice-attempts/{NO_KEY}/sheets"), json!({ "scores": [] }))
        }
        "read_practice_badge" => get(format!("{program}/practice-attempts/{NO_KEY}/badge")),
        "read_program_readiness" => get(format!("{program}/readiness")),
        "read_funnel" => get(format!("{program}/funnel")),
        "read_enrolment" => get(format!("{program}/enrolment")),
        "create_enrolment" => act(format!("{program}/enrolment")),
        "decline_invitation" => post(
            "/api/v1/invitations/decline".to_owned(),
            json!({ "token": "made-up", "reason": "no_time" }),
        ),
        "redeem_invitation" => post(
            "/api/v1/invitations/redeem".to_owned(),
            json!({ "code": "made-up", "email": "guest@example.org" }),
        ),
        "create_submission" => {
            post(format!("/api/v1/micro-credentials/{}/submissions", target.taken), json!({}))
        }
        "list_submissions" => unless_other(get("/api/v1/submissions".to_owned())),
        "read_submission" => get(submission),
        "patch_submission" => {
            Some(at(Method::PATCH, submission).header("if-match", "\"-1\"").json(&json!({})))
        }
        "add_evidence" => {
            post(format!("{submission}/evidence"), json!({ "requirement_id": "a1", "text": "" }))
        }
        "delete_evidence" => {
            Some(at(Method::DELETE, format!("{decided}/evidence/{}", target.decided_evidence)))
        }
        "read_evidence_content" => {
            get(format!("{submission}/evidence/{}/content", target.evidence))
        }
        "submit_submission" => act(format!("{decided}/submit")),
        "recall_submission" => act(format!("{decided}/recall")),
        "withdraw_submission" => act(format!("{decided}/withdraw")),
        "appeal_submission" => {
            post(format!("{decided}/appeal"), json!({ "grounds": "scoring", "statement": "" }))
        }
        "flag_submission" => post(format!("{submission}/flag"), json!({ "statement": "" })),
        "list_cases" => unless_other(get("/api/v1/cases".to_owned())),
        "read_case" => get(format!("/api/v1/cases/{NO_KEY}")),
        "reply_to_case" => post(format!("/api/v1/cases/{NO_KEY}/reply"), json!({ "reply": "" })),
        "vote_on_case" => post(
            format!("/api/v1/cases/{NO_KEY}/votes"),
            json!({ "vote": "uphold", "reasons": "" }),
        ),
        "list_evidence_matches" => unless_other(get("/api/v1/evidence-matches".to_owned())),
        "resubmit_submission" => post(format!("{decided}/resubmit"), json!({})),
        "rate_feedback" => post(format!("{decided}/feedback-rating"), json!({ "rating": 6 })),
        "answer_coaching" => post(format!("{decided}/coaching"), json!({ "is_wanted": false })),
        "create_contribution_link" => {
            let body = json!({ "requirement_id": "a1", "contributor": "family" });
            post(format!("{submission}/contribution-links"), body)
        }
        "list_contribution_links" => get(format!("{submission}/contribution-links")),
        "end_contribution_link" => {
            Some(at(Method::DELETE, format!("{submission}/contribution-links/{NO_KEY}")))
        }
        "read_contribution" => {
            post("/api/v1/contributions/read".to_owned(), json!({ "token": "made-up" }))
        }
        "create_contribution" => {
            post("/api/v1/contributions".to_owned(), json!({ "token": "made-up", "text": "Seen." }))
        }
        "create_co_earner" => {
            let body = json!({ "evidence_id": NO_KEY, "email": "nobody@example.org" });
            post(format!("{submission}/co-earners"), body)
        }
        "list_co_earners" => get(format!("{submission}/co-earners")),
        "delete_co_earner" => Some(at(Method::DELETE, format!("{submission}/co-earners/{NO_KEY}"))),
        "list_shared_evidence" => unless_other(get("/api/v1/shared-evidence".to_owned())),
        "answer_shared_evidence" => unless_other(post(
            format!("/api/v1/shared-evidence/{NO_KEY}/answer"),
            json!({ "is_confirmed": true }),
        )),
        "list_coaches" => get(format!("{submission}/coaches")),
        "create_coaching" => {
            let body = json!({ "person_id": NO_KEY, "shares": [] });
            post(format!("{submission}/coachings"), body)
        }
        "list_coachings" => unless_other(get("/api/v1/coachings".to_owned())),
        "read_coaching" => get(format!("/api/v1/coachings/{}", target.coaching)),
        "end_coaching" => {
            Some(at(Method::DELETE, format!("/api/v1/coachings/{}", target.ended_coaching)))
        }
        "create_coach_comment" => {
            post(format!("/api/v1/coachings/{}/comments", target.coaching), json!({ "text": "" }))
        }
        "list_comments" => get(format!("{family}/comments")),
        "create_comment" => post(format!("{family}/comments"), json!({ "text": "" })),
        "put_comment" => put(format!("{family}/comments/{NO_KEY}"), json!({ "text": "Clear." })),
        "delete_comment" => Some(at(Method::DELETE, format!("{family}/comments/{NO_KEY}"))),
        "import_framework" => post(format!("{organization}/frameworks"), json!({})),
        "import_shipped_framework" => {
            post(format!("{organization}/shipped-frameworks"), json!({ "name": "" }))
        }
        "put_framework" => {
            unless_other(put(format!("/api/v1/frameworks/{}", world.framework), json!({})))
        }
        "list_frameworks" => unless_other(get("/api/v1/frameworks".to_owned())),
        "read_framework" => unless_other(get(format!("/api/v1/frameworks/{}", world.framework))),
        "export_framework" => {
            unless_other(get(format!("/api/v1/frameworks/{}/package", world.framework)))
        }
        "list_framework_items" => {
            unless_other(get(format!("/api/v1/frameworks/{}/items", world.framework)))
        }
        "read_framework_item" => {
            let items = world.app.anybody();
            let page = items.get(&format!("/api/v1/frameworks/{}/items", world.framework));
            let first = page.expect(200)["items"][0]["identifier"].as_str().unwrap().to_owned();
            unless_other(get(format!("/framework-items/{first}")))
        }
        "import_rubric" => put(format!("{family}/versions/1/rubric"), json!({})),
        "list_bank_items" => unless_other(get("/api/v1/bank-items".to_owned())),
        "read_bank_item" => unless_other(get(format!("/api/v1/bank-items/{}", world.bank_item))),
        "take_bank_item" => {
            let body = json!({ "bank_item_id": NO_KEY, "id": "c9" });
            let path = format!("{family}/versions/1/bank-items");
            Some(at(Method::POST, path).header("if-match", "\"-1\"").json(&body))
        }
        "create_stack" => post(format!("{organization}/stacks"), json!({ "definition": {} })),
        "list_stacks" => unless_other(get("/api/v1/stacks".to_owned())),
        "read_stack" => get(format!("/api/v1/stacks/{}", target.stack)),
        "put_stack" => put(format!("/api/v1/stacks/{}", target.stack), json!({ "definition": {} })),
        "publish_stack" => act(format!("/api/v1/stacks/{}/publish", target.stack)),
        "retire_stack" => act(format!("/api/v1/stacks/{}/retire", target.retired_stack)),
        "read_stack_progress" => get(format!("/api/v1/stacks/{}/progress", target.stack)),
        "list_own_stacks" => unless_other(get("/api/v1/me/stacks".to_owned())),
        "stacks_page" => unless_other(get("/stacks".to_owned())),
        "claim_stack" => act(format!("/api/v1/stacks/{}/awards", target.stack)),
        "read_stack_achievement" => get(format!("/stacks/{}", target.stack)),
        "export_rubric" => get(format!("{family}/versions/1/rubric")),
        "export_template" => post(
            format!("{organization}/template-packages"),
            json!({ "title": "", "licence": "", "definitions": [] }),
        ),
        "import_template" => post(format!("{organization}/templates"), json!({})),
        "list_templates" => get(format!("{organization}/templates")),
        "read_template" => unless_other(get(format!("/api/v1/templates/{NO_KEY}"))),
        "read_origin" => get(format!("{family}/versions/1/origin")),
        "read_differences" => get(format!("{family}/versions/1/differences")),
        "read_reciprocity" => get(format!("{organization}/reciprocity")),
        "create_endorsement" => post(
            format!("{organization}/endorsements"),
            json!({ "achievement": "", "micro_credential_id": NO_KEY, "version": 1 }),
        ),
        "list_endorsements" => get(format!("{organization}/endorsements")),
        "read_endorsement" => unless_other(get(format!("/api/v1/endorsements/{NO_KEY}"))),
        "end_endorsement" => unless_other(post(
            format!("/api/v1/endorsements/{NO_KEY}/end"),
            json!({ "reason": "" }),
        )),
        "create_recognition" => post(
            format!("{organization}/recognitions"),
            json!({ "recognised_organization_id": NO_KEY, "reason": "" }),
        ),
        "list_recognitions" => get(format!("{organization}/recognitions")),
        "read_recognition" => unless_other(get(format!("/api/v1/recognitions/{NO_KEY}"))),
        "end_recognition" => unless_other(
            post(format!("/api/v1/recognitions/{NO_KEY}/end"), json!({ "reason": "" }))
                .map(|request| request.header("if-match", "\"-1\"")),
        ),
        "accept_award" => {
            post(format!("{organization}/accepted-awards"), json!({ "credential": {} }))
        }
        "list_accepted_awards" => get(format!("{organization}/accepted-awards")),
        "create_proposal" => post(format!("{family}/versions/1/proposals"), json!({ "text": "" })),
        "list_proposals" => get(format!("{family}/proposals")),
        // About the charter of a programme: it never becomes a draft.
        "create_charter_proposal" => post(format!("{program}/proposals"), json!({ "text": "" })),
        "list_charter_proposals" => get(format!("{program}/proposals")),
        "read_proposal" => unless_other(get(proposal)),
        "moderate_proposal" => {
            unless_other(post(format!("{proposal}/moderation"), json!({ "show": false })))
        }
        "answer_proposal" => unless_other(post(
            format!("{proposal}/answer"),
            json!({ "outcome": "declined", "answer": "" }),
        )),
        "remove_proposal" => {
            unless_other(post(format!("{proposal}/removal"), json!({ "reason": "" })))
        }
        "draft_proposal" => unless_other(act(format!("{proposal}/draft"))),
        "charter_proposals_page" => get(format!("/programs/{}/proposals", target.program)),
        "proposals_page" => get(format!("/achievements/{}/versions/1/proposals", target.family)),
        "import_rubric_table" => put(format!("{family}/versions/1/rubric-table"), json!({})),
        "add_external_badge" => {
            unless_other(post("/api/v1/me/external-badges".to_owned(), json!({ "credential": 7 })))
        }
        "list_external_badges" => unless_other(get("/api/v1/me/external-badges".to_owned())),
        "read_external_badge" => unless_other(get(format!("/api/v1/me/external-badges/{NO_KEY}"))),
        "delete_external_badge" => {
            unless_other(Some(at(Method::DELETE, format!("/api/v1/me/external-badges/{NO_KEY}"))))
        }
        "read_external_badge_sharing" => {
            unless_other(get(format!("/api/v1/me/external-badges/{NO_KEY}/sharing")))
        }
        "put_external_badge_sharing" => unless_other(put(
            format!("/api/v1/me/external-badges/{NO_KEY}/sharing"),
            json!({ "shown": false }),
        )),
        "list_shown_badges" => get(format!(
            "/api/v1/reports/skills-inventory/external-badges?organization_id={}",
            target.organization
        )),
        "list_screenings" => unless_other(get("/api/v1/screenings".to_owned())),
        "begin_screening" => act(format!("{submission}/screening/begin")),
        "screen_submission" => post(format!("{submission}/screening"), json!({ "complete": true })),
        "claim_review" => unless_other(post(
            "/api/v1/reviews/claim".to_owned(),
            json!({ "micro_credential_id": target.taken }),
        )),
        "list_reviews" => unless_other(get("/api/v1/reviews".to_owned())),
        "read_review" => get(review),
        "renew_review" => act(format!("{review}/renew")),
        "put_scores" => put(format!("{review}/scores"), json!({ "scores": [] })),
        "lock_review" => act(format!("{review}/lock")),
        "recuse_review" => post(format!("{review}/recuse"), json!({ "reason": "" })),
        "create_conflict" => post(
            "/api/v1/conflicts".to_owned(),
            json!({ "organization_id": target.organization, "person_id": NO_KEY, "relation": "knows" }),
        ),
        "list_conflicts" => unless_other(get("/api/v1/conflicts".to_owned())),
        "end_conflict" => {
            unless_other(Some(at(Method::DELETE, format!("/api/v1/conflicts/{NO_KEY}"))))
        }
        "complete_module" => {
            unless_other(Some(at(Method::PUT, "/api/v1/me/modules/patience".to_owned())))
        }
        "read_blocked_queue" => unless_other(get("/api/v1/queue/blocked".to_owned())),
        "put_load_cap" => {
            put(format!("{organization}/load-caps/{}", target.person), json!({ "load_cap": 51 }))
        }
        "read_same_district_waiver" => get(format!("{organization}/same-district-waiver")),
        "put_same_district_waiver" => put(
            format!("{organization}/same-district-waiver"),
            json!({ "reason": "", "deciders": [], "ends_at": "2026-01-01T00:00:00Z" }),
        ),
        "read_ai_use_policy" => get(format!("{organization}/ai-use-policy")),
        "put_ai_use_policy" => put(
            format!("{organization}/ai-use-policy"),
            json!({ "policy": "free", "statement": "As you like." }),
        ),
        "read_calendar" => get(format!("{organization}/calendar")),
        "put_calendar" => put(format!("{organization}/calendar"), json!({ "weekend": [] })),
        "create_calibration_set" => post(
            "/api/v1/calibration-sets".to_owned(),
            json!({ "micro_credential_id": target.family, "kind": "practice", "title": "" }),
        ),
        "list_calibration_sets" => unless_other(get("/api/v1/calibration-sets".to_owned())),
        "read_calibration_set" => {
            unless_other(get(format!("/api/v1/calibration-sets/{}", world.set)))
        }
        "add_calibration_paper" => {
            unless_other(post(format!("/api/v1/calibration-sets/{}/papers", world.set), json!({})))
        }
        "set_calibration_key" => unless_other(post(
            format!("/api/v1/calibration-sets/{}/papers/{NO_KEY}/keys", world.set),
            json!({ "levels": [] }),
        )),
        "publish_calibration_set" => {
            unless_other(act(format!("/api/v1/calibration-sets/{}/publish", world.set)))
        }
        "retire_calibration_set" => {
            unless_other(act(format!("/api/v1/calibration-sets/{}/retire", world.draft_set)))
        }
        // Nothing is begun: a training set is not for trying.
        "start_calibration_attempt" => {
            unless_other(act(format!("/api/v1/calibration-sets/{}/attempts", world.set)))
        }
        "list_calibration_attempts" => {
            unless_other(get(format!("/api/v1/calibration-sets/{}/attempts", world.set)))
        }
        "read_calibration_attempt" => {
            unless_other(get(format!("/api/v1/calibration-attempts/{NO_KEY}")))
        }
        "score_calibration_paper" => unless_other(post(
            format!("/api/v1/calibration-attempts/{NO_KEY}/papers/{NO_KEY}/scores"),
            json!({ "scores": [] }),
        )),
        "finish_calibration_attempt" => {
            unless_other(act(format!("/api/v1/calibration-attempts/{NO_KEY}/finish")))
        }
        "record_calibration_coaching" => {
            unless_other(act(format!("/api/v1/calibration-attempts/{NO_KEY}/coaching")))
        }
        "list_assessors" => unless_other(get("/api/v1/assessors".to_owned())),
        "read_assessor" => {
            let person = if case == Case::Own { &actor.id } else { &target.person };
            let person = if person.is_empty() { &target.person } else { person };
            get(format!("/api/v1/assessors/{person}"))
        }
        "accept_assessing" => {
            let person = if case == Case::Own { &actor.id } else { &target.person };
            let person = if person.is_empty() { &target.person } else { person };
            let body = json!({ "scoring_hash": hash, "conflicts_declared": false });
            post(format!("/api/v1/assessors/{person}/accept"), body)
        }
        "suspend_assessor" => {
            post(format!("{assessor}/suspend"), json!({ "scoring_hash": hash, "reason": "" }))
        }
        "coach_assessor" => post(format!("{assessor}/coaching"), json!({ "scoring_hash": hash })),
        "requalify_assessor" => {
            post(format!("{assessor}/requalify"), json!({ "scoring_hash": hash }))
        }
        "release_assessor" => {
            post(format!("{assessor}/release"), json!({ "scoring_hash": hash, "reason": "" }))
        }
        "invite_assessor" => post(format!("{assessor}/invite"), json!({ "scoring_hash": hash })),
        "put_sample_consent" => {
            put(format!("{submission}/sample-consent"), json!({ "ends_at": null }))
        }
        "list_rereads" => unless_other(get("/api/v1/queue/rereads".to_owned())),
        "read_agreement_report" => {
            get(format!("/api/v1/reports/agreement?micro_credential_id={}", target.family))
        }
        "read_own_agreement" => {
            get(format!("/api/v1/reports/agreement/mine?micro_credential_id={}", target.taken))
        }
        "read_skills_inventory" => {
            get(format!("/api/v1/reports/skills-inventory?organization_id={}", target.organization))
        }
        "list_people_with_skill" => get(format!(
            "/api/v1/reports/skills-inventory/people?organization_id={}&skill=any",
            target.organization
        )),
        "read_inventory_purpose" => get(format!("{organization}/inventory-purpose")),
        "put_inventory_purpose" => {
            put(format!("{organization}/inventory-purpose"), json!({ "statement": "To ask." }))
        }
        "create_inventory_snapshot" => act(format!("{organization}/inventory-snapshots")),
        "list_inventory_snapshots" => get(format!("{organization}/inventory-snapshots")),
        "read_inventory_snapshot" => get(format!("/api/v1/inventory-snapshots/{NO_KEY}")),
        "read_sharing" => get(format!("{award}/sharing")),
        "put_sharing" => put(format!("{award}/sharing"), json!({ "named": true })),
        "create_credit_rule" => {
            let rule = json!({ "rule": {
                "id": "hours", "title": "", "source_url": "", "amounts": [], "categories": [],
                "currency": { "code": "hours", "unit": "hours", "minor_per_unit": 60 },
                "cap": null, "window_days": null, "needs_approval": true,
                "valid_from": "2026-01-01", "valid_to": null,
            }});
            post(format!("{organization}/credit-rules"), rule)
        }
        "list_credit_rules" => get(format!("{organization}/credit-rules")),
        "end_credit_rule" => act(format!("/api/v1/credit-rules/{NO_KEY}/end")),
        "read_credit_outlook" => {
            get(format!("/api/v1/credit-outlook?micro_credential_id={}", target.family))
        }
        "create_credit_grant" => post(
            format!("/api/v1/credit-rules/{NO_KEY}/grants"),
            json!({ "award_id": target.award, "allocations": [] }),
        ),
        "reverse_credit_grant" => unless_other(post(
            format!("/api/v1/credit-grants/{NO_KEY}/reversal"),
            json!({ "reason": "" }),
        )),
        "list_credit_grants" => get(format!("{organization}/credit-grants")),
        "list_own_credit" => unless_other(get("/api/v1/me/credit-grants".to_owned())),
        "list_awards" => unless_other(get("/api/v1/awards".to_owned())),
        "read_award" => get(award),
        "revoke_award" => {
            post(format!("{award}/revoke"), json!({ "reason_code": "issued_in_error", "note": "" }))
        }
        "bulk_revoke_awards" => unless_other(post(
            "/api/v1/awards/bulk-revocations".to_owned(),
            json!({ "filter": {}, "reason_code": "issued_in_error", "note": "", "dry_run": true }),
        )),
        "suspend_award" => post(format!("{award}/suspend"), json!({ "note": "" })),
        "reinstate_award" => post(format!("{award}/reinstate"), json!({ "note": "" })),
        "renew_award" => act(format!("{award}/renew")),
        "list_audit_events" => unless_other(get("/api/v1/audit-events".to_owned())),
        "verify_credential" => post("/api/v1/verify".to_owned(), json!({ "no": "credential" })),
        "read_credential" => get(format!("/credentials/{}", target.award)),
        "read_preview" => get(format!("/credentials/{}/preview.png", target.award)),
        "read_artwork" => get(format!("/issuers/{}/artwork.png", target.issuer)),
        "read_achievement" => get(format!("/achievements/{}/versions/1", target.family)),
        "read_issuer" => get(format!("/issuers/{}", target.issuer)),
        "read_did_document" => get(format!("/issuers/{}/did.json", target.issuer)),
        "read_jwks" => get(format!("/issuers/{}/jwks.json", target.issuer)),
        "read_key" => get(format!("/keys/{NO_KEY}")),
        "read_revocation_list" => get(format!("/revocation-lists/{}", target.issuer)),
        "read_status_list" => get(world.status_list.clone()),
        "home_page" => get("/".to_owned()),
        "verify_page" => get("/verify".to_owned()),
        "contribution_page" => get("/contributions/new".to_owned()),
        "accept_invitation_page" => get("/invitations/accept".to_owned()),
        "problem_page" => get("/problems/stale".to_owned()),
        "coaching_page" => get("/coachings".to_owned()),
        "program_report_page" => get(format!("/programs/{}/report", target.program)),
        // Nobody signs in by a body that is no form.
        "show_program_report" => post(format!("/programs/{}/report", target.program), json!({})),
        "submission_page" => get(format!("/submissions/{}", target.submission)),
        "asset" => get("/assets/assay.css".to_owned()),
        other => panic!("no request for {other}: say here how to try it without changing anything"),
    }
}
