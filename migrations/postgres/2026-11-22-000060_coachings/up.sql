-- Whom an earner has asked to look at an attempt, and what they share with them.
CREATE TABLE coachings (
    id TEXT PRIMARY KEY NOT NULL,
    submission_id TEXT NOT NULL REFERENCES submissions (id),
    coach_id TEXT NOT NULL REFERENCES people (id),
    shares_responses BOOLEAN NOT NULL,
    shares_evidence BOOLEAN NOT NULL,
    shares_feedback BOOLEAN NOT NULL,
    asked_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    UNIQUE (submission_id, coach_id)
);
CREATE INDEX coachings_of_coach ON coachings (coach_id);

-- What a coach has said, sealed with the submission's key.
CREATE TABLE coach_comments (
    id TEXT PRIMARY KEY NOT NULL,
    coaching_id TEXT NOT NULL REFERENCES coachings (id),
    item_id TEXT,
    sealed_text BYTEA NOT NULL,
    written_at TIMESTAMP NOT NULL
);
CREATE INDEX coach_comments_of_coaching ON coach_comments (coaching_id);
