//! What an integration can be set up with, as data. A provider is one literal of [`Spec`], the function that does its
//! work, and a line in its family's list. What a page, a run or the alerts need to know of a provider is asked here.

use futures_util::future::BoxFuture;
use url::Url;

use super::alerts::channel::Channel;
use super::context::{Context, MAIN};
use super::deployments::{self, Deployment, syncs};
use super::family::Family;
use super::scan::{Gap, Scan};
use super::stores::Store;
use crate::form::{Errors, Field, Values};
use crate::providers::Failure;
use crate::providers::aws::roles::Wanted;

/// One provider: `Amazon ECR`, `Slack` …
pub struct Spec {
    /// Stable identifier, stored with every integration; one of its own among all families.
    pub slug: &'static str,
    pub label: &'static str,
    /// All settings of the form but name, credentials and schedule, which the form adds itself.
    pub fields: &'static [Field],
    /// The credentials that it works with; at most one a role.
    pub uses: &'static [Use],
    /// Where the credential goes.
    pub host: Host,
    /// Whether the settings go with a credential of a kind (its slug), as far as its values that are no secrets tell.
    pub suits: fn(&Values, &str, &Values) -> Result<(), Errors>,
    /// What an integration of these settings and this name needs to be granted.
    pub grants: fn(&Values, &str) -> Grants,
    /// *Test connection*: changes nothing, and sends nothing that a person sees. `None` where the protocol has no such
    /// call.
    pub check: Option<Check>,
    pub does: Does,
}

/// Says in a sentence what was found, or what failed and what to do. `Ok(None)`: there is no such call with this
/// credential.
pub type Check = for<'a> fn(&'a Context<'a>) -> BoxFuture<'a, Result<Option<String>, Failure>>;

/// A credential that a provider works with.
pub struct Use {
    pub role: &'static str,
    /// Of its field on the form.
    pub label: &'static str,
    /// Slugs of the credential kinds that it can be; empty for any.
    pub kinds: &'static [&'static str],
    pub required: bool,
}

impl Use {
    /// The credential that an integration signs in with.
    pub const fn main(kinds: &'static [&'static str]) -> Self {
        Self { role: MAIN, label: "Credential", kinds, required: true }
    }

    /// Whether a credential of the kind can be it.
    pub fn takes(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// The same where an integration also works without it.
    pub const fn optional(self) -> Self {
        Self { required: false, ..self }
    }
}

/// The credential of a sync's item. Its role is the item's own; any kind will do that fits the type of the Secret.
static ITEM: Use = Use { role: "item", label: "Source of a Secret", kinds: &[], required: false };

/// Who decides where the credential goes.
pub enum Host {
    /// People: by the address that the settings name, to be vetted by [`Egress::check_url`] before it is saved. `None`
    /// while they name none.
    ///
    /// [`Egress::check_url`]: crate::providers::egress::Egress::check_url
    Chosen(fn(&Values) -> Option<Url>),
    /// The credential is the address.
    OfCredential,
    /// The vendor: a host of its own, by the settings.
    Vendor(fn(&Values) -> Option<String>),
}

/// What an integration needs to be granted at the provider.
#[derive(Default)]
pub struct Grants {
    /// The role that it assumes, with all that this takes: a credential's Test tries it.
    pub role: Option<Wanted>,
    /// The least policies, with the real names: (caption, text), ready to copy. Those that lead into the role follow
    /// from the role.
    pub policies: Vec<(String, String)>,
}

/// What a provider does. Closed: `runs` and `alerting` match every arm.
pub enum Does {
    Scan(&'static dyn Scanner),
    Channel(&'static Channel),
    Deploy(&'static dyn Deployment),
    /// Keeps Secrets in the cluster that it signs in to.
    Sync(&'static dyn Deployment),
    Store(&'static dyn Store),
}

/// Finds out what there is at a provider.
pub trait Scanner: Sync {
    fn family(&self) -> Family;

    /// Scans; stops soon after `cx.stop` is cancelled. An error when the provider itself fails, or nothing at all can be
    /// read; else what cannot be read is a gap.
    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>>;

    /// Which places and names the settings select: what an earlier scan found and they no longer select is gone, even
    /// where a gap hides it.
    fn selects(&self, _settings: &Values) -> Selects {
        Box::new(|_, _| true)
    }
}

/// Whether an item of that place and name is selected.
pub type Selects = Box<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// For a provider whose settings go with every credential of its kinds.
pub fn suits_all(_settings: &Values, _kind: &str, _credential: &Values) -> Result<(), Errors> {
    Ok(())
}

/// For a provider that assumes no role and knows no policies.
pub fn no_grants(_settings: &Values, _name: &str) -> Grants {
    Grants::default()
}

impl Spec {
    pub fn family(&self) -> Family {
        match self.does {
            Does::Scan(scanner) => scanner.family(),
            Does::Channel(_) => Family::AlertProfile,
            Does::Deploy(_) => Family::DaemonSet,
            Does::Sync(_) => Family::SecretSync,
            Does::Store(_) => Family::SecretStore,
        }
    }

    pub fn scanner(&self) -> Option<&'static dyn Scanner> {
        match self.does {
            Does::Scan(scanner) => Some(scanner),
            Does::Store(store) => Some(store),
            Does::Channel(_) | Does::Deploy(_) | Does::Sync(_) => None,
        }
    }

    pub fn channel(&self) -> Option<&'static Channel> {
        match self.does {
            Does::Channel(channel) => Some(channel),
            Does::Scan(_) | Does::Deploy(_) | Does::Store(_) | Does::Sync(_) => None,
        }
    }

    pub fn deployment(&self) -> Option<&'static dyn Deployment> {
        match self.does {
            Does::Deploy(deployment) => Some(deployment),
            Does::Scan(_) | Does::Channel(_) | Does::Store(_) | Does::Sync(_) => None,
        }
    }

    pub fn store(&self) -> Option<&'static dyn Store> {
        match self.does {
            Does::Store(store) => Some(store),
            Does::Scan(_) | Does::Channel(_) | Does::Deploy(_) | Does::Sync(_) => None,
        }
    }

    /// How it signs in to a cluster: of a deployment and of a sync.
    pub fn cluster(&self) -> Option<&'static dyn Deployment> {
        match self.does {
            Does::Deploy(way) | Does::Sync(way) => Some(way),
            Does::Scan(_) | Does::Channel(_) | Does::Store(_) => None,
        }
    }

    pub fn is_sync(&self) -> bool {
        matches!(self.does, Does::Sync(_))
    }

    /// The credential that it signs in with; `None` for a provider that takes none.
    pub fn main(&self) -> Option<&'static Use> {
        self.used_as(MAIN)
    }

    /// The credentials that it does not sign in with, but writes to the destination.
    pub fn further(&self) -> impl Iterator<Item = &'static Use> {
        self.uses.iter().filter(|used| used.role != MAIN)
    }

    /// Where the credential of another role ends up. `main` is the cluster of the main credential.
    pub fn end(&self, role: &str, settings: &Values, main: &str) -> String {
        match self.does {
            Does::Sync(_) => syncs::end(role, settings, main),
            _ => deployments::end(role, settings, main),
        }
    }

    /// The credential that it works with in a role.
    pub fn used_as(&self, role: &str) -> Option<&'static Use> {
        self.uses.iter().find(|used| used.role == role)
    }

    /// The same where the role may also be that of an item, which comes and goes.
    pub fn use_of(&self, role: &str) -> Option<&'static Use> {
        let item = (self.is_sync() && role.starts_with(syncs::ROLE)).then_some(&ITEM);
        self.used_as(role).or(item)
    }

    /// Slugs of the credential kinds that it can sign in with.
    pub fn credential_kinds(&self) -> &'static [&'static str] {
        self.main().map_or(&[], |used| used.kinds)
    }

    pub fn needs_credential(&self) -> bool {
        self.main().is_some_and(|used| used.required)
    }

    /// The address that the settings name. `None` where the vendor or the credential fixes it.
    pub fn address(&self, settings: &Values) -> Option<Url> {
        match self.host {
            Host::Chosen(address) => address(settings),
            Host::OfCredential | Host::Vendor(_) => None,
        }
    }

    /// The host that the credential is sent to, as bound by the integration: `registry.example.com:5000`. What is not
    /// encrypted is another place and carries its scheme. `None` when the settings name none.
    pub fn host(&self, settings: &Values) -> Option<String> {
        match self.host {
            Host::Vendor(host) => host(settings),
            Host::OfCredential => Some("the address in the credential".to_owned()),
            Host::Chosen(address) => {
                let address = address(settings)?;
                let port = address.port().map(|port| format!(":{port}")).unwrap_or_default();
                let clear = match address.scheme() {
                    scheme @ ("http" | "smtp-clear") => format!("{scheme}://"),
                    _ => String::new(),
                };
                Some(format!("{clear}{}{port}", address.host_str()?))
            }
        }
    }

    /// Whether people choose where the credential goes. Only then does saving ask whether it belongs there.
    pub fn chooses_host(&self) -> bool {
        matches!(self.host, Host::Chosen(_))
    }

    /// The field that says where the credential goes; `None` where people do not choose it.
    pub fn address_field(&self) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.identity)
    }

    /// ARN of the role that the settings name: the link between the credential and the service, for the page.
    pub fn role(&self, settings: &Values) -> Option<String> {
        (self.grants)(settings, "").role.map(|wanted| wanted.assume.role)
    }
}
