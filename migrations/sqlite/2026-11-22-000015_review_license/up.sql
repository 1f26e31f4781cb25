-- What the reader of a sheet was qualified by when they locked it; none for somebody without a qualification.
ALTER TABLE reviews ADD COLUMN license TEXT CHECK (license IN ('full', 'provisional'));
