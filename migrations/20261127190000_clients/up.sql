-- Programs that fetch credentials. How each one logs in, and what it may fetch, stand in tables of their own. The rows are
-- signed, but for what only lists show: when a client last fetched, and when the first of its logins ends.
CREATE TABLE clients (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    name_key text NOT NULL UNIQUE,
    description text NOT NULL,
    active boolean NOT NULL,
    -- CIDR; none: from anywhere.
    networks text[] NOT NULL CHECK (cardinality(networks) <= 100)
        CONSTRAINT clients_networks_finite CHECK (array_position(networks, NULL) IS NULL),
    -- How long a session token holds.
    token_minutes int NOT NULL CHECK (token_minutes BETWEEN 5 AND 60),
    bound_to_address boolean NOT NULL,
    created_at timestamptz NOT NULL CONSTRAINT clients_created_at_finite CHECK (isfinite(created_at)),
    created_by text NOT NULL,
    edited_at timestamptz NOT NULL CONSTRAINT clients_edited_at_finite CHECK (isfinite(edited_at)),
    edited_by text NOT NULL,
    row_version bigint NOT NULL,
    row_mac bytea NOT NULL CHECK (octet_length(row_mac) >= 32),
    -- The zero: never.
    last_used_at timestamptz NOT NULL DEFAULT 'epoch' CONSTRAINT clients_last_used_at_finite CHECK (isfinite(last_used_at)),
    ends_at timestamptz CONSTRAINT clients_ends_at_finite CHECK (isfinite(ends_at))
);
CREATE INDEX clients_ends ON clients (ends_at) WHERE ends_at IS NOT NULL;

CREATE TABLE client_logins (
    id uuid PRIMARY KEY,
    client_id uuid NOT NULL REFERENCES clients ON DELETE CASCADE,
    method text NOT NULL CHECK (method IN ('token', 'app_role', 'kubernetes', 'oidc', 'aws')),
    -- SHA-256 of the secret.
    secret_hash bytea CHECK (octet_length(secret_hash) = 32),
    -- JSON of the settings of an identity.
    settings text NOT NULL,
    -- The kubeconfig that a TokenReview is sent with.
    credential_id uuid REFERENCES credentials ON DELETE RESTRICT,
    made_at timestamptz NOT NULL CONSTRAINT client_logins_made_at_finite CHECK (isfinite(made_at)),
    made_by text NOT NULL,
    expires_at timestamptz CONSTRAINT client_logins_expires_at_finite CHECK (isfinite(expires_at)),
    row_version bigint NOT NULL,
    row_mac bytea NOT NULL CHECK (octet_length(row_mac) >= 32),
    CONSTRAINT client_logins_secret CHECK ((secret_hash IS NOT NULL) = (method IN ('token', 'app_role')))
);
CREATE INDEX client_logins_client ON client_logins (client_id);
CREATE INDEX client_logins_credential ON client_logins (credential_id) WHERE credential_id IS NOT NULL;
CREATE INDEX client_logins_expiry ON client_logins (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE client_rules (
    id uuid PRIMARY KEY,
    client_id uuid NOT NULL REFERENCES clients ON DELETE CASCADE,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    credential_id uuid NOT NULL REFERENCES credentials ON DELETE RESTRICT,
    form text NOT NULL,
    settings text NOT NULL,
    -- Who has confirmed that the stored value itself leaves, and when.
    allowed_by text,
    allowed_at timestamptz CONSTRAINT client_rules_allowed_at_finite CHECK (isfinite(allowed_at)),
    made_at timestamptz NOT NULL CONSTRAINT client_rules_made_at_finite CHECK (isfinite(made_at)),
    made_by text NOT NULL,
    row_version bigint NOT NULL,
    row_mac bytea NOT NULL CHECK (octet_length(row_mac) >= 32),
    CONSTRAINT client_rules_client_id_name_key UNIQUE (client_id, name),
    CONSTRAINT client_rules_allowed CHECK (num_nonnulls(allowed_by, allowed_at) = CASE form WHEN 'value' THEN 2 ELSE 0 END)
);
CREATE INDEX client_rules_credential ON client_rules (credential_id);

-- The last use of each login, and by it of each rule. At most one write a minute; nothing is decided by it.
CREATE TABLE client_uses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login_id uuid NOT NULL REFERENCES client_logins ON DELETE CASCADE,
    -- Null: the login itself.
    rule_id uuid REFERENCES client_rules ON DELETE CASCADE,
    used_at timestamptz NOT NULL CONSTRAINT client_uses_used_at_finite CHECK (isfinite(used_at)),
    address text NOT NULL,
    uses bigint NOT NULL
);
CREATE UNIQUE INDEX client_uses_rule ON client_uses (login_id, rule_id) WHERE rule_id IS NOT NULL;
CREATE UNIQUE INDEX client_uses_login ON client_uses (login_id) WHERE rule_id IS NULL;
CREATE INDEX client_uses_of_rule ON client_uses (rule_id) WHERE rule_id IS NOT NULL;

-- Session tokens that were ended, and identity tokens that were used, until they would have ended by themselves.
CREATE TABLE spent_tokens (
    -- A hash of the token, or its ID.
    token_hash bytea PRIMARY KEY,
    until timestamptz NOT NULL CONSTRAINT spent_tokens_until_finite CHECK (isfinite(until))
);
CREATE INDEX spent_tokens_until ON spent_tokens (until);

-- Rules and the kubeconfigs of logins are usages.
CREATE TRIGGER client_rules_usages AFTER INSERT OR DELETE OR UPDATE OF credential_id ON client_rules
    FOR EACH ROW EXECUTE FUNCTION count_usages();
CREATE TRIGGER client_logins_usages AFTER INSERT OR DELETE OR UPDATE OF credential_id ON client_logins
    FOR EACH ROW EXECUTE FUNCTION count_usages();

-- When the first login of a client ends, for alerts, and for the list to filter and sort by. One that was rotated is
-- meant to end.
CREATE FUNCTION note_client_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.client_id ELSE NEW.client_id END;
BEGIN
    UPDATE clients c SET ends_at = (SELECT min(l.expires_at) FROM client_logins l WHERE l.client_id = changed
        AND NOT EXISTS (SELECT FROM client_logins later WHERE later.client_id = changed AND later.method = l.method
            AND later.made_at > l.made_at AND (later.expires_at IS NULL OR later.expires_at > l.expires_at)))
    WHERE c.id = changed;
    RETURN NULL;
END $$;
CREATE TRIGGER client_logins_end AFTER INSERT OR DELETE OR UPDATE OF expires_at ON client_logins
    FOR EACH ROW EXECUTE FUNCTION note_client_end();

-- What every replica remembers of clients is dropped by whoever changes the rows, also by hand.
CREATE FUNCTION notify_clients() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('strongroom_clients', '');
    RETURN NULL;
END $$;
CREATE TRIGGER clients_changed AFTER DELETE OR UPDATE OF name, name_key, active, networks, token_minutes,
    bound_to_address, row_version, row_mac ON clients FOR EACH ROW EXECUTE FUNCTION notify_clients();
CREATE TRIGGER client_logins_changed AFTER UPDATE OR DELETE ON client_logins
    FOR EACH ROW EXECUTE FUNCTION notify_clients();
CREATE TRIGGER client_rules_changed AFTER INSERT OR UPDATE OR DELETE ON client_rules
    FOR EACH ROW EXECUTE FUNCTION notify_clients();
-- Announcements of one database wait for each other, so only credentials that clients may fetch are announced.
CREATE FUNCTION notify_clients_of_credential() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM client_rules WHERE credential_id = OLD.id)
        OR EXISTS (SELECT FROM client_logins WHERE credential_id = OLD.id) THEN
        PERFORM pg_notify('strongroom_clients', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER credentials_fetched AFTER UPDATE OF kind, name, secret_version, integrity_failed_at, row_version, row_mac
    ON credentials FOR EACH ROW EXECUTE FUNCTION notify_clients_of_credential();
CREATE FUNCTION notify_clients_of_secret() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.credential_id ELSE NEW.credential_id END;
BEGIN
    IF EXISTS (SELECT FROM client_rules WHERE credential_id = changed)
        OR EXISTS (SELECT FROM client_logins WHERE credential_id = changed) THEN
        PERFORM pg_notify('strongroom_clients', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER secrets_fetched AFTER INSERT OR DELETE OR UPDATE OF state, payload ON secrets
    FOR EACH ROW EXECUTE FUNCTION notify_clients_of_secret();

ALTER TABLE alerts DROP CONSTRAINT alerts_subject_kind_check, ADD CONSTRAINT alerts_subject_kind_check
    CHECK (subject_kind IN ('credential', 'integration', 'user', 'store', 'item', 'client'));

-- What a notice is about, in words: the rule that lets a stored value leave. Signed where there is any.
ALTER TABLE account_letters
    ADD COLUMN about text NOT NULL DEFAULT '',
    DROP CONSTRAINT account_letters_purpose_check,
    ADD CONSTRAINT account_letters_purpose_check
        CHECK (purpose IN ('invitation', 'reset', 'password_notice', 'email_notice', 'value_notice'));
ALTER TABLE deliveries DROP CONSTRAINT deliveries_kind_check, ADD CONSTRAINT deliveries_kind_check CHECK
    (kind IN ('digest', 'confirmation', 'test', 'invitation', 'reset', 'password_notice', 'email_notice', 'value_notice'));
