//! Cloud Functions and Cloud Run. Everything has environment variables, in the clear as Google gives them.
//! <https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions/list>,
//! <https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services/list>

use serde_json::{Value, json};

use super::google::{page, refused};
use super::google_world::{Api, Google, World, changed};
use super::receiver::{Call, Said};

/// The value of an environment variable of everything. It must come out nowhere.
pub const ENVIRONMENT: &str = "environment-canary";

impl Google {
    /// A function of the second generation and the service that runs it, with what differs from [`function`].
    pub fn function(&self, project: &str, location: &str, name: &str, changes: &Value) -> &Self {
        let function = changed(function(project, location, name), changes);
        let labels = json!({"labels": {"goog-managed-by": "cloudfunctions"}});
        self.entry(Api::Functions, project, function);
        self.entry(Api::Run, project, changed(service(project, location, name), &labels))
    }

    pub fn first_generation(&self, project: &str, location: &str, name: &str, changes: &Value) -> &Self {
        let mut function = changed(function(project, location, name), changes);
        function["environment"] = json!("GEN_1");
        function["serviceConfig"].as_object_mut().unwrap().remove("service");
        self.entry(Api::Functions, project, function)
    }

    pub fn service(&self, project: &str, location: &str, name: &str, changes: &Value) -> &Self {
        self.entry(Api::Run, project, changed(service(project, location, name), changes))
    }
}

/// As the API describes one of the second generation.
fn function(project: &str, location: &str, name: &str) -> Value {
    let place = format!("projects/{project}/locations/{location}");
    json!({
        "name": format!("{place}/functions/{name}"),
        "environment": "GEN_2",
        "state": "ACTIVE",
        "updateTime": "2026-03-01T12:00:00.123456789Z",
        "createTime": "2026-01-01T12:00:00Z",
        "labels": {"deployment-tool": "cli-gcloud"},
        "url": format!("https://{location}-{project}.cloudfunctions.net/{name}"),
        "buildConfig": {"runtime": "nodejs24", "entryPoint": "handler", "dockerRegistry": "ARTIFACT_REGISTRY",
            "environmentVariables": {"GOOGLE_FUNCTION_SOURCE": ENVIRONMENT}},
        "serviceConfig": {"service": format!("{place}/services/{name}"), "revision": format!("{name}-00001-abc"),
            "serviceAccountEmail": format!("{name}@{project}.iam.gserviceaccount.com"), "availableMemory": "256M",
            "timeoutSeconds": 60, "environmentVariables": {"TOKEN": ENVIRONMENT},
            "secretEnvironmentVariables": [{"key": "KEY", "projectId": "1", "secret": "s", "version": "latest"}]},
    })
}

/// As the API describes a service.
fn service(project: &str, location: &str, name: &str) -> Value {
    let whole = format!("projects/{project}/locations/{location}/services/{name}");
    json!({
        "name": whole,
        "uid": "5b2f8d4c-0000-0000-0000-000000000000",
        "generation": "1",
        "updateTime": "2026-04-01T12:00:00.123456Z",
        "launchStage": "GA",
        "template": {"serviceAccount": format!("run@{project}.iam.gserviceaccount.com"), "timeout": "300s",
            "containers": [{"image": "europe-docker.pkg.dev/p/r/i@sha256:1",
                "env": [{"name": "TOKEN", "value": ENVIRONMENT}]}]},
        "terminalCondition": {"type": "Ready", "state": "CONDITION_SUCCEEDED"},
        "latestReadyRevision": format!("{whole}/revisions/{name}-00001-abc"),
        "uri": format!("https://{name}-x.a.run.app"),
    })
}

/// `None` for a call that is not for these APIs.
pub fn answer(call: &Call, world: &mut World) -> Option<Said> {
    let parts: Vec<&str> = call.path().trim_start_matches('/').split('/').collect();
    Some(match parts[..] {
        ["v2", "projects", project, "locations", "-", "functions"] => {
            world.list(call, (Api::Functions, project), "functions", |_| true)
        }
        ["v2", "projects", _, "locations", "-", "services"] if world.each_location => {
            refused(400, "INVALID_ARGUMENT", "LOCATION_INVALID")
        }
        ["v2", "projects", project, "locations", location, "services"] => {
            let of = format!("/locations/{location}/");
            let here = |service: &Value| location == "-" || service["name"].as_str().unwrap().contains(&of);
            world.list(call, (Api::Run, project), "services", here)
        }
        ["v1", "projects", project, "locations"] if world.each_location => {
            let location = |id: &str| json!({"name": format!("projects/{project}/locations/{id}"), "locationId": id});
            page(call, "locations", &["europe-west3", "us-central1", "asia-east1"].map(location))
        }
        _ => return None,
    })
}
