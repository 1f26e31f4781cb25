-- Badges in every form, keys with history, status that lasts. The two folders hold the same versions; only BLOB and BYTEA differ.

ALTER TABLE signing_keys ADD COLUMN algorithm TEXT NOT NULL DEFAULT 'EdDSA' CHECK (algorithm IN ('EdDSA', 'ES256', 'RS256'));
ALTER TABLE signing_keys ADD COLUMN public_jwk TEXT;
ALTER TABLE signing_keys ADD COLUMN compromised_at TIMESTAMP;

-- How an organization issues; without a row it is the defaults.
CREATE TABLE issuer_settings (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
    identifier TEXT NOT NULL CHECK (identifier IN ('https', 'did_web', 'did_key')),
    jwt_algorithm TEXT NOT NULL CHECK (jwt_algorithm IN ('EdDSA', 'ES256', 'RS256')),
    status_method TEXT NOT NULL CHECK (status_method IN ('bitstring', 'bitstring_with_suspension', 'revocation_list')),
    revision INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE organization_artworks (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
    png BLOB NOT NULL,
    sha256 TEXT NOT NULL,
    revision INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- The issuers that a district recognises, as a JSON array of their ids: always read and written whole.
CREATE TABLE trusted_issuer_lists (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
    issuers TEXT NOT NULL,
    revision INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

ALTER TABLE status_lists ADD COLUMN purpose TEXT NOT NULL DEFAULT 'revocation' CHECK (purpose IN ('revocation', 'suspension'));
-- The issuer's id as its badges name it; null is the https address of the organization.
ALTER TABLE status_lists ADD COLUMN issuer TEXT;
ALTER TABLE status_lists ADD COLUMN jwt TEXT;

-- The second place of a badge whose suspension is told apart from a revocation.
CREATE TABLE suspension_places (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES issuance_intents (award_id),
    status_list_id TEXT NOT NULL REFERENCES status_lists (id),
    status_index INTEGER NOT NULL CHECK (status_index >= 0),
    UNIQUE (status_list_id, status_index)
);

ALTER TABLE awards ADD COLUMN suspended_at TIMESTAMP;
ALTER TABLE awards ADD COLUMN suspension_note TEXT;

-- The same badge as a JWT.
CREATE TABLE credential_jwts (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES credentials (award_id),
    signing_key_id TEXT NOT NULL REFERENCES signing_keys (id),
    token TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE
);

-- Everything that was ever signed as a badge. Each row is bound to its event in the audit chain, which holds the same hashes.
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

-- The key that signed the copy that is served now.
ALTER TABLE credentials ADD COLUMN signing_key_id TEXT REFERENCES signing_keys (id);
CREATE INDEX credentials_by_key ON credentials (signing_key_id);
UPDATE credentials SET signing_key_id =
    (SELECT intents.signing_key_id FROM issuance_intents AS intents WHERE intents.award_id = credentials.award_id);

INSERT INTO issuance_log (sha256, award_id, form, canonical_sha256, signing_key_id, audit_event_id, signed_at)
SELECT credentials.sha256, credentials.award_id, 'vc', intents.canonical_sha256, intents.signing_key_id, events.id, credentials.issued_at
FROM credentials
JOIN issuance_intents AS intents ON intents.award_id = credentials.award_id
JOIN audit_events AS events ON events.object_id = credentials.award_id AND events.verb = 'issue_credential';

-- From an award to the one that renews it.
CREATE TABLE award_renewals (
    submission_id TEXT NOT NULL PRIMARY KEY REFERENCES submissions (id),
    award_id TEXT NOT NULL REFERENCES awards (id),
    successor_id TEXT UNIQUE REFERENCES awards (id),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX award_renewals_by_award ON award_renewals (award_id);
