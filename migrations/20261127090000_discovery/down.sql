DROP INDEX items_resources_search;
DROP INDEX items_resources_by_sort;
DROP INDEX items_resources;
DROP TABLE coverage;
