DROP TABLE credit_allocations;
DROP TABLE credit_grants;
DROP TABLE credit_rule_categories;
DROP TABLE credit_rule_amounts;
DROP TABLE credit_rules;
