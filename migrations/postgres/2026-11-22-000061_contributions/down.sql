ALTER TABLE evidence DROP COLUMN contributor;
DROP TABLE contribution_links;
