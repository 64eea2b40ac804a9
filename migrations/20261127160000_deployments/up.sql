-- Deployments, one row per integration. The cluster, the settings deployed last and those before them are signed, because an
-- undo deploys the latter. The other columns are the result of the last check of the cluster.
CREATE TABLE deployments (
    integration_id uuid PRIMARY KEY REFERENCES integrations ON DELETE CASCADE,
    -- Where it is deployed. A run that would go to another cluster is refused.
    cluster text NOT NULL,
    -- Canonical JSON of settings; '' if there are none.
    applied text NOT NULL,
    before text NOT NULL,
    -- The credentials written into the cluster, by role: the id and the version of the secret, 'id:3'.
    handed_on jsonb NOT NULL,
    state jsonb NOT NULL,
    cluster_version text NOT NULL,
    image text NOT NULL,
    desired int NOT NULL,
    ready int NOT NULL,
    finished boolean NOT NULL,
    drifted boolean NOT NULL,
    removed boolean NOT NULL,
    seen_at timestamptz CONSTRAINT deployments_seen_at_finite CHECK (isfinite(seen_at)),
    deployed_at timestamptz CONSTRAINT deployments_deployed_at_finite CHECK (isfinite(deployed_at)),
    next_look_at timestamptz CONSTRAINT deployments_next_look_at_finite CHECK (isfinite(next_look_at)),
    row_mac bytea NOT NULL
);
CREATE INDEX deployments_due ON deployments (next_look_at);

ALTER TABLE runs
    DROP CONSTRAINT runs_cause_check,
    ADD CONSTRAINT runs_cause_check CHECK (cause IN ('schedule', 'asked', 'added', 'webhook', 'secret', 'rollout')),
    DROP CONSTRAINT runs_action_check,
    ADD CONSTRAINT runs_action_check CHECK (integration_id IS NOT NULL AND CASE action
        WHEN 'scan' THEN places IS NULL WHEN 'scan_places' THEN coalesce(cardinality(places), 0) > 0
        WHEN 'deploy' THEN true WHEN 'observe' THEN places IS NULL WHEN 'remove' THEN true ELSE false END);
