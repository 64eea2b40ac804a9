DROP INDEX credentials_untested;
DROP TRIGGER credentials_words ON credentials;
DROP FUNCTION keep_words();
DROP FUNCTION words_of(text);
DROP TABLE credential_words;
DROP INDEX credentials_search;
ALTER TABLE credentials DROP COLUMN search;
DROP FUNCTION joined(text[]);
ALTER TABLE credentials ADD COLUMN search text NOT NULL GENERATED ALWAYS AS (lower(name || ' ' || identity)) STORED;
DO $$ BEGIN
    EXECUTE format('CREATE INDEX credentials_search ON credentials USING gin (search %s.gin_trgm_ops)',
        (SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_trgm'));
END $$;
CREATE TABLE credential_phrases (
    phrase text COLLATE "C" NOT NULL,
    credential_id uuid NOT NULL,
    shared smallint NOT NULL,
    PRIMARY KEY (phrase, credential_id) INCLUDE (shared)
);
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
