-- A key is as old as its provider says, not as long as it has been stored here: one key has one age, in every table,
-- alert and chart. What a provider told can make a key older than its stay here and never younger, so it needs no row
-- check.
ALTER TABLE credentials
    ADD COLUMN made_at timestamptz CONSTRAINT credentials_made_at_finite CHECK (isfinite(made_at)),
    ADD COLUMN aged_from timestamptz NOT NULL GENERATED ALWAYS AS (least(secret_set_at, made_at)) STORED
        CONSTRAINT credentials_aged_from_finite CHECK (isfinite(aged_from));
DROP INDEX credentials_age;
DROP INDEX credentials_own_limit;
DROP INDEX credentials_kind_age;
CREATE INDEX credentials_age ON credentials (aged_from, id);
CREATE INDEX credentials_own_limit ON credentials (aged_from) WHERE stale_after_days > 0;
CREATE INDEX credentials_kind_age ON credentials (kind, aged_from);
UPDATE credentials c SET made_at = told.made_at FROM provider_facts told
WHERE told.credential_id = c.id AND told.secret_version = c.secret_version AND told.made_at IS NOT NULL;
