-- A password that an administrator has set for somebody else, and so knows: its owner replaces it before anything else.
ALTER TABLE users ADD COLUMN password_temporary boolean NOT NULL DEFAULT false;

-- Whose session it is comes under a keyed check, as the users' rows are: who can write to the database makes none.
-- Nobody can say that of the sessions that there are, so everybody logs in once more.
DELETE FROM sessions;
ALTER TABLE sessions ADD COLUMN row_mac bytea NOT NULL CHECK (octet_length(row_mac) = 32);

-- The version of the row that a change has made: a whole row that is put back from a backup is older than the trail says.
ALTER TABLE events ADD COLUMN subject_version bigint;
CREATE INDEX events_versions ON events (subject_id, subject_version) WHERE subject_version IS NOT NULL;
