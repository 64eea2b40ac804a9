-- Long-term keys that scans of cloud accounts found are items whose facts say `sort: key`. One index an order or filter
-- of the page Cloud keys, over those items alone. Of a key whose date is unknown the order takes 0: it comes first.
CREATE INDEX items_keys_by_age ON items ((coalesce((facts->>'made')::bigint, 0)), id) WHERE facts->>'sort' = 'key';
CREATE INDEX items_keys_by_use ON items ((coalesce((facts->>'used')::bigint, (facts->>'made')::bigint, 0)), id)
    WHERE facts->>'sort' = 'key' AND facts->>'active' = 'true';
CREATE INDEX items_keys_never_used ON items ((coalesce((facts->>'made')::bigint, 0)), id)
    WHERE facts->>'sort' = 'key' AND facts->>'active' = 'true' AND facts->>'never' = 'true';
-- A key that two integrations see is one key.
CREATE INDEX items_keys_by_name ON items (name, place, id) WHERE facts->>'sort' = 'key';
-- Without these the planner takes a million keys for a handful, and reads all of them for one page.
CREATE STATISTICS items_sort ON ((facts->>'sort')) FROM items;
CREATE STATISTICS items_active ON ((facts->>'active')) FROM items;
CREATE STATISTICS items_never ON ((facts->>'never')) FROM items;
DO $$ BEGIN
    EXECUTE format($index$CREATE INDEX items_keys_search ON items
        USING gin (lower(name || ' ' || coalesce(facts->>'owner', '') || ' ' || place) %s.gin_trgm_ops)
        WHERE facts->>'sort' = 'key'$index$,
        (SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_trgm'));
END $$;
