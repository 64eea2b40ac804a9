ALTER TABLE events DROP COLUMN subject_version;
ALTER TABLE sessions DROP COLUMN row_mac;
ALTER TABLE users DROP COLUMN password_temporary;
