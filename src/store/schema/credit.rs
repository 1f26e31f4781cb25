//! Tables of credit: rules of authorities, and what they have granted.

diesel::table! {
    credit_rules (id) {
        id -> Text,
        organization_id -> Text,
        slug -> Text,
        title -> Text,
        source_url -> Text,
        currency_code -> Text,
        currency_unit -> Text,
        minor_per_unit -> BigInt,
        cap_minor -> Nullable<BigInt>,
        cap_period -> Nullable<Text>,
        window_days -> Nullable<Integer>,
        needs_approval -> Bool,
        valid_from -> Text,
        valid_to -> Nullable<Text>,
        created_by -> Text,
        created_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    credit_rule_amounts (rule_id, kind, slug) {
        rule_id -> Text,
        kind -> Text,
        slug -> Text,
        minor -> BigInt,
    }
}

diesel::table! {
    credit_rule_levels (rule_id, kind, slug, level) {
        rule_id -> Text,
        kind -> Text,
        slug -> Text,
        level -> Integer,
        minor -> BigInt,
    }
}

diesel::table! {
    credit_rule_categories (rule_id, category) {
        rule_id -> Text,
        category -> Text,
    }
}

diesel::table! {
    credit_grants (id) {
        id -> Text,
        organization_id -> Text,
        rule_id -> Text,
        award_id -> Text,
        person_id -> Text,
        period -> Text,
        minor -> BigInt,
        level -> Nullable<Integer>,
        granted_by -> Text,
        granted_at -> Timestamp,
        reversal_id -> Nullable<Text>,
        reversal_reason -> Nullable<Text>,
        reversed_by -> Nullable<Text>,
        reversed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    credit_allocations (grant_id, category) {
        grant_id -> Text,
        category -> Text,
        minor -> BigInt,
    }
}
