-- The release before knows scans of integrations only.
DELETE FROM runs WHERE integration_id IS NULL OR action <> 'scan';
DROP INDEX runs_one_unfinished_of_credential;
DROP INDEX runs_history_of_credential;
ALTER TABLE runs DROP CONSTRAINT runs_action_check, DROP CONSTRAINT runs_one_subject, DROP COLUMN action, DROP COLUMN credential_id,
    ALTER COLUMN integration_id SET NOT NULL;
ALTER TABLE runs RENAME COLUMN used_secret_version TO secret_version;
ALTER TABLE runs RENAME COLUMN used_credential_id TO credential_id;
