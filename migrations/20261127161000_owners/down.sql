DROP INDEX integrations_owner;
