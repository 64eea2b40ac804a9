-- An integration uses credentials by role: what it works with is `main`, and further ones may be what it hands on. A usage is
-- this reference; RESTRICT is what keeps a credential in use from being deleted.
CREATE TABLE usages (
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    role text NOT NULL,
    -- Only `main` may be without.
    credential_id uuid REFERENCES credentials ON DELETE RESTRICT,
    -- Where the credential is sent: changing it is what binding to a destination forbids.
    host text NOT NULL,
    PRIMARY KEY (integration_id, role),
    CONSTRAINT usages_credential_check CHECK (credential_id IS NOT NULL OR role = 'main')
);
INSERT INTO usages SELECT id, 'main', credential_id, host FROM integrations;
CREATE INDEX usages_credential ON usages (credential_id);

DROP TRIGGER integrations_usages ON integrations;
CREATE TRIGGER usages_counted AFTER INSERT OR DELETE OR UPDATE OF credential_id ON usages
    FOR EACH ROW EXECUTE FUNCTION count_usages();
ALTER TABLE integrations DROP COLUMN credential_id, DROP COLUMN host;
