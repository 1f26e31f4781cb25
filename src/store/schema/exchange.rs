//! Tables of what travels between districts: packages, endorsements, accepted awards; and proposals from everyone.

diesel::table! {
    templates (id) {
        id -> Text,
        organization_id -> Text,
        package_id -> Text,
        title -> Text,
        licence -> Text,
        issuer -> Text,
        issuer_name -> Text,
        package -> Text,
        signature -> Text,
        program_id -> Nullable<Text>,
        imported_by -> Text,
        imported_at -> Timestamp,
    }
}

diesel::table! {
    template_origins (micro_credential_id) {
        micro_credential_id -> Text,
        template_id -> Text,
        position -> Integer,
    }
}

diesel::table! {
    endorsements (id) {
        id -> Text,
        organization_id -> Text,
        achievement -> Text,
        scoring_hash -> Text,
        version_id -> Text,
        micro_credential_id -> Text,
        version_number -> Integer,
        statement -> Text,
        signature -> Text,
        endorsed_by -> Text,
        endorsed_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    accepted_awards (id) {
        id -> Text,
        organization_id -> Text,
        endorsement_id -> Text,
        credential -> Text,
        achievement -> Text,
        scoring_hash -> Text,
        earner_id -> Text,
        accepted_at -> Timestamp,
    }
}

diesel::table! {
    proposals (id) {
        id -> Text,
        organization_id -> Text,
        micro_credential_id -> Nullable<Text>,
        version_number -> Nullable<Integer>,
        program_id -> Nullable<Text>,
        state -> Text,
        proposal -> Text,
        pointer -> Nullable<Text>,
        proposed -> Nullable<Text>,
        credit_name -> Nullable<Text>,
        proposer_id -> Nullable<Text>,
        outcome -> Nullable<Text>,
        answer -> Nullable<Text>,
        answered_by -> Nullable<Text>,
        moderated_by -> Nullable<Text>,
        became_number -> Nullable<Integer>,
        removal_reason -> Nullable<Text>,
        removed_by -> Nullable<Text>,
        revision -> Integer,
        created_at -> Timestamp,
        answered_at -> Nullable<Timestamp>,
        removed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    proposal_contacts (proposal_id) {
        proposal_id -> Text,
        email -> Text,
    }
}

diesel::table! {
    external_badges (id) {
        id -> Text,
        person_id -> Text,
        document -> Text,
        document_sha256 -> Text,
        title -> Nullable<Text>,
        issuer -> Nullable<Text>,
        added_at -> Timestamp,
    }
}

diesel::table! {
    external_badge_sharing (badge_id) {
        badge_id -> Text,
        is_shown -> Bool,
        revision -> Integer,
        updated_at -> Timestamp,
        outcome -> Nullable<Text>,
        issuer_id -> Nullable<Text>,
        valid_until -> Nullable<Timestamp>,
        checked_at -> Nullable<Timestamp>,
    }
}
