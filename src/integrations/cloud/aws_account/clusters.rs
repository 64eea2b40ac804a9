//! The part *Clusters*: the Kubernetes clusters of EKS and the clusters of ECS in every region.

use futures_util::StreamExt;
use futures_util::future::BoxFuture;

use super::part::{self, Part, Visit};
use super::regional::{Listed, counted};
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Item, Scan};
use crate::providers::aws::regions::LIST_REGIONS;
use crate::providers::aws::{Region, ecs, eks};
use crate::providers::oci_registry::Pages;
use crate::providers::{Failure, ProviderError};

pub(super) const CLUSTERS: Part = Part {
    field: "clusters",
    may: "may list the clusters of all regions",
    rights: &[LIST_REGIONS, eks::LIST_CLUSTERS, eks::DESCRIBE_CLUSTER, ecs::LIST_CLUSTERS, ecs::DESCRIBE_CLUSTERS],
    further: None,
    read,
    check,
};

const LISTING: Step = Step { label: "Listing clusters", doing: "Listing the clusters" };
const READING: Step = Step { label: "Reading clusters", doing: "Reading the cluster" };

const EKS: Listed = Listed { step: LISTING, sort: Sort::Cluster, service: "Amazon EKS", path: part::EKS };
const ECS: Listed = Listed { step: LISTING, sort: Sort::Cluster, service: "Amazon ECS", path: part::ECS };

/// Clusters of a region that are described at once.
const AT_ONCE: usize = 4;

fn read<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
    Box::pin(async move {
        let mut scan = EKS.in_regions(visit, |region| of_eks(visit, region)).await?;
        scan.add(ECS.in_regions(visit, |region| of_ecs(visit, region)).await?);
        Ok(scan)
    })
}

async fn of_eks(visit: &Visit<'_>, region: Region) -> Result<Scan, ProviderError> {
    let listed = eks::clusters(&visit.calls, &region, Pages::All).await?;
    let mut scan = Scan::default();
    scan.gaps.extend(listed.rest.map(|cause| EKS.gap(visit, &region, cause)));
    let region = &region;
    let work = listed.found.into_iter().map(|name| async move {
        let described = eks::describe(&visit.calls, region, &name).await;
        (name, described)
    });
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some((name, described)) = finished.next().await {
        match described {
            Ok(cluster) => scan.items.push(kubernetes(visit, region, name, cluster)),
            // Deleted since it was listed.
            Err(ProviderError::NotFound) => {}
            Err(ProviderError::Stopped) => return Err(ProviderError::Stopped),
            Err(cause) => {
                let (at, path) = (format!("{name} in {}", region.as_str()), format!("{}/{name}", EKS.of(region)));
                let gap = EKS.gap_below(visit, &at, path, cause);
                scan.gaps.push(Gap { step: READING, ..gap });
            }
        }
    }
    Ok(scan)
}

fn kubernetes(visit: &Visit<'_>, region: &Region, name: String, cluster: eks::Cluster) -> Item {
    let access = match (cluster.public, cluster.private) {
        (Some(true), Some(true)) => "Public and private",
        (Some(true), _) => "Public",
        (Some(false), Some(true)) => "Private",
        _ => "",
    };
    let path = format!("{}/{name}", EKS.of(region));
    let facts = Facts {
        title: name,
        address: cluster.endpoint,
        version: cluster.version,
        state: cluster.status,
        access: access.to_owned(),
        made: cluster.made,
        ..EKS.facts(visit, region)
    };
    facts.item(&visit.account, path)
}

async fn of_ecs(visit: &Visit<'_>, region: Region) -> Result<Scan, ProviderError> {
    let listed = ecs::clusters(&visit.calls, &region, Pages::All).await?;
    let item = |cluster: ecs::Cluster| {
        let path = format!("{}/{}", ECS.of(&region), cluster.cluster_name);
        let facts = Facts { title: cluster.cluster_name, state: cluster.status, ..ECS.facts(visit, &region) };
        facts.item(&visit.account, path)
    };
    let items = listed.found.into_iter().map(item).collect();
    let gaps = listed.rest.map(|cause| ECS.gap(visit, &region, cause)).into_iter().collect();
    Ok(Scan { items, gaps, ..Scan::default() })
}

fn check<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let (number, region) = EKS
            .first_page(visit, async |region: &Region| {
                let names = eks::clusters(&visit.calls, region, Pages::First).await?.found;
                if let Some(first) = names.first() {
                    eks::describe(&visit.calls, region, first).await?;
                }
                Ok(names.len())
            })
            .await?;
        let (others, _) = ECS
            .first_page(visit, async |region: &Region| {
                Ok(ecs::clusters(&visit.calls, region, Pages::First).await?.found.len())
            })
            .await?;
        let clusters = counted(number, "cluster");
        Ok(format!("Amazon EKS lists {clusters} and Amazon ECS {others} on the first page of {region}."))
    })
}
