DROP INDEX items_keys_without_expiry;
DROP INDEX credentials_key_id;
ALTER TABLE credentials DROP COLUMN key_id;
