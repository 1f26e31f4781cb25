DROP TABLE assessor_steps;
