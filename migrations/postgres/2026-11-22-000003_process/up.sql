-- The whole life of a submission: screening, readings that are settled, resubmission, appeals and integrity cases.

-- Where an integrity case has stopped it.
ALTER TABLE submissions ADD COLUMN held_from TEXT;
-- The attempt that this one follows, by resubmission.
ALTER TABLE submissions ADD COLUMN previous_id TEXT;
-- An appeal does not keep its earner from working on the next attempt.
DROP INDEX submissions_one_open;
CREATE UNIQUE INDEX submissions_one_open ON submissions (earner_id, micro_credential_id)
    WHERE state NOT IN ('decided', 'appealed', 'withdrawn', 'voided', 'expired');
ALTER TABLE submission_events ADD COLUMN version_id TEXT;
-- A stable word, for staff; what people write stands elsewhere.
ALTER TABLE submission_events ADD COLUMN reason TEXT;

-- What people are asked about a submission besides scoring it: an appeal of its earner, or a doubt about its integrity.
CREATE TABLE cases (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    kind TEXT NOT NULL CHECK (kind IN ('appeal', 'integrity')),
    state TEXT NOT NULL CHECK (state IN ('open', 'replied', 'voting', 'concluded')),
    grounds TEXT,
    statement TEXT NOT NULL,
    opened_by TEXT REFERENCES people (id),
    opened_role TEXT NOT NULL,
    opened_at TIMESTAMP NOT NULL,
    due_on TIMESTAMP NOT NULL,
    reply TEXT,
    replied_at TIMESTAMP,
    reply_until TIMESTAMP,
    outcome TEXT CHECK (outcome IN ('upheld', 'rescored', 'overturned', 'cleared')),
    outcome_before TEXT,
    concluded_at TIMESTAMP,
    revision INTEGER NOT NULL,
    CHECK ((state = 'concluded') = (outcome IS NOT NULL))
);
-- An attempt is appealed once; of doubts there may be several, one after the other.
CREATE UNIQUE INDEX cases_one_appeal ON cases (submission_id) WHERE kind = 'appeal';
CREATE UNIQUE INDEX cases_one_open ON cases (submission_id) WHERE state <> 'concluded';
CREATE INDEX cases_by_organization ON cases (organization_id, state);

-- What an appeal disputes, and what became of it.
CREATE TABLE case_criteria (
    case_id TEXT NOT NULL REFERENCES cases (id),
    criterion_id TEXT NOT NULL,
    level_before INTEGER,
    level_after INTEGER,
    PRIMARY KEY (case_id, criterion_id)
);

CREATE TABLE case_votes (
    case_id TEXT NOT NULL REFERENCES cases (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    vote TEXT NOT NULL CHECK (vote IN ('uphold', 'rescore', 'clear')),
    reasons TEXT NOT NULL,
    voted_at TIMESTAMP NOT NULL,
    PRIMARY KEY (case_id, person_id)
);

-- The appeal that a reading is made for.
ALTER TABLE reviews ADD COLUMN case_id TEXT;

-- The criteria and prompts that a sheet covers; a sheet without rows covers everything.
CREATE TABLE review_coverage (
    review_id TEXT NOT NULL REFERENCES reviews (id),
    criterion_id TEXT NOT NULL,
    PRIMARY KEY (review_id, criterion_id)
);

-- How each criterion was settled.
CREATE TABLE resolutions (
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    criterion_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('exact', 'adjacent_resolved', 'unscorable', 'adjudicated', 'single', 'carried')),
    dispute TEXT,
    level INTEGER,
    PRIMARY KEY (submission_id, criterion_id)
);

CREATE TABLE screenings (
    id TEXT NOT NULL PRIMARY KEY,
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    screener_id TEXT NOT NULL REFERENCES people (id),
    begun_at TIMESTAMP NOT NULL,
    complete BOOLEAN,
    concluded_at TIMESTAMP,
    CHECK ((complete IS NULL) = (concluded_at IS NULL))
);
CREATE UNIQUE INDEX screenings_one_open ON screenings (submission_id) WHERE concluded_at IS NULL;
CREATE INDEX screenings_by_submission ON screenings (submission_id);

CREATE TABLE screening_items (
    screening_id TEXT NOT NULL REFERENCES screenings (id),
    requirement_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (screening_id, requirement_id)
);

-- Passed criteria and prompts that count in a later attempt without being read again.
CREATE TABLE carried_levels (
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    criterion_id TEXT NOT NULL,
    level INTEGER NOT NULL,
    feedback TEXT,
    PRIMARY KEY (submission_id, criterion_id)
);

CREATE TABLE coach_offers (
    submission_id TEXT NOT NULL PRIMARY KEY REFERENCES decisions (submission_id),
    offered_at TIMESTAMP NOT NULL,
    is_wanted BOOLEAN,
    answered_at TIMESTAMP,
    CHECK ((is_wanted IS NULL) = (answered_at IS NULL))
);

CREATE TABLE feedback_ratings (
    submission_id TEXT NOT NULL PRIMARY KEY REFERENCES decisions (submission_id),
    rating INTEGER NOT NULL CHECK (rating >= 1 AND rating <= 5),
    comment TEXT,
    rated_at TIMESTAMP NOT NULL
);

-- Sentences that assessors of one micro-credential keep for one another.
CREATE TABLE bank_comments (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    micro_credential_id TEXT NOT NULL REFERENCES micro_credentials (id),
    criterion_id TEXT,
    text TEXT NOT NULL,
    author_id TEXT NOT NULL REFERENCES people (id),
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX bank_comments_by_micro_credential ON bank_comments (micro_credential_id);

-- The same bytes in two earners' work: a signal for a person, never a verdict.
CREATE TABLE evidence_matches (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    requirement_id TEXT NOT NULL,
    other_submission_id TEXT NOT NULL REFERENCES submissions (id),
    found_at TIMESTAMP NOT NULL,
    UNIQUE (submission_id, requirement_id, other_submission_id)
);
CREATE INDEX evidence_matches_by_organization ON evidence_matches (organization_id);
CREATE INDEX evidence_by_sha256 ON evidence (sha256);
