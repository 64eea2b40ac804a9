-- An alert about integrity counts as open only if Strongroom wrote it: whoever alters the store would silence it first.
-- Empty: not signed.
ALTER TABLE alerts ADD COLUMN row_mac bytea NOT NULL DEFAULT '';
