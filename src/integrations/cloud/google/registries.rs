//! The part *Container registries*: the hosts of Artifact Registry that have repositories of a project, and how many.

use futures_util::future::BoxFuture;

use super::part::{self, Listed, Part, Tour, counted, seen};
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::cover;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Item, Scan};
use crate::providers::Failure;
use crate::providers::endpoints::Service;
use crate::providers::gcp::artifacts::{self, Host};
use crate::providers::oci_registry::Pages;

pub(super) const REGISTRIES: Part = Part {
    field: "registries",
    may: "may list the repositories",
    role: "strongroomRegistries",
    rights: &[&artifacts::LISTS_LOCATIONS, &artifacts::LISTS],
    further: None,
    paths: &[ARTIFACTS.path],
    read,
    check,
};

const ARTIFACTS: Listed = Listed {
    step: Step { label: "Listing registries", doing: "Listing the repositories" },
    api: &artifacts::API,
    service: Service::GoogleArtifacts,
    path: part::ARTIFACTS,
};

fn read<'a>(tour: &'a Tour<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
    Box::pin(async move {
        let line = &ARTIFACTS.line(tour).await?;
        ARTIFACTS
            .in_projects(tour, |project| async move {
                let hosts = artifacts::hosts(line, &project, Pages::All).await?;
                let failed = hosts.failed.into_iter();
                let mut gaps: Vec<Gap> =
                    failed.map(|(location, cause)| ARTIFACTS.gap_in(&project, &location, cause)).collect();
                gaps.extend(hosts.rest.map(|cause| ARTIFACTS.gap(&project, cause)));
                let items = hosts.found.into_iter().map(|host| item(&project, host)).collect();
                Ok(Scan { items, gaps, ..Scan::default() })
            })
            .await
    })
}

/// Projects share the hosts: one of them is what a scan can read for itself.
fn item(project: &str, host: Host) -> Item {
    let title = format!("{}/{project}", host.name);
    let form = [
        ("version", "google_artifacts"),
        ("registry", &host.name),
        ("repository", &format!("{project}/*")),
        ("name", &title),
    ];
    let facts = Facts {
        sort: Sort::Registry,
        service: "Google Artifact Registry".to_owned(),
        region: host.location.clone(),
        number: i64::try_from(host.repositories).ok(),
        scope: cover::registry(&host.name, project).unwrap_or_default(),
        add: form.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        address: host.name.clone(),
        title,
        ..Facts::default()
    };
    facts.item(project, format!("{}/{}/{}", ARTIFACTS.path, host.location, host.name))
}

fn check<'a>(tour: &'a Tour<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let (line, project) = (ARTIFACTS.line(tour).await?, tour.first());
        let hosts = artifacts::hosts(&line, project, Pages::First).await;
        let text = hosts.map(|hosts| match hosts.found.first() {
            None => "no repositories of images".to_owned(),
            Some(host) => format!("{} on {}", counted(host.repositories, "repository", "repositories"), host.name),
        });
        seen(project, text, "no repositories of images")
    })
}
