-- People of a programme: one row an invitee, however often they are invited.
CREATE TABLE invitees (
    id TEXT NOT NULL PRIMARY KEY,
    program_id TEXT NOT NULL REFERENCES programs (id),
    cohort TEXT NOT NULL,
    audience TEXT NOT NULL,
    school_id TEXT NOT NULL REFERENCES organizations (id),
    person_id TEXT REFERENCES people (id),
    reference TEXT,
    code_sha256 TEXT UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'invited', 'declined', 'enrolled')),
    mails INTEGER NOT NULL CHECK (mails >= 0),
    invited_by TEXT NOT NULL REFERENCES people (id),
    created_at TIMESTAMP NOT NULL,
    invited_at TIMESTAMP,
    last_invited_at TIMESTAMP,
    declined_at TIMESTAMP,
    decline_reason TEXT CHECK (decline_reason IN ('no_time', 'not_my_work', 'not_now', 'no_support', 'other')),
    decline_note TEXT,
    enrolled_at TIMESTAMP,
    extended_to TEXT,
    extension_reason TEXT,
    revision INTEGER NOT NULL,
    UNIQUE (program_id, person_id),
    UNIQUE (program_id, reference),
    CHECK ((reference IS NULL) = (code_sha256 IS NULL)),
    CHECK (person_id IS NOT NULL OR reference IS NOT NULL),
    CHECK (state <> 'enrolled' OR (enrolled_at IS NOT NULL AND person_id IS NOT NULL)),
    CHECK ((state = 'declined') = (declined_at IS NOT NULL)),
    CHECK ((declined_at IS NULL) = (decline_reason IS NULL)),
    CHECK ((extended_to IS NULL) = (extension_reason IS NULL))
);
CREATE INDEX invitees_by_state ON invitees (state, program_id, id);
CREATE INDEX invitees_by_person ON invitees (person_id);

-- The name of somebody who has a printed code and no account yet.
CREATE TABLE invitee_names (
    invitee_id TEXT NOT NULL PRIMARY KEY REFERENCES invitees (id),
    name TEXT NOT NULL
);

-- Which invitations, whose secrets go by mail, are into a programme.
CREATE TABLE invitee_invitations (
    invitation_id TEXT NOT NULL PRIMARY KEY REFERENCES invitations (id) ON DELETE CASCADE,
    invitee_id TEXT NOT NULL REFERENCES invitees (id)
);

-- Which submissions are made within a programme.
CREATE TABLE program_attempts (
    submission_id TEXT NOT NULL PRIMARY KEY REFERENCES submissions (id),
    invitee_id TEXT NOT NULL REFERENCES invitees (id)
);
CREATE INDEX program_attempts_by_invitee ON program_attempts (invitee_id);
