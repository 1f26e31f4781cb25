//! Tables of what happens to a submission besides its readings: screening, resolution, resubmission, cases.

diesel::table! {
    cases (id) {
        id -> Text,
        organization_id -> Text,
        submission_id -> Text,
        kind -> Text,
        state -> Text,
        grounds -> Nullable<Text>,
        statement -> Text,
        opened_by -> Nullable<Text>,
        opened_role -> Text,
        opened_at -> Timestamp,
        due_on -> Timestamp,
        reply -> Nullable<Text>,
        replied_at -> Nullable<Timestamp>,
        reply_until -> Nullable<Timestamp>,
        outcome -> Nullable<Text>,
        outcome_before -> Nullable<Text>,
        concluded_at -> Nullable<Timestamp>,
        revision -> Integer,
    }
}

diesel::table! {
    case_criteria (case_id, criterion_id) {
        case_id -> Text,
        criterion_id -> Text,
        level_before -> Nullable<Integer>,
        level_after -> Nullable<Integer>,
    }
}

diesel::table! {
    case_votes (case_id, person_id) {
        case_id -> Text,
        person_id -> Text,
        vote -> Text,
        reasons -> Text,
        voted_at -> Timestamp,
    }
}

diesel::table! {
    review_coverage (review_id, criterion_id) {
        review_id -> Text,
        criterion_id -> Text,
    }
}

diesel::table! {
    resolutions (submission_id, criterion_id) {
        submission_id -> Text,
        criterion_id -> Text,
        status -> Text,
        dispute -> Nullable<Text>,
        level -> Nullable<Integer>,
    }
}

diesel::table! {
    screenings (id) {
        id -> Text,
        submission_id -> Text,
        screener_id -> Text,
        begun_at -> Timestamp,
        complete -> Nullable<Bool>,
        concluded_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    screening_items (screening_id, requirement_id) {
        screening_id -> Text,
        requirement_id -> Text,
        reason -> Text,
    }
}

diesel::table! {
    carried_levels (submission_id, criterion_id) {
        submission_id -> Text,
        criterion_id -> Text,
        level -> Integer,
        feedback -> Nullable<Text>,
    }
}

diesel::table! {
    coach_offers (submission_id) {
        submission_id -> Text,
        offered_at -> Timestamp,
        is_wanted -> Nullable<Bool>,
        answered_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    feedback_ratings (submission_id) {
        submission_id -> Text,
        rating -> Integer,
        comment -> Nullable<Text>,
        rated_at -> Timestamp,
    }
}

diesel::table! {
    bank_comments (id) {
        id -> Text,
        organization_id -> Text,
        micro_credential_id -> Text,
        criterion_id -> Nullable<Text>,
        text -> Text,
        author_id -> Text,
        revision -> Integer,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    evidence_matches (id) {
        id -> Text,
        organization_id -> Text,
        submission_id -> Text,
        requirement_id -> Text,
        other_submission_id -> Text,
        found_at -> Timestamp,
    }
}

diesel::table! {
    coachings (id) {
        id -> Text,
        submission_id -> Text,
        coach_id -> Text,
        shares_responses -> Bool,
        shares_evidence -> Bool,
        shares_feedback -> Bool,
        asked_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    coach_comments (id) {
        id -> Text,
        coaching_id -> Text,
        item_id -> Nullable<Text>,
        sealed_text -> Binary,
        written_at -> Timestamp,
    }
}

diesel::table! {
    co_earners (id) {
        id -> Text,
        submission_id -> Text,
        evidence_id -> Text,
        person_id -> Nullable<Text>,
        sealed_name -> Binary,
        asked_at -> Timestamp,
        is_confirmed -> Nullable<Bool>,
        answered_at -> Nullable<Timestamp>,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    contribution_links (id) {
        id -> Text,
        submission_id -> Text,
        requirement_id -> Text,
        contributor -> Text,
        token_sha256 -> Text,
        sealed_message -> Nullable<Binary>,
        contains_students -> Bool,
        consent -> Bool,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
        ended_at -> Nullable<Timestamp>,
    }
}
