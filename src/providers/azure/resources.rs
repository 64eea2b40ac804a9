//! Registries and clusters in a subscription, as the Azure Resource Manager lists them.
//! <https://learn.microsoft.com/en-us/rest/api/containerregistry/registries/list>,
//! <https://learn.microsoft.com/en-us/rest/api/aks/managed-clusters/list>

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::line::{Line, Right, is_unused, or_default};
use super::management::{API, READER, ResourceId, Subscription, moment, region, shown};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Lenient, Pages};

pub static READS_REGISTRIES: Right =
    Right { api: &API, name: "Microsoft.ContainerRegistry/registries/read", remedy: READER };
pub static READS_CLUSTERS: Right =
    Right { api: &API, name: "Microsoft.ContainerService/managedClusters/read", remedy: READER };

const REGISTRIES: &str = "Microsoft.ContainerRegistry/registries";
const CLUSTERS: &str = "Microsoft.ContainerService/managedClusters";

/// A registry or a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub group: String,
    pub name: String,
    /// `westeurope`
    pub region: String,
    /// Where it answers: `example.azurecr.io`; blank where the list does not tell.
    pub address: String,
    /// `Succeeded`, `Running`
    pub state: String,
    /// Of a cluster: `1.33.2`.
    pub version: String,
    /// Of a cluster.
    pub nodes: Option<i64>,
    /// Nobody reaches it but from its network.
    pub is_private: bool,
    pub made: Option<DateTime<Utc>>,
}

/// A list, as far as it could be read, and why there are no more, if there should be.
pub type Resources = (Vec<Resource>, Option<ProviderError>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<P: Default + DeserializeOwned> {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    location: String,
    #[serde(default, deserialize_with = "or_default", bound = "")]
    properties: P,
    #[serde(default, deserialize_with = "or_default")]
    system_data: SystemData,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SystemData {
    #[serde(default, deserialize_with = "or_default")]
    created_at: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registry {
    #[serde(default, deserialize_with = "or_default")]
    login_server: String,
    #[serde(default, deserialize_with = "or_default")]
    creation_date: String,
    #[serde(default, deserialize_with = "or_default")]
    provisioning_state: String,
    #[serde(default, deserialize_with = "or_default")]
    public_network_access: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    #[serde(default, deserialize_with = "or_default")]
    fqdn: String,
    #[serde(default, rename = "privateFQDN", deserialize_with = "or_default")]
    private_fqdn: String,
    #[serde(default, deserialize_with = "or_default")]
    kubernetes_version: String,
    #[serde(default, deserialize_with = "or_default")]
    current_kubernetes_version: String,
    #[serde(default, deserialize_with = "or_default")]
    power_state: PowerState,
    #[serde(default, deserialize_with = "or_default")]
    public_network_access: String,
    #[serde(default, deserialize_with = "or_default")]
    api_server_access_profile: Access,
    #[serde(default, deserialize_with = "or_default")]
    agent_pool_profiles: Vec<Lenient<Pool>>,
}

#[derive(Default, Deserialize)]
struct PowerState {
    #[serde(default, deserialize_with = "or_default")]
    code: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Access {
    #[serde(default, deserialize_with = "or_default")]
    enable_private_cluster: bool,
}

#[derive(Deserialize)]
struct Pool {
    #[serde(default, deserialize_with = "or_default")]
    count: i64,
}

pub async fn registries(line: &Line<'_>, of: &Subscription, pages: Pages) -> Result<Resources, ProviderError> {
    let (entries, mut rest) = listed::<Registry>(line, &READS_REGISTRIES, of, REGISTRIES, "2023-07-01", pages).await?;
    let found = entries.iter().filter_map(|entry| entry.read(of, REGISTRIES, &mut rest, Registry::of)).collect();
    Ok((found, rest))
}

pub async fn clusters(line: &Line<'_>, of: &Subscription, pages: Pages) -> Result<Resources, ProviderError> {
    let (entries, mut rest) = listed::<Cluster>(line, &READS_CLUSTERS, of, CLUSTERS, "2024-09-01", pages).await?;
    let found = entries.iter().filter_map(|entry| entry.read(of, CLUSTERS, &mut rest, Cluster::of)).collect();
    Ok((found, rest))
}

/// Empty where the subscription never used that part of Azure. The versions are old enough for all clouds.
async fn listed<P: Default + DeserializeOwned>(
    line: &Line<'_>,
    right: &'static Right,
    of: &Subscription,
    kind: &str,
    version: &str,
    pages: Pages,
) -> Result<(Vec<Written<P>>, Option<ProviderError>), ProviderError> {
    let path = format!("subscriptions/{}/providers/{kind}?api-version={version}", of.id);
    match line.list(right, &path, pages).await {
        Err(cause) if is_unused(&cause) => Ok((Vec::new(), None)),
        found => found,
    }
}

impl<P: Default + DeserializeOwned> Written<P> {
    /// `None`, with the reason in `rest`, for what cannot be such a resource.
    fn read(
        &self,
        of: &Subscription,
        kind: &str,
        rest: &mut Option<ProviderError>,
        rests: fn(&P, Resource) -> Resource,
    ) -> Option<Resource> {
        let id = ResourceId::parse(&self.id, &of.id, kind);
        let (Some(id), Some(region)) = (id, region(&self.location)) else {
            rest.get_or_insert(ProviderError::BadAnswer);
            return None;
        };
        let whole = Resource {
            group: id.group.to_ascii_lowercase(),
            name: id.names.first().copied().unwrap_or_default().to_owned(),
            region,
            address: String::new(),
            state: String::new(),
            version: String::new(),
            nodes: None,
            is_private: false,
            made: moment(&self.system_data.created_at),
        };
        Some(rests(&self.properties, whole))
    }
}

/// A host as an answer names it; blank for what can be none.
fn host(text: &str) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let host = text.trim().to_ascii_lowercase();
    if host.len() <= 253 && host.chars().all(good) { host } else { String::new() }
}

impl Registry {
    fn of(&self, whole: Resource) -> Resource {
        Resource {
            address: host(&self.login_server),
            state: shown(&self.provisioning_state, 32),
            is_private: self.public_network_access == "Disabled",
            made: moment(&self.creation_date).or(whole.made),
            ..whole
        }
    }
}

impl Cluster {
    fn of(&self, whole: Resource) -> Resource {
        let first = |one: &str, other: &str| if one.is_empty() { other.to_owned() } else { one.to_owned() };
        let counts = self.agent_pool_profiles.iter().map(|pool| match pool {
            Lenient::Read(pool) => pool.count.clamp(0, 100_000),
            Lenient::Odd(_) => 0,
        });
        Resource {
            address: host(&first(&self.fqdn, &self.private_fqdn)),
            state: shown(&self.power_state.code, 32),
            version: shown(&first(&self.current_kubernetes_version, &self.kubernetes_version), 32),
            nodes: (!self.agent_pool_profiles.is_empty()).then(|| counts.sum()),
            is_private: self.api_server_access_profile.enable_private_cluster
                || self.public_network_access == "Disabled",
            ..whole
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const S: &str = "d189c61b-6c27-41d3-9749-ca5c9cc4a622";

    #[test]
    fn a_cluster_is_read_with_its_nodes_and_who_reaches_it() {
        let id =
            format!("/subscriptions/{S}/resourcegroups/Shop/providers/Microsoft.ContainerService/managedClusters/prod");
        let written = json!({"id": id, "location": "westeurope", "systemData": {"createdAt": "2026-03-01T12:00:00Z"},
            "properties": {"fqdn": null, "privateFQDN": "prod-1.privatelink.westeurope.azmk8s.io",
                "currentKubernetesVersion": "1.33.2", "kubernetesVersion": "1.33", "powerState": {"code": "Running"},
                "apiServerAccessProfile": {"enablePrivateCluster": true}, "agentPoolProfiles": [{"count": 3}, 7, {"count": 2}]}});
        let written: Written<Cluster> = serde_json::from_value(written).unwrap();
        let (of, mut rest) = (Subscription::new(S), None);
        let cluster = written.read(&of, CLUSTERS, &mut rest, Cluster::of).unwrap();
        assert_eq!((cluster.group.as_str(), cluster.name.as_str(), cluster.nodes), ("shop", "prod", Some(5)));
        assert!(cluster.is_private && cluster.version == "1.33.2" && cluster.made.is_some());
        assert_eq!((cluster.address.as_str(), rest), ("prod-1.privatelink.westeurope.azmk8s.io", None));
    }

    #[test]
    fn a_registry_that_cannot_be_one_costs_itself_alone() {
        let id =
            format!("/subscriptions/{S}/resourceGroups/shop/providers/Microsoft.ContainerRegistry/registries/example");
        let read = |written| {
            let (written, mut rest): (Written<Registry>, _) = (serde_json::from_value(written).unwrap(), None);
            (written.read(&Subscription::new(S), REGISTRIES, &mut rest, Registry::of), rest)
        };
        let (found, _) =
            read(json!({"id": id, "location": "West Europe", "properties": {"loginServer": "Example.azurecr.io"}}));
        assert_eq!(
            found.map(|one| (one.address, one.region)),
            Some(("example.azurecr.io".into(), "westeurope".into()))
        );
        let (found, _) = read(json!({"id": id, "location": "x", "properties": {"loginServer": "evil.example/#"}}));
        assert_eq!(found.map(|one| one.address), Some(String::new()));
        for odd in [json!({"id": "/x", "location": "x"}), json!({"id": id, "location": null})] {
            assert_eq!(read(odd), (None, Some(ProviderError::BadAnswer)));
        }
    }
}
