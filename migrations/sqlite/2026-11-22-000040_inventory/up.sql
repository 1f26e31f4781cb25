-- Which of their awards people are named for in the inventory of their organization. No row: for none, and counted all the same.
CREATE TABLE award_sharing (
    award_id TEXT NOT NULL PRIMARY KEY REFERENCES awards (id),
    is_named BOOLEAN NOT NULL,
    revision INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
-- What an organization counts skills for, printed on its inventory.
CREATE TABLE inventory_purposes (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
    statement TEXT NOT NULL,
    revision INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
-- Inventories as they were signed, for ever as they are.
CREATE TABLE inventory_snapshots (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    issuer_id TEXT NOT NULL REFERENCES organizations (id),
    jwt TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES people (id),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX inventory_snapshots_by_organization ON inventory_snapshots (organization_id, id);
