-- Search finds a name by any part of it; pg_trgm is a trusted extension, so the owner of the database may create it.
-- Where it is there already, it may be in any schema.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE deployment (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    id uuid NOT NULL,
    mac_check_value bytea NOT NULL CHECK (octet_length(mac_check_value) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Rows refer to `wraps`, which is the id until the key is retired and NULL afterwards. So the foreign keys themselves
-- refuse both the retirement of a key that is still in use and a late write under a retired one.
CREATE TABLE keks (
    id int PRIMARY KEY CHECK (id > 0),
    wraps int UNIQUE CHECK (wraps = id),
    state text NOT NULL CHECK (state IN ('pending', 'active', 'decrypt_only', 'retired')),
    key_check_value bytea NOT NULL CHECK (octet_length(key_check_value) = 16),
    created_at timestamptz NOT NULL DEFAULT now(),
    activated_at timestamptz,
    verified_at timestamptz,
    CHECK ((wraps IS NULL) = (state = 'retired'))
);
CREATE UNIQUE INDEX keks_one_active ON keks ((true)) WHERE state = 'active';

CREATE TABLE replicas (
    id uuid PRIMARY KEY,
    kek_ids int[] NOT NULL,
    version text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    name_key text NOT NULL UNIQUE,
    role text NOT NULL CHECK (role IN ('administrator', 'operator', 'auditor')),
    disabled boolean NOT NULL DEFAULT false,
    password_kek_id int NOT NULL REFERENCES keks (wraps),
    password_wrapped_dek bytea NOT NULL CHECK (octet_length(password_wrapped_dek) = 61),
    password_payload bytea NOT NULL CHECK (substring(password_payload, 1, 1) = '\x01' AND octet_length(password_payload) >= 93),
    password_version int NOT NULL DEFAULT 1,
    password_set_at timestamptz NOT NULL DEFAULT now(),
    totp_kek_id int REFERENCES keks (wraps),
    totp_wrapped_dek bytea CHECK (octet_length(totp_wrapped_dek) = 61),
    totp_payload bytea CHECK (substring(totp_payload, 1, 1) = '\x01' AND octet_length(totp_payload) >= 93),
    totp_version int NOT NULL DEFAULT 0,
    totp_confirmed boolean NOT NULL DEFAULT false,
    totp_required boolean NOT NULL DEFAULT false,
    totp_last_step bigint NOT NULL DEFAULT 0,
    theme text NOT NULL DEFAULT 'system' CHECK (theme IN ('system', 'light', 'dark')),
    shortcuts boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz,
    row_version bigint NOT NULL DEFAULT 1,
    row_mac bytea NOT NULL CHECK (octet_length(row_mac) = 32),
    CHECK ((totp_kek_id IS NULL) = (totp_payload IS NULL) AND (totp_kek_id IS NULL) = (totp_wrapped_dek IS NULL)),
    CHECK (NOT totp_confirmed OR totp_payload IS NOT NULL)
);
CREATE INDEX users_password_kek ON users (password_kek_id);
CREATE INDEX users_totp_kek ON users (totp_kek_id);

CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    code_mac bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (user_id, code_mac)
);

-- The token itself is only in the visitor's cookie.
CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    id uuid NOT NULL UNIQUE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- Set between the password and the one-time code.
    awaits_code boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    authenticated_at timestamptz NOT NULL DEFAULT now(),
    address text NOT NULL,
    agent text NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE login_failures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name_key text NOT NULL,
    network text NOT NULL,
    address text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_failures_name ON login_failures (name_key, network, at);
CREATE INDEX login_failures_address ON login_failures (address, at);

CREATE TABLE setup_links (
    token_hash bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

CREATE TABLE credentials (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    name_key text NOT NULL UNIQUE,
    note text NOT NULL DEFAULT '',
    -- What may be shown: derived from the sealed values when they are saved.
    identity text NOT NULL,
    facts text NOT NULL,
    ages boolean NOT NULL,
    expires_at timestamptz,
    shipped boolean NOT NULL DEFAULT false,
    kek_id int NOT NULL REFERENCES keks (wraps),
    wrapped_dek bytea NOT NULL CHECK (octet_length(wrapped_dek) = 61),
    payload bytea NOT NULL CHECK (substring(payload, 1, 1) = '\x01' AND octet_length(payload) >= 93),
    secret_version int NOT NULL DEFAULT 1 CHECK (secret_version > 0),
    secret_set_at timestamptz NOT NULL DEFAULT now(),
    usage_count int NOT NULL DEFAULT 0 CHECK (usage_count >= 0),
    -- The zero of last use sorts before every real one, so that the index needs no NULLs.
    last_used_at timestamptz NOT NULL DEFAULT 'epoch',
    integrity_failed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    edited_at timestamptz NOT NULL DEFAULT now(),
    edited_by text NOT NULL,
    row_version bigint NOT NULL DEFAULT 1,
    row_mac bytea NOT NULL CHECK (octet_length(row_mac) = 32),
    search text NOT NULL GENERATED ALWAYS AS (lower(name || ' ' || identity)) STORED
);
-- One index a sort of the table, so that a page costs the same at a million rows.
CREATE INDEX credentials_kind ON credentials (kind, name_key);
CREATE INDEX credentials_identity ON credentials (identity, id);
CREATE INDEX credentials_age ON credentials (secret_set_at, id);
CREATE INDEX credentials_usages ON credentials (usage_count, id);
CREATE INDEX credentials_used ON credentials (last_used_at, id);
CREATE INDEX credentials_editor ON credentials (edited_by, id);
CREATE INDEX credentials_expiry ON credentials (expires_at, id) WHERE expires_at IS NOT NULL;
DO $$ BEGIN
    EXECUTE format('CREATE INDEX credentials_search ON credentials USING gin (search %s.gin_trgm_ops)',
        (SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_trgm'));
END $$;
CREATE INDEX credentials_prefix ON credentials (name_key text_pattern_ops);
CREATE INDEX credentials_kek ON credentials (kek_id);

CREATE TABLE integrations (
    id uuid PRIMARY KEY,
    family text NOT NULL,
    version text NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    name_key text NOT NULL UNIQUE,
    -- A usage is this reference; RESTRICT is what keeps a credential in use from being deleted.
    credential_id uuid REFERENCES credentials ON DELETE RESTRICT,
    -- Where the credential is sent: changing it is what binding to a destination forbids.
    host text NOT NULL,
    settings text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    every_hours int CHECK (every_hours > 0),
    next_run_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    edited_at timestamptz NOT NULL DEFAULT now(),
    edited_by text NOT NULL,
    row_version bigint NOT NULL DEFAULT 1,
    row_mac bytea NOT NULL CHECK (octet_length(row_mac) = 32)
);
CREATE INDEX integrations_credential ON integrations (credential_id);
CREATE INDEX integrations_due ON integrations (next_run_at) WHERE active AND next_run_at IS NOT NULL;

-- The count that the table shows and sorts by, kept by the same transaction that adds or takes a usage.
CREATE FUNCTION count_usages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.credential_id IS NOT NULL
       AND (TG_OP = 'DELETE' OR NEW.credential_id IS DISTINCT FROM OLD.credential_id) THEN
        UPDATE credentials SET usage_count = usage_count - 1 WHERE id = OLD.credential_id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.credential_id IS NOT NULL
       AND (TG_OP = 'INSERT' OR NEW.credential_id IS DISTINCT FROM OLD.credential_id) THEN
        UPDATE credentials SET usage_count = usage_count + 1 WHERE id = NEW.credential_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER integrations_usages AFTER INSERT OR DELETE OR UPDATE OF credential_id ON integrations
    FOR EACH ROW EXECUTE FUNCTION count_usages();

-- The queue and the history in one: queued, running under a lease, then ended.
CREATE TABLE runs (
    id uuid PRIMARY KEY,
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'stopped')),
    cause text NOT NULL CHECK (cause IN ('added', 'asked', 'schedule')),
    requested_by text NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now(),
    not_before timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    ended_at timestamptz,
    lease_until timestamptz,
    replica_id uuid,
    attempts int NOT NULL DEFAULT 0,
    stop_requested boolean NOT NULL DEFAULT false,
    progress jsonb NOT NULL DEFAULT '{}',
    failed_step text,
    error text,
    credential_id uuid,
    secret_version int,
    images int NOT NULL DEFAULT 0,
    added int NOT NULL DEFAULT 0,
    changed int NOT NULL DEFAULT 0,
    removed int NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX runs_one_unfinished ON runs (integration_id) WHERE state IN ('queued', 'running');
CREATE INDEX runs_claim ON runs (not_before) WHERE state IN ('queued', 'running');
CREATE INDEX runs_history ON runs (integration_id, queued_at DESC);
CREATE INDEX runs_recent ON runs (queued_at DESC);

CREATE TABLE images (
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    repository text NOT NULL,
    tag text NOT NULL,
    digest text NOT NULL,
    size_bytes bigint NOT NULL,
    platforms text[] NOT NULL,
    pushed_at timestamptz,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (integration_id, repository, tag)
);

CREATE TABLE image_changes (
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    repository text NOT NULL,
    tag text NOT NULL,
    change text NOT NULL CHECK (change IN ('added', 'changed', 'removed')),
    PRIMARY KEY (run_id, repository, tag)
);

-- The audit trail: several hash chains side by side. One chain would make every change wait for the commit before it;
-- each lane is gapless and is locked until its transaction ends.
CREATE TABLE audit_lanes (
    lane smallint PRIMARY KEY,
    seq bigint NOT NULL DEFAULT 0,
    mac bytea NOT NULL,
    -- Keyed over the two above: who cuts events off the end cannot rewind the head to fit.
    head_mac bytea NOT NULL
);

CREATE TABLE events (
    lane smallint NOT NULL REFERENCES audit_lanes,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid,
    subject_name text NOT NULL,
    detail text NOT NULL,
    address text NOT NULL,
    mac bytea NOT NULL CHECK (octet_length(mac) = 32),
    PRIMARY KEY (lane, seq)
);
CREATE INDEX events_time ON events (at DESC, lane, seq);
CREATE INDEX events_subject ON events (subject_id, at DESC);
CREATE INDEX events_actor ON events (actor, at DESC);
CREATE INDEX events_action ON events (action, at DESC);

-- Cached sessions of every replica are dropped by whoever changes the rows, also by hand.
CREATE FUNCTION notify_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('strongroom_sessions', '');
    RETURN NULL;
END $$;
CREATE TRIGGER sessions_changed AFTER UPDATE OR DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION notify_sessions();
CREATE TRIGGER users_changed AFTER UPDATE OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION notify_sessions();
