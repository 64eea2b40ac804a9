//! Cloud Run, API v2: the services of a project. A service that was built from source has a base image, whose name ends
//! with the runtime. <https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services/list>

use futures_util::StreamExt;
use serde::Deserialize;

use super::line::{Line, Page, is_location, or_default};
use super::workload::{Found, Kind, Workload, Written, moment, plain, word};
use super::{Api, Right};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{AT_ONCE, Lenient, Pages};

pub static API: Api = Api { name: "Cloud Run Admin API", host: "run.googleapis.com" };
pub static LISTS: Right =
    Right { api: &API, permission: "run.services.list", role: "Cloud Run Viewer (roles/run.viewer)" };
pub static LISTS_LOCATIONS: Right =
    Right { api: &API, permission: "run.locations.list", role: "Cloud Run Viewer (roles/run.viewer)" };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Services {
    #[serde(default, deserialize_with = "or_default")]
    services: Vec<Lenient<Service>>,
    next_page_token: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    unreachable: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    update_time: String,
    #[serde(default, deserialize_with = "or_default")]
    latest_ready_revision: String,
    #[serde(default, deserialize_with = "or_default")]
    latest_created_revision: String,
    #[serde(default, deserialize_with = "or_default")]
    terminal_condition: Condition,
    #[serde(default, deserialize_with = "or_default")]
    build_config: Build,
    #[serde(default, deserialize_with = "or_default")]
    template: Template,
    #[serde(default, deserialize_with = "or_default")]
    labels: Labels,
}

#[derive(Default, Deserialize)]
struct Labels {
    #[serde(rename = "goog-managed-by", default)]
    managed_by: Option<String>,
}

#[derive(Default, Deserialize)]
struct Condition {
    #[serde(default, deserialize_with = "or_default")]
    state: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    /// `google-22-full/nodejs22`, or the same behind a registry: `…/runtimes/nodejs22`.
    #[serde(default, deserialize_with = "or_default")]
    base_image: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    #[serde(default, deserialize_with = "or_default")]
    service_account: String,
}

impl Page for Services {
    type Entry = Service;

    fn parts(self) -> (Vec<Lenient<Service>>, Option<String>, Vec<String>) {
        (self.services, self.next_page_token, self.unreachable)
    }
}

impl Written for Service {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(self, location: String, name: String) -> Option<Workload> {
        let ready = self.latest_ready_revision;
        let revision = if ready.is_empty() { self.latest_created_revision } else { ready };
        let revision = plain(revision, 512)?.rsplit('/').next().unwrap_or_default().to_owned();
        let state = match self.terminal_condition.state.as_str() {
            "CONDITION_SUCCEEDED" => "Active".to_owned(),
            "CONDITION_PENDING" | "CONDITION_RECONCILING" => "Deploying".to_owned(),
            other => word(other.strip_prefix("CONDITION_").unwrap_or(other))?,
        };
        Some(Workload {
            kind: Kind::Service,
            location,
            runtime: runtime(&plain(self.build_config.base_image, 512)?),
            revision,
            state,
            modified: moment(&self.update_time),
            account: plain(self.template.service_account, 320)?,
            service: Some(name.clone()),
            name,
            is_managed: self.labels.managed_by.as_deref() == Some("cloudfunctions"),
        })
    }
}

/// The runtime that a base image of Google's is for.
fn runtime(image: &str) -> Option<String> {
    let name = image.rsplit('/').next()?.split([':', '@']).next()?;
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_runtime =
        letters.len() < name.len() && !letters.is_empty() && letters.bytes().all(|b| b.is_ascii_lowercase());
    is_runtime.then(|| name.to_owned())
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

impl Page for Locations {
    type Entry = Location;

    fn parts(self) -> (Vec<Lenient<Location>>, Option<String>, Vec<String>) {
        (self.locations, self.next_page_token, Vec::new())
    }
}

/// The services of a project. The API answers for all locations at once, which its reference does not promise: where it
/// refuses to, each location is asked.
pub async fn of(line: &Line<'_>, project: &str, pages: Pages) -> Result<Found, ProviderError> {
    match of_location(line, project, "-", pages).await {
        Err(ProviderError::UnexpectedStatus { status: 400 }) => of_each_location(line, project, pages).await,
        found => found,
    }
}

async fn of_location(line: &Line<'_>, project: &str, location: &str, pages: Pages) -> Result<Found, ProviderError> {
    let path = format!("v2/projects/{project}/locations/{location}/services?pageSize=100");
    Ok(Found::of(line.list::<Services>(&LISTS, &path, pages).await?, "services"))
}

async fn of_each_location(line: &Line<'_>, project: &str, pages: Pages) -> Result<Found, ProviderError> {
    let path = format!("v1/projects/{project}/locations?pageSize=100");
    let listed = line.list::<Locations>(&LISTS_LOCATIONS, &path, Pages::All).await?;
    let mut found = Found { rest: listed.rest, ..Found::default() };
    let names = listed.entries.into_iter().map(|location| location.location_id).filter(|name| is_location(name));
    let work = names.map(|location| async move {
        let services = of_location(line, project, &location, pages).await;
        (location, services)
    });
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some((location, services)) = finished.next().await {
        match services {
            Ok(services) => found.add(services),
            Err(ProviderError::Stopped) => return Err(ProviderError::Stopped),
            Err(cause) => found.failed.push((location, cause)),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(service: serde_json::Value) -> Option<Workload> {
        serde_json::from_value::<Service>(service).unwrap().read("us-central1".to_owned(), "web".to_owned())
    }

    #[test]
    fn a_service_of_cloud_run_is_read_without_its_environment() {
        let service = read(json!({"name": "projects/p/locations/us-central1/services/web", "generation": "7",
            "latestReadyRevision": "projects/p/locations/us-central1/services/web/revisions/web-00007-x",
            "terminalCondition": {"type": "Ready", "state": "CONDITION_SUCCEEDED"}, "buildConfig": null,
            "template": {"serviceAccount": "run@p.iam.gserviceaccount.com", "containers": [{"image": "i",
                "env": [{"name": "TOKEN", "value": "environment-canary"}]}]}}))
        .unwrap();
        assert_eq!((service.revision.as_str(), service.state.as_str()), ("web-00007-x", "Active"));
        assert_eq!((service.runtime.clone(), service.account.as_str()), (None, "run@p.iam.gserviceaccount.com"));
        assert!(!format!("{service:?}").contains("environment-canary"));
        assert!(read(json!({"name": "x", "terminalCondition": {"state": "<b>"}})).is_none());
    }

    #[test]
    fn a_base_image_names_the_runtime_that_it_is_for() {
        assert_eq!(runtime("google-22-full/nodejs22").as_deref(), Some("nodejs22"));
        let whole = "us-central1-docker.pkg.dev/serverless-runtimes/google-22-full/runtimes/python312:latest";
        assert_eq!(runtime(whole).as_deref(), Some("python312"));
        assert_eq!(runtime("google-24/osonly24@sha256:abc").as_deref(), Some("osonly24"));
        for other in ["", "gcr.io/shop/base", "22", "scratch:1"] {
            assert_eq!(runtime(other), None, "{other}");
        }
    }
}
