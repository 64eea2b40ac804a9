//! What we do with a credential. A family is a folder with its own small trait and list; a provider is a file in it
//! and a line in the list. Nothing here knows the database or the web: a scan runs from settings, a credential's
//! values and the egress client, so that it can be tested against a peer alone.

use crate::form::Values;
use crate::providers::aws::roles::Wanted;

pub mod registries;

/// The families, closed: each has its own table of results and its own label in *Usages*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    RegistryScan,
}

impl Family {
    pub const ALL: &[Self] = &[Self::RegistryScan];

    /// Stable identifier, stored with every integration.
    pub fn slug(self) -> &'static str {
        match self {
            Self::RegistryScan => "registry_scan",
        }
    }

    /// The family of that slug; `None` for one that this release does not know.
    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|family| family.slug() == slug)
    }

    /// The AWS role that an integration goes on into, if it names one.
    pub fn assumes(self, version: &str, settings: &Values, name: &str) -> Option<Wanted> {
        match self {
            Self::RegistryScan => registries::version(version)?.assumes(settings, name),
        }
    }

    /// The least policies that an integration needs beyond those of its role: (caption, text), ready to copy.
    pub fn needs(self, version: &str, settings: &Values) -> Vec<(String, String)> {
        match self {
            Self::RegistryScan => registries::version(version).map_or_else(Vec::new, |version| version.needs(settings)),
        }
    }

    /// The usage label of the product.
    pub fn label(self) -> &'static str {
        match self {
            Self::RegistryScan => "Registry Scan",
        }
    }
}
