DROP TABLE rollout_steps;
DROP TABLE rollouts;
