//! How to speak to someone else's service: a payload becomes a short-lived session, a session makes calls. Every call
//! leaves through [`egress`]. No database, no web. An upstream's own words are never passed on: they may echo a secret.

pub mod egress;

/// Why a call to a provider failed. Closed: a page knows every case and says what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    #[error("placeholder")]
    Refused,
}
