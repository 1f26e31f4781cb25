-- Who may score: ties between people, waivers, calibration as a licence, seed papers, calendars. The two folders hold the same versions.

-- What a person has declared about another; ended ones are kept, since a tie of last year may still count.
CREATE TABLE conflict_declarations (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    declared_by TEXT NOT NULL REFERENCES people (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    relation TEXT NOT NULL CHECK (relation IN ('supervises', 'evaluates', 'household', 'close_tie', 'coaches', 'coauthor')),
    declared_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    CHECK (declared_by <> person_id)
);
CREATE UNIQUE INDEX conflict_declarations_one_live ON conflict_declarations (declared_by, person_id, relation) WHERE ended_at IS NULL;
CREATE INDEX conflict_declarations_by_person ON conflict_declarations (person_id);

-- The group decision that lets assessors of one district score one another's work.
CREATE TABLE same_district_waivers (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
    reason TEXT NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES people (id),
    ends_at TIMESTAMP NOT NULL,
    revision INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE waiver_deciders (
    organization_id TEXT NOT NULL REFERENCES same_district_waivers (organization_id),
    person_id TEXT NOT NULL REFERENCES people (id),
    PRIMARY KEY (organization_id, person_id)
);

-- The modules that come before scoring.
CREATE TABLE assessor_modules (
    person_id TEXT NOT NULL REFERENCES people (id),
    module TEXT NOT NULL CHECK (module IN ('bias', 'conflicts')),
    completed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (person_id, module)
);

-- How many reviews somebody may hold at a time, where it is not the default.
CREATE TABLE assessor_load_caps (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    load_cap INTEGER NOT NULL CHECK (load_cap >= 0),
    PRIMARY KEY (organization_id, person_id)
);

-- Working days of an organization and all below it; dates as a list in JSON.
CREATE TABLE calendars (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
    weekend TEXT NOT NULL,
    holidays TEXT NOT NULL,
    breaks TEXT NOT NULL,
    revision INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE calibration_sets (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    micro_credential_id TEXT NOT NULL REFERENCES micro_credentials (id),
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
    scoring_hash TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('training', 'practice', 'qualifying_a', 'qualifying_b', 'seed')),
    title TEXT NOT NULL,
    is_provisional BOOLEAN NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
    created_by TEXT NOT NULL REFERENCES people (id),
    revision INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP
);
CREATE INDEX calibration_sets_by_scoring ON calibration_sets (scoring_hash, state);

-- Known work: written for the purpose, as JSON, or an earner's with their consent.
CREATE TABLE calibration_papers (
    id TEXT NOT NULL PRIMARY KEY,
    set_id TEXT NOT NULL REFERENCES calibration_sets (id),
    position INTEGER NOT NULL CHECK (position >= 1),
    submission_id TEXT REFERENCES submissions (id),
    content TEXT,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (set_id, position),
    CHECK ((submission_id IS NULL) = (content IS NOT NULL))
);

-- What a training paper shows: a level of a criterion, and why.
CREATE TABLE calibration_anchors (
    paper_id TEXT NOT NULL REFERENCES calibration_papers (id),
    criterion_id TEXT NOT NULL,
    level INTEGER NOT NULL,
    rationale TEXT NOT NULL,
    PRIMARY KEY (paper_id, criterion_id)
);

-- One lead assessor's key; nobody else is shown it before a paper was scored.
CREATE TABLE calibration_keys (
    paper_id TEXT NOT NULL REFERENCES calibration_papers (id),
    author_id TEXT NOT NULL REFERENCES people (id),
    criterion_id TEXT NOT NULL,
    level INTEGER NOT NULL,
    rationale TEXT NOT NULL,
    PRIMARY KEY (paper_id, author_id, criterion_id)
);

CREATE TABLE calibration_attempts (
    id TEXT NOT NULL PRIMARY KEY,
    set_id TEXT NOT NULL REFERENCES calibration_sets (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    scoring_hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'passed', 'failed', 'done')),
    n INTEGER NOT NULL,
    exact INTEGER NOT NULL,
    decision INTEGER NOT NULL,
    discrepant INTEGER NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    coached_by TEXT REFERENCES people (id),
    coached_at TIMESTAMP,
    revision INTEGER NOT NULL
);
CREATE UNIQUE INDEX calibration_attempts_one_open ON calibration_attempts (set_id, person_id) WHERE state = 'open';
CREATE INDEX calibration_attempts_by_person ON calibration_attempts (person_id, scoring_hash);

CREATE TABLE calibration_scores (
    attempt_id TEXT NOT NULL REFERENCES calibration_attempts (id),
    paper_id TEXT NOT NULL REFERENCES calibration_papers (id),
    criterion_id TEXT NOT NULL,
    level INTEGER,
    scored_at TIMESTAMP NOT NULL,
    PRIMARY KEY (attempt_id, paper_id, criterion_id)
);

-- The right to score by one rubric: it follows the scoring hash, not the version.
CREATE TABLE qualifications (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id),
    scoring_hash TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('full', 'provisional')),
    state TEXT NOT NULL CHECK (state IN ('qualified', 'watch', 'suspended')),
    attempt_id TEXT NOT NULL REFERENCES calibration_attempts (id),
    passed_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    flagged_at TIMESTAMP,
    revision INTEGER NOT NULL,
    UNIQUE (person_id, scoring_hash)
);

-- A known paper in the live queue: a submission of nobody, shown to one assessor.
CREATE TABLE seed_presentations (
    submission_id TEXT NOT NULL PRIMARY KEY REFERENCES submissions (id),
    paper_id TEXT NOT NULL REFERENCES calibration_papers (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    scoring_hash TEXT NOT NULL,
    presented_at TIMESTAMP NOT NULL,
    scored_at TIMESTAMP
);
CREATE INDEX seed_presentations_by_person ON seed_presentations (person_id, scoring_hash);

CREATE TABLE seed_scores (
    submission_id TEXT NOT NULL REFERENCES seed_presentations (submission_id),
    criterion_id TEXT NOT NULL,
    key_level INTEGER NOT NULL,
    given_level INTEGER,
    PRIMARY KEY (submission_id, criterion_id)
);

-- Live sheets of a suspended assessor that are to be read again.
CREATE TABLE rereads (
    review_id TEXT NOT NULL PRIMARY KEY REFERENCES reviews (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    is_decisive BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX rereads_by_organization ON rereads (organization_id);

-- An earner's consent that decided work may become known work.
CREATE TABLE sample_consents (
    submission_id TEXT NOT NULL PRIMARY KEY REFERENCES submissions (id),
    ends_at TIMESTAMP NOT NULL,
    granted_at TIMESTAMP NOT NULL,
    withdrawn_at TIMESTAMP
);
