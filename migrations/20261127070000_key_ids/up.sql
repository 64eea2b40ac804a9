-- A key in the cloud and the credential that holds it have the key's id in common, whatever people know the credential
-- by: a service account has many keys. It decides nothing but what is shown side by side, so it needs no row check.
ALTER TABLE credentials ADD COLUMN key_id text;
CREATE INDEX credentials_key_id ON credentials (key_id, kind) WHERE key_id IS NOT NULL;
UPDATE credentials SET key_id = identity WHERE kind = 'aws' AND ages;
-- The facts are JSON that this product wrote. Should a row have been changed since, it gets no key id and nothing stops.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT id, kind, identity, facts FROM credentials WHERE kind IN ('azure', 'gcp') LOOP
        BEGIN
            UPDATE credentials SET key_id = CASE
                WHEN found.kind = 'gcp' THEN jsonb_path_query_first(found.facts::jsonb,
                    'strict $.lines[*] ? (@[0] == "Key ID")[1]') #>> '{}'
                WHEN found.facts::jsonb->>'subtype' = 'Service key' THEN 'secret of ' || lower(found.identity)
            END WHERE id = found.id;
        EXCEPTION WHEN data_exception THEN NULL;
        END;
    END LOOP;
END $$;
CREATE INDEX items_keys_without_expiry ON items ((coalesce((facts->>'made')::bigint, 0)), id)
    WHERE facts->>'sort' = 'key' AND facts->>'active' = 'true' AND facts->>'expires' IS NULL;
