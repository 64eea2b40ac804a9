-- When a secret counts as old and what people are told ahead of it; without the row, the defaults hold.
CREATE TABLE alert_settings (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    -- NULL: the operator's STRONGROOM_STALE_DAYS.
    stale_days int CHECK (stale_days BETWEEN 1 AND 3650),
    -- JSON: days by type; 0 is never.
    kind_days text NOT NULL,
    ahead boolean NOT NULL,
    remind boolean NOT NULL,
    failed_scans int NOT NULL CHECK (failed_scans BETWEEN 1 AND 100),
    edited_at timestamptz NOT NULL,
    edited_by text NOT NULL,
    row_version bigint NOT NULL,
    row_mac bytea NOT NULL CHECK (octet_length(row_mac) = 32)
);

-- NULL: as its type says; 0: never.
ALTER TABLE credentials ADD COLUMN stale_after_days int CHECK (stale_after_days BETWEEN 0 AND 3650);
CREATE INDEX credentials_own_limit ON credentials (secret_set_at) WHERE stale_after_days > 0;
CREATE INDEX credentials_kind_age ON credentials (kind, secret_set_at);

CREATE TABLE alerts (
    id uuid PRIMARY KEY,
    trigger text NOT NULL,
    subject_kind text NOT NULL CHECK (subject_kind IN ('credential', 'integration', 'user')),
    subject_id uuid NOT NULL,
    subject_name text NOT NULL,
    -- Grows as it gets worse: each step up is told once. 1 and 2 are warnings ahead, 3 and more are raised.
    stage smallint NOT NULL CHECK (stage > 0),
    -- How many notices there are, and when the last was given.
    notices int NOT NULL DEFAULT 1,
    told_at timestamptz NOT NULL DEFAULT now(),
    opened_at timestamptz NOT NULL DEFAULT now(),
    acknowledged_at timestamptz,
    acknowledged_by text,
    snoozed_until timestamptz,
    snoozed_by text,
    closed_at timestamptz,
    closed_why text,
    CHECK ((closed_at IS NULL) = (closed_why IS NULL)),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK ((snoozed_until IS NULL) = (snoozed_by IS NULL))
);
CREATE UNIQUE INDEX alerts_one_open ON alerts (trigger, subject_id) WHERE closed_at IS NULL;
CREATE INDEX alerts_subject ON alerts (subject_id, opened_at DESC);
CREATE INDEX alerts_open ON alerts (opened_at DESC, id) WHERE closed_at IS NULL;
CREATE INDEX alerts_closed ON alerts (closed_at DESC, id) WHERE closed_at IS NOT NULL;
CREATE INDEX alerts_remind ON alerts (told_at) WHERE closed_at IS NULL;

-- What happened to an alert: each is told to everybody who wants it, once.
CREATE TABLE notices (
    id uuid PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    number int NOT NULL,
    event text NOT NULL CHECK (event IN ('ahead', 'raised', 'reminder', 'closed')),
    -- What the sentence needs: the age or the days left, the limit, and words that hold no secret.
    days int NOT NULL DEFAULT 0,
    of_days int NOT NULL DEFAULT 0,
    words text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    -- The digest run that gave it to all who are to be told; NULL until then.
    digest_id uuid,
    UNIQUE (alert_id, number)
);
CREATE INDEX notices_waiting ON notices (at) WHERE digest_id IS NULL;
CREATE INDEX notices_digest ON notices (digest_id);

-- Who gets the mail of an e-mail profile. Nothing but the confirmation goes to an address that is not confirmed.
CREATE TABLE recipients (
    id uuid PRIMARY KEY,
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    address text NOT NULL CHECK (char_length(address) BETWEEN 3 AND 320),
    address_key text NOT NULL,
    -- Slugs, separated by commas.
    triggers text NOT NULL,
    invited_at timestamptz NOT NULL DEFAULT now(),
    invited_by text NOT NULL,
    confirmed_at timestamptz,
    unsubscribed_at timestamptz,
    row_version bigint NOT NULL DEFAULT 1,
    row_mac bytea NOT NULL CHECK (octet_length(row_mac) = 32),
    UNIQUE (integration_id, address_key)
);

-- The outbox: a row is one call to one channel, or one mail to one person. Its id is what a receiver can tell a
-- repetition by, since it stays the same at every attempt.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('digest', 'confirmation', 'test')),
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    recipient_id uuid REFERENCES recipients ON DELETE CASCADE,
    digest_id uuid,
    part int NOT NULL DEFAULT 0,
    -- Alerts that the message counts and does not list.
    more int NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'sending', 'sent', 'parked', 'dropped')),
    created_at timestamptz NOT NULL DEFAULT now(),
    not_before timestamptz NOT NULL DEFAULT now(),
    attempts int NOT NULL DEFAULT 0,
    -- How many of them the peer put off, or broke off on its way: the others did not reach it.
    put_offs int NOT NULL DEFAULT 0,
    lease_until timestamptz,
    replica_id uuid,
    ended_at timestamptz,
    error text,
    -- What the peer calls it: the number of an incident.
    reference text
);
CREATE INDEX deliveries_due ON deliveries (integration_id, not_before) WHERE state = 'ready';
-- In the order in which they are claimed.
CREATE INDEX deliveries_ready ON deliveries (integration_id, created_at, part) WHERE state = 'ready';
CREATE INDEX deliveries_sending ON deliveries (lease_until) WHERE state = 'sending';
CREATE INDEX deliveries_parked ON deliveries (integration_id, ended_at DESC) WHERE state = 'parked';
CREATE INDEX deliveries_channel ON deliveries (integration_id, created_at DESC);
CREATE INDEX deliveries_recipient ON deliveries (recipient_id);

CREATE TABLE delivery_lines (
    delivery_id uuid NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    position int NOT NULL,
    notice_id uuid NOT NULL REFERENCES notices ON DELETE CASCADE,
    PRIMARY KEY (delivery_id, position)
);
CREATE INDEX delivery_lines_notice ON delivery_lines (notice_id);

-- How a channel is doing. A row appears with its first failure.
CREATE TABLE channels (
    integration_id uuid PRIMARY KEY REFERENCES integrations ON DELETE CASCADE,
    -- Refusals in a row; a success makes it 0.
    refusals int NOT NULL DEFAULT 0,
    -- Calls in a row by which nothing got through without being refused, since when, and until when everything waits.
    misses int NOT NULL DEFAULT 0,
    failing_since timestamptz,
    not_before timestamptz NOT NULL DEFAULT now()
);
