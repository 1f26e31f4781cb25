-- Whether an earner has waived the check that finds their own name in what readers get.
ALTER TABLE submissions ADD COLUMN names_waived BOOLEAN NOT NULL DEFAULT FALSE;
