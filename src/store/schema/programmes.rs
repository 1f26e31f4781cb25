//! Tables of programmes: the charter, who wrote it, and what happened to it.

diesel::table! {
    programs (id) {
        id -> Text,
        organization_id -> Text,
        slug -> Text,
        title -> Text,
        state -> Text,
        charter -> Text,
        content_hash -> Text,
        revision -> Integer,
        created_at -> Timestamp,
        opened_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    program_authors (program_id, person_id) {
        program_id -> Text,
        person_id -> Text,
    }
}

diesel::table! {
    program_changes (id) {
        id -> Text,
        program_id -> Text,
        event -> Text,
        reason -> Text,
        content_hash -> Text,
        person_id -> Text,
        happened_at -> Timestamp,
    }
}

diesel::table! {
    invitees (id) {
        id -> Text,
        program_id -> Text,
        cohort -> Text,
        audience -> Text,
        school_id -> Text,
        person_id -> Nullable<Text>,
        reference -> Nullable<Text>,
        code_sha256 -> Nullable<Text>,
        state -> Text,
        mails -> Integer,
        invited_by -> Text,
        created_at -> Timestamp,
        invited_at -> Nullable<Timestamp>,
        last_invited_at -> Nullable<Timestamp>,
        declined_at -> Nullable<Timestamp>,
        decline_reason -> Nullable<Text>,
        decline_note -> Nullable<Text>,
        enrolled_at -> Nullable<Timestamp>,
        extended_to -> Nullable<Text>,
        extension_reason -> Nullable<Text>,
        revision -> Integer,
        spoken_answers -> Bool,
        unlimited_words -> Bool,
        accommodation_note -> Text,
    }
}

diesel::table! {
    invitee_names (invitee_id) {
        invitee_id -> Text,
        name -> Text,
    }
}

diesel::table! {
    invitee_invitations (invitation_id) {
        invitation_id -> Text,
        invitee_id -> Text,
    }
}

diesel::table! {
    program_attempts (submission_id) {
        submission_id -> Text,
        invitee_id -> Text,
    }
}

diesel::table! {
    program_stays (program_id) {
        program_id -> Text,
        as_of -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    invitee_stays (invitee_id) {
        invitee_id -> Text,
        is_employed -> Bool,
    }
}

diesel::table! {
    practice_attempts (id) {
        id -> Text,
        program_id -> Text,
        organization_id -> Text,
        version_id -> Text,
        person_id -> Text,
        state -> Text,
        work -> Text,
        note -> Nullable<Text>,
        outcome -> Nullable<Text>,
        created_at -> Timestamp,
        decided_at -> Nullable<Timestamp>,
        revision -> Integer,
    }
}

diesel::table! {
    practice_sheets (id) {
        id -> Text,
        attempt_id -> Text,
        reader_id -> Text,
        is_third -> Bool,
        scores -> Text,
        overall_feedback -> Text,
        created_at -> Timestamp,
    }
}
