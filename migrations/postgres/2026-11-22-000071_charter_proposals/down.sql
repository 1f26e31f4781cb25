-- What is about a charter, and what was taken down, has no place in the form before.
CREATE TABLE proposal_contacts_after AS SELECT proposal_id, email FROM proposal_contacts;
DROP TABLE proposal_contacts;

CREATE TABLE proposals_after AS SELECT * FROM proposals WHERE program_id IS NULL AND state <> 'removed';
DROP TABLE proposals;

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

INSERT INTO proposals (id, organization_id, micro_credential_id, version_number, state, proposal, pointer, proposed, credit_name, proposer_id,
    outcome, answer, answered_by, moderated_by, became_number, revision, created_at, answered_at)
SELECT id, organization_id, micro_credential_id, version_number, state, proposal, pointer, proposed, credit_name, proposer_id,
    outcome, answer, answered_by, moderated_by, became_number, revision, created_at, answered_at
FROM proposals_after;

CREATE TABLE proposal_contacts (
    proposal_id TEXT NOT NULL PRIMARY KEY REFERENCES proposals (id),
    email TEXT NOT NULL
);
INSERT INTO proposal_contacts (proposal_id, email)
SELECT proposal_id, email FROM proposal_contacts_after WHERE proposal_id IN (SELECT id FROM proposals);
DROP TABLE proposal_contacts_after;
DROP TABLE proposals_after;
