-- Filters, search and order of a list under a name. A view decides nothing: what it holds is checked when it is opened.
CREATE TABLE views (
    id uuid PRIMARY KEY,
    list text NOT NULL CHECK (list IN ('credentials', 'integrations', 'alerts')),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
    name_key text NOT NULL,
    -- Whose own it is; none's where it is shared, so that it stays when its maker is gone.
    user_id uuid REFERENCES users ON DELETE CASCADE,
    made_by uuid NOT NULL,
    maker text NOT NULL,
    -- Names and values of the address.
    query jsonb NOT NULL CHECK (jsonb_typeof(query) = 'object'),
    made_at timestamptz NOT NULL DEFAULT now() CONSTRAINT views_made_at_finite CHECK (isfinite(made_at))
);
CREATE UNIQUE INDEX views_shared ON views (list, name_key) WHERE user_id IS NULL;
CREATE UNIQUE INDEX views_own ON views (user_id, list, name_key) WHERE user_id IS NOT NULL;
