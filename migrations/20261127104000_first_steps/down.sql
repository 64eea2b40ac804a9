DROP TABLE first_steps;
