//! The product from outside: one test binary, one file a noun, mirroring `src/web`. What several files need lies in
//! `support`.

mod registries;
mod support;
