-- Who of a programme is still employed after a year, by the file of the district that came last. The two folders hold the same versions.
CREATE TABLE program_stays (
    program_id TEXT NOT NULL PRIMARY KEY REFERENCES programs (id),
    as_of TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE invitee_stays (
    invitee_id TEXT NOT NULL PRIMARY KEY REFERENCES invitees (id),
    is_employed BOOLEAN NOT NULL
);
