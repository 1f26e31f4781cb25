-- Which badges of other issuers people show in the inventory of their organization, and what the last check said. No row: not shown.
CREATE TABLE external_badge_sharing (
    badge_id TEXT NOT NULL PRIMARY KEY REFERENCES external_badges (id),
    is_shown BOOLEAN NOT NULL,
    revision INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    outcome TEXT,
    issuer_id TEXT,
    valid_until TIMESTAMP,
    checked_at TIMESTAMP,
    CHECK ((outcome IS NULL) = (checked_at IS NULL))
);
CREATE INDEX external_badge_sharing_by_check ON external_badge_sharing (checked_at);
