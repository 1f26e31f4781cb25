-- Amounts by the lowest level of an award, and credit that is taken back. The two folders hold the same versions.
-- Of an amount by level, credit_rule_amounts.minor is the highest row.
CREATE TABLE credit_rule_levels (
    rule_id TEXT NOT NULL REFERENCES credit_rules (id),
    kind TEXT NOT NULL CHECK (kind = 'micro_credential'),
    slug TEXT NOT NULL,
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 255),
    minor BIGINT NOT NULL CHECK (minor >= 1),
    PRIMARY KEY (rule_id, kind, slug, level)
);
-- An award is used once at a time for each authority: credit that was taken back frees it. The constraint that this replaces belongs to
-- its table, so the table is made anew, and its rows lie elsewhere meanwhile.
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
SELECT id, organization_id, rule_id, award_id, person_id, period, minor, granted_by, granted_at FROM credit_grants;
CREATE TABLE kept_credit_allocations (
    grant_id TEXT NOT NULL,
    category TEXT NOT NULL,
    minor BIGINT NOT NULL,
    PRIMARY KEY (grant_id, category)
);
INSERT INTO kept_credit_allocations (grant_id, category, minor) SELECT grant_id, category, minor FROM credit_allocations;
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
    level INTEGER,
    granted_by TEXT NOT NULL REFERENCES people (id),
    granted_at TIMESTAMP NOT NULL,
    reversal_id TEXT UNIQUE,
    reversal_reason TEXT,
    reversed_by TEXT REFERENCES people (id),
    reversed_at TIMESTAMP,
    CHECK ((reversal_id IS NULL) = (reversed_at IS NULL)),
    CHECK ((reversal_id IS NULL) = (reversed_by IS NULL)),
    CHECK ((reversal_id IS NULL) = (reversal_reason IS NULL))
);
INSERT INTO credit_grants (id, organization_id, rule_id, award_id, person_id, period, minor, granted_by, granted_at)
SELECT id, organization_id, rule_id, award_id, person_id, period, minor, granted_by, granted_at FROM kept_credit_grants;
CREATE INDEX credit_grants_by_person ON credit_grants (person_id, id);
CREATE UNIQUE INDEX credit_grants_once_at_a_time ON credit_grants (organization_id, award_id) WHERE reversed_at IS NULL;
CREATE TABLE credit_allocations (
    grant_id TEXT NOT NULL REFERENCES credit_grants (id),
    category TEXT NOT NULL,
    minor BIGINT NOT NULL CHECK (minor >= 1),
    PRIMARY KEY (grant_id, category)
);
INSERT INTO credit_allocations (grant_id, category, minor) SELECT grant_id, category, minor FROM kept_credit_allocations;
DROP TABLE kept_credit_allocations;
DROP TABLE kept_credit_grants;
