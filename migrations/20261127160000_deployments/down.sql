DELETE FROM runs WHERE action IN ('deploy', 'observe', 'remove') OR cause IN ('secret', 'rollout');
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE runs
    DROP CONSTRAINT runs_cause_check,
    ADD CONSTRAINT runs_cause_check CHECK (cause IN ('schedule', 'asked', 'added', 'webhook')),
    DROP CONSTRAINT runs_action_check,
    ADD CONSTRAINT runs_action_check CHECK (integration_id IS NOT NULL AND CASE action
        WHEN 'scan' THEN places IS NULL WHEN 'scan_places' THEN coalesce(cardinality(places), 0) > 0 ELSE false END);
DROP TABLE deployments;
