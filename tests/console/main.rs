//! The product from outside: one test binary, one file a noun, mirroring `src/web`. What several files need lies in
//! `support`.

mod credentials;
mod login;
mod postgres_tests;
mod registries;
mod schema_tests;
mod support;
