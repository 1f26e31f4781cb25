-- Whose qualifications an organization lets count for its own work. The two folders hold the same versions.
CREATE TABLE qualification_recognitions (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    recognised_id TEXT NOT NULL REFERENCES organizations (id),
    reason TEXT NOT NULL,
    recognised_by TEXT NOT NULL REFERENCES people (id),
    recognised_at TIMESTAMP NOT NULL,
    revision INTEGER NOT NULL,
    ended_at TIMESTAMP,
    ended_by TEXT REFERENCES people (id),
    end_reason TEXT,
    CHECK (organization_id <> recognised_id),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX qualification_recognitions_by_recognised ON qualification_recognitions (recognised_id);
CREATE UNIQUE INDEX qualification_recognitions_one_in_force ON qualification_recognitions (organization_id, recognised_id) WHERE ended_at IS NULL;
