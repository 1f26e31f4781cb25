-- Practice work of a programme that is rehearsed. No table of live work refers to it, and it is deleted when the programme opens.
CREATE TABLE practice_attempts (
    id TEXT NOT NULL PRIMARY KEY,
    program_id TEXT NOT NULL REFERENCES programs (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    state TEXT NOT NULL CHECK (state IN ('submitted', 'returned', 'queued', 'adjudication', 'decided')),
    work TEXT NOT NULL,
    note TEXT,
    outcome TEXT CHECK (outcome IN ('earned', 'not_yet')),
    created_at TIMESTAMP NOT NULL,
    decided_at TIMESTAMP,
    revision INTEGER NOT NULL,
    CHECK ((state = 'decided') = (outcome IS NOT NULL)),
    CHECK ((outcome IS NULL) = (decided_at IS NULL)),
    CHECK ((state = 'returned') = (note IS NOT NULL))
);
CREATE INDEX practice_attempts_by_program ON practice_attempts (program_id, id);

-- Its sheets: one of each reader, the third one an adjudicator's.
CREATE TABLE practice_sheets (
    id TEXT NOT NULL PRIMARY KEY,
    attempt_id TEXT NOT NULL REFERENCES practice_attempts (id),
    reader_id TEXT NOT NULL REFERENCES people (id),
    is_third BOOLEAN NOT NULL,
    scores TEXT NOT NULL,
    overall_feedback TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (attempt_id, reader_id)
);
