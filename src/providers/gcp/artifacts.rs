//! Google's Artifact Registry: where in a project there are repositories of images. Their images are the business of
//! registry scans. <https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories/list>

use std::collections::BTreeMap;

use futures_util::StreamExt;
use serde::Deserialize;

use super::line::{Line, Listed, Page, is_location, or_default};
use super::{Api, Right};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{AT_ONCE, Lenient, Pages};

pub static API: Api = Api { name: "Artifact Registry API", host: "artifactregistry.googleapis.com" };
const READER: &str = "Artifact Registry Reader (roles/artifactregistry.reader)";
pub static LISTS_LOCATIONS: Right = Right { api: &API, permission: "artifactregistry.locations.list", role: READER };
pub static LISTS: Right = Right { api: &API, permission: "artifactregistry.repositories.list", role: READER };

/// A host that answers for repositories of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// `europe-west3-docker.pkg.dev`, `eu.gcr.io`
    pub name: String,
    pub location: String,
    /// How many repositories of images it has.
    pub repositories: usize,
}

/// The hosts of a project, as far as they could be found.
#[derive(Debug, Default)]
pub struct Hosts {
    pub found: Vec<Host>,
    /// Locations that could not be read, and why.
    pub failed: Vec<(String, ProviderError)>,
    /// Why locations are missing, if some are.
    pub rest: Option<ProviderError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Locations {
    #[serde(default, deserialize_with = "or_default")]
    locations: Vec<Lenient<Location>>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    location_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repositories {
    #[serde(default, deserialize_with = "or_default")]
    repositories: Vec<Lenient<Repository>>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Repository {
    /// `projects/p/locations/europe-west3/repositories/apps`
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    format: String,
}

impl Page for Locations {
    type Entry = Location;

    fn parts(self) -> (Vec<Lenient<Location>>, Option<String>, Vec<String>) {
        (self.locations, self.next_page_token, Vec::new())
    }
}

impl Page for Repositories {
    type Entry = Repository;

    fn parts(self) -> (Vec<Lenient<Repository>>, Option<String>, Vec<String>) {
        (self.repositories, self.next_page_token, Vec::new())
    }
}

/// The host of a repository: those of what was Container Registry are named by theirs.
fn host(repository: &str, location: &str) -> String {
    let name = repository.rsplit('/').next().unwrap_or_default();
    let is_host = ["gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io"].contains(&name);
    if is_host { name.to_owned() } else { format!("{location}-docker.pkg.dev") }
}

/// The hosts of a project that have repositories of images. The API knows no list of all locations, so that each is
/// asked; for [`Pages::First`] only until one has some.
pub async fn hosts(line: &Line<'_>, project: &str, pages: Pages) -> Result<Hosts, ProviderError> {
    let path = format!("v1/projects/{project}/locations?pageSize=200");
    let Listed { entries, rest, .. } = line.list::<Locations>(&LISTS_LOCATIONS, &path, Pages::All).await?;
    let mut hosts = Hosts { rest, ..Hosts::default() };
    let names = entries.into_iter().map(|location| location.location_id).filter(|name| is_location(name));
    let work = names.map(|location| async move {
        let found = of_location(line, project, &location).await;
        (location, found)
    });
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some((location, found)) = finished.next().await {
        match found {
            Ok((found, rest)) => {
                hosts.found.extend(found);
                hosts.failed.extend(rest.map(|cause| (location, cause)));
            }
            // What holds in one location holds in all.
            Err(cause @ (ProviderError::Stopped | ProviderError::Google(_))) => return Err(cause),
            Err(cause) => hosts.failed.push((location, cause)),
        }
        if pages == Pages::First && !hosts.found.is_empty() {
            break;
        }
    }
    hosts.found.sort_by(|a, b| (&a.location, &a.name).cmp(&(&b.location, &b.name)));
    Ok(hosts)
}

async fn of_location(
    line: &Line<'_>,
    project: &str,
    location: &str,
) -> Result<(Vec<Host>, Option<ProviderError>), ProviderError> {
    let path = format!("v1/projects/{project}/locations/{location}/repositories?pageSize=1000");
    let Listed { entries, rest, .. } = line.list::<Repositories>(&LISTS, &path, Pages::All).await?;
    let mut numbers = BTreeMap::new();
    for repository in entries.iter().filter(|repository| repository.format == "DOCKER") {
        *numbers.entry(host(&repository.name, location)).or_insert(0) += 1;
    }
    let of = |(name, repositories)| Host { name, location: location.to_owned(), repositories };
    Ok((numbers.into_iter().map(of).collect(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_at_the_host_of_its_location_or_at_the_one_it_is_named_by() {
        let of = |name: &str| host(&format!("projects/p/locations/europe/repositories/{name}"), "europe");
        assert_eq!((of("apps").as_str(), of("eu.gcr.io").as_str()), ("europe-docker.pkg.dev", "eu.gcr.io"));
    }
}
