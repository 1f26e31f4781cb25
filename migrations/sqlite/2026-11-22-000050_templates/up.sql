-- Definitions that came from other districts, the word of a district that it accepts another's awards, and what it has accepted. The two
-- folders hold the same versions.
CREATE TABLE templates (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    package_id TEXT NOT NULL,
    title TEXT NOT NULL,
    licence TEXT NOT NULL,
    issuer TEXT NOT NULL,
    issuer_name TEXT NOT NULL,
    package TEXT NOT NULL,
    signature TEXT NOT NULL,
    program_id TEXT REFERENCES programs (id),
    imported_by TEXT NOT NULL REFERENCES people (id),
    imported_at TIMESTAMP NOT NULL,
    UNIQUE (organization_id, package_id)
);

-- The definition that a micro-credential began as, in a package that came from elsewhere.
CREATE TABLE template_origins (
    micro_credential_id TEXT NOT NULL PRIMARY KEY REFERENCES micro_credentials (id),
    template_id TEXT NOT NULL REFERENCES templates (id),
    position INTEGER NOT NULL CHECK (position >= 0),
    UNIQUE (template_id, position)
);

CREATE TABLE endorsements (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    achievement TEXT NOT NULL,
    scoring_hash TEXT NOT NULL,
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
    micro_credential_id TEXT NOT NULL REFERENCES micro_credentials (id),
    version_number INTEGER NOT NULL,
    statement TEXT NOT NULL,
    signature TEXT NOT NULL,
    endorsed_by TEXT NOT NULL REFERENCES people (id),
    endorsed_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    end_reason TEXT,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX endorsements_by_organization ON endorsements (organization_id);
CREATE UNIQUE INDEX endorsements_one_in_force ON endorsements (organization_id, achievement) WHERE ended_at IS NULL;

CREATE TABLE accepted_awards (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    endorsement_id TEXT NOT NULL REFERENCES endorsements (id),
    credential TEXT NOT NULL,
    achievement TEXT NOT NULL,
    scoring_hash TEXT NOT NULL,
    earner_id TEXT NOT NULL REFERENCES people (id),
    accepted_at TIMESTAMP NOT NULL,
    UNIQUE (organization_id, credential)
);
CREATE INDEX accepted_awards_by_earner ON accepted_awards (earner_id);
