//! What the tests stand on: databases, the app, the browser and the peers. No product rule is checked here.

pub mod app;
pub mod azure_scan;
pub mod binary;
pub mod browser;
pub mod cluster;
pub mod db;
pub mod estate;
pub mod estate_clients;
pub mod estate_clusters;
pub mod google_scan;
pub mod images;
pub mod kubernetes;
pub mod one_of_each;
pub mod outside;
pub mod page;
pub mod peers;
pub mod pgbouncer;
pub mod process;
pub mod proxy;
pub mod pulp;
pub mod scale;
pub mod signed;
pub mod sql;
pub mod sweep;
pub mod vendor_client;
pub mod wait;
