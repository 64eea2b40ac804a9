-- Tokens by which users' programs use the API. A token does no more than its scope and its user's role. The rows are
-- signed, but for the last use, which only a page shows.
CREATE TABLE api_tokens (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
    scope text NOT NULL CHECK (scope IN ('read', 'write', 'destinations')),
    -- SHA-256 of the secret.
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    made_at timestamptz NOT NULL CONSTRAINT api_tokens_made_at_finite CHECK (isfinite(made_at)),
    expires_at timestamptz NOT NULL CONSTRAINT api_tokens_expires_at_finite CHECK (isfinite(expires_at)),
    row_version bigint NOT NULL,
    row_mac bytea NOT NULL CHECK (octet_length(row_mac) >= 32),
    -- The zero: never.
    last_used_at timestamptz NOT NULL DEFAULT 'epoch'
        CONSTRAINT api_tokens_last_used_at_finite CHECK (isfinite(last_used_at)),
    last_address text NOT NULL DEFAULT '',
    CONSTRAINT api_tokens_user_id_name_key UNIQUE (user_id, name)
);
