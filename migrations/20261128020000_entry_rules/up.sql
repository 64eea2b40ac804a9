-- Rules that give an entry of a secret store instead of something from a credential. The store is signed where it is set.
ALTER TABLE client_rules
    ALTER COLUMN credential_id DROP NOT NULL,
    ADD COLUMN store_id uuid REFERENCES integrations ON DELETE RESTRICT,
    -- When somebody last asked for its value to be read anew. The zero: never. Nothing is decided by it.
    ADD COLUMN refreshed_at timestamptz NOT NULL DEFAULT 'epoch'
        CONSTRAINT client_rules_refreshed_at_finite CHECK (isfinite(refreshed_at)),
    ADD CONSTRAINT client_rules_source CHECK (num_nonnulls(credential_id, store_id) = 1),
    ADD CONSTRAINT client_rules_store CHECK ((store_id IS NOT NULL) = (form = 'entry')),
    DROP CONSTRAINT client_rules_allowed,
    -- Who has confirmed that a value that stays valid leaves, and when.
    ADD CONSTRAINT client_rules_allowed
        CHECK (num_nonnulls(allowed_by, allowed_at) = CASE WHEN form IN ('value', 'entry') THEN 2 ELSE 0 END);
CREATE INDEX client_rules_store ON client_rules (store_id) WHERE store_id IS NOT NULL;

-- What every replica remembers of an entry is dropped when its store changes, or the store's credential.
CREATE FUNCTION notify_clients_of_store() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM client_rules WHERE store_id = OLD.id) THEN
        PERFORM pg_notify('strongroom_clients', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER integrations_fetched AFTER UPDATE OF active, row_version, row_mac ON integrations
    FOR EACH ROW EXECUTE FUNCTION notify_clients_of_store();
CREATE FUNCTION is_fetched(changed uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM client_rules WHERE credential_id = changed)
        OR EXISTS (SELECT FROM client_logins WHERE credential_id = changed)
        OR EXISTS (SELECT FROM usages u JOIN client_rules r ON r.store_id = u.integration_id
            WHERE u.credential_id = changed)
$$;
CREATE OR REPLACE FUNCTION notify_clients_of_credential() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF is_fetched(OLD.id) THEN
        PERFORM pg_notify('strongroom_clients', '');
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION notify_clients_of_secret() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF is_fetched(CASE TG_OP WHEN 'DELETE' THEN OLD.credential_id ELSE NEW.credential_id END) THEN
        PERFORM pg_notify('strongroom_clients', '');
    END IF;
    RETURN NULL;
END $$;
