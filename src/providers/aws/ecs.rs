//! Amazon ECS: the clusters of a region. The list has their ARNs; a hundred of them are described at once.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListClusters.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html>

use serde::Deserialize;
use serde_json::{Value, json};

use super::lists::{Listed, is_name, is_plain, listed};
use super::{Body, Call, Region, Service, SignedCalls};
use crate::providers::ProviderError::{self, BadAnswer};
use crate::providers::egress::Answer;
use crate::providers::oci_registry::{Lenient, Pages};

/// The rights that [`clusters`] needs.
pub const LIST_CLUSTERS: &str = "ecs:ListClusters";
pub const DESCRIBE_CLUSTERS: &str = "ecs:DescribeClusters";

static ECS: Service = Service::regional("ecs", "ECS");

/// Entries on a page, and clusters that are described at once: the most that ECS takes.
const PAGE: usize = 100;

/// A cluster.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    pub cluster_name: String,
    /// `ACTIVE`, `PROVISIONING` …; blank where ECS does not tell.
    #[serde(default)]
    pub status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    cluster_arns: Vec<Lenient<String>>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Described {
    clusters: Vec<Lenient<Cluster>>,
}

async fn ask(
    calls: &SignedCalls,
    region: &Region,
    (action, target): (&'static str, &'static str),
    body: &Value,
) -> Result<Answer, ProviderError> {
    calls.ask(region, &Call::post(&ECS, action, "/", Body::Target(target, body))).await
}

/// The clusters of a region. A cluster that can be none, or that goes while it is asked for, is left out.
pub async fn clusters(calls: &SignedCalls, region: &Region, pages: Pages) -> Result<Listed<Cluster>, ProviderError> {
    let Listed { found: arns, mut rest } = listed(pages, |token| async move {
        let mut body = json!({ "maxResults": PAGE });
        if let Some(token) = token {
            body["nextToken"] = token.into();
        }
        let which = (LIST_CLUSTERS, "AmazonEC2ContainerServiceV20141113.ListClusters");
        let page: Page = ask(calls, region, which, &body).await?.json()?;
        Ok((page.cluster_arns, page.next_token))
    })
    .await?;
    let mut found = Vec::new();
    for arns in arns.chunks(PAGE) {
        let which = (DESCRIBE_CLUSTERS, "AmazonEC2ContainerServiceV20141113.DescribeClusters");
        let described = ask(calls, region, which, &json!({ "clusters": arns })).await;
        let described: Described = match described.and_then(|answer| answer.json()) {
            Ok(described) => described,
            Err(cause) if found.is_empty() => return Err(cause),
            Err(cause) => return Ok(Listed { found, rest: Some(cause) }),
        };
        for entry in described.clusters {
            match entry {
                Lenient::Read(cluster) if is_good(&cluster) => found.push(cluster),
                _ => drop(rest.get_or_insert(BadAnswer)),
            }
        }
    }
    Ok(Listed { found, rest })
}

fn is_good(cluster: &Cluster) -> bool {
    is_name(&cluster.cluster_name) && is_plain(&cluster.status, 64)
}
