-- A run may end partly: what it could not read is counted, and the first of it named. Images that such a gap hides are kept
-- as an earlier scan found them.
ALTER TABLE runs DROP CONSTRAINT runs_state_check,
    ADD CONSTRAINT runs_state_check CHECK (state IN ('queued', 'running', 'succeeded', 'partly', 'failed', 'stopped'));
ALTER TABLE runs ADD COLUMN gaps int NOT NULL DEFAULT 0, ADD COLUMN named_gaps jsonb NOT NULL DEFAULT '[]';
ALTER TABLE images ADD COLUMN kept boolean NOT NULL DEFAULT false;
