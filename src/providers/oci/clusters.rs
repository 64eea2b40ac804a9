//! Oracle Kubernetes Engine: the clusters of a compartment.
//! <https://docs.oracle.com/en-us/iaas/api/#/en/containerengine/20180222/>

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::calls::{Api, Calls};
use super::tenancy::list;
use crate::providers::ProviderError;
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Entries, Pages};

/// What a group needs to list them.
pub const INSPECT: &str = "inspect clusters";

const API: Api = Api { service: Service::OciClusters, name: "containerengine", right: INSPECT };

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    pub id: String,
    pub name: String,
    /// `v1.33.1`
    pub kubernetes_version: Option<String>,
    pub lifecycle_state: Option<String>,
    #[serde(default)]
    pub endpoints: Option<Endpoints>,
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

/// Host and port each.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoints {
    /// Of older clusters.
    pub kubernetes: Option<String>,
    pub public_endpoint: Option<String>,
    pub private_endpoint: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    pub time_created: Option<DateTime<Utc>>,
}

/// `GET /20180222/clusters`. Deleted ones stay in the list for a while, and are left out.
pub async fn clusters(calls: &Calls<'_>, compartment: &str, pages: Pages) -> Result<Entries<Cluster>, ProviderError> {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("compartmentId", compartment), ("limit", "1000")])
        .finish();
    let (mut found, rest): Entries<Cluster> =
        calls.list(API, &format!("/20180222/clusters?{query}"), pages, list).await?;
    found.retain(|cluster| cluster.lifecycle_state.as_deref() != Some("DELETED"));
    Ok((found, rest))
}
