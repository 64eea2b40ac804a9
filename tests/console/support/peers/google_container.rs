//! Google Kubernetes Engine and Artifact Registry as they list what a project has.
//! <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters/list>,
//! <https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories/list>

use serde_json::{Value, json};

use super::google::{page, refused};
use super::google_world::{Api, Google, World, changed};
use super::receiver::{Call, Said};

impl Google {
    pub fn cluster(&self, project: &str, location: &str, name: &str, changes: &Value) -> &Self {
        let cluster = json!({"name": name, "location": location, "zone": location, "status": "RUNNING",
            "endpoint": "203.0.113.7", "currentMasterVersion": "1.33.2-gke.1", "currentNodeCount": 3,
            "createTime": "2026-01-01T10:00:00+00:00", "masterAuth": {"clusterCaCertificate": "LS0="},
            "selfLink": format!("https://container.googleapis.com/v1/projects/{project}/locations/{location}/clusters/{name}")});
        self.entry(Api::Clusters, project, changed(cluster, changes))
    }

    pub fn repository(&self, project: &str, location: &str, name: &str, format: &str) -> &Self {
        let name = format!("projects/{project}/locations/{location}/repositories/{name}");
        let repository = json!({"name": name, "format": format, "mode": "STANDARD_REPOSITORY", "sizeBytes": "12345"});
        self.entry(Api::Artifacts, project, repository)
    }
}

/// `None` for a call that is not for these APIs.
pub fn answer(call: &Call, world: &mut World) -> Option<Said> {
    let parts: Vec<&str> = call.path().trim_start_matches('/').split('/').collect();
    Some(match parts[..] {
        ["v1", "projects", project, "locations", "-", "clusters"] => clusters(world, project),
        ["v1", "projects", project, "locations", location, "clusters", name] => {
            let at = (Api::Clusters, project);
            let here = |cluster: &Value| cluster["location"] == location && cluster["name"] == name;
            let missing = || refused(404, "NOT_FOUND", "NOT_FOUND");
            match world.instead(at) {
                Some(said) => said,
                None => world.of(at, here).first().map_or_else(missing, |cluster| Said::json(200, cluster)),
            }
        }
        ["v1", "projects", project, "locations"] => {
            if let Some(said) = world.instead((Api::Artifacts, project)) {
                return Some(said);
            }
            let location = |id: &str| json!({"name": format!("projects/{project}/locations/{id}"), "locationId": id});
            page(call, "locations", &["europe-west3", "us", "asia-east1"].map(location))
        }
        ["v1", "projects", project, "locations", location, "repositories"] => {
            let of = format!("/locations/{location}/");
            let here = |repository: &Value| repository["name"].as_str().unwrap().contains(&of);
            world.list(call, (Api::Artifacts, project), "repositories", here)
        }
        _ => return None,
    })
}

/// All at once: this list has no pages.
fn clusters(world: &mut World, project: &str) -> Said {
    let at = (Api::Clusters, project);
    if let Some(said) = world.instead(at) {
        return said;
    }
    let (clusters, missing) = (world.of(at, |_| true), world.missing(at));
    let mut body = json!({});
    for (name, list) in [("clusters", json!(clusters)), ("missingZones", json!(missing))] {
        if !list.as_array().unwrap().is_empty() {
            body[name] = list;
        }
    }
    Said::json(200, &body)
}
