DROP TABLE lost_mail;
