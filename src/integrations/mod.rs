//! What we do with a credential. A family is a folder with a list; a provider is a file in it with one literal of
//! [`Spec`], and a line in the list. Nothing here knows the database or the web: a scan runs from settings, a credential's
//! values and the egress client, so that it can be tested against a peer alone.

use url::Url;

use crate::hosts;
use inventory::Inventory;

pub mod alerts;
pub mod ca_certificate;
pub mod context;
pub mod inventory;
pub mod progress;
pub mod registries;
pub mod spec;

pub use spec::Spec;

/// The families, closed: each has its own table of results and its own label in *Usages*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    RegistryScan,
    AlertProfile,
}

impl Family {
    pub const ALL: &[Self] = &[Self::RegistryScan, Self::AlertProfile];

    /// Stable identifier, stored with every integration.
    pub fn slug(self) -> &'static str {
        match self {
            Self::RegistryScan => "registry_scan",
            Self::AlertProfile => "alert_profile",
        }
    }

    /// The family of that slug; `None` for one that this release does not know.
    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|family| family.slug() == slug)
    }

    /// The usage label of the product.
    pub fn label(self) -> &'static str {
        match self {
            Self::RegistryScan => "Registry Scan",
            Self::AlertProfile => "Alert profile",
        }
    }

    /// One sentence for the page that adds one.
    pub fn summary(self) -> &'static str {
        match self {
            Self::RegistryScan => "Lists the images of a registry, on a schedule.",
            Self::AlertProfile => "Tells people or a service what needs attention, each thing once.",
        }
    }

    /// How its items read; `None` for a family that has none.
    pub fn inventory(self) -> Option<&'static Inventory> {
        match self {
            Self::RegistryScan => Some(&registries::image::INVENTORY),
            Self::AlertProfile => None,
        }
    }

    /// Everything that the family can be set up with, in the order of the form's list.
    pub fn providers(self) -> &'static [&'static Spec] {
        match self {
            Self::RegistryScan => registries::VERSIONS,
            Self::AlertProfile => alerts::CHANNELS,
        }
    }
}

/// The address of a service as people type it: `registry.example.com` or a whole address, which may have a path; blanks
/// around it do not count. The error is a sentence that doesn't quote the address. Plain http is left to the rules of
/// the way out.
pub(crate) fn service_address(text: &str) -> Result<Url, &'static str> {
    const WRONG: &str = "Enter a host or an https address, without a user name, a ? or a #.";
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = hosts::parse(&whole)?;
    let bare = url.query().is_none() && url.fragment().is_none();
    if bare && matches!(url.scheme(), "https" | "http") { Ok(url) } else { Err(WRONG) }
}
