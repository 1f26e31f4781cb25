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
