//! Cloud Functions, Cloud Run and the search for projects. Every function has environment variables, in the clear as
//! Google gives them. <https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions/list>,
//! <https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services/list>,
//! <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::google::{denied, door, explained, page, page_with, refused, switched_off};
use super::receiver::{Call, Receiver, Said, UPSTREAM};

/// The value of an environment variable of everything. It must come out nowhere.
pub const ENVIRONMENT: &str = "environment-canary";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    Functions,
    Run,
}

/// What an API says of a project instead of its list.
#[derive(Clone)]
pub enum Says {
    Denied,
    /// It is switched off in this project: `projects/1`.
    Off(&'static str),
    Perimeter,
    /// So many calls are answered by 429.
    Busy(u32),
    /// This answer, whatever is asked.
    Raw(Said),
}

#[derive(Default)]
struct World {
    projects: Vec<String>,
    entries: BTreeMap<(Api, String), Vec<Value>>,
    unreachable: BTreeMap<(Api, String), Vec<String>>,
    says: BTreeMap<(Api, String), Says>,
    /// Cloud Run answers for single locations only, as its reference says.
    each_location: bool,
    /// The search for projects is switched off.
    blind: bool,
}

pub struct Google {
    pub receiver: Receiver,
    world: Arc<Mutex<World>>,
}

impl Google {
    pub fn start() -> Self {
        let world: Arc<Mutex<World>> = Arc::default();
        let shared = Arc::clone(&world);
        let receiver =
            Receiver::start(move |call| answer(call, &mut shared.lock().unwrap_or_else(PoisonError::into_inner)));
        Self { receiver, world }
    }

    pub fn url(&self) -> String {
        self.receiver.url()
    }

    fn change(&self, change: impl FnOnce(&mut World)) -> &Self {
        change(&mut self.world.lock().unwrap());
        self
    }

    /// A project without anything, unless some is added.
    pub fn with_project(&self, project: &str) -> &Self {
        self.change(|world| world.projects.push(project.to_owned()))
    }

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

    fn entry(&self, api: Api, project: &str, entry: Value) -> &Self {
        self.change(|world| world.entries.entry((api, project.to_owned())).or_default().push(entry))
    }

    /// Takes away all entries of that name.
    pub fn drop(&self, project: &str, name: &str) -> &Self {
        let kept = |entry: &Value| !entry["name"].as_str().unwrap().ends_with(&format!("/{name}"));
        self.change(|world| {
            let of_project = world.entries.iter_mut().filter(|((_, other), _)| other == project);
            of_project.for_each(|(_, entries)| entries.retain(kept));
        })
    }

    pub fn unreachable(&self, api: Api, project: &str, locations: &[&str]) -> &Self {
        let locations = locations.iter().map(|location| (*location).to_owned()).collect();
        self.change(|world| drop(world.unreachable.insert((api, project.to_owned()), locations)))
    }

    pub fn says(&self, api: Api, project: &str, says: Says) -> &Self {
        self.change(|world| drop(world.says.insert((api, project.to_owned()), says)))
    }

    pub fn asks_each_location(&self) -> &Self {
        self.change(|world| world.each_location = true)
    }

    pub fn lists_no_projects(&self) -> &Self {
        self.change(|world| world.blind = true)
    }

    /// How often the lists of a project were asked for.
    pub fn asked(&self, project: &str) -> usize {
        let of = format!("/projects/{project}/");
        self.receiver.calls().iter().filter(|call| call.path().contains(&of)).count()
    }
}

fn changed(mut entry: Value, changes: &Value) -> Value {
    for (member, value) in changes.as_object().expect("an object") {
        entry[member] = value.clone();
    }
    entry
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

fn answer(call: &Call, world: &mut World) -> Said {
    if let Some(said) = door(call) {
        return said;
    }
    if call.path() == "/v3/projects:search" {
        return projects(call, world);
    }
    let parts: Vec<&str> = call.path().trim_start_matches('/').split('/').collect();
    match parts[..] {
        ["v2", "projects", project, "locations", "-", "functions"] => {
            list(call, world, (Api::Functions, project), "-", "functions")
        }
        ["v2", "projects", project, "locations", location, "services"] => {
            list(call, world, (Api::Run, project), location, "services")
        }
        ["v1", "projects", project, "locations"] if world.each_location => {
            let location = |id: &str| json!({"name": format!("projects/{project}/locations/{id}"), "locationId": id});
            page(call, "locations", &["europe-west3", "us-central1", "asia-east1"].map(location))
        }
        _ => refused(404, "NOT_FOUND", "NOT_FOUND"),
    }
}

fn projects(call: &Call, world: &World) -> Said {
    assert_eq!(call.query("query").as_deref(), Some("state:ACTIVE"));
    if world.blind {
        return switched_off("projects/1");
    }
    let project = |id: &String| json!({"name": "projects/1", "projectId": id, "state": "ACTIVE"});
    page(call, "projects", &world.projects.iter().map(project).collect::<Vec<_>>())
}

fn list(call: &Call, world: &mut World, (api, project): (Api, &str), location: &str, member: &str) -> Said {
    let at = (api, project.to_owned());
    match world.says.get_mut(&at) {
        None => {}
        Some(Says::Busy(0)) => drop(world.says.remove(&at)),
        Some(Says::Busy(left)) => {
            *left -= 1;
            let metadata = json!({"quota_limit": UPSTREAM, "consumer": "projects/1"});
            return explained(429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", &metadata).with("Retry-After", "0");
        }
        Some(Says::Denied) => {
            let permission = if api == Api::Functions { "cloudfunctions.functions.list" } else { "run.services.list" };
            return denied(permission);
        }
        Some(Says::Off(consumer)) => return switched_off(consumer),
        Some(Says::Perimeter) => return refused(403, "PERMISSION_DENIED", "SECURITY_POLICY_VIOLATED"),
        Some(Says::Raw(said)) => return said.clone(),
    }
    if location == "-" && api == Api::Run && world.each_location {
        return refused(400, "INVALID_ARGUMENT", "LOCATION_INVALID");
    }
    if !world.projects.iter().any(|known| known == project) {
        return denied("resourcemanager.projects.get");
    }
    let in_location = |entry: &&Value| {
        location == "-" || entry["name"].as_str().is_some_and(|name| name.contains(&format!("/locations/{location}/")))
    };
    let none = Vec::new();
    let entries: Vec<Value> = world.entries.get(&at).unwrap_or(&none).iter().filter(in_location).cloned().collect();
    let unreachable = world.unreachable.get(&at).cloned().unwrap_or_default();
    let further = if unreachable.is_empty() { json!({}) } else { json!({"unreachable": unreachable}) };
    page_with(call, member, &entries, &further)
}
