-- The filter by owner reads the integrations of that owner, not all of them.
CREATE INDEX integrations_owner ON integrations (owner, name_key);
