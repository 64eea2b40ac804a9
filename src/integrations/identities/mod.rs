//! Identities that programs have already, and by which a client may log in: what the settings of such a login are. A
//! kind is a file with its struct, its fields and their reading; what several of them ask for is in `fields`. Only the
//! settings: how an identity is verified is the business of `providers::identity`.

use serde::{Deserialize, Serialize};

pub mod aws;
mod fields;
pub mod kubernetes;
pub mod oidc;

pub use aws::Aws;
pub use kubernetes::{Kubernetes, ServiceAccount};
pub use oidc::Oidc;

/// The settings of a login by identity, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Identity {
    Kubernetes(Kubernetes),
    Oidc(Oidc),
    Aws(Aws),
}

impl Identity {
    /// Reads what [`Identity::to_json`] wrote; `None` when it is anything else, or of a later release.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What a page says of it: (label, value).
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Kubernetes(identity) => identity.lines(),
            Self::Oidc(identity) => identity.lines(),
            Self::Aws(identity) => identity.lines(),
        }
    }
}

#[cfg(test)]
mod tests;
