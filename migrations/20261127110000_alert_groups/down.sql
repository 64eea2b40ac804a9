DROP INDEX alerts_search;
CREATE INDEX alerts_open ON alerts (opened_at DESC, id) WHERE closed_at IS NULL;
DROP INDEX alerts_owner;
DROP INDEX alerts_snoozed;
DROP INDEX alerts_ahead;
DROP INDEX alerts_raised;
ALTER TABLE alerts DROP COLUMN severity, DROP COLUMN since;
