DROP INDEX items_keys_search;
DROP STATISTICS items_never, items_active, items_sort;
DROP INDEX items_keys_by_name;
DROP INDEX items_keys_never_used;
DROP INDEX items_keys_by_use;
DROP INDEX items_keys_by_age;
