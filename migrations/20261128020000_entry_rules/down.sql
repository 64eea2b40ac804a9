CREATE OR REPLACE FUNCTION notify_clients_of_credential() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM client_rules WHERE credential_id = OLD.id)
        OR EXISTS (SELECT FROM client_logins WHERE credential_id = OLD.id) THEN
        PERFORM pg_notify('strongroom_clients', '');
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION notify_clients_of_secret() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.credential_id ELSE NEW.credential_id END;
BEGIN
    IF EXISTS (SELECT FROM client_rules WHERE credential_id = changed)
        OR EXISTS (SELECT FROM client_logins WHERE credential_id = changed) THEN
        PERFORM pg_notify('strongroom_clients', '');
    END IF;
    RETURN NULL;
END $$;
DROP FUNCTION is_fetched(uuid);
DROP TRIGGER integrations_fetched ON integrations;
DROP FUNCTION notify_clients_of_store();

-- A rule of a store's entry has no meaning in the release before.
DELETE FROM client_rules WHERE store_id IS NOT NULL;
ALTER TABLE client_rules
    DROP CONSTRAINT client_rules_allowed,
    DROP CONSTRAINT client_rules_store,
    DROP CONSTRAINT client_rules_source,
    DROP COLUMN store_id,
    DROP COLUMN refreshed_at,
    ALTER COLUMN credential_id SET NOT NULL,
    ADD CONSTRAINT client_rules_allowed CHECK (num_nonnulls(allowed_by, allowed_at) = CASE form WHEN 'value' THEN 2 ELSE 0 END);
