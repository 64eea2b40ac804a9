//! How a user's programs use the API: tokens, which users make and revoke on their *Account*, and who it is that calls. What
//! is done then is done by the use cases of each noun, for a principal like any other.

mod caller;
mod tokens;

pub use caller::{Denied, authenticate, by_password, by_session, renew};
pub use tokens::{Made, create, end, fields};
