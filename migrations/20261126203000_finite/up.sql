-- What Strongroom never writes is refused by the database: times that are no time, numbers that cannot be counted on, lists
-- with holes. One such row would take the page or the queue that it is in with it. Rows that have one are mended first:
-- where it is signed, their signature did not hold before and does not hold now.
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT a.attrelid::regclass AS tab, r.relname, a.attname, a.attnotnull
             FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
             WHERE r.relnamespace = 'public'::regnamespace AND r.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
               AND a.atttypid = 'timestamptz'::regtype
    LOOP
        EXECUTE format('UPDATE %s SET %I = ''epoch'' WHERE NOT isfinite(%2$I)', c.tab, c.attname);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (isfinite(%I))',
            c.tab, c.relname || '_' || c.attname || '_finite', c.attname);
    END LOOP;
END $$;

UPDATE deliveries SET attempts = least(attempts, 1000000), put_offs = least(put_offs, 1000000)
    WHERE attempts > 1000000 OR put_offs > 1000000;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_attempts_finite CHECK (attempts <= 1000000 AND put_offs <= 1000000);
UPDATE runs SET attempts = least(attempts, 1000000) WHERE attempts > 1000000;
ALTER TABLE runs ADD CONSTRAINT runs_attempts_finite CHECK (attempts <= 1000000);
UPDATE alerts SET notices = least(notices, 1000000) WHERE notices > 1000000;
ALTER TABLE alerts ADD CONSTRAINT alerts_notices_finite CHECK (notices <= 1000000);

UPDATE users SET recovery_codes = array_remove(recovery_codes, NULL) WHERE array_position(recovery_codes, NULL) IS NOT NULL;
ALTER TABLE users ADD CONSTRAINT users_recovery_codes_finite CHECK (array_position(recovery_codes, NULL) IS NULL);
UPDATE replicas SET kek_ids = array_remove(kek_ids, NULL) WHERE array_position(kek_ids, NULL) IS NOT NULL;
ALTER TABLE replicas ADD CONSTRAINT replicas_kek_ids_finite CHECK (array_position(kek_ids, NULL) IS NULL);
