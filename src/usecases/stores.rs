//! Secret stores as principals use them. The reader itself is [`crate::entries`], a room that runs may name too.

pub use crate::entries::{Refused, read};
