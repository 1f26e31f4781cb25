-- Stacks: what several awards come to together, and the awards that rest on them. The two folders hold the same versions.
CREATE TABLE stacks (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    slug TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    label TEXT NOT NULL,
    title TEXT NOT NULL,
    document TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
    author_id TEXT NOT NULL REFERENCES people (id),
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP,
    UNIQUE (organization_id, slug, number)
);
CREATE UNIQUE INDEX stacks_one_draft ON stacks (organization_id, slug) WHERE state = 'draft';

-- The micro-credentials that a published stack names.
CREATE TABLE stack_items (
    stack_id TEXT NOT NULL REFERENCES stacks (id),
    slug TEXT NOT NULL,
    micro_credential_id TEXT NOT NULL REFERENCES micro_credentials (id),
    PRIMARY KEY (stack_id, slug)
);

-- An award rests on a submission or on a stack. Neither database changes a column's NOT NULL in the words of the other, so the table is
-- made anew with all that refer to it, and every row is put back.
CREATE TEMPORARY TABLE kept_awards AS SELECT * FROM awards;
CREATE TEMPORARY TABLE kept_award_renewals AS SELECT * FROM award_renewals;
CREATE TEMPORARY TABLE kept_issuance_log AS SELECT * FROM issuance_log;
CREATE TEMPORARY TABLE kept_issuance_intents AS SELECT * FROM issuance_intents;
CREATE TEMPORARY TABLE kept_credentials AS SELECT * FROM credentials;
CREATE TEMPORARY TABLE kept_suspension_places AS SELECT * FROM suspension_places;
CREATE TEMPORARY TABLE kept_credential_jwts AS SELECT * FROM credential_jwts;

DROP TABLE credential_jwts;
DROP TABLE suspension_places;
DROP TABLE credentials;
DROP TABLE issuance_intents;
DROP TABLE issuance_log;
DROP TABLE award_renewals;
DROP TABLE awards;

CREATE TABLE awards (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    submission_id TEXT UNIQUE REFERENCES decisions (submission_id),
    micro_credential_id TEXT REFERENCES micro_credentials (id),
    version_id TEXT REFERENCES definition_versions (id),
    stack_id TEXT REFERENCES stacks (id),
    earner_id TEXT NOT NULL REFERENCES people (id),
    state TEXT NOT NULL CHECK (state IN ('pending_key', 'active', 'suspended', 'expired', 'superseded', 'revoked')),
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    issued_at TIMESTAMP,
    valid_until TIMESTAMP,
    revoked_at TIMESTAMP,
    revocation_reason TEXT,
    revocation_note TEXT,
    suspended_at TIMESTAMP,
    suspension_note TEXT,
    part_fell_at TIMESTAMP,
    CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
    CHECK ((submission_id IS NULL) = (stack_id IS NOT NULL)),
    CHECK ((micro_credential_id IS NULL) = (stack_id IS NOT NULL)),
    CHECK ((version_id IS NULL) = (stack_id IS NOT NULL))
);
CREATE INDEX awards_by_earner ON awards (earner_id);
CREATE INDEX awards_by_state ON awards (state);
CREATE UNIQUE INDEX awards_one_of_a_stack ON awards (stack_id, earner_id) WHERE state IN ('pending_key', 'active', 'suspended');
INSERT INTO awards (id, organization_id, submission_id, micro_credential_id, version_id, earner_id, state, revision, created_at, issued_at, valid_until, revoked_at, revocation_reason, revocation_note, suspended_at, suspension_note)
SELECT id, organization_id, submission_id, micro_credential_id, version_id, earner_id, state, revision, created_at, issued_at, valid_until, revoked_at, revocation_reason, revocation_note, suspended_at, suspension_note FROM kept_awards;

CREATE TABLE issuance_intents (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES awards (id),
    issuer_id TEXT NOT NULL REFERENCES organizations (id),
    signing_key_id TEXT NOT NULL REFERENCES signing_keys (id),
    status_list_id TEXT NOT NULL REFERENCES status_lists (id),
    status_index INTEGER NOT NULL CHECK (status_index >= 0),
    canonical_sha256 TEXT NOT NULL,
    unsigned_document TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (status_list_id, status_index)
);
INSERT INTO issuance_intents (award_id, issuer_id, signing_key_id, status_list_id, status_index, canonical_sha256, unsigned_document, created_at)
SELECT award_id, issuer_id, signing_key_id, status_list_id, status_index, canonical_sha256, unsigned_document, created_at FROM kept_issuance_intents;

CREATE TABLE suspension_places (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES issuance_intents (award_id),
    status_list_id TEXT NOT NULL REFERENCES status_lists (id),
    status_index INTEGER NOT NULL CHECK (status_index >= 0),
    UNIQUE (status_list_id, status_index)
);
INSERT INTO suspension_places (award_id, status_list_id, status_index)
SELECT award_id, status_list_id, status_index FROM kept_suspension_places;

CREATE TABLE credentials (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES issuance_intents (award_id),
    document TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    issued_at TIMESTAMP NOT NULL,
    signing_key_id TEXT REFERENCES signing_keys (id)
);
CREATE INDEX credentials_by_key ON credentials (signing_key_id);
INSERT INTO credentials (award_id, document, sha256, issued_at, signing_key_id)
SELECT award_id, document, sha256, issued_at, signing_key_id FROM kept_credentials;

CREATE TABLE credential_jwts (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES credentials (award_id),
    signing_key_id TEXT NOT NULL REFERENCES signing_keys (id),
    token TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE
);
INSERT INTO credential_jwts (award_id, signing_key_id, token, sha256)
SELECT award_id, signing_key_id, token, sha256 FROM kept_credential_jwts;

CREATE TABLE issuance_log (
    sha256 TEXT NOT NULL PRIMARY KEY,
    award_id TEXT NOT NULL REFERENCES awards (id),
    form TEXT NOT NULL CHECK (form IN ('vc', 'jwt')),
    canonical_sha256 TEXT NOT NULL,
    signing_key_id TEXT NOT NULL REFERENCES signing_keys (id),
    audit_event_id TEXT NOT NULL,
    signed_at TIMESTAMP NOT NULL
);
CREATE INDEX issuance_log_by_award ON issuance_log (award_id);
CREATE INDEX issuance_log_by_canonical ON issuance_log (canonical_sha256);
CREATE INDEX issuance_log_by_key ON issuance_log (signing_key_id);
INSERT INTO issuance_log (sha256, award_id, form, canonical_sha256, signing_key_id, audit_event_id, signed_at)
SELECT sha256, award_id, form, canonical_sha256, signing_key_id, audit_event_id, signed_at FROM kept_issuance_log;

CREATE TABLE award_renewals (
    submission_id TEXT NOT NULL PRIMARY KEY REFERENCES submissions (id),
    award_id TEXT NOT NULL REFERENCES awards (id),
    successor_id TEXT UNIQUE REFERENCES awards (id),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX award_renewals_by_award ON award_renewals (award_id);
INSERT INTO award_renewals (submission_id, award_id, successor_id, created_at)
SELECT submission_id, award_id, successor_id, created_at FROM kept_award_renewals;

DROP TABLE kept_credential_jwts;
DROP TABLE kept_suspension_places;
DROP TABLE kept_credentials;
DROP TABLE kept_issuance_intents;
DROP TABLE kept_issuance_log;
DROP TABLE kept_award_renewals;
DROP TABLE kept_awards;

-- The awards that the badge of a stack names.
CREATE TABLE stack_award_parts (
    award_id TEXT NOT NULL REFERENCES awards (id),
    part_id TEXT NOT NULL REFERENCES awards (id),
    PRIMARY KEY (award_id, part_id)
);
CREATE INDEX stack_award_parts_by_part ON stack_award_parts (part_id);
