//! What we do with a credential. A family is a folder with its own small trait and list; a provider is a file in it
//! and a line in the list. Nothing here knows the database or the web: a scan runs from settings, a credential's
//! values and the egress client, so that it can be tested against a peer alone.

use url::Url;

use crate::form::{Errors, Field, Values};
use crate::hosts;
use crate::providers::aws::roles::Wanted;
use inventory::Inventory;

pub mod alerts;
pub mod ca_certificate;
pub mod context;
pub mod inventory;
pub mod progress;
pub mod registries;

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
    pub fn providers(self) -> Vec<Provider> {
        match self {
            Self::RegistryScan => registries::VERSIONS.iter().copied().map(Provider::Registry).collect(),
            Self::AlertProfile => alerts::CHANNELS.iter().copied().map(Provider::Channel).collect(),
        }
    }
}

/// What every provider of every family declares: its form, the credentials it takes, and where it sends them.
pub trait Spec: Sync {
    /// Stable identifier, stored with every integration; one of its own among all families.
    fn slug(&self) -> &'static str;
    fn label(&self) -> &'static str;
    /// All settings of the form but name, credential and schedule, which the form adds itself.
    fn fields(&self) -> &'static [Field];
    /// The role that the settings name: the link between the credential and the service, for the page.
    fn role(&self, _settings: &Values) -> Option<String> {
        None
    }
    /// That role with all that it takes to assume it, for an integration of this name: a credential's Test tries it.
    fn assumes(&self, _settings: &Values, _name: &str) -> Option<Wanted> {
        None
    }
    /// The least policies that an integration needs, with the real names: (caption, text), ready to copy, for the page
    /// of its credential. Those that lead into a role follow from [`Spec::assumes`].
    fn needs(&self, _settings: &Values) -> Vec<(String, String)> {
        Vec::new()
    }
    /// Whether the settings go with a credential of this kind, as far as its values that are no secrets tell.
    fn suits(&self, _settings: &Values, _kind: &str, _credential: &Values) -> Result<(), Errors> {
        Ok(())
    }
    /// Slugs of the credential kinds it can use.
    fn credential_kinds(&self) -> &'static [&'static str];
    fn needs_credential(&self) -> bool;
    /// The address that the settings name: to be vetted by [`Egress::check_url`] before it is saved. `None` where the
    /// vendor or the credential itself fixes it.
    ///
    /// [`Egress::check_url`]: crate::providers::egress::Egress::check_url
    fn address(&self, settings: &Values) -> Option<Url>;

    /// The host that the credential is sent to, as bound by the integration: `registry.example.com:5000`. Plain http
    /// is another place than https and carries its scheme. `None` when the settings name none.
    fn host(&self, settings: &Values) -> Option<String> {
        let address = self.address(settings)?;
        let port = address.port().map(|port| format!(":{port}")).unwrap_or_default();
        let plain = if address.scheme() == "http" { "http://" } else { "" };
        Some(format!("{plain}{}{port}", address.host_str()?))
    }

    /// Whether people choose where the credential goes. Only then does saving ask whether it belongs there.
    fn chooses_host(&self) -> bool {
        true
    }
}

/// One provider with its family's own trait.
#[derive(Clone, Copy)]
pub enum Provider {
    Registry(&'static dyn registries::Version),
    Channel(&'static dyn alerts::Channel),
}

impl Provider {
    /// The provider of that slug in any family; `None` for one that this release does not know.
    pub fn find(slug: &str) -> Option<Self> {
        Family::ALL.iter().flat_map(|family| family.providers()).find(|provider| provider.spec().slug() == slug)
    }

    pub fn family(self) -> Family {
        match self {
            Self::Registry(_) => Family::RegistryScan,
            Self::Channel(_) => Family::AlertProfile,
        }
    }

    pub fn spec(self) -> &'static dyn Spec {
        match self {
            Self::Registry(version) => version,
            Self::Channel(channel) => channel,
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
