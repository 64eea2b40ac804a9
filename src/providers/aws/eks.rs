//! Amazon EKS: the clusters of a region. The list has their names alone; each is described by itself.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_ListClusters.html>,
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeCluster.html>

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::lists::{Listed, is_name, is_plain, listed};
use super::{Call, Region, Service, SignedCalls, encoded};
use crate::providers::ProviderError::{self, BadAnswer};
use crate::providers::oci_registry::{Lenient, Pages};

/// The rights that [`clusters`] and [`describe`] need.
pub const LIST_CLUSTERS: &str = "eks:ListClusters";
pub const DESCRIBE_CLUSTER: &str = "eks:DescribeCluster";

static EKS: Service = Service::regional("eks", "EKS");

/// Entries on a page, the most that EKS gives.
const PAGE: &str = "100";
/// Longest texts of a description that are shown.
const MAX_TEXT: usize = 512;
/// Most bytes of a certificate authority, in base64.
const MAX_AUTHORITY: usize = 65_536;

/// A cluster as EKS describes it; what it leaves out is blank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// `1.33`
    pub version: String,
    /// `ACTIVE`, `CREATING` …
    pub status: String,
    /// `https://….eks.amazonaws.com`
    pub endpoint: String,
    /// Whether the endpoint is reached from everywhere, and from the cluster's own network.
    pub public: Option<bool>,
    pub private: Option<bool>,
    pub made: Option<DateTime<Utc>>,
    /// The certificate authority of the endpoint, as base64-encoded PEM.
    pub authority: String,
    /// Authentication mode: `API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`.
    pub mode: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    clusters: Vec<Lenient<String>>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    cluster: Described,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    version: Option<String>,
    status: Option<String>,
    endpoint: Option<String>,
    /// Seconds since 1970, with a fraction.
    created_at: Option<f64>,
    resources_vpc_config: Option<Network>,
    certificate_authority: Option<Authority>,
    access_config: Option<Access>,
}

#[derive(Deserialize)]
struct Authority {
    data: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Access {
    authentication_mode: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Network {
    endpoint_public_access: Option<bool>,
    endpoint_private_access: Option<bool>,
}

/// The names of the clusters of a region. One that can be no name counts as an entry that could not be read.
pub async fn clusters(calls: &SignedCalls, region: &Region, pages: Pages) -> Result<Listed<String>, ProviderError> {
    let mut names = listed(pages, |token| async move {
        let mut query = vec![("maxResults", PAGE)];
        query.extend(token.as_deref().map(|token| ("nextToken", token)));
        let call = Call::get(&EKS, LIST_CLUSTERS, "/clusters", &query);
        let page: Page = calls.ask(region, &call).await?.json()?;
        Ok((page.clusters, page.next_token))
    })
    .await?;
    let listed = names.found.len();
    names.found.retain(|name| is_name(name));
    if names.found.len() < listed {
        names.rest.get_or_insert(BadAnswer);
    }
    Ok(names)
}

/// A cluster of the list.
pub async fn describe(calls: &SignedCalls, region: &Region, name: &str) -> Result<Cluster, ProviderError> {
    let path = format!("/clusters/{}", encoded(name));
    let call = Call::get(&EKS, DESCRIBE_CLUSTER, &path, &[]);
    let Answer { cluster } = calls.ask(region, &call).await?.json()?;
    let text = |text: Option<String>| text.filter(|text| is_plain(text, MAX_TEXT)).unwrap_or_default();
    let network = cluster.resources_vpc_config;
    Ok(Cluster {
        version: text(cluster.version),
        status: text(cluster.status),
        endpoint: text(cluster.endpoint),
        public: network.as_ref().and_then(|network| network.endpoint_public_access),
        private: network.as_ref().and_then(|network| network.endpoint_private_access),
        made: cluster.created_at.and_then(|at| DateTime::from_timestamp(at as i64, 0)),
        authority: cluster
            .certificate_authority
            .and_then(|authority| authority.data)
            .filter(|data| is_plain(data, MAX_AUTHORITY))
            .unwrap_or_default(),
        mode: text(cluster.access_config.and_then(|access| access.authentication_mode)),
    })
}
