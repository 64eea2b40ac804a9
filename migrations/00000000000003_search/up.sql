-- Each credential's searched text from every beginning of a word on: a text that was typed is a range here, read in order
-- from its first row, however many match. No foreign key, which would look the credential up once more for each phrase:
-- the trigger is what writes here.
CREATE TABLE credential_phrases (
    -- Compared byte by byte, so that what begins with a text is one range.
    phrase text COLLATE "C" NOT NULL,
    credential_id uuid NOT NULL,
    -- How many characters the phrase shares with the one of the same credential that sorts before it: a text of no more
    -- characters than that has found the credential there already.
    shared smallint NOT NULL,
    PRIMARY KEY (phrase, credential_id) INCLUDE (shared)
);

-- A word is a run of letters and digits, or a sign. The 60 characters are those of `src/models/credential_search.rs`.
CREATE FUNCTION phrases_of(searched text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    rest text := '';
    found text[] := '{}';
    pieces text[] := string_to_array(
        regexp_replace(searched, '([[:alnum:]]+|[^[:alnum:][:space:]])', E'\x01\\1', 'g'), E'\x01');
BEGIN
    FOR i IN REVERSE cardinality(pieces)..2 LOOP
        rest := pieces[i] || rest;
        found := found || left(rest, 60);
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT unnest(found) COLLATE "C" AS phrase ORDER BY phrase);
END $$;

CREATE FUNCTION shared_of(phrases text[]) RETURNS smallint[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    shared smallint[] := '{}';
    n smallint;
BEGIN
    FOR i IN 1..cardinality(phrases) LOOP
        n := 0;
        WHILE i > 1 AND n < length(phrases[i - 1]) AND starts_with(phrases[i], left(phrases[i - 1], n + 1)) LOOP
            n := n + 1;
        END LOOP;
        shared := shared || n;
    END LOOP;
    RETURN shared;
END $$;

CREATE FUNCTION keep_phrases() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    phrases text[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM credential_phrases WHERE phrase = ANY (phrases_of(OLD.search)) AND credential_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        phrases := phrases_of(NEW.search);
        INSERT INTO credential_phrases SELECT unnest(phrases), NEW.id, unnest(shared_of(phrases));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER credentials_phrases AFTER INSERT OR DELETE OR UPDATE OF name, identity ON credentials
    FOR EACH ROW EXECUTE FUNCTION keep_phrases();

INSERT INTO credential_phrases
SELECT phrase, id, shared
FROM credentials, phrases_of(search) AS phrases, unnest(phrases, shared_of(phrases)) AS each (phrase, shared);
