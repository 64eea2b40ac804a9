ALTER TABLE sessions DROP COLUMN row_mac;
ALTER TABLE users DROP COLUMN password_temporary;
