-- Addresses that registries call when something changed: the hash of the secret that each ends with, and what they have
-- said since the last scan that they asked for. The row is signed, but for what waits.
CREATE TABLE hooks (
    id uuid PRIMARY KEY,
    integration_id uuid NOT NULL UNIQUE REFERENCES integrations ON DELETE CASCADE,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    made_at timestamptz NOT NULL CONSTRAINT hooks_made_at_finite CHECK (isfinite(made_at)),
    made_by text NOT NULL,
    row_version bigint NOT NULL,
    row_mac bytea NOT NULL CHECK (octet_length(row_mac) >= 32),
    due_at timestamptz CONSTRAINT hooks_due_at_finite CHECK (isfinite(due_at)),
    asked_at timestamptz CONSTRAINT hooks_asked_at_finite CHECK (isfinite(asked_at)),
    whole boolean NOT NULL DEFAULT false,
    places text[] NOT NULL DEFAULT '{}' CHECK (cardinality(places) <= 100)
        CONSTRAINT hooks_places_finite CHECK (array_position(places, NULL) IS NULL)
);
CREATE INDEX hooks_due ON hooks (due_at) WHERE due_at IS NOT NULL;
-- A scan of some repositories of a registry alone. The release before claims none.
ALTER TABLE runs ADD COLUMN places text[] CONSTRAINT runs_places_finite CHECK (array_position(places, NULL) IS NULL),
    DROP CONSTRAINT runs_cause_check,
    ADD CONSTRAINT runs_cause_check CHECK (cause IN ('schedule', 'asked', 'added', 'webhook')),
    DROP CONSTRAINT runs_action_check,
    ADD CONSTRAINT runs_action_check CHECK (integration_id IS NOT NULL AND CASE action
        WHEN 'scan' THEN places IS NULL WHEN 'scan_places' THEN coalesce(cardinality(places), 0) > 0 ELSE false END);
