DROP TABLE practice_sheets;
DROP TABLE practice_attempts;
