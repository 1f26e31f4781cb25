-- In what other form somebody answers within a programme than its definitions say, and what else was arranged with them.
ALTER TABLE invitees ADD COLUMN spoken_answers BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE invitees ADD COLUMN unlimited_words BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE invitees ADD COLUMN accommodation_note TEXT NOT NULL DEFAULT '';
