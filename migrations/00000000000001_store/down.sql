DROP TABLE events, audit_lanes, image_changes, images, runs, integrations, credentials, setup_links, login_failures,
    sessions, recovery_codes, users, replicas, keks, deployment;
DROP FUNCTION count_usages, notify_sessions;
DROP EXTENSION pg_trgm;
