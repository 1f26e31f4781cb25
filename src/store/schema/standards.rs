//! Tables of frameworks, of the assessment bank and of stacks.

diesel::table! {
    frameworks (id) {
        id -> Text,
        organization_id -> Text,
        identifier -> Text,
        title -> Text,
        creator -> Text,
        version -> Nullable<Text>,
        language -> Nullable<Text>,
        package -> Text,
        n_items -> Integer,
        n_rubrics -> Integer,
        n_kept -> Integer,
        imported_by -> Text,
        revision -> Integer,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    framework_items (framework_id, position) {
        framework_id -> Text,
        position -> Integer,
        identifier -> Text,
        uri -> Text,
        code -> Nullable<Text>,
        label -> Nullable<Text>,
        statement -> Text,
        item_type -> Nullable<Text>,
    }
}

diesel::table! {
    bank_items (id) {
        id -> Text,
        organization_id -> Text,
        micro_credential_id -> Text,
        version_id -> Text,
        version_number -> Integer,
        row_id -> Text,
        kind -> Text,
        content -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    bank_item_frameworks (bank_item_id, identifier) {
        bank_item_id -> Text,
        identifier -> Text,
    }
}

diesel::table! {
    bank_item_uses (bank_item_id, version_id, row_id) {
        bank_item_id -> Text,
        version_id -> Text,
        row_id -> Text,
    }
}

diesel::table! {
    stacks (id) {
        id -> Text,
        organization_id -> Text,
        slug -> Text,
        number -> Integer,
        label -> Text,
        title -> Text,
        document -> Text,
        content_hash -> Text,
        state -> Text,
        author_id -> Text,
        revision -> Integer,
        created_at -> Timestamp,
        published_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    stack_items (stack_id, slug) {
        stack_id -> Text,
        slug -> Text,
        micro_credential_id -> Text,
    }
}

diesel::table! {
    stack_award_parts (award_id, part_id) {
        award_id -> Text,
        part_id -> Text,
    }
}
