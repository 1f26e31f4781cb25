DROP TABLE proposal_contacts;
DROP TABLE proposals;
