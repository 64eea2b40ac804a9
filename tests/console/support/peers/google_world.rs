//! Google Cloud as a peer: projects, what each API lists of them, and what an API says instead. All APIs answer at one
//! address, each from a file of its own. <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::google::{denied, door, explained, page, page_with, refused, switched_off};
use super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::{google_container, google_functions, google_iam, google_secrets};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    Functions,
    Run,
    Accounts,
    /// Of all accounts of a project.
    Keys,
    Activities,
    Artifacts,
    Clusters,
    Secrets,
}

impl Api {
    fn permission(self) -> &'static str {
        match self {
            Self::Functions => "cloudfunctions.functions.list",
            Self::Run => "run.services.list",
            Self::Accounts => "iam.serviceAccounts.list",
            Self::Keys => "iam.serviceAccountKeys.list",
            Self::Activities => "policyanalyzer.serviceAccountKeyLastAuthenticationActivities.query",
            Self::Artifacts => "artifactregistry.repositories.list",
            Self::Clusters => "container.clusters.list",
            Self::Secrets => "secretmanager.secrets.list",
        }
    }
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
pub struct World {
    projects: Vec<String>,
    pub entries: BTreeMap<(Api, String), Vec<Value>>,
    unreachable: BTreeMap<(Api, String), Vec<String>>,
    says: BTreeMap<(Api, String), Says>,
    /// Cloud Run answers for single locations only, as its reference says.
    pub each_location: bool,
    /// The search for projects is switched off.
    blind: bool,
    /// No version of a secret may be read.
    pub keeps_values: bool,
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

    pub fn entry(&self, api: Api, project: &str, entry: Value) -> &Self {
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

    pub fn keeps_values(&self) -> &Self {
        self.change(|world| world.keeps_values = true)
    }

    /// How often the lists of a project were asked for.
    pub fn asked(&self, project: &str) -> usize {
        let of = format!("/projects/{project}/");
        self.receiver.calls().iter().filter(|call| call.path().contains(&of)).count()
    }
}

/// An entry with other members.
pub fn changed(mut entry: Value, changes: &Value) -> Value {
    for (member, value) in changes.as_object().expect("an object") {
        entry[member] = value.clone();
    }
    entry
}

fn answer(call: &Call, world: &mut World) -> Said {
    if let Some(said) = door(call) {
        return said;
    }
    if call.path() == "/v3/projects:search" {
        return projects(call, world);
    }
    let said = google_functions::answer(call, world).or_else(|| google_iam::answer(call, world));
    let said = said.or_else(|| google_container::answer(call, world)).or_else(|| google_secrets::answer(call, world));
    said.unwrap_or_else(|| refused(404, "NOT_FOUND", "NOT_FOUND"))
}

fn projects(call: &Call, world: &World) -> Said {
    assert_eq!(call.query("query").as_deref(), Some("state:ACTIVE"));
    if world.blind {
        return switched_off("projects/1");
    }
    let project = |id: &String| json!({"name": "projects/1", "projectId": id, "state": "ACTIVE"});
    page(call, "projects", &world.projects.iter().map(project).collect::<Vec<_>>())
}

impl World {
    /// What an API says of a project instead of its list, if it does.
    pub fn instead(&mut self, (api, project): (Api, &str)) -> Option<Said> {
        let at = (api, project.to_owned());
        match self.says.get_mut(&at) {
            None => {}
            Some(Says::Busy(0)) => drop(self.says.remove(&at)),
            Some(Says::Busy(left)) => {
                *left -= 1;
                let metadata = json!({"quota_limit": UPSTREAM, "consumer": "projects/1"});
                let said = explained(429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", &metadata);
                return Some(said.with("Retry-After", "0"));
            }
            Some(Says::Denied) => return Some(denied(api.permission())),
            Some(Says::Off(consumer)) => return Some(switched_off(consumer)),
            Some(Says::Perimeter) => return Some(refused(403, "PERMISSION_DENIED", "SECURITY_POLICY_VIOLATED")),
            Some(Says::Raw(said)) => return Some(said.clone()),
        }
        let known = self.projects.iter().any(|known| known == project);
        (!known).then(|| denied("resourcemanager.projects.get"))
    }

    /// The entries that an API has of a project.
    pub fn of(&self, (api, project): (Api, &str), here: impl Fn(&Value) -> bool) -> Vec<Value> {
        let entries = self.entries.get(&(api, project.to_owned())).into_iter().flatten();
        entries.filter(|entry| here(entry)).cloned().collect()
    }

    /// A page of them.
    pub fn list(&mut self, call: &Call, at: (Api, &str), member: &str, here: impl Fn(&Value) -> bool) -> Said {
        if let Some(said) = self.instead(at) {
            return said;
        }
        let unreachable = self.missing(at);
        let further = if unreachable.is_empty() { json!({}) } else { json!({"unreachable": unreachable}) };
        page_with(call, member, &self.of(at, here), &further)
    }

    /// Locations that the API cannot ask.
    pub fn missing(&self, (api, project): (Api, &str)) -> Vec<String> {
        self.unreachable.get(&(api, project.to_owned())).cloned().unwrap_or_default()
    }
}
