DROP INDEX rereads_by_reading;
ALTER TABLE rereads DROP COLUMN differing;
ALTER TABLE rereads DROP COLUMN reread_by;
ALTER TABLE rereads DROP COLUMN reason;
