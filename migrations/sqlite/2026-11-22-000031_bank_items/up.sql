-- The assessment bank: prompts and criteria of published versions, by the items of frameworks that they belong to. The two folders hold
-- the same versions.
CREATE TABLE bank_items (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    micro_credential_id TEXT NOT NULL REFERENCES micro_credentials (id),
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
    version_number INTEGER NOT NULL,
    row_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('prompt', 'criterion')),
    content TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (version_id, row_id)
);
CREATE INDEX bank_items_by_micro_credential ON bank_items (micro_credential_id);

CREATE TABLE bank_item_frameworks (
    bank_item_id TEXT NOT NULL REFERENCES bank_items (id),
    identifier TEXT NOT NULL,
    PRIMARY KEY (bank_item_id, identifier)
);
CREATE INDEX bank_item_frameworks_by_identifier ON bank_item_frameworks (identifier);

CREATE TABLE bank_item_uses (
    bank_item_id TEXT NOT NULL REFERENCES bank_items (id),
    version_id TEXT NOT NULL REFERENCES definition_versions (id),
    row_id TEXT NOT NULL,
    PRIMARY KEY (bank_item_id, version_id, row_id)
);
