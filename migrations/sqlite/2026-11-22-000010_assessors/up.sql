-- What happened to an assessor of a rubric and cannot be told from qualifications, modules and attempts.
CREATE TABLE assessor_steps (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id),
    scoring_hash TEXT NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('invite', 'accept', 'suspend', 'coaching', 'requalify', 'release', 'lapse')),
    actor_id TEXT REFERENCES people (id),
    reason TEXT,
    taken_at TIMESTAMP NOT NULL
);
CREATE INDEX assessor_steps_by_person ON assessor_steps (person_id, scoring_hash);
