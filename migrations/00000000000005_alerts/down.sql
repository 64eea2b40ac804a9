DROP TABLE channels, delivery_lines, deliveries, recipients, notices, alerts, alert_settings;
DROP INDEX credentials_kind_age, credentials_own_limit;
ALTER TABLE credentials DROP COLUMN stale_after_days;
