-- What the table of integrations is sorted, filtered, counted and searched by: one line an integration. Triggers keep it at
-- the end of each transaction that changes an integration, its usage, a run or a message, so a page reads indexes alone,
-- however many integrations there are. For lists; what decides reads the signed rows.
CREATE TABLE integration_lines (
    integration_id uuid PRIMARY KEY REFERENCES integrations ON DELETE CASCADE,
    family text NOT NULL,
    name_key text NOT NULL,
    -- 0 fails, 1 works in part, 2 is under way, 3 works, 4 has nothing to say, 5 is off.
    rank smallint NOT NULL,
    -- Of the last run or message; '' where there was none.
    state text NOT NULL,
    -- 1970 where there was none.
    last_at timestamptz NOT NULL CONSTRAINT integration_lines_last_at_finite CHECK (isfinite(last_at)),
    error text,
    -- Of the credential of role `main`; '' without one.
    credential_key text NOT NULL,
    searched text NOT NULL
);

-- What the line of an integration says. Its only copy: triggers and the first fill ask it.
CREATE FUNCTION integration_line(subject uuid) RETURNS SETOF integration_lines LANGUAGE sql STABLE AS $$
    SELECT i.id, i.family, i.name_key,
        CASE WHEN r.state = ANY ('{queued,running}') THEN 2
            WHEN NOT i.active THEN 5
            WHEN r.state = ANY ('{failed,parked}') THEN 0
            WHEN r.state = ANY ('{partly,retrying}') THEN 1
            WHEN r.state = ANY ('{succeeded,sent}') THEN 3
            ELSE 4 END::smallint,
        coalesce(r.state, ''), coalesce(r.ended_at, r.started_at, timestamptz 'epoch'), r.error, coalesce(c.name_key, ''),
        concat_ws(' ', i.name_key, u.host, i.version, lower(c.name), lower(i.owner), array_to_string(i.tags, ' '))
    FROM integrations i LEFT JOIN usages u ON u.integration_id = i.id AND u.role = 'main'
    LEFT JOIN credentials c ON c.id = u.credential_id
    LEFT JOIN LATERAL (
        (SELECT 1 AS place, state, started_at, ended_at, error FROM runs
            WHERE integration_id = i.id ORDER BY queued_at DESC LIMIT 1)
        UNION ALL
        (SELECT 1, state, NULL, ended_at, error FROM deliveries
            WHERE integration_id = i.id AND state = ANY ('{sent,parked}') ORDER BY created_at DESC LIMIT 1)
        UNION ALL
        (SELECT 2, CASE WHEN attempts > 0 THEN 'retrying' ELSE 'waiting' END, NULL, NULL, error FROM deliveries
            WHERE integration_id = i.id AND state = ANY ('{ready,sending}') ORDER BY created_at DESC LIMIT 1)
        ORDER BY place LIMIT 1
    ) r ON true
    WHERE i.id = subject
$$;

-- The line is locked before anything is read for it: who waited here sees what the one before has saved.
CREATE FUNCTION keep_integration_line(subject uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM integration_lines WHERE integration_id = subject FOR NO KEY UPDATE;
    UPDATE integration_lines l SET family = n.family, name_key = n.name_key, rank = n.rank, state = n.state,
        last_at = n.last_at, error = n.error, credential_key = n.credential_key, searched = n.searched
    FROM integration_line(subject) n WHERE l.integration_id = subject AND l IS DISTINCT FROM n;
END $$;

CREATE FUNCTION add_integration_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO integration_lines SELECT * FROM integration_line(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER integrations_line_added AFTER INSERT ON integrations
    FOR EACH ROW EXECUTE FUNCTION add_integration_line();

-- The others run when the transaction ends, after every other lock that it takes: so nobody waits for a line who holds what
-- its owner waits for.
CREATE FUNCTION keep_line_of_integration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM keep_integration_line(NEW.id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER integrations_line_changed AFTER UPDATE ON integrations DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.name_key IS DISTINCT FROM NEW.name_key OR OLD.version IS DISTINCT FROM NEW.version
        OR OLD.active IS DISTINCT FROM NEW.active OR OLD.owner IS DISTINCT FROM NEW.owner
        OR OLD.tags IS DISTINCT FROM NEW.tags)
    EXECUTE FUNCTION keep_line_of_integration();

CREATE FUNCTION keep_line_of_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM keep_integration_line(NEW.integration_id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER usages_line_added AFTER INSERT ON usages DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.role = 'main') EXECUTE FUNCTION keep_line_of_usage();
CREATE CONSTRAINT TRIGGER usages_line_changed AFTER UPDATE ON usages DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.credential_id IS DISTINCT FROM NEW.credential_id OR OLD.host IS DISTINCT FROM NEW.host)
    EXECUTE FUNCTION keep_line_of_usage();

CREATE FUNCTION keep_lines_of_credential() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM keep_integration_line(integration_id) FROM (SELECT integration_id FROM usages
        WHERE credential_id = NEW.id AND role = 'main' ORDER BY integration_id) u;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER credentials_lines_changed AFTER UPDATE ON credentials DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION keep_lines_of_credential();

CREATE FUNCTION keep_line_of_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM keep_integration_line(NEW.integration_id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER runs_line_added AFTER INSERT ON runs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.integration_id IS NOT NULL) EXECUTE FUNCTION keep_line_of_run();
CREATE CONSTRAINT TRIGGER runs_line_changed AFTER UPDATE ON runs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.integration_id IS NOT NULL AND (OLD.state IS DISTINCT FROM NEW.state
        OR OLD.started_at IS DISTINCT FROM NEW.started_at OR OLD.ended_at IS DISTINCT FROM NEW.ended_at
        OR OLD.error IS DISTINCT FROM NEW.error))
    EXECUTE FUNCTION keep_line_of_run();

-- A channel sends many messages a second. One that says nothing new costs a read: one more that was sent within the minute,
-- or one that waits behind others that have ended.
CREATE FUNCTION keep_line_of_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known integration_lines;
BEGIN
    SELECT * INTO known FROM integration_lines WHERE integration_id = NEW.integration_id;
    IF NEW.state = 'sent' AND known.state = 'sent' AND NEW.ended_at < known.last_at + interval '1 minute' THEN
        RETURN NULL;
    END IF;
    IF NEW.state = ANY ('{ready,sending}') AND known.state = ANY ('{sent,parked}')
        AND (TG_OP = 'INSERT' OR OLD.state IS DISTINCT FROM 'parked') THEN
        RETURN NULL;
    END IF;
    PERFORM keep_integration_line(NEW.integration_id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER deliveries_line_added AFTER INSERT ON deliveries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION keep_line_of_delivery();
CREATE CONSTRAINT TRIGGER deliveries_line_changed AFTER UPDATE ON deliveries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.error IS DISTINCT FROM NEW.error)
    EXECUTE FUNCTION keep_line_of_delivery();

INSERT INTO integration_lines SELECT n.* FROM integrations i CROSS JOIN LATERAL integration_line(i.id) n;

CREATE INDEX integration_lines_name ON integration_lines (name_key);
CREATE INDEX integration_lines_family ON integration_lines (family, rank, name_key);
CREATE INDEX integration_lines_rank ON integration_lines (rank, name_key);
CREATE INDEX integration_lines_last ON integration_lines (last_at, name_key);
CREATE INDEX integration_lines_credential ON integration_lines (credential_key, name_key);
CREATE INDEX integrations_version ON integrations (version, name_key);
CREATE INDEX integrations_next ON integrations (coalesce(next_run_at, 'infinity'), name_key);

-- How many lines there are of each family and rank. A change adds rows and changes none, so nobody waits for a counter; a job
-- folds them, and the number is always the sum of its rows.
CREATE TABLE integration_counts (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    family text NOT NULL,
    rank smallint NOT NULL,
    number bigint NOT NULL
);

CREATE FUNCTION count_integration_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO integration_counts (family, rank, number) VALUES (OLD.family, OLD.rank, -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO integration_counts (family, rank, number) VALUES (NEW.family, NEW.rank, 1);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER integration_lines_counted AFTER INSERT OR DELETE ON integration_lines
    FOR EACH ROW EXECUTE FUNCTION count_integration_line();
CREATE TRIGGER integration_lines_recounted AFTER UPDATE ON integration_lines
    FOR EACH ROW WHEN (OLD.family IS DISTINCT FROM NEW.family OR OLD.rank IS DISTINCT FROM NEW.rank)
    EXECUTE FUNCTION count_integration_line();

-- Adds what is missing between the sums and the lines; how many sums were wrong. Both are read in one snapshot. Two at once
-- would add it twice: see the caller.
CREATE FUNCTION recount_integrations() RETURNS bigint LANGUAGE sql AS $$
    WITH mended AS (
        INSERT INTO integration_counts (family, rank, number)
        SELECT family, rank, sum(number) FROM (
            SELECT family, rank, -number AS number FROM integration_counts
            UNION ALL
            SELECT family, rank, count(*) FROM integration_lines GROUP BY family, rank) AS all_of_it
        GROUP BY family, rank HAVING sum(number) <> 0 RETURNING 1)
    SELECT count(*) FROM mended
$$;
SELECT recount_integrations();
