DROP TABLE events, audit_lanes, image_changes, images, runs, integrations, credentials, setup_links, login_failures,
    sessions, recovery_codes, users, replicas, keks, deployment;
DROP FUNCTION count_usages, notify_sessions;
-- Unless somebody else made it, for more than this store.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm' AND extowner = current_user::regrole
        AND extnamespace = 'public'::regnamespace) THEN
        DROP EXTENSION pg_trgm;
    END IF;
END $$;
