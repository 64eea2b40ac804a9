//! The families of integrations, by name. What each can be set up with, and how its items read, stands in the room's
//! own page, [`super`]: a provider may name its family, and a family's list names the provider.

/// The families, closed: each has its own table of results and its own label in *Usages*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    RegistryScan,
    ServerlessScan,
    CloudScan,
    DaemonSet,
    SecretSync,
    SecretStore,
    AlertProfile,
}

impl Family {
    pub const ALL: &[Self] = &[
        Self::RegistryScan,
        Self::ServerlessScan,
        Self::CloudScan,
        Self::DaemonSet,
        Self::SecretSync,
        Self::SecretStore,
        Self::AlertProfile,
    ];

    /// Stable identifier, stored with every integration.
    pub fn slug(self) -> &'static str {
        match self {
            Self::RegistryScan => "registry_scan",
            Self::ServerlessScan => "serverless_scan",
            Self::CloudScan => "cloud_scan",
            Self::DaemonSet => "daemon_set",
            Self::SecretSync => "secret_sync",
            Self::SecretStore => "secret_store",
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
            Self::ServerlessScan => "Serverless Scan",
            Self::CloudScan => "Cloud Scan",
            Self::DaemonSet => "Defender DaemonSet",
            Self::SecretSync => "Secret Sync",
            Self::SecretStore => "Secret Store",
            Self::AlertProfile => "Alert profile",
        }
    }

    /// Heading and filter of all integrations of the family.
    pub fn plural(self) -> &'static str {
        match self {
            Self::RegistryScan => "Registry scans",
            Self::ServerlessScan => "Function scans",
            Self::CloudScan => "Cloud scans",
            Self::DaemonSet => "Deployments",
            Self::SecretSync => "Secret syncs",
            Self::SecretStore => "Secret stores",
            Self::AlertProfile => "Channels",
        }
    }

    /// The label of the form's list of what the family can be set up with.
    pub fn choice(self) -> &'static str {
        match self {
            Self::RegistryScan => "Registry type",
            Self::ServerlessScan | Self::CloudScan => "Provider",
            Self::DaemonSet | Self::SecretSync => "Kubernetes",
            Self::SecretStore => "Store",
            Self::AlertProfile => "Channel",
        }
    }

    /// One sentence for the page that adds one.
    pub fn summary(self) -> &'static str {
        match self {
            Self::RegistryScan => "Lists the images of a registry, on a schedule.",
            Self::ServerlessScan => "Lists the functions of a cloud account, on a schedule.",
            Self::CloudScan => "Lists the keys, registries, functions and clusters of a cloud account, on a schedule.",
            Self::DaemonSet => "Deploys an agent to the nodes of a Kubernetes cluster and checks it for drift.",
            Self::SecretSync => "Keeps Secrets in a Kubernetes cluster up to date and checks them for drift.",
            Self::SecretStore => {
                "Lists the entries of a secret store by name, and reads their values only to pass them on."
            }
            Self::AlertProfile => "Sends alerts to people or other tools, once per issue.",
        }
    }
}
