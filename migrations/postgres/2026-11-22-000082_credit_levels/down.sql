-- What was taken back is no grant any more, and amounts by level are their highest row.
CREATE TABLE kept_credit_grants (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    award_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    period TEXT NOT NULL,
    minor BIGINT NOT NULL,
    granted_by TEXT NOT NULL,
    granted_at TIMESTAMP NOT NULL
);
INSERT INTO kept_credit_grants (id, organization_id, rule_id, award_id, person_id, period, minor, granted_by, granted_at)
SELECT id, organization_id, rule_id, award_id, person_id, period, minor, granted_by, granted_at FROM credit_grants WHERE reversed_at IS NULL;
CREATE TABLE kept_credit_allocations (
    grant_id TEXT NOT NULL,
    category TEXT NOT NULL,
    minor BIGINT NOT NULL,
    PRIMARY KEY (grant_id, category)
);
INSERT INTO kept_credit_allocations (grant_id, category, minor)
SELECT grant_id, category, minor FROM credit_allocations WHERE grant_id IN (SELECT id FROM kept_credit_grants);
DROP TABLE credit_allocations;
DROP TABLE credit_grants;
CREATE TABLE credit_grants (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    rule_id TEXT NOT NULL REFERENCES credit_rules (id),
    award_id TEXT NOT NULL REFERENCES awards (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    period TEXT NOT NULL,
    minor BIGINT NOT NULL CHECK (minor >= 1),
    granted_by TEXT NOT NULL REFERENCES people (id),
    granted_at TIMESTAMP NOT NULL,
    UNIQUE (organization_id, award_id)
);
INSERT INTO credit_grants (id, organization_id, rule_id, award_id, person_id, period, minor, granted_by, granted_at)
SELECT id, organization_id, rule_id, award_id, person_id, period, minor, granted_by, granted_at FROM kept_credit_grants;
CREATE INDEX credit_grants_by_person ON credit_grants (person_id, id);
CREATE TABLE credit_allocations (
    grant_id TEXT NOT NULL REFERENCES credit_grants (id),
    category TEXT NOT NULL,
    minor BIGINT NOT NULL CHECK (minor >= 1),
    PRIMARY KEY (grant_id, category)
);
INSERT INTO credit_allocations (grant_id, category, minor) SELECT grant_id, category, minor FROM kept_credit_allocations;
DROP TABLE kept_credit_allocations;
DROP TABLE kept_credit_grants;
DROP TABLE credit_rule_levels;
