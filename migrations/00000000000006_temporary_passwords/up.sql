-- A password that somebody else has set, and so knows: its owner replaces it before anything else.
ALTER TABLE users ADD COLUMN password_temporary boolean NOT NULL DEFAULT false;
