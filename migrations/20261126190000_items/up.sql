-- Whatever a scan finds is an item: an image, and later a function, a cluster, a secret. What its family knows of it beside
-- place, name and fingerprint is in `facts`. An alert may be about an item, by its id.
CREATE TABLE items (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    place text NOT NULL,
    name text NOT NULL,
    -- Another one is another content under the same name.
    fingerprint text NOT NULL,
    facts jsonb NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    kept boolean NOT NULL DEFAULT false
);
INSERT INTO items (integration_id, place, name, fingerprint, facts, first_seen_at, kept)
SELECT integration_id, repository, tag, digest,
    jsonb_build_object('size', size_bytes, 'platforms', platforms, 'pushed', pushed_at), first_seen_at, kept
FROM images;
ALTER TABLE items ADD CONSTRAINT items_place UNIQUE (integration_id, place, name);

ALTER TABLE image_changes RENAME TO item_changes;
ALTER TABLE item_changes RENAME COLUMN repository TO place;
ALTER TABLE item_changes RENAME COLUMN tag TO name;
ALTER INDEX image_changes_pkey RENAME TO item_changes_pkey;
ALTER TABLE item_changes RENAME CONSTRAINT image_changes_change_check TO item_changes_change_check;
ALTER TABLE item_changes RENAME CONSTRAINT image_changes_run_id_fkey TO item_changes_run_id_fkey;

ALTER TABLE runs RENAME COLUMN images TO found;
-- Found and kept are all that the inventory holds, so that no page has to count it.
ALTER TABLE runs ADD COLUMN kept int NOT NULL DEFAULT 0;
UPDATE runs SET kept = counted.items - found
FROM (SELECT integration_id, count(*) AS items FROM items GROUP BY integration_id) AS counted
WHERE id = (SELECT id FROM runs newest WHERE newest.integration_id = counted.integration_id
    AND newest.state IN ('succeeded', 'partly') ORDER BY queued_at DESC LIMIT 1);

DROP TABLE images;

ALTER TABLE alerts DROP CONSTRAINT alerts_subject_kind_check, ADD CONSTRAINT alerts_subject_kind_check
    CHECK (subject_kind IN ('credential', 'integration', 'user', 'store', 'item'));
