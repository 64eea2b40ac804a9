-- The release before knows scans of a whole registry only. What such a scan found stays in the inventory.
DELETE FROM runs WHERE action = 'scan_places' OR (cause = 'webhook' AND state IN ('queued', 'running'));
UPDATE runs SET cause = 'asked' WHERE cause = 'webhook';
ALTER TABLE runs DROP CONSTRAINT runs_action_check, DROP COLUMN places,
    ADD CONSTRAINT runs_action_check CHECK (action = 'scan' AND integration_id IS NOT NULL),
    DROP CONSTRAINT runs_cause_check,
    ADD CONSTRAINT runs_cause_check CHECK (cause IN ('schedule', 'asked', 'added'));
DROP TABLE hooks;
