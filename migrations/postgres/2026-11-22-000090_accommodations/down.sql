-- Without the columns everybody answers as the definitions say.
ALTER TABLE invitees DROP COLUMN spoken_answers;
ALTER TABLE invitees DROP COLUMN unlimited_words;
ALTER TABLE invitees DROP COLUMN accommodation_note;
