-- Old keys of a cloud account that a person wants to hear nothing of until then: one key, or all keys of an owner.
CREATE TABLE snoozed_keys (
    id uuid PRIMARY KEY,
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    -- The account.
    place text NOT NULL,
    by_owner boolean NOT NULL,
    -- The key id; or the owner, as the provider names it.
    what text NOT NULL,
    -- As people read it.
    title text NOT NULL,
    until timestamptz NOT NULL CONSTRAINT snoozed_keys_until_finite CHECK (isfinite(until)),
    snoozed_by text NOT NULL,
    UNIQUE (integration_id, place, by_owner, what)
);
CREATE INDEX snoozed_keys_until ON snoozed_keys (until);

-- What an alert says by now, where that has changed since its last notice.
ALTER TABLE alerts ADD COLUMN words text NOT NULL DEFAULT '';
