-- What awards count for with an authority: its rules, and what it has granted. Amounts are in minor units.
CREATE TABLE credit_rules (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    slug TEXT NOT NULL,
    title TEXT NOT NULL,
    source_url TEXT NOT NULL,
    currency_code TEXT NOT NULL,
    currency_unit TEXT NOT NULL,
    minor_per_unit BIGINT NOT NULL CHECK (minor_per_unit >= 1),
    cap_minor BIGINT CHECK (cap_minor >= 1),
    cap_period TEXT CHECK (cap_period IN ('calendar_year', 'school_year', 'ever')),
    window_days INTEGER CHECK (window_days >= 0),
    needs_approval BOOLEAN NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT,
    created_by TEXT NOT NULL REFERENCES people (id),
    created_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    CHECK ((cap_minor IS NULL) = (cap_period IS NULL))
);
CREATE UNIQUE INDEX credit_rules_one_in_force ON credit_rules (organization_id, slug) WHERE ended_at IS NULL;
CREATE TABLE credit_rule_amounts (
    rule_id TEXT NOT NULL REFERENCES credit_rules (id),
    kind TEXT NOT NULL CHECK (kind IN ('micro_credential', 'stack')),
    slug TEXT NOT NULL,
    minor BIGINT NOT NULL CHECK (minor >= 1),
    PRIMARY KEY (rule_id, kind, slug)
);
CREATE TABLE credit_rule_categories (
    rule_id TEXT NOT NULL REFERENCES credit_rules (id),
    category TEXT NOT NULL,
    PRIMARY KEY (rule_id, category)
);
-- An award is used once for each authority, whatever happens at the same time.
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
CREATE INDEX credit_grants_by_person ON credit_grants (person_id, id);
CREATE TABLE credit_allocations (
    grant_id TEXT NOT NULL REFERENCES credit_grants (id),
    category TEXT NOT NULL,
    minor BIGINT NOT NULL CHECK (minor >= 1),
    PRIMARY KEY (grant_id, category)
);
