//! The tests' own peers, of which a benchmark needs a few.
#![allow(dead_code, unused_imports, clippy::unwrap_used, reason = "they are written for tests")]

#[path = "../../tests/console/support/outside.rs"]
pub mod outside;
#[path = "../../tests/console/support/peers/mod.rs"]
pub mod peers;
#[path = "../../tests/console/support/wait.rs"]
pub mod wait;
