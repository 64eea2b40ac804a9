-- Where a user is written to. Nobody shall lead a password reset to an address of theirs in the database, so the row's
-- check covers it; a row without it is signed as before. A deleted user keeps the row: the name stays theirs, since the
-- audit trail names people by it.
ALTER TABLE users
    ADD COLUMN email text CONSTRAINT users_email_short CHECK (char_length(email) BETWEEN 3 AND 254),
    ADD COLUMN deleted_at timestamptz CONSTRAINT users_deleted_at_finite CHECK (isfinite(deleted_at));
CREATE UNIQUE INDEX users_email ON users (lower(email COLLATE "C"));

-- Mail to users about their own accounts: invitations and password resets, whose links it holds, and notices. A link is
-- stored as a hash alone; what it ends with follows from the row's id and the key ring.
CREATE TABLE account_letters (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('invitation', 'reset', 'password_notice', 'email_notice')),
    -- Where it goes: the user's address of that moment.
    address text NOT NULL CHECK (char_length(address) BETWEEN 3 AND 254),
    made_at timestamptz NOT NULL CONSTRAINT account_letters_made_at_finite CHECK (isfinite(made_at)),
    made_by text NOT NULL,
    -- The password that a link replaces: with another one it is worth nothing.
    password_version int NOT NULL,
    token_hash bytea UNIQUE CHECK (octet_length(token_hash) = 32),
    expires_at timestamptz CONSTRAINT account_letters_expires_at_finite CHECK (isfinite(expires_at)),
    row_mac bytea NOT NULL,
    CHECK ((token_hash IS NULL) = (expires_at IS NULL))
);
CREATE UNIQUE INDEX account_letters_one_link ON account_letters (user_id, purpose) WHERE token_hash IS NOT NULL;
CREATE INDEX account_letters_user ON account_letters (user_id);

ALTER TABLE deliveries
    ADD COLUMN letter_id uuid REFERENCES account_letters ON DELETE SET NULL,
    DROP CONSTRAINT deliveries_kind_check,
    ADD CONSTRAINT deliveries_kind_check CHECK
        (kind IN ('digest', 'confirmation', 'test', 'invitation', 'reset', 'password_notice', 'email_notice'));
CREATE INDEX deliveries_letter ON deliveries (letter_id) WHERE letter_id IS NOT NULL;

-- At most one channel sends them.
CREATE UNIQUE INDEX integrations_for_accounts ON integrations (version)
    WHERE version = 'email' AND settings LIKE '%"accounts":"on"%';
