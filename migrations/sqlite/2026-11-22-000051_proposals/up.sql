-- Proposals for published rubrics: by anybody, with a public answer. The two folders hold the same versions.
CREATE TABLE proposals (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    micro_credential_id TEXT NOT NULL REFERENCES micro_credentials (id),
    version_number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'answered', 'refused')),
    proposal TEXT NOT NULL,
    pointer TEXT,
    proposed TEXT,
    credit_name TEXT,
    proposer_id TEXT REFERENCES people (id),
    outcome TEXT CHECK (outcome IN ('adopted', 'partly', 'declined')),
    answer TEXT,
    answered_by TEXT REFERENCES people (id),
    moderated_by TEXT REFERENCES people (id),
    became_number INTEGER,
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    answered_at TIMESTAMP,
    CHECK ((pointer IS NULL) = (proposed IS NULL)),
    CHECK ((state = 'answered') = (answer IS NOT NULL)),
    CHECK ((answer IS NULL) = (outcome IS NULL)),
    CHECK ((answer IS NULL) = (answered_at IS NULL))
);
CREATE INDEX proposals_by_micro_credential ON proposals (micro_credential_id, state);
CREATE INDEX proposals_by_organization ON proposals (organization_id, state);

-- Where a visitor without an account wants to be told of the answer.
CREATE TABLE proposal_contacts (
    proposal_id TEXT NOT NULL PRIMARY KEY REFERENCES proposals (id),
    email TEXT NOT NULL
);
