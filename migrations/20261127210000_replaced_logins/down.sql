-- What was replaced is meant to end, and its signature counts no more without the column.
DELETE FROM client_logins WHERE replaced_by IS NOT NULL;
DROP TRIGGER client_logins_end ON client_logins;
ALTER TABLE client_logins DROP COLUMN replaced_by;

CREATE OR REPLACE FUNCTION note_client_end() RETURNS trigger LANGUAGE plpgsql AS $$
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
