DELETE FROM alerts WHERE subject_kind = 'store';
ALTER TABLE alerts DROP CONSTRAINT alerts_subject_kind_check,
    ADD CONSTRAINT alerts_subject_kind_check CHECK (subject_kind IN ('credential', 'integration', 'user'));

DELETE FROM sessions;
ALTER TABLE sessions DROP COLUMN login_seq, DROP COLUMN login_lane, DROP COLUMN row_version, DROP COLUMN user_version;
ALTER TABLE sessions DROP CONSTRAINT sessions_row_mac_check, ADD CONSTRAINT sessions_row_mac_check CHECK (octet_length(row_mac) = 32);

CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    code_mac bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (user_id, code_mac)
);
INSERT INTO recovery_codes (user_id, code_mac) SELECT id, unnest(recovery_codes) FROM users;
ALTER TABLE users DROP COLUMN recovery_codes;

DELETE FROM setup_links;
ALTER TABLE setup_links DROP COLUMN row_mac;
ALTER TABLE runs DROP COLUMN row_mac;
ALTER TABLE channels DROP COLUMN row_mac;
ALTER TABLE keks DROP COLUMN row_mac, DROP COLUMN row_version;
ALTER TABLE deployment DROP COLUMN row_mac;

-- The check of the release before is the last 32 bytes.
UPDATE users SET row_mac = substring(row_mac FROM octet_length(row_mac) - 31);
UPDATE credentials SET row_mac = substring(row_mac FROM octet_length(row_mac) - 31);
UPDATE integrations SET row_mac = substring(row_mac FROM octet_length(row_mac) - 31);
UPDATE recipients SET row_mac = substring(row_mac FROM octet_length(row_mac) - 31);
UPDATE alert_settings SET row_mac = substring(row_mac FROM octet_length(row_mac) - 31);
ALTER TABLE users DROP CONSTRAINT users_row_mac_check, ADD CONSTRAINT users_row_mac_check CHECK (octet_length(row_mac) = 32);
ALTER TABLE credentials DROP CONSTRAINT credentials_row_mac_check, ADD CONSTRAINT credentials_row_mac_check CHECK (octet_length(row_mac) = 32);
ALTER TABLE integrations DROP CONSTRAINT integrations_row_mac_check, ADD CONSTRAINT integrations_row_mac_check CHECK (octet_length(row_mac) = 32);
ALTER TABLE recipients DROP CONSTRAINT recipients_row_mac_check, ADD CONSTRAINT recipients_row_mac_check CHECK (octet_length(row_mac) = 32);
ALTER TABLE alert_settings DROP CONSTRAINT alert_settings_row_mac_check, ADD CONSTRAINT alert_settings_row_mac_check CHECK (octet_length(row_mac) = 32);
