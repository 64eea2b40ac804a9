//! The part *Clusters*: the clusters of Oracle Kubernetes Engine in every compartment of a region.

use futures_util::future::BoxFuture;

use super::part::{Part, Visit, gap};
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Item, Scan};
use crate::providers::oci::calls::Calls;
use crate::providers::oci::clusters::{Cluster, INSPECT, clusters};
use crate::providers::oci::tenancy::Compartment;
use crate::providers::oci_registry::Pages;
use crate::providers::{Failure, ProviderError};

pub(super) const CLUSTERS: Part = Part {
    field: "clusters",
    right: INSPECT,
    step: Step { label: "Listing clusters", doing: "Listing the clusters" },
    sort: Sort::Cluster,
    service: "Oracle Kubernetes Engine",
    path: "oke",
    read,
    check,
};

fn read<'a>(visit: &'a Visit<'a>, calls: &'a Calls<'a>) -> BoxFuture<'a, Result<Scan, ProviderError>> {
    Box::pin(visit.in_compartments(&CLUSTERS, calls.region(), move |one| of_compartment(visit, calls, one)))
}

async fn of_compartment(visit: &Visit<'_>, calls: &Calls<'_>, one: Compartment) -> Result<Scan, ProviderError> {
    let region = calls.region();
    let (found, rest) = clusters(calls, &one.id, Pages::All).await?;
    let items = found.into_iter().map(|cluster| item(visit, region, &one.id, cluster)).collect();
    let at = format!("{} in {region}", one.name);
    let path = format!("{}/{}", CLUSTERS.of(region), one.id);
    let gaps = rest.map(|cause| CLUSTERS.gap(visit, &at, path, cause)).into_iter().collect();
    Ok(Scan { items, gaps, ..Scan::default() })
}

/// Names of clusters may be used twice; their OCIDs are not.
fn item(visit: &Visit<'_>, region: &str, compartment: &str, cluster: Cluster) -> Item {
    let endpoints = cluster.endpoints.unwrap_or_default();
    let is_public = endpoints.public_endpoint.is_some() || endpoints.kubernetes.is_some();
    let access = match (is_public, endpoints.private_endpoint.is_some()) {
        (true, true) => "Public and private",
        (true, false) => "Public",
        (false, true) => "Private",
        (false, false) => "",
    };
    let address = endpoints.public_endpoint.or(endpoints.kubernetes).or(endpoints.private_endpoint);
    let version = cluster.kubernetes_version.unwrap_or_default();
    let facts = Facts {
        title: cluster.name,
        address: address.unwrap_or_default(),
        version: version.strip_prefix('v').unwrap_or(&version).to_owned(),
        state: cluster.lifecycle_state.unwrap_or_default(),
        access: access.to_owned(),
        made: cluster.metadata.and_then(|metadata| metadata.time_created),
        ..CLUSTERS.facts(visit, region)
    };
    facts.item(visit.tenancy(), format!("{}/{compartment}/{}", CLUSTERS.of(region), cluster.id))
}

fn check<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let calls = visit.calls.in_region(&visit.regions[0]);
        let found = clusters(&calls, visit.tenancy(), Pages::First).await;
        let (found, _) = found.map_err(|cause| gap(CLUSTERS.step, "", cause))?;
        Ok(format!("{} cluster{} there", found.len(), if found.len() == 1 { "" } else { "s" }))
    })
}
