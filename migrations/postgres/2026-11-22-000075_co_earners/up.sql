-- With whom an earner says that an item was made together. The item may be gone: whoever was told whose work it is does not read it blind.
CREATE TABLE co_earners (
    id TEXT PRIMARY KEY NOT NULL,
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    evidence_id TEXT NOT NULL,
    person_id TEXT REFERENCES people (id),
    sealed_name BYTEA NOT NULL,
    asked_at TIMESTAMP NOT NULL,
    is_confirmed BOOLEAN,
    answered_at TIMESTAMP,
    ended_at TIMESTAMP
);
CREATE INDEX co_earners_of_submission ON co_earners (submission_id);
CREATE INDEX co_earners_of_person ON co_earners (person_id);
CREATE INDEX co_earners_of_evidence ON co_earners (evidence_id);
