DELETE FROM alerts WHERE subject_kind = 'item';
ALTER TABLE alerts DROP CONSTRAINT alerts_subject_kind_check, ADD CONSTRAINT alerts_subject_kind_check
    CHECK (subject_kind IN ('credential', 'integration', 'user', 'store'));

CREATE TABLE images (
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    repository text NOT NULL,
    tag text NOT NULL,
    digest text NOT NULL,
    size_bytes bigint NOT NULL,
    platforms text[] NOT NULL,
    pushed_at timestamptz,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    kept boolean NOT NULL DEFAULT false
);
-- The release before knows images only. Another family's items are found again by its next scan.
INSERT INTO images
SELECT integration_id, place, items.name, fingerprint, (facts ->> 'size')::bigint,
    ARRAY(SELECT jsonb_array_elements_text(facts -> 'platforms')), (facts ->> 'pushed')::timestamptz, first_seen_at, kept
FROM items JOIN integrations ON integrations.id = integration_id WHERE family = 'registry_scan';
ALTER TABLE images ADD PRIMARY KEY (integration_id, repository, tag);

ALTER TABLE item_changes RENAME TO image_changes;
ALTER TABLE image_changes RENAME COLUMN place TO repository;
ALTER TABLE image_changes RENAME COLUMN name TO tag;
ALTER INDEX item_changes_pkey RENAME TO image_changes_pkey;
ALTER TABLE image_changes RENAME CONSTRAINT item_changes_change_check TO image_changes_change_check;
ALTER TABLE image_changes RENAME CONSTRAINT item_changes_run_id_fkey TO image_changes_run_id_fkey;

ALTER TABLE runs DROP COLUMN kept;
ALTER TABLE runs RENAME COLUMN found TO images;
DROP TABLE items;
