//! Tables of frameworks.

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
