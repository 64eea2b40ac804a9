DROP TRIGGER credentials_phrases ON credentials;
DROP FUNCTION keep_phrases, phrases_of, shared_of;
DROP TABLE credential_phrases;
