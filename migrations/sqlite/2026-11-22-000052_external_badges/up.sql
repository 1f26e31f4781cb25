-- Badges of other issuers that people keep in their wallet. The two folders hold the same versions.
CREATE TABLE external_badges (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id),
    document TEXT NOT NULL,
    document_sha256 TEXT NOT NULL,
    title TEXT,
    issuer TEXT,
    added_at TIMESTAMP NOT NULL,
    UNIQUE (person_id, document_sha256)
);
