-- Why a sheet is read again, by whom, and on which criteria the two differ (a JSON list).
ALTER TABLE rereads ADD COLUMN reason TEXT NOT NULL DEFAULT 'suspension' CHECK (reason IN ('suspension', 'backread'));
ALTER TABLE rereads ADD COLUMN reread_by TEXT REFERENCES reviews (id);
ALTER TABLE rereads ADD COLUMN differing TEXT;
CREATE INDEX rereads_by_reading ON rereads (reread_by);
