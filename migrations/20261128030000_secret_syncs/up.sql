-- Which entries of secret stores the items of Secret Syncs pass on. What a sync writes is in its signed settings; this
-- table keeps a store from being deleted while an item needs it.
CREATE TABLE sync_entries (
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    item text NOT NULL,
    store_id uuid NOT NULL REFERENCES integrations ON DELETE RESTRICT,
    entry text NOT NULL,
    PRIMARY KEY (integration_id, item)
);
CREATE INDEX sync_entries_store ON sync_entries (store_id);
