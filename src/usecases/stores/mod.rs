//! Secret stores as principals use them. The reader itself is [`crate::entries`], a room that runs may name too.

pub mod import;

pub use crate::entries::{Refused, read};
