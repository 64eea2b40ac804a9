-- A credential has secrets in versions, of which one is active. Values keep their envelope as it is: it is bound to the
-- credential, its type and the version, and `src/models/sealed.rs` says under which name.
CREATE TABLE secrets (
    credential_id uuid NOT NULL REFERENCES credentials ON DELETE CASCADE,
    version int NOT NULL CHECK (version > 0),
    state text NOT NULL CHECK (state IN ('pending', 'active', 'draining', 'retired')),
    -- What its provider calls it; empty where it has no name.
    key_id text NOT NULL DEFAULT '',
    kek_id int REFERENCES keks (wraps),
    wrapped_dek bytea CHECK (octet_length(wrapped_dek) = 61),
    payload bytea CHECK (substring(payload, 1, 1) = '\x01' AND octet_length(payload) >= 93),
    made_at timestamptz NOT NULL DEFAULT now() CONSTRAINT secrets_made_at_finite CHECK (isfinite(made_at)),
    PRIMARY KEY (credential_id, version),
    CONSTRAINT secrets_wiped CHECK (num_nonnulls(kek_id, wrapped_dek, payload) = CASE state WHEN 'retired' THEN 0 ELSE 3 END)
);
INSERT INTO secrets (credential_id, version, state, kek_id, wrapped_dek, payload, made_at)
SELECT id, secret_version, 'active', kek_id, wrapped_dek, payload, secret_set_at FROM credentials;
CREATE UNIQUE INDEX secrets_one_active ON secrets (credential_id) WHERE state = 'active';
CREATE INDEX secrets_kek ON secrets (kek_id);

ALTER TABLE credentials DROP COLUMN kek_id, DROP COLUMN wrapped_dek, DROP COLUMN payload;
