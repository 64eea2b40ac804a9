-- The search of credentials finds every word anywhere: in name, identity, owner, tags and description. What a credential is
-- searched in is one text; the words of it, from every beginning of a part on, are ranges of an index, so that a word of a
-- search has its credentials at the same cost at any size.
DROP TRIGGER credentials_phrases ON credentials;
DROP FUNCTION keep_phrases();
DROP TABLE credential_phrases;
DROP INDEX credentials_search;
ALTER TABLE credentials DROP COLUMN search;

-- array_to_string is not immutable, since elements of other types may not be.
CREATE FUNCTION joined(texts text[]) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_to_string(texts, ' ')
$$;
ALTER TABLE credentials ADD COLUMN search text NOT NULL
    GENERATED ALWAYS AS (lower(name || ' ' || identity || ' ' || owner || ' ' || joined(tags) || ' ' || note)) STORED;
DO $$ BEGIN
    EXECUTE format('CREATE INDEX credentials_search ON credentials USING gin (search %s.gin_trgm_ops)',
        (SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_trgm'));
END $$;

CREATE TABLE credential_words (
    -- Compared byte by byte, so that what begins with a text is one range.
    word text COLLATE "C" NOT NULL,
    credential_id uuid NOT NULL,
    -- How many characters the word shares with the one of the same credential that sorts before it: a text of no more
    -- characters than that has found the credential there already.
    shared smallint NOT NULL,
    PRIMARY KEY (word, credential_id) INCLUDE (shared)
);

-- What is between blanks, and what of it begins after a sign: us-east-1 is found by east too.
CREATE FUNCTION words_of(searched text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ARRAY(SELECT DISTINCT part COLLATE "C" FROM regexp_split_to_table(searched, '\s+') AS whole,
        unnest(phrases_of(whole)) AS part ORDER BY 1)
$$;

CREATE FUNCTION keep_words() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    words text[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM credential_words WHERE word = ANY (words_of(OLD.search)) AND credential_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        words := words_of(NEW.search);
        INSERT INTO credential_words SELECT unnest(words), NEW.id, unnest(shared_of(words));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER credentials_words AFTER INSERT OR DELETE OR UPDATE OF name, identity, owner, tags, note ON credentials
    FOR EACH ROW EXECUTE FUNCTION keep_words();
INSERT INTO credential_words
SELECT word, id, shared FROM credentials, words_of(search) AS words, unnest(words, shared_of(words)) AS each (word, shared);

CREATE INDEX credentials_untested ON credentials (name_key) WHERE tested_at IS NULL AND NOT shipped;
