-- Frameworks in the form of CASE 1.1: the package as it came, and its items to be found by. The two folders hold the same versions.
CREATE TABLE frameworks (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    identifier TEXT NOT NULL,
    title TEXT NOT NULL,
    creator TEXT NOT NULL,
    version TEXT,
    language TEXT,
    package TEXT NOT NULL,
    n_items INTEGER NOT NULL,
    n_rubrics INTEGER NOT NULL,
    n_kept INTEGER NOT NULL,
    imported_by TEXT NOT NULL REFERENCES people (id),
    revision INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    UNIQUE (organization_id, identifier)
);

CREATE TABLE framework_items (
    framework_id TEXT NOT NULL REFERENCES frameworks (id),
    position INTEGER NOT NULL,
    identifier TEXT NOT NULL,
    uri TEXT NOT NULL,
    code TEXT,
    label TEXT,
    statement TEXT NOT NULL,
    item_type TEXT,
    PRIMARY KEY (framework_id, position)
);
CREATE INDEX framework_items_by_identifier ON framework_items (identifier);
