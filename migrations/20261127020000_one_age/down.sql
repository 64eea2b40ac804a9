ALTER TABLE credentials DROP COLUMN aged_from, DROP COLUMN made_at;
CREATE INDEX credentials_age ON credentials (secret_set_at, id);
CREATE INDEX credentials_own_limit ON credentials (secret_set_at) WHERE stale_after_days > 0;
CREATE INDEX credentials_kind_age ON credentials (kind, secret_set_at);
