-- Every row that decides something is signed over all that it decides. The first byte of a signature names the scheme, so
-- that a release knows what a later one wrote. Rows of the release before are signed anew when the console starts; their
-- former check stays as the last 32 bytes, so that the way back needs no keys.
ALTER TABLE users DROP CONSTRAINT users_row_mac_check, ADD CONSTRAINT users_row_mac_check CHECK (octet_length(row_mac) >= 32);
ALTER TABLE credentials DROP CONSTRAINT credentials_row_mac_check, ADD CONSTRAINT credentials_row_mac_check CHECK (octet_length(row_mac) >= 32);
ALTER TABLE integrations DROP CONSTRAINT integrations_row_mac_check, ADD CONSTRAINT integrations_row_mac_check CHECK (octet_length(row_mac) >= 32);
ALTER TABLE recipients DROP CONSTRAINT recipients_row_mac_check, ADD CONSTRAINT recipients_row_mac_check CHECK (octet_length(row_mac) >= 32);
ALTER TABLE alert_settings DROP CONSTRAINT alert_settings_row_mac_check, ADD CONSTRAINT alert_settings_row_mac_check CHECK (octet_length(row_mac) >= 32);

-- Empty: not signed yet.
ALTER TABLE deployment ADD COLUMN row_mac bytea NOT NULL DEFAULT '';
ALTER TABLE keks ADD COLUMN row_version bigint NOT NULL DEFAULT 1, ADD COLUMN row_mac bytea NOT NULL DEFAULT '';
ALTER TABLE channels ADD COLUMN row_mac bytea NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN row_mac bytea NOT NULL DEFAULT '';
DELETE FROM setup_links;
ALTER TABLE setup_links ADD COLUMN row_mac bytea NOT NULL;

-- Recovery codes become a part of their user's row: using one up is a new version of it, which the audit trail records.
ALTER TABLE users ADD COLUMN recovery_codes bytea[] NOT NULL DEFAULT '{}';
UPDATE users SET recovery_codes = unused.macs
FROM (SELECT user_id, array_agg(code_mac ORDER BY code_mac) AS macs FROM recovery_codes WHERE used_at IS NULL GROUP BY user_id) AS unused
WHERE users.id = unused.user_id;
DROP TABLE recovery_codes;

-- A session belongs to one version of its user and to the event of its login. Nobody can say that of the sessions that
-- there are, so everybody logs in once more.
DELETE FROM sessions;
ALTER TABLE sessions DROP CONSTRAINT sessions_row_mac_check, ADD CONSTRAINT sessions_row_mac_check CHECK (octet_length(row_mac) >= 32);
ALTER TABLE sessions ADD COLUMN user_version bigint NOT NULL, ADD COLUMN row_version bigint NOT NULL,
    ADD COLUMN login_lane smallint, ADD COLUMN login_seq bigint,
    ADD CHECK (awaits_code = (login_lane IS NULL) AND (login_lane IS NULL) = (login_seq IS NULL));

ALTER TABLE alerts DROP CONSTRAINT alerts_subject_kind_check,
    ADD CONSTRAINT alerts_subject_kind_check CHECK (subject_kind IN ('credential', 'integration', 'user', 'store'));
