DROP TABLE coach_comments;
DROP TABLE coachings;
