//! Tables of who may score: declared ties and waivers, training, calibration, recognitions, seed papers.

diesel::table! {
    conflict_declarations (id) {
        id -> Text,
        organization_id -> Text,
        declared_by -> Text,
        person_id -> Text,
        relation -> Text,
        declared_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    same_district_waivers (organization_id) {
        organization_id -> Text,
        reason -> Text,
        recorded_by -> Text,
        ends_at -> Timestamp,
        revision -> Integer,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    waiver_deciders (organization_id, person_id) {
        organization_id -> Text,
        person_id -> Text,
    }
}

diesel::table! {
    assessor_modules (person_id, module) {
        person_id -> Text,
        module -> Text,
        completed_at -> Timestamp,
    }
}

diesel::table! {
    assessor_steps (id) {
        id -> Text,
        person_id -> Text,
        scoring_hash -> Text,
        step -> Text,
        actor_id -> Nullable<Text>,
        reason -> Nullable<Text>,
        taken_at -> Timestamp,
    }
}

diesel::table! {
    assessor_load_caps (organization_id, person_id) {
        organization_id -> Text,
        person_id -> Text,
        load_cap -> Integer,
    }
}

diesel::table! {
    calendars (organization_id) {
        organization_id -> Text,
        weekend -> Text,
        holidays -> Text,
        breaks -> Text,
        revision -> Integer,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    calibration_sets (id) {
        id -> Text,
        organization_id -> Text,
        micro_credential_id -> Text,
        version_id -> Text,
        scoring_hash -> Text,
        kind -> Text,
        title -> Text,
        is_provisional -> Bool,
        state -> Text,
        created_by -> Text,
        revision -> Integer,
        created_at -> Timestamp,
        published_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    calibration_papers (id) {
        id -> Text,
        set_id -> Text,
        position -> Integer,
        submission_id -> Nullable<Text>,
        content -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    calibration_anchors (paper_id, criterion_id) {
        paper_id -> Text,
        criterion_id -> Text,
        level -> Integer,
        rationale -> Text,
    }
}

diesel::table! {
    calibration_keys (paper_id, author_id, criterion_id) {
        paper_id -> Text,
        author_id -> Text,
        criterion_id -> Text,
        level -> Integer,
        rationale -> Text,
    }
}

diesel::table! {
    calibration_attempts (id) {
        id -> Text,
        set_id -> Text,
        person_id -> Text,
        scoring_hash -> Text,
        kind -> Text,
        state -> Text,
        n -> Integer,
        exact -> Integer,
        decision -> Integer,
        discrepant -> Integer,
        started_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
        coached_by -> Nullable<Text>,
        coached_at -> Nullable<Timestamp>,
        revision -> Integer,
    }
}

diesel::table! {
    calibration_scores (attempt_id, paper_id, criterion_id) {
        attempt_id -> Text,
        paper_id -> Text,
        criterion_id -> Text,
        level -> Nullable<Integer>,
        scored_at -> Timestamp,
    }
}

diesel::table! {
    qualifications (id) {
        id -> Text,
        person_id -> Text,
        scoring_hash -> Text,
        level -> Text,
        state -> Text,
        attempt_id -> Text,
        passed_at -> Timestamp,
        expires_at -> Timestamp,
        flagged_at -> Nullable<Timestamp>,
        revision -> Integer,
    }
}

diesel::table! {
    seed_presentations (submission_id) {
        submission_id -> Text,
        paper_id -> Text,
        person_id -> Text,
        scoring_hash -> Text,
        presented_at -> Timestamp,
        scored_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    seed_scores (submission_id, criterion_id) {
        submission_id -> Text,
        criterion_id -> Text,
        key_level -> Integer,
        given_level -> Nullable<Integer>,
    }
}

diesel::table! {
    rereads (review_id) {
        review_id -> Text,
        organization_id -> Text,
        person_id -> Text,
        created_at -> Timestamp,
        reason -> Text,
        reread_by -> Nullable<Text>,
        differing -> Nullable<Text>,
    }
}

diesel::table! {
    coaches_told (submission_id, person_id) {
        submission_id -> Text,
        person_id -> Text,
        told_at -> Timestamp,
    }
}

diesel::table! {
    sample_consents (submission_id) {
        submission_id -> Text,
        ends_at -> Timestamp,
        granted_at -> Timestamp,
        withdrawn_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    qualification_recognitions (id) {
        id -> Text,
        organization_id -> Text,
        recognised_id -> Text,
        reason -> Text,
        recognised_by -> Text,
        recognised_at -> Timestamp,
        revision -> Integer,
        ended_at -> Nullable<Timestamp>,
        ended_by -> Nullable<Text>,
        end_reason -> Nullable<Text>,
    }
}
