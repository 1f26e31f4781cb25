DROP TABLE program_attempts;
DROP TABLE invitee_invitations;
DROP TABLE invitee_names;
DROP TABLE invitees;
