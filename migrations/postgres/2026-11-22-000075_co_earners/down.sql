DROP TABLE co_earners;
