-- The release before knows one secret a credential, and its check of the row covers no others.
DO $$ BEGIN
    IF EXISTS (SELECT FROM secrets WHERE state IN ('pending', 'draining') OR (state = 'active' AND key_id <> '')) THEN
        RAISE EXCEPTION 'there are credentials whose secret is being rotated, which the release before cannot read: let the rotation end, or go back to a backup of it';
    END IF;
END $$;
ALTER TABLE credentials ADD COLUMN kek_id int REFERENCES keks (wraps), ADD COLUMN wrapped_dek bytea, ADD COLUMN payload bytea;
UPDATE credentials SET kek_id = secrets.kek_id, wrapped_dek = secrets.wrapped_dek, payload = secrets.payload
FROM secrets WHERE credential_id = credentials.id AND state = 'active';
ALTER TABLE credentials ALTER COLUMN kek_id SET NOT NULL, ALTER COLUMN wrapped_dek SET NOT NULL, ALTER COLUMN payload SET NOT NULL,
    ADD CONSTRAINT credentials_wrapped_dek_check CHECK (octet_length(wrapped_dek) = 61),
    ADD CONSTRAINT credentials_payload_check CHECK (substring(payload, 1, 1) = '\x01' AND octet_length(payload) >= 93);
CREATE INDEX credentials_kek ON credentials (kek_id);
DROP TABLE secrets;
