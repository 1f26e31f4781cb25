-- Programmes start from a charter, which a group approves as it approves definitions.
CREATE TABLE programs (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    slug TEXT NOT NULL,
    title TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'rehearsal', 'open', 'closed')),
    charter TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    opened_at TIMESTAMP,
    closed_at TIMESTAMP,
    UNIQUE (organization_id, slug),
    CHECK ((state IN ('open', 'closed')) = (opened_at IS NOT NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);

CREATE TABLE program_authors (
    program_id TEXT NOT NULL REFERENCES programs (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    PRIMARY KEY (program_id, person_id)
);

-- What happened to a programme besides votes, and why.
CREATE TABLE program_changes (
    id TEXT NOT NULL PRIMARY KEY,
    program_id TEXT NOT NULL REFERENCES programs (id),
    event TEXT NOT NULL CHECK (event IN ('create', 'edit', 'rehearse', 'open', 'close')),
    reason TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id),
    happened_at TIMESTAMP NOT NULL
);
CREATE INDEX program_changes_by_program ON program_changes (program_id, id);

-- One table of votes: on a version of a definition, or on a programme's charter. What was in version_approvals and
-- approval_departments is copied; those two are read no more, and a later release drops them.
CREATE TABLE approvals (
    id TEXT NOT NULL PRIMARY KEY,
    version_id TEXT REFERENCES definition_versions (id),
    program_id TEXT REFERENCES programs (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    approves BOOLEAN NOT NULL,
    comment TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    voided_at TIMESTAMP,
    CHECK ((version_id IS NULL) <> (program_id IS NULL))
);
INSERT INTO approvals (id, version_id, person_id, approves, comment, content_hash, created_at, voided_at)
    SELECT id, version_id, person_id, approves, comment, content_hash, created_at, voided_at FROM version_approvals;
CREATE UNIQUE INDEX approvals_one_version_vote ON approvals (version_id, person_id) WHERE voided_at IS NULL;
CREATE UNIQUE INDEX approvals_one_program_vote ON approvals (program_id, person_id) WHERE voided_at IS NULL;

CREATE TABLE approval_voter_departments (
    approval_id TEXT NOT NULL REFERENCES approvals (id),
    department_id TEXT NOT NULL REFERENCES organizations (id),
    PRIMARY KEY (approval_id, department_id)
);
INSERT INTO approval_voter_departments (approval_id, department_id)
    SELECT approval_id, department_id FROM approval_departments;
