DROP TABLE accepted_awards;
DROP TABLE endorsements;
DROP TABLE template_origins;
DROP TABLE templates;
