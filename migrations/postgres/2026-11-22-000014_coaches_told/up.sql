-- The coaches who were told by mail whose attempt it is, because its earner would like to talk with one.
CREATE TABLE coaches_told (
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    told_at TIMESTAMP NOT NULL,
    PRIMARY KEY (submission_id, person_id)
);
