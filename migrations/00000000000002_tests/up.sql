-- The last test of a credential. Outside the row check: it steers nothing, and a test must not touch an edit under way.
ALTER TABLE credentials
    ADD COLUMN tested_at timestamptz,
    ADD COLUMN test_verdict text,
    ADD COLUMN test_sentence text,
    ADD COLUMN tested_by text,
    -- Asks for attention until a later test goes well.
    ADD COLUMN test_failed boolean NOT NULL DEFAULT false,
    -- A moment of the day of its own for each, so that the daily tests are spread out.
    ADD COLUMN next_test_at timestamptz NOT NULL DEFAULT now() + (0.5 + random()) * interval '1 day',
    ADD CONSTRAINT credentials_test_whole
        CHECK (num_nonnulls(tested_at, test_verdict, test_sentence, tested_by) IN (0, 4));
CREATE INDEX credentials_test_due ON credentials (kind, next_test_at);
CREATE INDEX credentials_test_failed ON credentials (tested_at DESC) WHERE test_failed;

-- What does not expire sorts after everything that does.
CREATE INDEX credentials_expires ON credentials (coalesce(expires_at, 'infinity'), id);
