//! Where each vendor is reached. The vendors' hosts are fixed by type and stand with their callers; the operator alone
//! may move one, by the setting STRONGROOM_ENDPOINTS. No form and no credential ever reaches this. A new service is a
//! new arm of [`Service`].

use std::collections::BTreeMap;
use std::str::FromStr;

use url::Url;

use super::{ProviderError, aws};

/// A service whose address the operator may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// `login.microsoftonline.com` and the other clouds' authorities.
    AzureLogin,
    /// `169.254.169.254`, the Azure Instance Metadata Service.
    AzureMetadata,
    /// `<name>.azurecr.io` and the other clouds' registries.
    AzureRegistry,
    /// `management.azure.com` and the other clouds' Resource Managers.
    AzureManagement,
    /// `graph.microsoft.com` and the other clouds' Microsoft Graph.
    AzureGraph,
    /// `<name>.vault.azure.net` and the other clouds' vaults.
    AzureVault,
    /// `oauth2.googleapis.com`
    GoogleToken,
    /// `artifactregistry.googleapis.com`
    GoogleArtifacts,
    /// `cloudresourcemanager.googleapis.com`
    GoogleProjects,
    /// `cloudfunctions.googleapis.com`
    GoogleFunctions,
    /// `run.googleapis.com`
    GoogleRun,
    /// `iam.googleapis.com`
    GoogleIam,
    /// `policyanalyzer.googleapis.com`
    GoogleActivities,
    /// `container.googleapis.com`
    GoogleClusters,
    /// `secretmanager.googleapis.com`
    GoogleSecrets,
    /// `iam.cloud.ibm.com`
    IbmIam,
    /// `<region>.icr.io`
    IbmRegistry,
    /// `identity.<region>.oci.oraclecloud.com`
    OciIdentity,
    /// `artifacts.<region>.oci.oraclecloud.com`
    OciArtifacts,
    /// `<region>.ocir.io`
    OciRegistry,
    /// `functions.<region>.oci.oraclecloud.com`
    OciFunctions,
    /// `containerengine.<region>.oci.oraclecloud.com`
    OciClusters,
    /// `api.github.com`; servers of one's own are named by their credentials.
    Github,
    /// `ghcr.io`
    GithubRegistry,
    /// `gitlab.com`; servers of one's own are named by their credentials.
    Gitlab,
    /// `registry.gitlab.com`
    GitlabRegistry,
    /// `hub.docker.com`
    DockerHub,
    /// `quay.io`
    Quay,
    /// `slack.com`, its Web API; a Webhook URL is itself the address.
    Slack,
    /// `events.pagerduty.com`
    PagerDuty,
    /// `events.eu.pagerduty.com`
    PagerDutyEu,
    /// `pubsub.googleapis.com`
    GooglePubsub,
}

impl Service {
    pub const ALL: &[Self] = &[
        Self::AzureLogin,
        Self::AzureMetadata,
        Self::AzureRegistry,
        Self::AzureManagement,
        Self::AzureGraph,
        Self::AzureVault,
        Self::GoogleToken,
        Self::GoogleArtifacts,
        Self::GoogleProjects,
        Self::GoogleFunctions,
        Self::GoogleRun,
        Self::GoogleIam,
        Self::GoogleActivities,
        Self::GoogleClusters,
        Self::GoogleSecrets,
        Self::IbmIam,
        Self::IbmRegistry,
        Self::OciIdentity,
        Self::OciArtifacts,
        Self::OciRegistry,
        Self::OciFunctions,
        Self::OciClusters,
        Self::Github,
        Self::GithubRegistry,
        Self::Gitlab,
        Self::GitlabRegistry,
        Self::DockerHub,
        Self::Quay,
        Self::Slack,
        Self::PagerDuty,
        Self::PagerDutyEu,
        Self::GooglePubsub,
    ];

    /// As the setting names it.
    pub fn slug(self) -> &'static str {
        match self {
            Self::AzureLogin => "azure-login",
            Self::AzureMetadata => "azure-metadata",
            Self::AzureRegistry => "azure-registry",
            Self::AzureManagement => "azure-management",
            Self::AzureGraph => "azure-graph",
            Self::AzureVault => "azure-vault",
            Self::GoogleToken => "google-token",
            Self::GoogleArtifacts => "google-artifacts",
            Self::GoogleProjects => "google-projects",
            Self::GoogleFunctions => "google-functions",
            Self::GoogleRun => "google-run",
            Self::GoogleIam => "google-iam",
            Self::GoogleActivities => "google-activities",
            Self::GoogleClusters => "google-clusters",
            Self::GoogleSecrets => "google-secrets",
            Self::IbmIam => "ibm-iam",
            Self::IbmRegistry => "ibm-registry",
            Self::OciIdentity => "oci-identity",
            Self::OciArtifacts => "oci-artifacts",
            Self::OciRegistry => "oci-registry",
            Self::OciFunctions => "oci-functions",
            Self::OciClusters => "oci-clusters",
            Self::Github => "github",
            Self::GithubRegistry => "github-registry",
            Self::Gitlab => "gitlab",
            Self::GitlabRegistry => "gitlab-registry",
            Self::DockerHub => "docker-hub",
            Self::Quay => "quay",
            Self::Slack => "slack",
            Self::PagerDuty => "pagerduty",
            Self::PagerDutyEu => "pagerduty-eu",
            Self::GooglePubsub => "google-pubsub",
        }
    }
}

/// The operator's changes to the vendors' addresses; usually none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    moved: BTreeMap<Service, Url>,
    aws: aws::Endpoints,
}

impl Endpoints {
    /// The same with what the SDK's own variables say about AWS, which names its services itself.
    #[must_use]
    pub fn with_aws(self, aws: aws::Endpoints) -> Self {
        Self { aws, ..self }
    }

    pub fn aws(&self) -> &aws::Endpoints {
        &self.aws
    }

    /// The same with one service moved.
    #[must_use]
    pub fn with(mut self, service: Service, base: Url) -> Self {
        self.moved.insert(service, base);
        self
    }

    /// Where the operator moved a service to.
    pub fn moved(&self, service: Service) -> Option<&Url> {
        self.moved.get(&service)
    }

    /// The address of a path at a service; `vendor` is where it is unless moved, without a slash at the end.
    pub fn url(&self, service: Service, vendor: &str, path: &str) -> Result<Url, ProviderError> {
        let base = self.moved(service).map_or(vendor, |url| url.as_str().trim_end_matches('/'));
        Url::parse(&format!("{base}{path}")).map_err(|_| ProviderError::InvalidAddress)
    }

    /// An address that somebody entered: where the operator moved the service to if it is on the vendor's own host.
    pub fn entered(&self, service: Service, vendor_host: &str, address: &Url) -> Url {
        let is_vendor = address.scheme() == "https" && address.host_str() == Some(vendor_host);
        self.moved(service).filter(|_| is_vendor).unwrap_or(address).clone()
    }
}

impl FromStr for Endpoints {
    type Err = String;

    /// `azure-login=https://…,google-token=https://…`
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let endpoints = parts.map(|part| {
            let (name, address) = part.split_once('=')?;
            let service = Service::ALL.iter().copied().find(|service| service.slug() == name.trim())?;
            Some((service, base(address.trim())?))
        });
        let endpoints: Option<Vec<_>> = endpoints.collect();
        let endpoints = endpoints.ok_or_else(|| {
            let (last, services) = Service::ALL.split_last().unwrap_or((&Service::GooglePubsub, &[]));
            let services: Vec<&str> = services.iter().map(|service| service.slug()).collect();
            format!(
                "give pairs of a service and its address, such as azure-login=https://login.example.com; the services \
                 are {} and {}",
                services.join(", "),
                last.slug()
            )
        })?;
        let moved: BTreeMap<_, _> = endpoints.iter().cloned().collect();
        if moved.len() < endpoints.len() {
            return Err("give each service once".to_owned());
        }
        Ok(Self { moved, ..Self::default() })
    }
}

fn base(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && (url.username(), url.password(), url.query(), url.fragment()) == ("", None, None, None);
    plain.then_some(url)
}
