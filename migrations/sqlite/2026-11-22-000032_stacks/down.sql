-- Awards that rest on a stack go with it.
DROP TABLE stack_award_parts;
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
    submission_id TEXT NOT NULL UNIQUE REFERENCES decisions (submission_id),
    micro_credential_id TEXT NOT NULL REFERENCES micro_credentials (id),
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
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
    CHECK ((state = 'revoked') = (revoked_at IS NOT NULL))
);
CREATE INDEX awards_by_earner ON awards (earner_id);
CREATE INDEX awards_by_state ON awards (state);
INSERT INTO awards (id, organization_id, submission_id, micro_credential_id, version_id, earner_id, state, revision, created_at, issued_at, valid_until, revoked_at, revocation_reason, revocation_note, suspended_at, suspension_note)
SELECT id, organization_id, submission_id, micro_credential_id, version_id, earner_id, state, revision, created_at, issued_at, valid_until, revoked_at, revocation_reason, revocation_note, suspended_at, suspension_note FROM kept_awards WHERE stack_id IS NULL;

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
SELECT award_id, issuer_id, signing_key_id, status_list_id, status_index, canonical_sha256, unsigned_document, created_at FROM kept_issuance_intents WHERE award_id IN (SELECT id FROM awards);

CREATE TABLE suspension_places (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES issuance_intents (award_id),
    status_list_id TEXT NOT NULL REFERENCES status_lists (id),
    status_index INTEGER NOT NULL CHECK (status_index >= 0),
    UNIQUE (status_list_id, status_index)
);
INSERT INTO suspension_places (award_id, status_list_id, status_index)
SELECT award_id, status_list_id, status_index FROM kept_suspension_places WHERE award_id IN (SELECT id FROM awards);

CREATE TABLE credentials (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES issuance_intents (award_id),
    document TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    issued_at TIMESTAMP NOT NULL,
    signing_key_id TEXT REFERENCES signing_keys (id)
);
CREATE INDEX credentials_by_key ON credentials (signing_key_id);
INSERT INTO credentials (award_id, document, sha256, issued_at, signing_key_id)
SELECT award_id, document, sha256, issued_at, signing_key_id FROM kept_credentials WHERE award_id IN (SELECT id FROM awards);

CREATE TABLE credential_jwts (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES credentials (award_id),
    signing_key_id TEXT NOT NULL REFERENCES signing_keys (id),
    token TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE
);
INSERT INTO credential_jwts (award_id, signing_key_id, token, sha256)
SELECT award_id, signing_key_id, token, sha256 FROM kept_credential_jwts WHERE award_id IN (SELECT id FROM awards);

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
SELECT sha256, award_id, form, canonical_sha256, signing_key_id, audit_event_id, signed_at FROM kept_issuance_log WHERE award_id IN (SELECT id FROM awards);

CREATE TABLE award_renewals (
    submission_id TEXT NOT NULL PRIMARY KEY REFERENCES submissions (id),
    award_id TEXT NOT NULL REFERENCES awards (id),
    successor_id TEXT UNIQUE REFERENCES awards (id),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX award_renewals_by_award ON award_renewals (award_id);
INSERT INTO award_renewals (submission_id, award_id, successor_id, created_at)
SELECT submission_id, award_id, successor_id, created_at FROM kept_award_renewals WHERE award_id IN (SELECT id FROM awards);

DROP TABLE kept_credential_jwts;
DROP TABLE kept_suspension_places;
DROP TABLE kept_credentials;
DROP TABLE kept_issuance_intents;
DROP TABLE kept_issuance_log;
DROP TABLE kept_award_renewals;
DROP TABLE kept_awards;

DROP TABLE stack_items;
DROP TABLE stacks;
