DROP TABLE provider_facts;
