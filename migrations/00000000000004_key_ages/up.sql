-- What the provider itself told of a key or token when it was tested: when it was made there, when anybody last used it
-- there, and whose it is. Of one version of the secret: what was told of a replaced key says nothing of the next.
CREATE TABLE provider_facts (
    credential_id uuid PRIMARY KEY REFERENCES credentials ON DELETE CASCADE,
    secret_version int NOT NULL,
    made_at timestamptz,
    used_at timestamptz,
    identity text
);
