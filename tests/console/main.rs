//! The product from outside: one test binary, one file a noun, mirroring `src/web`. What several files need lies in
//! `support`.

mod postgres_tests;
mod schema_tests;
mod support;
