DROP TABLE sync_entries;
