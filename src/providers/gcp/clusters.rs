//! Google Kubernetes Engine: the clusters of a project in all locations, which come on one page.
//! <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters/list>

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::cluster_doors::Doors;
use super::line::{Line, Listed, Page, is_location, or_default};
use super::workload::{moment, plain, word};
use super::{Api, Right};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Lenient, Pages};

pub static API: Api = Api { name: "Kubernetes Engine API", host: "container.googleapis.com" };
pub static LISTS: Right = Right {
    api: &API,
    permission: "container.clusters.list",
    role: "Kubernetes Engine Cluster Viewer (roles/container.clusterViewer)",
};

pub static GETS: Right = Right {
    api: &API,
    permission: "container.clusters.get",
    role: "Kubernetes Engine Cluster Viewer (roles/container.clusterViewer)",
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    pub name: String,
    /// A region or a zone.
    pub location: String,
    /// `Running`
    pub state: String,
    pub version: String,
    /// An address, or a name of Google's; empty where none is known.
    pub endpoint: String,
    /// Who reaches the endpoint: `Public`, `Private`, `Public and private`, and `DNS` beside or instead of these.
    pub access: String,
    pub made: Option<DateTime<Utc>>,
    pub doors: Doors,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Clusters {
    #[serde(default, deserialize_with = "or_default")]
    clusters: Vec<Lenient<ListedCluster>>,
    #[serde(default, deserialize_with = "or_default")]
    missing_zones: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedCluster {
    name: String,
    location: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    current_master_version: String,
    #[serde(default, deserialize_with = "or_default")]
    endpoint: String,
    #[serde(default, deserialize_with = "or_default")]
    create_time: String,
    #[serde(default, deserialize_with = "or_default")]
    private_cluster_config: PrivateCluster,
    #[serde(default, deserialize_with = "or_default")]
    control_plane_endpoints_config: Endpoints,
    #[serde(default, deserialize_with = "or_default")]
    master_auth: MasterAuth,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MasterAuth {
    #[serde(default, deserialize_with = "or_default")]
    cluster_ca_certificate: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PrivateCluster {
    #[serde(default, deserialize_with = "or_default")]
    enable_private_nodes: bool,
    #[serde(default, deserialize_with = "or_default")]
    enable_private_endpoint: bool,
    #[serde(default, deserialize_with = "or_default")]
    private_endpoint: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoints {
    #[serde(default, deserialize_with = "or_default")]
    dns_endpoint_config: Dns,
    ip_endpoints_config: Option<Ip>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dns {
    #[serde(default, deserialize_with = "or_default")]
    endpoint: String,
    #[serde(default, deserialize_with = "or_default")]
    allow_external_traffic: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ip {
    enabled: Option<bool>,
    enable_public_endpoint: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    public_endpoint: String,
    #[serde(default, deserialize_with = "or_default")]
    private_endpoint: String,
}

impl Page for Clusters {
    type Entry = ListedCluster;

    fn parts(self) -> (Vec<Lenient<ListedCluster>>, Option<String>, Vec<String>) {
        (self.clusters, None, self.missing_zones)
    }
}

impl ListedCluster {
    /// Whether the endpoint is public and whether there is a private one. Clusters of before 2024 tell it by their private
    /// cluster's configuration alone.
    fn ip(&self) -> (bool, bool) {
        let older = &self.private_cluster_config;
        match &self.control_plane_endpoints_config.ip_endpoints_config {
            Some(ip) if ip.enabled == Some(false) => (false, false),
            Some(ip) => {
                (ip.enable_public_endpoint.unwrap_or(!older.enable_private_endpoint), !ip.private_endpoint.is_empty())
            }
            None => (!older.enable_private_endpoint, older.enable_private_nodes || older.enable_private_endpoint),
        }
    }

    fn access(&self) -> String {
        let dns = &self.control_plane_endpoints_config.dns_endpoint_config;
        let ip = match self.ip() {
            (true, true) => "Public and private",
            (true, false) => "Public",
            (false, true) => "Private",
            (false, false) => "",
        };
        match (ip, dns.allow_external_traffic) {
            (ip, false) => ip.to_owned(),
            ("", true) => "DNS".to_owned(),
            (ip, true) => format!("{ip}, DNS"),
        }
    }

    /// The endpoints. If only `endpoint` has an address, it belongs to the endpoint that is enabled.
    fn doors(&self) -> Doors {
        let (public, private) = self.ip();
        let config = &self.control_plane_endpoints_config;
        let (dns, older) = (&config.dns_endpoint_config, &self.private_cluster_config);
        let named = config.ip_endpoints_config.as_ref();
        let first = |texts: [&str; 3]| texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned();
        let known = |open: bool, texts: [&str; 3]| if open { first(texts) } else { String::new() };
        let private_only = if public { "" } else { self.endpoint.as_str() };
        Doors {
            public: known(public, [named.map_or("", |ip| ip.public_endpoint.as_str()), &self.endpoint, ""]),
            private: known(
                private,
                [named.map_or("", |ip| ip.private_endpoint.as_str()), &older.private_endpoint, private_only],
            ),
            dns: known(dns.allow_external_traffic, [&dns.endpoint, "", ""]),
            dns_is_closed: !dns.endpoint.is_empty() && !dns.allow_external_traffic,
            authority: self.master_auth.cluster_ca_certificate.clone(),
        }
    }

    /// `None` where something in it cannot be.
    fn read(self) -> Option<Cluster> {
        let (access, doors) = (self.access(), self.doors());
        let dns = self.control_plane_endpoints_config.dns_endpoint_config;
        let endpoint = if dns.allow_external_traffic { dns.endpoint } else { self.endpoint };
        (is_location(&self.name) && is_location(&self.location)).then_some(())?;
        Some(Cluster {
            state: word(&self.status)?,
            version: plain(self.current_master_version, 64)?,
            endpoint: plain(endpoint, 255)?,
            access,
            made: moment(&self.create_time),
            doors,
            name: self.name,
            location: self.location,
        })
    }
}

/// The clusters of a project, and the zones that could not be asked.
pub async fn of(line: &Line<'_>, project: &str) -> Result<Listed<Cluster>, ProviderError> {
    let path = format!("v1/projects/{project}/locations/-/clusters");
    Ok(line.list::<Clusters>(&LISTS, &path, Pages::All).await?.checked(ListedCluster::read))
}

/// Reads a cluster of a project by location (a region or zone) and name.
pub async fn one(line: &Line<'_>, project: &str, location: &str, name: &str) -> Result<Cluster, ProviderError> {
    let path = format!("v1/projects/{project}/locations/{location}/clusters/{name}");
    let described: ListedCluster = line.get(&GETS, &path).await?.json()?;
    described.read().ok_or(ProviderError::BadAnswer)
}

/// Whether a text can be the name of a cluster or location, and so a single path segment.
pub fn is_name(text: &str) -> bool {
    is_location(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(further: &Value) -> Option<Cluster> {
        let mut cluster = json!({"name": "prod", "location": "europe-west3", "status": "RUNNING", "endpoint": "10.0.0.2",
            "currentMasterVersion": "1.33.2-gke.1", "createTime": "2026-01-01T10:00:00+00:00", "currentNodeCount": 3});
        for (name, value) in further.as_object().unwrap() {
            cluster[name] = value.clone();
        }
        serde_json::from_value::<ListedCluster>(cluster).unwrap().read()
    }

    #[test]
    fn a_cluster_tells_who_reaches_its_endpoint() {
        let access = |further: Value| read(&further).map(|cluster| (cluster.access, cluster.endpoint)).unwrap();
        let ip = |text: &str| (text.to_owned(), "10.0.0.2".to_owned());
        assert_eq!(access(json!({})), ip("Public"));
        assert_eq!(access(json!({"privateClusterConfig": {"enablePrivateNodes": true}})), ip("Public and private"));
        let private = json!({"enablePrivateNodes": true, "enablePrivateEndpoint": true});
        assert_eq!(access(json!({"privateClusterConfig": private})), ip("Private"));
        let config = |public: bool, external: bool| {
            json!({"controlPlaneEndpointsConfig": {
                "dnsEndpointConfig": {"endpoint": "x.europe-west3.gke.goog", "allowExternalTraffic": external},
                "ipEndpointsConfig": {"enabled": true, "enablePublicEndpoint": public, "privateEndpoint": "10.0.0.2"}}})
        };
        assert_eq!(access(config(true, false)), ip("Public and private"));
        let dns = "x.europe-west3.gke.goog".to_owned();
        assert_eq!(access(config(false, true)), ("Private, DNS".to_owned(), dns.clone()));
        let only = json!({"controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enabled": false},
            "dnsEndpointConfig": {"endpoint": dns, "allowExternalTraffic": true}}});
        assert_eq!(access(only), ("DNS".to_owned(), dns));
        assert_eq!(read(&json!({"name": "<b>"})), None);
    }
}
