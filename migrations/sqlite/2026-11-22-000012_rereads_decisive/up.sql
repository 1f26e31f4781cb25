-- Whether a sheet decided alone follows from the decision, which may come after the sheet was listed.
ALTER TABLE rereads DROP COLUMN is_decisive;
