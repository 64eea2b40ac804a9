-- A run performs an action on a subject: an integration, or a credential. With which credentials it works is another matter.
ALTER TABLE runs RENAME COLUMN credential_id TO used_credential_id;
ALTER TABLE runs RENAME COLUMN secret_version TO used_secret_version;
ALTER TABLE runs ALTER COLUMN integration_id DROP NOT NULL,
    ADD COLUMN credential_id uuid REFERENCES credentials ON DELETE CASCADE,
    ADD COLUMN action text NOT NULL DEFAULT 'scan',
    ADD CONSTRAINT runs_one_subject CHECK (num_nonnulls(integration_id, credential_id) = 1),
    ADD CONSTRAINT runs_action_check CHECK (action = 'scan' AND integration_id IS NOT NULL);
CREATE UNIQUE INDEX runs_one_unfinished_of_credential ON runs (credential_id) WHERE state IN ('queued', 'running');
CREATE INDEX runs_history_of_credential ON runs (credential_id, queued_at DESC) WHERE credential_id IS NOT NULL;
