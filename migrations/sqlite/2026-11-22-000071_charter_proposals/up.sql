-- Proposals are about a published rubric or about the charter of a programme, and can be taken down. SQLite changes no constraint of a table
-- that is there, so both are made anew. The two folders hold the same versions.
CREATE TABLE proposal_contacts_before AS SELECT proposal_id, email FROM proposal_contacts;
DROP TABLE proposal_contacts;

CREATE TABLE proposals_before AS SELECT * FROM proposals;
DROP TABLE proposals;

CREATE TABLE proposals (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    micro_credential_id TEXT REFERENCES micro_credentials (id),
    version_number INTEGER,
    program_id TEXT REFERENCES programs (id),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'answered', 'refused', 'removed')),
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
    removal_reason TEXT,
    removed_by TEXT REFERENCES people (id),
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    answered_at TIMESTAMP,
    removed_at TIMESTAMP,
    CHECK ((micro_credential_id IS NULL) = (version_number IS NULL)),
    CHECK ((micro_credential_id IS NULL) <> (program_id IS NULL)),
    CHECK ((pointer IS NULL) = (proposed IS NULL)),
    CHECK (state <> 'answered' OR answer IS NOT NULL),
    CHECK (answer IS NULL OR state IN ('answered', 'removed')),
    CHECK ((answer IS NULL) = (outcome IS NULL)),
    CHECK ((answer IS NULL) = (answered_at IS NULL)),
    CHECK ((state = 'removed') = (removal_reason IS NOT NULL)),
    CHECK ((removal_reason IS NULL) = (removed_at IS NULL)),
    CHECK (state <> 'removed' OR proposal = '')
);
INSERT INTO proposals (id, organization_id, micro_credential_id, version_number, state, proposal, pointer, proposed, credit_name, proposer_id,
    outcome, answer, answered_by, moderated_by, became_number, revision, created_at, answered_at)
SELECT id, organization_id, micro_credential_id, version_number, state, proposal, pointer, proposed, credit_name, proposer_id,
    outcome, answer, answered_by, moderated_by, became_number, revision, created_at, answered_at
FROM proposals_before;
DROP TABLE proposals_before;
CREATE INDEX proposals_by_micro_credential ON proposals (micro_credential_id, state);
CREATE INDEX proposals_by_program ON proposals (program_id, state);
CREATE INDEX proposals_by_organization ON proposals (organization_id, state);
CREATE INDEX proposals_by_proposer ON proposals (proposer_id, created_at);

CREATE TABLE proposal_contacts (
    proposal_id TEXT NOT NULL PRIMARY KEY REFERENCES proposals (id),
    email TEXT NOT NULL
);
INSERT INTO proposal_contacts (proposal_id, email) SELECT proposal_id, email FROM proposal_contacts_before;
DROP TABLE proposal_contacts_before;
