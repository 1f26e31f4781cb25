ALTER TABLE submissions DROP COLUMN ai_use_policy;
DROP TABLE ai_use_policies;
