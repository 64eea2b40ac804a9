-- The release before writes no such letters.
DELETE FROM deliveries WHERE kind = 'value_notice';
ALTER TABLE deliveries DROP CONSTRAINT deliveries_kind_check, ADD CONSTRAINT deliveries_kind_check CHECK
    (kind IN ('digest', 'confirmation', 'test', 'invitation', 'reset', 'password_notice', 'email_notice'));
DELETE FROM account_letters WHERE purpose = 'value_notice';
ALTER TABLE account_letters DROP COLUMN about, DROP CONSTRAINT account_letters_purpose_check,
    ADD CONSTRAINT account_letters_purpose_check
        CHECK (purpose IN ('invitation', 'reset', 'password_notice', 'email_notice'));
DELETE FROM alerts WHERE subject_kind = 'client';
ALTER TABLE alerts DROP CONSTRAINT alerts_subject_kind_check, ADD CONSTRAINT alerts_subject_kind_check
    CHECK (subject_kind IN ('credential', 'integration', 'user', 'store', 'item'));
DROP TRIGGER secrets_fetched ON secrets;
DROP TRIGGER credentials_fetched ON credentials;
-- Row by row, so that the credentials count their usages without them.
DELETE FROM clients;
DROP TABLE spent_tokens, client_uses, client_rules, client_logins, clients;
DROP FUNCTION notify_clients, notify_clients_of_credential, notify_clients_of_secret, note_client_end;
