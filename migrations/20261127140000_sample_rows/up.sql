-- Which credentials and integrations were loaded as sample data. Their tag, which is signed, has to say so too. A row that
-- was removed again stays listed: what was due about it is still told to nobody.
CREATE TABLE sample_rows (
    subject_id uuid PRIMARY KEY,
    subject_kind text NOT NULL CHECK (subject_kind IN ('credential', 'integration')),
    removed boolean NOT NULL DEFAULT false
);
