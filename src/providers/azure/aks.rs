//! Azure Kubernetes Service: how a cluster authenticates its users, and the kubeconfig that Azure issues for it. The
//! clusters of a subscription are listed in [`super::resources`].
//! <https://learn.microsoft.com/en-us/rest/api/aks/managed-clusters/get>,
//! <https://learn.microsoft.com/en-us/rest/api/aks/managed-clusters/list-cluster-user-credentials>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::line::{Line, Right, or_default};
use super::management::{API, is_name, is_subscription, shown};
use super::resources::READS_CLUSTERS;
use crate::credentials::kubeconfig::Issued;
use crate::providers::ProviderError;
use crate::providers::oci_registry::Lenient;

/// An API version that all Azure clouds have.
const VERSION: &str = "2024-09-01";

pub static SIGNS_IN: Right = Right {
    api: &API,
    name: "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
    remedy: "Give the credential's principal a role on the cluster that has this action: Azure Kubernetes Service \
             Cluster User Role, or the narrower one on the credential's page.",
};

/// The subscription, resource group and name of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub subscription: String,
    pub group: String,
    pub cluster: String,
}

impl Name {
    /// Parses `d189c61b-…/shop/prod` or a whole resource ID; `None` if it cannot be a cluster.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.trim().trim_start_matches('/').split('/').collect();
        let same = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
        let (subscription, group, cluster) = match parts[..] {
            [subscription, group, cluster] => (subscription, group, cluster),
            [s, subscription, g, group, p, n, k, cluster]
                if same(s, "subscriptions")
                    && same(g, "resourceGroups")
                    && same(p, "providers")
                    && same(n, "Microsoft.ContainerService")
                    && same(k, "managedClusters") =>
            {
                (subscription, group, cluster)
            }
            _ => return None,
        };
        (is_subscription(subscription) && is_name(group) && is_name(cluster)).then(|| Self {
            subscription: subscription.to_ascii_lowercase(),
            group: group.to_owned(),
            cluster: cluster.to_owned(),
        })
    }

    fn path(&self) -> String {
        let Self { subscription, group, cluster } = self;
        format!(
            "subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/\
             managedClusters/{cluster}"
        )
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.subscription, self.group, self.cluster)
    }
}

/// How a cluster authenticates and authorises its users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `Running`, `Stopped`
    pub power: String,
    /// Users sign in with Microsoft Entra ID tokens; otherwise with certificates that Azure issues.
    pub entra: bool,
    /// Azure roles decide what users may do (Azure RBAC); otherwise Kubernetes RBAC does.
    pub azure_rbac: bool,
    /// The tenant whose tokens it accepts; blank if Azure does not report it.
    pub tenant: String,
}

#[derive(Deserialize)]
struct Described {
    #[serde(default, deserialize_with = "or_default")]
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(default, deserialize_with = "or_default")]
    power_state: PowerState,
    #[serde(default)]
    aad_profile: Option<Lenient<Aad>>,
}

#[derive(Default, Deserialize)]
struct PowerState {
    #[serde(default, deserialize_with = "or_default")]
    code: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Aad {
    #[serde(default, rename = "enableAzureRBAC", deserialize_with = "or_default")]
    azure_rbac: bool,
    #[serde(default, rename = "tenantID", deserialize_with = "or_default")]
    tenant: String,
}

#[derive(Deserialize)]
struct Credentials {
    kubeconfigs: Vec<Credential>,
}

#[derive(Deserialize)]
struct Credential {
    value: Zeroizing<String>,
}

/// Reads the access settings of a cluster.
pub async fn access(line: &Line<'_>, of: &Name) -> Result<Access, ProviderError> {
    let path = format!("{}?api-version={VERSION}", of.path());
    let Properties { power_state, aad_profile } =
        line.get(&READS_CLUSTERS, &path).await?.json::<Described>()?.properties;
    let power = shown(&power_state.code, 32);
    let entra = aad_profile.is_some();
    Ok(match aad_profile {
        Some(Lenient::Read(aad)) => Access { power, entra, azure_rbac: aad.azure_rbac, tenant: shown(&aad.tenant, 36) },
        Some(Lenient::Odd(_)) | None => Access { power, entra, ..Access::default() },
    })
}

/// The caller's kubeconfig. It contains no login if the cluster uses Microsoft Entra ID.
pub async fn user_credential(line: &Line<'_>, of: &Name) -> Result<Issued, ProviderError> {
    let path = format!("{}/listClusterUserCredential?api-version={VERSION}&format=exec", of.path());
    let Credentials { kubeconfigs } = line.post(&SIGNS_IN, &path).await?.json()?;
    let [only] = &kubeconfigs[..] else { return Err(ProviderError::BadAnswer) };
    let decoded = STANDARD.decode(only.value.as_bytes()).map(Zeroizing::new).map_err(|_| ProviderError::BadAnswer)?;
    let text = std::str::from_utf8(&decoded).map_err(|_| ProviderError::BadAnswer)?;
    Issued::parse(text).map_err(|_| ProviderError::BadAnswer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: &str = "d189c61b-6c27-41d3-9749-ca5c9cc4a622";

    #[test]
    fn a_cluster_is_named_by_its_parts_or_by_its_whole_id() {
        let id =
            format!("/subscriptions/{S}/resourcegroups/shop/providers/Microsoft.ContainerService/managedClusters/prod");
        let short = format!("{S}/shop/prod");
        let name = Name::parse(&id).unwrap();
        assert_eq!((name.to_string(), Some(name)), (short.clone(), Name::parse(&short)));
        for bad in [
            "prod",
            "shop/prod",
            "x/shop/prod",
            &format!("{S}/../prod"),
            &format!("{S}/shop/prod?x"),
            &format!("/{id}/x"),
        ] {
            assert_eq!(Name::parse(bad), None, "{bad}");
        }
    }
}
