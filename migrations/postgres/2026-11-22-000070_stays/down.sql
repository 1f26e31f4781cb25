DROP TABLE invitee_stays;
DROP TABLE program_stays;
