//! The part *Clusters*: the clusters of Google Kubernetes Engine in all locations of a project.

use futures_util::future::BoxFuture;

use super::part::{self, Listed, Part, Tour, counted, seen};
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Scan};
use crate::providers::Failure;
use crate::providers::endpoints::Service;
use crate::providers::gcp::clusters::{self, Cluster};

pub(super) const CLUSTERS: Part = Part {
    field: "clusters",
    may: "may list the clusters",
    role: "strongroomClusters",
    rights: &[&clusters::LISTS],
    further: None,
    paths: &[GKE.path],
    read,
    check,
};

const GKE: Listed = Listed {
    step: Step { label: "Listing clusters", doing: "Listing the clusters" },
    api: &clusters::API,
    service: Service::GoogleClusters,
    path: part::CLUSTERS,
};

fn read<'a>(tour: &'a Tour<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
    Box::pin(async move {
        let line = &GKE.line(tour).await?;
        GKE.in_projects(tour, |project| async move {
            let listed = clusters::of(line, &project).await?;
            let mut gaps: Vec<Gap> = listed.unreachable.iter().map(|zone| missing(&project, zone)).collect();
            gaps.extend(listed.rest.map(|cause| GKE.gap(&project, cause)));
            let items = listed.entries.into_iter().map(|cluster| item(&project, cluster)).collect();
            Ok(Scan { items, gaps, ..Scan::default() })
        })
        .await
    })
}

/// A zone that Google could not ask. Clusters of its region may be missing too.
fn missing(project: &str, zone: &str) -> Gap {
    let region = zone.rsplit_once('-').map_or(zone, |(region, _)| region);
    let paths = [zone, region].map(|location| format!("{}/{location}", GKE.path)).to_vec();
    GKE.unreachable(project, zone).hiding(Hides::Below { place: project.to_owned(), paths })
}

fn item(project: &str, cluster: Cluster) -> Item {
    let path = format!("{}/{}/{}", GKE.path, cluster.location, cluster.name);
    let facts = Facts {
        sort: Sort::Cluster,
        service: "Google Kubernetes Engine".to_owned(),
        region: cluster.location,
        title: cluster.name,
        address: cluster.endpoint,
        version: cluster.version,
        state: cluster.state,
        access: cluster.access,
        made: cluster.made,
        ..Facts::default()
    };
    facts.item(project, path)
}

fn check<'a>(tour: &'a Tour<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let (line, project) = (GKE.line(tour).await?, tour.first());
        let text = clusters::of(&line, project).await;
        let text = text.map(|listed| counted(listed.entries.len(), "cluster", "clusters"));
        seen(project, text, "no clusters")
    })
}
