DROP INDEX evidence_by_copy;
ALTER TABLE evidence DROP COLUMN copy_sha256;
ALTER TABLE evidence DROP COLUMN copy_size_bytes;
ALTER TABLE evidence DROP COLUMN copy_storage_name;
ALTER TABLE evidence DROP COLUMN metadata;
