DROP TABLE approval_voter_departments;
DROP TABLE approvals;
DROP TABLE program_changes;
DROP TABLE program_authors;
DROP TABLE programs;
