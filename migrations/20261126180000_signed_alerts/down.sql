ALTER TABLE alerts DROP COLUMN row_mac;
