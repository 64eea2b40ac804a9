//! What the tests stand on: databases, and later the app, the browser and the peers. No product rule is checked here.

pub mod app;
pub mod db;
pub mod peers;
pub mod proxy;
pub mod sql;
