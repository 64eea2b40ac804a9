-- What nobody can know by itself of the first hour, and a person has ticked: that the key ring is backed up (`key_ring`),
-- that the list of first steps is not to be shown any more (`hidden`).
CREATE TABLE first_steps (
    step text PRIMARY KEY,
    done_by text NOT NULL,
    done_at timestamptz NOT NULL DEFAULT now() CONSTRAINT first_steps_done_at_finite CHECK (isfinite(done_at))
);
