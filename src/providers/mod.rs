//! How to speak to someone else's service: a payload becomes a short-lived session, a session makes calls. Every call
//! leaves through [`egress`]. No database, no web. An upstream's own words are never passed on: they may echo a secret.
//! The names in a certificate are shown, being read before anything is sent.

mod addresses;
mod answer;
mod answer_faults;
pub mod aws;
pub mod azure;
pub mod calls;
mod certificate;
mod checkup;
mod clock;
pub mod connection;
pub mod cyberark;
mod detour;
pub mod docker_hub;
pub mod egress;
pub mod endpoints;
mod error;
mod failure;
pub mod gcp;
pub mod github;
pub mod gitlab;
pub mod ibm;
pub mod identity;
mod jwt;
mod known;
pub mod kubernetes;
mod machine;
pub mod oauth;
pub mod oci;
pub mod oci_registry;
pub mod patience;
pub mod probe;
mod proxied;
pub mod proxy;
pub mod sessions;
mod silence;
pub mod standard_webhooks;
mod tls_causes;
pub mod tls_faults;
mod token_server;
pub mod tokens;
mod trust;
pub mod vault;
mod wording;

pub use calls::finding;
pub use checkup::{has_test, test};
pub use error::{Detour, ProviderError, Sent};
pub use failure::{Failure, Retry};
pub use known::{refusals, unreached};

pub(crate) use wording::capital;
