-- Links by which somebody without an account adds one item to a submission.
CREATE TABLE contribution_links (
    id TEXT PRIMARY KEY NOT NULL,
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    requirement_id TEXT NOT NULL,
    contributor TEXT NOT NULL,
    token_sha256 TEXT NOT NULL UNIQUE,
    sealed_message BYTEA,
    contains_students BOOLEAN NOT NULL,
    consent BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP,
    ended_at TIMESTAMP
);
CREATE INDEX contribution_links_of_submission ON contribution_links (submission_id);

-- Who has added an item in the earner's place: colleague, family or student.
ALTER TABLE evidence ADD COLUMN contributor TEXT;
