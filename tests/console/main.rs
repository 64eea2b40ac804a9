//! The product from outside: one test binary, one file a noun, mirroring `src/web`. What several files need lies in
//! `support`.

mod access;
mod account;
mod alerts;
mod audit;
mod login;
mod postgres_tests;
mod registries;
mod schema_tests;
mod support;
mod users;
