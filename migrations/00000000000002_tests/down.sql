DROP INDEX credentials_expires, credentials_test_failed, credentials_test_due;
ALTER TABLE credentials
    DROP CONSTRAINT credentials_test_whole,
    DROP COLUMN tested_at, DROP COLUMN test_verdict, DROP COLUMN test_sentence, DROP COLUMN tested_by,
    DROP COLUMN test_failed, DROP COLUMN next_test_at;
