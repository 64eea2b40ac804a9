-- Stretches of the audit trail that were written to a file and removed. Each row is signed and holds the links before and
-- at its end, so that the chain goes on over it.
CREATE TABLE exported_events (
    lane smallint NOT NULL REFERENCES audit_lanes,
    first bigint NOT NULL CHECK (first > 0),
    last bigint NOT NULL,
    before_mac bytea NOT NULL CHECK (octet_length(before_mac) >= 32),
    last_mac bytea NOT NULL CHECK (octet_length(last_mac) >= 32),
    mac bytea NOT NULL CHECK (octet_length(mac) >= 32),
    PRIMARY KEY (lane, first),
    CHECK (last >= first)
);
CREATE UNIQUE INDEX exported_events_last ON exported_events (lane, last);
