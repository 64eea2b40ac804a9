-- What each integration reads, by the scopes that things found in cloud accounts have in their facts: the last scan that
-- read something wrote them, and those of other settings are gone.
CREATE TABLE coverage (
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    scope text NOT NULL,
    -- The settings leave nothing of it out.
    whole boolean NOT NULL,
    PRIMARY KEY (integration_id, scope)
);
CREATE INDEX coverage_scope ON coverage (scope, integration_id);

-- The page Discovery shows items of these sorts, in the order of account and name: all, or one sort.
CREATE INDEX items_resources ON items (place, name, id) WHERE facts->>'sort' IN ('registry', 'functions', 'cluster');
CREATE INDEX items_resources_by_sort ON items ((facts->>'sort'), place, name, id)
    WHERE facts->>'sort' IN ('registry', 'functions', 'cluster');
DO $$ BEGIN
    EXECUTE format($index$CREATE INDEX items_resources_search ON items
        USING gin (lower(name || ' ' || coalesce(facts->>'title', '') || ' ' || coalesce(facts->>'address', '') || ' '
            || place || ' ' || coalesce(facts->>'account', '')) %s.gin_trgm_ops)
        WHERE facts->>'sort' IN ('registry', 'functions', 'cluster')$index$,
        (SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_trgm'));
END $$;
