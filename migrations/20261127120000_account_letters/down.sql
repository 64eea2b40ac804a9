-- The check of such a row covers address and deletion: without them it would look falsified for good.
DO $$ BEGIN
    IF EXISTS (SELECT FROM users WHERE email IS NOT NULL OR deleted_at IS NOT NULL) THEN
        RAISE EXCEPTION 'there are users with an e-mail address, or deleted ones, which the release before cannot read: take the addresses off, or go back to a backup of it';
    END IF;
END $$;
DROP INDEX integrations_for_accounts;
DELETE FROM deliveries WHERE kind IN ('invitation', 'reset', 'password_notice', 'email_notice');
ALTER TABLE deliveries
    DROP COLUMN letter_id,
    DROP CONSTRAINT deliveries_kind_check,
    ADD CONSTRAINT deliveries_kind_check CHECK (kind IN ('digest', 'confirmation', 'test'));
DROP TABLE account_letters;
ALTER TABLE users DROP COLUMN email, DROP COLUMN deleted_at;
