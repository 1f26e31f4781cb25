//! The tables as diesel sees them: one schema for both databases. See `migrations/`.
#![expect(missing_docs, reason = "the columns are described by the migrations")]

mod assessors;
mod credit;
mod exchange;
mod inventory;
mod process;
mod programmes;
mod standards;

pub use assessors::*;
pub use credit::*;
pub use exchange::*;
pub use inventory::*;
pub use process::*;
pub use programmes::*;
pub use standards::*;

diesel::table! {
    ai_use_policies (organization_id) {
        organization_id -> Text,
        allowed -> Text,
        statement -> Text,
        revision -> Integer,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    installation (id) {
        id -> Integer,
        base_url -> Text,
        purpose -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    organizations (id) {
        id -> Text,
        parent_id -> Nullable<Text>,
        name -> Text,
        kind -> Text,
        url -> Nullable<Text>,
        email -> Nullable<Text>,
        issuing_stopped -> Bool,
        revision -> Integer,
        created_at -> Timestamp,
    }
}

diesel::table! {
    organization_ancestors (organization_id, ancestor_id) {
        organization_id -> Text,
        ancestor_id -> Text,
        distance -> Integer,
    }
}

diesel::table! {
    people (id) {
        id -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    person_profiles (person_id) {
        person_id -> Text,
        name -> Text,
        email -> Text,
    }
}

diesel::table! {
    person_passwords (person_id) {
        person_id -> Text,
        password_hash -> Text,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    memberships (id) {
        id -> Text,
        organization_id -> Text,
        person_id -> Text,
        state -> Text,
        revision -> Integer,
        created_at -> Timestamp,
        removed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    membership_roles (membership_id, role) {
        membership_id -> Text,
        role -> Text,
    }
}

diesel::table! {
    invitations (id) {
        id -> Text,
        organization_id -> Text,
        membership_id -> Text,
        person_id -> Text,
        token_sha256 -> Text,
        invited_by -> Nullable<Text>,
        expires_at -> Timestamp,
        accepted_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        person_id -> Text,
        created_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    refresh_tokens (token_sha256) {
        token_sha256 -> Text,
        session_id -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    token_keys (id) {
        id -> Text,
        wrapped_key -> Binary,
        created_at -> Timestamp,
    }
}

diesel::table! {
    signing_keys (id) {
        id -> Text,
        organization_id -> Text,
        multikey -> Text,
        state -> Text,
        wrapped_key -> Binary,
        created_at -> Timestamp,
        retired_at -> Nullable<Timestamp>,
        algorithm -> Text,
        public_jwk -> Nullable<Text>,
        compromised_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    micro_credentials (id) {
        id -> Text,
        organization_id -> Text,
        slug -> Text,
        created_by -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    definition_versions (id) {
        id -> Text,
        organization_id -> Text,
        micro_credential_id -> Text,
        number -> Integer,
        state -> Text,
        label -> Text,
        title -> Text,
        definition -> Text,
        content_hash -> Text,
        scoring_hash -> Text,
        policy_hash -> Text,
        search_text -> Text,
        revision -> Integer,
        created_at -> Timestamp,
        published_at -> Nullable<Timestamp>,
        retired_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    version_authors (version_id, person_id) {
        version_id -> Text,
        person_id -> Text,
    }
}

diesel::table! {
    version_skills (version_id, code) {
        version_id -> Text,
        code -> Text,
    }
}

diesel::table! {
    version_audiences (version_id, audience) {
        version_id -> Text,
        audience -> Text,
    }
}

diesel::table! {
    approvals (id) {
        id -> Text,
        version_id -> Nullable<Text>,
        program_id -> Nullable<Text>,
        person_id -> Text,
        approves -> Bool,
        comment -> Text,
        content_hash -> Text,
        created_at -> Timestamp,
        voided_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    approval_voter_departments (approval_id, department_id) {
        approval_id -> Text,
        department_id -> Text,
    }
}

diesel::table! {
    submissions (id) {
        id -> Text,
        organization_id -> Text,
        micro_credential_id -> Text,
        version_id -> Text,
        earner_id -> Text,
        attempt -> Integer,
        state -> Text,
        integrity_statement -> Bool,
        include_results -> Bool,
        ai_use -> Nullable<Text>,
        ai_use_policy -> Nullable<Text>,
        sealed_key -> Nullable<Binary>,
        due_on -> Nullable<Timestamp>,
        submitted_at -> Nullable<Timestamp>,
        decided_at -> Nullable<Timestamp>,
        retain_until -> Nullable<Timestamp>,
        revision -> Integer,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        held_from -> Nullable<Text>,
        previous_id -> Nullable<Text>,
        names_waived -> Bool,
    }
}

diesel::table! {
    submission_events (id) {
        id -> Text,
        submission_id -> Text,
        event -> Text,
        from_state -> Nullable<Text>,
        to_state -> Text,
        actor_id -> Nullable<Text>,
        actor_role -> Text,
        happened_at -> Timestamp,
        version_id -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    evidence (id) {
        id -> Text,
        submission_id -> Text,
        requirement_id -> Text,
        kind -> Text,
        media_type -> Nullable<Text>,
        size_bytes -> BigInt,
        sha256 -> Text,
        storage_name -> Nullable<Text>,
        sealed_name -> Nullable<Binary>,
        sealed_content -> Nullable<Binary>,
        contains_students -> Bool,
        consent -> Bool,
        created_at -> Timestamp,
        metadata -> Text,
        copy_storage_name -> Nullable<Text>,
        copy_size_bytes -> Nullable<BigInt>,
        copy_sha256 -> Nullable<Text>,
        contributor -> Nullable<Text>,
    }
}

diesel::table! {
    submission_responses (submission_id, prompt_id) {
        submission_id -> Text,
        prompt_id -> Text,
        sealed_text -> Nullable<Binary>,
        evidence_id -> Nullable<Text>,
    }
}

diesel::table! {
    evidence_accesses (id) {
        id -> Text,
        evidence_id -> Text,
        submission_id -> Text,
        person_id -> Text,
        purpose -> Text,
        accessed_at -> Timestamp,
    }
}

diesel::table! {
    reviews (id) {
        id -> Text,
        organization_id -> Text,
        submission_id -> Text,
        seat -> Integer,
        kind -> Text,
        state -> Text,
        assessor_id -> Nullable<Text>,
        lease_expires_at -> Nullable<Timestamp>,
        locked_at -> Nullable<Timestamp>,
        overall_feedback -> Nullable<Text>,
        recuse_reason -> Nullable<Text>,
        revision -> Integer,
        created_at -> Timestamp,
        case_id -> Nullable<Text>,
        license -> Nullable<Text>,
    }
}

diesel::table! {
    review_scores (review_id, criterion_id) {
        review_id -> Text,
        criterion_id -> Text,
        level -> Nullable<Integer>,
        unscorable -> Bool,
        feedback -> Nullable<Text>,
    }
}

diesel::table! {
    decisions (submission_id) {
        submission_id -> Text,
        outcome -> Text,
        raters -> Integer,
        assessors_qualified -> Bool,
        decided_at -> Timestamp,
    }
}

diesel::table! {
    decision_levels (submission_id, criterion_id) {
        submission_id -> Text,
        criterion_id -> Text,
        level -> Nullable<Integer>,
        feedback -> Nullable<Text>,
    }
}

diesel::table! {
    awards (id) {
        id -> Text,
        organization_id -> Text,
        submission_id -> Nullable<Text>,
        micro_credential_id -> Nullable<Text>,
        version_id -> Nullable<Text>,
        stack_id -> Nullable<Text>,
        earner_id -> Text,
        state -> Text,
        revision -> Integer,
        created_at -> Timestamp,
        issued_at -> Nullable<Timestamp>,
        valid_until -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
        revocation_reason -> Nullable<Text>,
        revocation_note -> Nullable<Text>,
        suspended_at -> Nullable<Timestamp>,
        suspension_note -> Nullable<Text>,
        part_fell_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    status_lists (id) {
        id -> Text,
        organization_id -> Text,
        size -> Integer,
        document -> Nullable<Text>,
        published_at -> Nullable<Timestamp>,
        revision -> Integer,
        created_at -> Timestamp,
        purpose -> Text,
        issuer -> Nullable<Text>,
        jwt -> Nullable<Text>,
    }
}

diesel::table! {
    issuance_intents (award_id) {
        award_id -> Text,
        issuer_id -> Text,
        signing_key_id -> Text,
        status_list_id -> Text,
        status_index -> Integer,
        canonical_sha256 -> Text,
        unsigned_document -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    credentials (award_id) {
        award_id -> Text,
        document -> Text,
        sha256 -> Text,
        issued_at -> Timestamp,
        signing_key_id -> Nullable<Text>,
    }
}

diesel::table! {
    issuer_settings (organization_id) {
        organization_id -> Text,
        identifier -> Text,
        jwt_algorithm -> Text,
        status_method -> Text,
        revision -> Integer,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    organization_artworks (organization_id) {
        organization_id -> Text,
        png -> Binary,
        sha256 -> Text,
        revision -> Integer,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    trusted_issuer_lists (organization_id) {
        organization_id -> Text,
        issuers -> Text,
        revision -> Integer,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    suspension_places (award_id) {
        award_id -> Text,
        status_list_id -> Text,
        status_index -> Integer,
    }
}

diesel::table! {
    credential_jwts (award_id) {
        award_id -> Text,
        signing_key_id -> Text,
        token -> Text,
        sha256 -> Text,
    }
}

diesel::table! {
    issuance_log (sha256) {
        sha256 -> Text,
        award_id -> Text,
        form -> Text,
        canonical_sha256 -> Text,
        signing_key_id -> Text,
        audit_event_id -> Text,
        signed_at -> Timestamp,
    }
}

diesel::table! {
    award_renewals (submission_id) {
        submission_id -> Text,
        award_id -> Text,
        successor_id -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    outbox (id) {
        id -> Text,
        message_id -> Text,
        kind -> Text,
        person_id -> Text,
        parameters -> Text,
        state -> Text,
        attempts -> Integer,
        next_attempt_at -> Timestamp,
        last_error -> Nullable<Text>,
        created_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    lost_mail (person_id) {
        person_id -> Text,
        since -> Timestamp,
    }
}

diesel::table! {
    audit_events (seq) {
        seq -> BigInt,
        id -> Text,
        happened_at -> Timestamp,
        actor_id -> Nullable<Text>,
        organization_id -> Nullable<Text>,
        verb -> Text,
        object_kind -> Text,
        object_id -> Text,
        detail -> Text,
        previous_hash -> Text,
        hash -> Text,
    }
}

diesel::table! {
    audit_head (id) {
        id -> Integer,
        seq -> BigInt,
        hash -> Text,
    }
}

diesel::table! {
    denials (bucket, operation, person_id, code) {
        bucket -> Timestamp,
        operation -> Text,
        person_id -> Text,
        code -> Text,
        count -> BigInt,
        summed -> Bool,
    }
}

diesel::table! {
    idempotency_keys (person_id, key) {
        person_id -> Text,
        key -> Text,
        request_sha256 -> Text,
        status -> Nullable<Integer>,
        answer -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    award_sharing,
    credit_allocations,
    credit_grants,
    credit_rule_amounts,
    credit_rule_categories,
    credit_rule_levels,
    credit_rules,
    inventory_purposes,
    inventory_snapshots,
    ai_use_policies,
    installation,
    organizations,
    organization_ancestors,
    people,
    person_profiles,
    person_passwords,
    memberships,
    membership_roles,
    invitations,
    sessions,
    refresh_tokens,
    token_keys,
    signing_keys,
    micro_credentials,
    definition_versions,
    version_authors,
    version_skills,
    version_audiences,
    approvals,
    approval_voter_departments,
    submissions,
    submission_events,
    evidence,
    submission_responses,
    evidence_accesses,
    reviews,
    review_scores,
    decisions,
    decision_levels,
    awards,
    status_lists,
    issuance_intents,
    credentials,
    credential_jwts,
    issuance_log,
    award_renewals,
    cases,
    case_criteria,
    case_votes,
    review_coverage,
    resolutions,
    screenings,
    screening_items,
    carried_levels,
    coach_offers,
    feedback_ratings,
    bank_comments,
    evidence_matches,
    suspension_places,
    issuer_settings,
    organization_artworks,
    trusted_issuer_lists,
    outbox,
    lost_mail,
    audit_events,
    audit_head,
    denials,
    idempotency_keys,
    conflict_declarations,
    same_district_waivers,
    waiver_deciders,
    assessor_modules,
    assessor_steps,
    assessor_load_caps,
    calendars,
    calibration_sets,
    calibration_papers,
    calibration_anchors,
    calibration_keys,
    calibration_attempts,
    calibration_scores,
    qualifications,
    qualification_recognitions,
    seed_presentations,
    seed_scores,
    rereads,
    sample_consents,
    coaches_told,
    coachings,
    coach_comments,
    co_earners,
    contribution_links,
    frameworks,
    framework_items,
    bank_items,
    bank_item_frameworks,
    bank_item_uses,
    stacks,
    stack_items,
    stack_award_parts,
    programs,
    program_authors,
    program_changes,
    invitees,
    invitee_names,
    invitee_invitations,
    program_attempts,
    program_stays,
    invitee_stays,
    templates,
    template_origins,
    endorsements,
    accepted_awards,
    proposals,
    proposal_contacts,
    external_badges,
    external_badge_sharing,
);
