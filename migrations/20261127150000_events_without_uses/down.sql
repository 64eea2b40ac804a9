DROP INDEX events_without_uses;
