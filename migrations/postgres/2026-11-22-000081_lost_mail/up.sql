-- To whom mail does not go through: the last one was given up. Kept when the mail itself is forgotten, until one is delivered or they sign
-- in. The two folders hold the same versions.
CREATE TABLE lost_mail (
    person_id TEXT NOT NULL PRIMARY KEY REFERENCES people (id),
    since TIMESTAMP NOT NULL
);
INSERT INTO lost_mail (person_id, since)
SELECT failed.person_id, MAX(failed.created_at)
FROM outbox AS failed
WHERE failed.state = 'failed'
  AND NOT EXISTS (
    SELECT 1 FROM outbox AS later
    WHERE later.person_id = failed.person_id AND later.state = 'sent'
      AND (later.created_at > failed.created_at OR (later.created_at = failed.created_at AND later.id > failed.id))
  )
  AND NOT EXISTS (
    SELECT 1 FROM sessions
    WHERE sessions.person_id = failed.person_id AND sessions.created_at > failed.created_at
  )
GROUP BY failed.person_id;
