//! Tables of the skills inventory.

diesel::table! {
    award_sharing (award_id) {
        award_id -> Text,
        is_named -> Bool,
        revision -> Integer,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    inventory_purposes (organization_id) {
        organization_id -> Text,
        statement -> Text,
        revision -> Integer,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    inventory_snapshots (id) {
        id -> Text,
        organization_id -> Text,
        issuer_id -> Text,
        jwt -> Text,
        created_by -> Text,
        created_at -> Timestamp,
    }
}
