-- The copy of a file that readers get, without what says whose it is. The original stays as it came.
ALTER TABLE evidence ADD COLUMN metadata TEXT NOT NULL DEFAULT 'unknown' CHECK (metadata IN ('none', 'removed', 'kept', 'unknown'));
ALTER TABLE evidence ADD COLUMN copy_storage_name TEXT;
ALTER TABLE evidence ADD COLUMN copy_size_bytes BIGINT;
ALTER TABLE evidence ADD COLUMN copy_sha256 TEXT;
CREATE UNIQUE INDEX evidence_by_copy ON evidence (copy_storage_name);
