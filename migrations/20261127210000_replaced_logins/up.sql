-- Which login took the place of one: only that one is meant to end. Signed where it is set.
ALTER TABLE client_logins ADD COLUMN replaced_by uuid;

CREATE OR REPLACE FUNCTION note_client_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.client_id ELSE NEW.client_id END;
BEGIN
    UPDATE clients SET ends_at = (SELECT min(expires_at) FROM client_logins
        WHERE client_id = changed AND replaced_by IS NULL) WHERE id = changed;
    RETURN NULL;
END $$;
DROP TRIGGER client_logins_end ON client_logins;
CREATE TRIGGER client_logins_end AFTER INSERT OR DELETE OR UPDATE OF expires_at, replaced_by ON client_logins
    FOR EACH ROW EXECUTE FUNCTION note_client_end();

-- An end that a later login hid is announced from now on.
UPDATE clients c SET ends_at = (SELECT min(l.expires_at) FROM client_logins l WHERE l.client_id = c.id)
WHERE ends_at IS DISTINCT FROM (SELECT min(l.expires_at) FROM client_logins l WHERE l.client_id = c.id);
