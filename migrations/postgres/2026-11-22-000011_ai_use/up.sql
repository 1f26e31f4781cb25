-- What an organization says about AI in what earners hand in, and what it said when a submission was handed in.
CREATE TABLE ai_use_policies (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
    allowed TEXT NOT NULL CHECK (allowed IN ('forbidden', 'disclosed', 'free')),
    statement TEXT NOT NULL,
    revision INTEGER NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
ALTER TABLE submissions ADD COLUMN ai_use_policy TEXT CHECK (ai_use_policy IN ('forbidden', 'disclosed', 'free'));
