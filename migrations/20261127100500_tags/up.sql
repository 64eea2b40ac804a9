-- Who answers for a credential or an integration, and how people group them. Nobody shall pass a key off as another
-- team's in the database, so the row's check covers them; a row without them is signed as before.
ALTER TABLE credentials
    ADD COLUMN owner text NOT NULL DEFAULT '' CONSTRAINT credentials_owner_short CHECK (char_length(owner) <= 80),
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}' CONSTRAINT credentials_tags_few
        CHECK (cardinality(tags) <= 10 AND array_position(tags, NULL) IS NULL);
ALTER TABLE integrations
    ADD COLUMN owner text NOT NULL DEFAULT '' CONSTRAINT integrations_owner_short CHECK (char_length(owner) <= 80),
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}' CONSTRAINT integrations_tags_few
        CHECK (cardinality(tags) <= 10 AND array_position(tags, NULL) IS NULL);
CREATE INDEX credentials_owner ON credentials (owner, name_key);
CREATE INDEX integrations_owner ON integrations (owner, name_key);

-- The tags of all rows, one a row here: which there are and who has one is a range of an index, at any size. For lists and
-- filters alone; what decides reads the signed row. No foreign key: the triggers are what writes here.
CREATE TABLE tags (
    subject_kind text NOT NULL,
    tag text COLLATE "C" NOT NULL,
    subject_id uuid NOT NULL,
    PRIMARY KEY (subject_kind, tag, subject_id)
);

CREATE FUNCTION keep_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM tags WHERE subject_kind = TG_ARGV[0] AND tag = ANY (OLD.tags) AND subject_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO tags SELECT DISTINCT TG_ARGV[0], tag, NEW.id FROM unnest(NEW.tags) AS tag;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER credentials_tags_added AFTER INSERT ON credentials
    FOR EACH ROW WHEN (NEW.tags <> '{}') EXECUTE FUNCTION keep_tags('credential');
CREATE TRIGGER credentials_tags_changed AFTER UPDATE OF tags ON credentials
    FOR EACH ROW WHEN (NEW.tags <> OLD.tags) EXECUTE FUNCTION keep_tags('credential');
CREATE TRIGGER credentials_tags_gone AFTER DELETE ON credentials
    FOR EACH ROW WHEN (OLD.tags <> '{}') EXECUTE FUNCTION keep_tags('credential');
CREATE TRIGGER integrations_tags_added AFTER INSERT ON integrations
    FOR EACH ROW WHEN (NEW.tags <> '{}') EXECUTE FUNCTION keep_tags('integration');
CREATE TRIGGER integrations_tags_changed AFTER UPDATE OF tags ON integrations
    FOR EACH ROW WHEN (NEW.tags <> OLD.tags) EXECUTE FUNCTION keep_tags('integration');
CREATE TRIGGER integrations_tags_gone AFTER DELETE ON integrations
    FOR EACH ROW WHEN (OLD.tags <> '{}') EXECUTE FUNCTION keep_tags('integration');
