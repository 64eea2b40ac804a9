-- The page Alerts shows the worst of each trigger, in the order of severity and of how long it has been so, and searches
-- names and words.
ALTER TABLE alerts
    -- Since when it is wrong: a secret passes its limit long before somebody looks.
    ADD COLUMN since timestamptz NOT NULL DEFAULT now() CONSTRAINT alerts_since_finite CHECK (isfinite(since)),
    -- 1 critical, 2 high, 3 medium: as `alerting::words::severity` says of each stage. The worst first in every index.
    ADD COLUMN severity smallint NOT NULL GENERATED ALWAYS AS (CASE
        WHEN stage < 3 THEN 3
        WHEN trigger = 'integrity' THEN 1
        WHEN trigger = 'expiring' THEN CASE WHEN stage >= 6 THEN 1 WHEN stage >= 4 THEN 2 ELSE 3 END
        WHEN trigger IN ('lockout', 'old_runtime') THEN 3
        ELSE 2 END) STORED;

UPDATE alerts a SET words = CASE WHEN a.words = '' THEN n.words ELSE a.words END,
    since = CASE WHEN a.trigger = 'stale' AND n.event <> 'ahead'
        THEN n.at - make_interval(days => greatest(least(n.days, 36500) - greatest(n.of_days, 0), 0))
        ELSE a.opened_at END
FROM (SELECT DISTINCT ON (alert_id) alert_id, event, days, of_days, words, at FROM notices WHERE event <> 'closed'
      ORDER BY alert_id, number DESC) n
WHERE n.alert_id = a.id;

CREATE INDEX alerts_raised ON alerts (trigger, severity, since, id) WHERE closed_at IS NULL AND stage >= 3;
CREATE INDEX alerts_ahead ON alerts (trigger, severity, since, id) WHERE closed_at IS NULL AND stage < 3;
CREATE INDEX alerts_snoozed ON alerts (trigger, severity, since, id)
    WHERE closed_at IS NULL AND snoozed_until IS NOT NULL;
CREATE INDEX alerts_owner ON alerts (acknowledged_by, trigger, severity, since, id)
    WHERE closed_at IS NULL AND acknowledged_by IS NOT NULL;
DROP INDEX alerts_open;
DO $$ BEGIN
    EXECUTE format($index$CREATE INDEX alerts_search ON alerts
        USING gin (lower(subject_name || ' ' || words) %s.gin_trgm_ops)$index$,
        (SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_trgm'));
END $$;
