-- What is stored and how it can be erased: docs/RETENTION.md. The two folders hold the same versions; only BLOB and BYTEA differ.

CREATE TABLE installation (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    base_url TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('service', 'demo')),
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    parent_id TEXT REFERENCES organizations (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('network', 'state', 'district', 'school', 'department', 'provider')),
    url TEXT,
    email TEXT,
    issuing_stopped BOOLEAN NOT NULL,
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX organizations_by_parent ON organizations (parent_id);

-- The tree as pairs, each organization its own ancestor at distance 0: one join answers "is it below?" on both databases.
CREATE TABLE organization_ancestors (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    ancestor_id TEXT NOT NULL REFERENCES organizations (id),
    distance INTEGER NOT NULL CHECK (distance >= 0),
    PRIMARY KEY (organization_id, ancestor_id)
);
CREATE INDEX organization_ancestors_by_ancestor ON organization_ancestors (ancestor_id);

CREATE TABLE people (
    id TEXT NOT NULL PRIMARY KEY,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE person_profiles (
    person_id TEXT NOT NULL PRIMARY KEY REFERENCES people (id),
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE
);

CREATE TABLE person_passwords (
    person_id TEXT NOT NULL PRIMARY KEY REFERENCES people (id),
    password_hash TEXT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);

CREATE TABLE memberships (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    state TEXT NOT NULL CHECK (state IN ('invited', 'confirmed', 'suspended', 'removed')),
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    removed_at TIMESTAMP,
    UNIQUE (organization_id, person_id)
);
CREATE INDEX memberships_by_person ON memberships (person_id);

CREATE TABLE membership_roles (
    membership_id TEXT NOT NULL REFERENCES memberships (id),
    role TEXT NOT NULL,
    PRIMARY KEY (membership_id, role)
);

CREATE TABLE invitations (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    membership_id TEXT NOT NULL REFERENCES memberships (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    token_sha256 TEXT NOT NULL UNIQUE,
    invited_by TEXT REFERENCES people (id),
    expires_at TIMESTAMP NOT NULL,
    accepted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX invitations_by_membership ON invitations (membership_id);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id),
    created_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP
);
CREATE INDEX sessions_by_person ON sessions (person_id);

CREATE TABLE refresh_tokens (
    token_sha256 TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

CREATE TABLE token_keys (
    id TEXT NOT NULL PRIMARY KEY,
    wrapped_key BLOB NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    multikey TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('active', 'retired', 'compromised')),
    wrapped_key BLOB NOT NULL,
    created_at TIMESTAMP NOT NULL,
    retired_at TIMESTAMP
);
CREATE INDEX signing_keys_by_organization ON signing_keys (organization_id);

CREATE TABLE micro_credentials (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    slug TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES people (id),
    created_at TIMESTAMP NOT NULL,
    UNIQUE (organization_id, slug)
);

CREATE TABLE definition_versions (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    micro_credential_id TEXT NOT NULL REFERENCES micro_credentials (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    state TEXT NOT NULL CHECK (state IN ('draft', 'proposed', 'approved', 'published', 'retired')),
    label TEXT NOT NULL,
    title TEXT NOT NULL,
    definition TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    scoring_hash TEXT NOT NULL,
    policy_hash TEXT NOT NULL,
    search_text TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP,
    retired_at TIMESTAMP,
    UNIQUE (micro_credential_id, number)
);
-- One draft at a time: the next version starts when this one is out.
CREATE UNIQUE INDEX definition_versions_one_unpublished ON definition_versions (micro_credential_id)
    WHERE state IN ('draft', 'proposed', 'approved');

CREATE TABLE version_authors (
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    PRIMARY KEY (version_id, person_id)
);

CREATE TABLE version_skills (
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
    code TEXT NOT NULL,
    PRIMARY KEY (version_id, code)
);

CREATE TABLE version_audiences (
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
    audience TEXT NOT NULL,
    PRIMARY KEY (version_id, audience)
);

CREATE TABLE version_approvals (
    id TEXT NOT NULL PRIMARY KEY,
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    approves BOOLEAN NOT NULL,
    comment TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    voided_at TIMESTAMP
);
CREATE UNIQUE INDEX version_approvals_one_vote ON version_approvals (version_id, person_id) WHERE voided_at IS NULL;

CREATE TABLE approval_departments (
    approval_id TEXT NOT NULL REFERENCES version_approvals (id),
    department_id TEXT NOT NULL REFERENCES organizations (id),
    PRIMARY KEY (approval_id, department_id)
);

CREATE TABLE submissions (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    micro_credential_id TEXT NOT NULL REFERENCES micro_credentials (id),
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
    earner_id TEXT NOT NULL REFERENCES people (id),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    state TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'queued', 'in_review', 'resolving', 'adjudication',
        'on_hold', 'decided', 'appealed', 'withdrawn', 'voided', 'expired')),
    integrity_statement BOOLEAN NOT NULL,
    include_results BOOLEAN NOT NULL,
    ai_use TEXT,
    sealed_key BLOB,
    due_on TIMESTAMP,
    submitted_at TIMESTAMP,
    decided_at TIMESTAMP,
    retain_until TIMESTAMP,
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    UNIQUE (earner_id, micro_credential_id, attempt)
);
-- One open attempt of an earner at a micro-credential.
CREATE UNIQUE INDEX submissions_one_open ON submissions (earner_id, micro_credential_id)
    WHERE state NOT IN ('decided', 'withdrawn', 'voided', 'expired');
CREATE INDEX submissions_by_state ON submissions (organization_id, state, due_on);

CREATE TABLE submission_events (
    id TEXT NOT NULL PRIMARY KEY,
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    event TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    actor_id TEXT REFERENCES people (id),
    actor_role TEXT NOT NULL,
    happened_at TIMESTAMP NOT NULL
);
CREATE INDEX submission_events_by_submission ON submission_events (submission_id);

CREATE TABLE evidence (
    id TEXT NOT NULL PRIMARY KEY,
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    requirement_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('file', 'link', 'text')),
    media_type TEXT,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    storage_name TEXT UNIQUE,
    sealed_name BLOB,
    sealed_content BLOB,
    contains_students BOOLEAN NOT NULL,
    consent BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK ((kind = 'file') = (storage_name IS NOT NULL)),
    CHECK (consent OR NOT contains_students)
);
CREATE INDEX evidence_by_submission ON evidence (submission_id);

CREATE TABLE submission_responses (
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    prompt_id TEXT NOT NULL,
    sealed_text BLOB,
    evidence_id TEXT REFERENCES evidence (id),
    PRIMARY KEY (submission_id, prompt_id)
);

CREATE TABLE evidence_accesses (
    id TEXT NOT NULL PRIMARY KEY,
    evidence_id TEXT NOT NULL,
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    purpose TEXT NOT NULL,
    accessed_at TIMESTAMP NOT NULL
);
CREATE INDEX evidence_accesses_by_submission ON evidence_accesses (submission_id);

CREATE TABLE reviews (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    seat INTEGER NOT NULL CHECK (seat >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('reading', 'adjudication')),
    state TEXT NOT NULL CHECK (state IN ('open', 'leased', 'locked', 'recused', 'lapsed')),
    assessor_id TEXT REFERENCES people (id),
    lease_expires_at TIMESTAMP,
    locked_at TIMESTAMP,
    overall_feedback TEXT,
    recuse_reason TEXT,
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK ((state = 'open') = (assessor_id IS NULL))
);
-- Never two holders of one seat, and never one reader in two seats.
CREATE UNIQUE INDEX reviews_one_holder ON reviews (submission_id, seat) WHERE state IN ('open', 'leased', 'locked');
CREATE UNIQUE INDEX reviews_one_seat ON reviews (submission_id, assessor_id) WHERE state IN ('leased', 'locked');
CREATE INDEX reviews_by_assessor ON reviews (assessor_id, state);
CREATE INDEX reviews_by_lease ON reviews (state, lease_expires_at);

CREATE TABLE review_scores (
    review_id TEXT NOT NULL REFERENCES reviews (id),
    criterion_id TEXT NOT NULL,
    level INTEGER,
    unscorable BOOLEAN NOT NULL,
    feedback TEXT,
    PRIMARY KEY (review_id, criterion_id),
    CHECK (NOT (unscorable AND level IS NOT NULL))
);

CREATE TABLE decisions (
    submission_id TEXT NOT NULL PRIMARY KEY REFERENCES submissions (id),
    outcome TEXT NOT NULL CHECK (outcome IN ('earned', 'not_yet')),
    raters INTEGER NOT NULL CHECK (raters >= 1),
    assessors_qualified BOOLEAN NOT NULL,
    decided_at TIMESTAMP NOT NULL
);

CREATE TABLE decision_levels (
    submission_id TEXT NOT NULL REFERENCES decisions (submission_id),
    criterion_id TEXT NOT NULL,
    level INTEGER,
    feedback TEXT,
    PRIMARY KEY (submission_id, criterion_id)
);

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
    CHECK ((state = 'revoked') = (revoked_at IS NOT NULL))
);
CREATE INDEX awards_by_earner ON awards (earner_id);
CREATE INDEX awards_by_state ON awards (state);

CREATE TABLE status_lists (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    size INTEGER NOT NULL CHECK (size >= 131072),
    document TEXT,
    published_at TIMESTAMP,
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX status_lists_by_organization ON status_lists (organization_id);

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

CREATE TABLE credentials (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES issuance_intents (award_id),
    document TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    issued_at TIMESTAMP NOT NULL
);

CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id),
    parameters TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'sent', 'failed', 'dropped')),
    attempts INTEGER NOT NULL,
    next_attempt_at TIMESTAMP NOT NULL,
    last_error TEXT,
    created_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP
);
CREATE INDEX outbox_by_state ON outbox (state, next_attempt_at);

CREATE TABLE audit_events (
    seq BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    happened_at TIMESTAMP NOT NULL,
    actor_id TEXT,
    organization_id TEXT,
    verb TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE
);
CREATE INDEX audit_events_by_organization ON audit_events (organization_id, seq);
CREATE INDEX audit_events_by_object ON audit_events (object_id);

CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);

CREATE TABLE denials (
    bucket TIMESTAMP NOT NULL,
    operation TEXT NOT NULL,
    person_id TEXT NOT NULL,
    code TEXT NOT NULL,
    count BIGINT NOT NULL,
    summed BOOLEAN NOT NULL,
    PRIMARY KEY (bucket, operation, person_id, code)
);

CREATE TABLE idempotency_keys (
    person_id TEXT NOT NULL REFERENCES people (id),
    key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    status INTEGER,
    answer TEXT,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (person_id, key)
);

INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
