-- A password that somebody else has set, and so knows: its owner replaces it before anything else.
ALTER TABLE users ADD COLUMN password_temporary boolean NOT NULL DEFAULT false;

-- Whose session it is comes under a keyed check, as the users' rows are: who can write to the database makes none.
-- Nobody can say that of the sessions that there are, so everybody logs in once more.
DELETE FROM sessions;
ALTER TABLE sessions ADD COLUMN row_mac bytea NOT NULL CHECK (octet_length(row_mac) = 32);
