-- Upgrades of many deployments to one image, a few at a time. The image, the deployments and the user are signed. The
-- steps hold the progress, so any replica that runs jobs can continue.
CREATE TABLE rollouts (
    id uuid PRIMARY KEY,
    image text NOT NULL,
    at_once int NOT NULL CHECK (at_once BETWEEN 1 AND 50),
    integrations uuid[] NOT NULL,
    requested_by text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'finished', 'failed', 'stopped')),
    begun_at timestamptz NOT NULL DEFAULT now() CONSTRAINT rollouts_begun_at_finite CHECK (isfinite(begun_at)),
    ended_at timestamptz CONSTRAINT rollouts_ended_at_finite CHECK (isfinite(ended_at)),
    row_mac bytea NOT NULL
);
CREATE INDEX rollouts_running ON rollouts (begun_at) WHERE state = 'running';
CREATE INDEX rollouts_begun ON rollouts (begun_at);

CREATE TABLE rollout_steps (
    rollout_id uuid NOT NULL REFERENCES rollouts ON DELETE CASCADE,
    position int NOT NULL,
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    -- The run that deploys it; null before its turn.
    run_id uuid,
    state text NOT NULL CHECK (state IN ('waiting', 'deploying', 'done', 'failed')),
    detail text NOT NULL,
    PRIMARY KEY (rollout_id, position)
);
CREATE INDEX rollout_steps_integration ON rollout_steps (integration_id);
CREATE INDEX rollout_steps_deploying ON rollout_steps (rollout_id) WHERE state = 'deploying';
