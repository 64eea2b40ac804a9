ALTER TABLE images DROP COLUMN kept;
ALTER TABLE runs DROP COLUMN gaps, DROP COLUMN named_gaps;
-- The release before knows no such end. It called a run with anything unread a failure, and error says what was unread.
UPDATE runs SET state = 'failed', failed_step = 'Reading manifests' WHERE state = 'partly';
ALTER TABLE runs DROP CONSTRAINT runs_state_check,
    ADD CONSTRAINT runs_state_check CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'stopped'));
