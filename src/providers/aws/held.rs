//! What a store of AWS holds, as it was read: wiped from memory when it is dropped.

use zeroize::Zeroizing;

use crate::providers::ProviderError;

/// A value.
pub enum Content {
    Text(Zeroizing<String>),
    Bytes(Zeroizing<Vec<u8>>),
}

/// The value of one entry, and the store's own version of it.
pub struct Held {
    pub content: Content,
    pub version: String,
}

/// Why one entry was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The entry alone, or what decrypts it: the right that is missing is one of its own.
    Denied,
    /// It is deleted, or the key that encrypts it is.
    Unusable,
    Failed(ProviderError),
}

/// One answer for each name that was asked for.
pub type Answers = Vec<Result<Held, Unread>>;

/// The same failure for each.
pub(super) fn all_failed(number: usize, cause: &ProviderError) -> Answers {
    (0..number).map(|_| Err(Unread::Failed(cause.clone()))).collect()
}
