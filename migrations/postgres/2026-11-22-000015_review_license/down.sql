ALTER TABLE reviews DROP COLUMN license;
