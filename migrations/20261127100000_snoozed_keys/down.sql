ALTER TABLE alerts DROP COLUMN words;
DROP TABLE snoozed_keys;
