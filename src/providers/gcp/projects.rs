//! Google's Resource Manager: the projects that a service account sees.
//! <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search>

use serde::Deserialize;

use super::line::{Line, Listed, Page, or_default};
use super::{Api, Right};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Lenient, Pages};

pub static API: Api = Api { name: "Cloud Resource Manager API", host: "cloudresourcemanager.googleapis.com" };
/// Google lists what the service account may get, and refuses nothing.
pub static SEES: Right =
    Right { api: &API, permission: "resourcemanager.projects.get", role: "Browser (roles/browser)" };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Projects {
    #[serde(default, deserialize_with = "or_default")]
    projects: Vec<Lenient<Project>>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    project_id: String,
}

impl Page for Projects {
    type Entry = Project;

    fn parts(self) -> (Vec<Lenient<Project>>, Option<String>, Vec<String>) {
        (self.projects, self.next_page_token, Vec::new())
    }
}

/// The IDs of all active projects that the service account sees, each once and in order.
pub async fn search(line: &Line<'_>) -> Result<Listed<String>, ProviderError> {
    let path = "v3/projects:search?query=state:ACTIVE&pageSize=500";
    let Listed { entries, rest, .. } = line.list::<Projects>(&SEES, path, Pages::All).await?;
    let known = entries.len();
    let mut ids: Vec<String> =
        entries.into_iter().map(|project| project.project_id).filter(|id| is_project(id)).collect();
    let rest = rest.or((ids.len() < known).then_some(ProviderError::BadAnswer));
    ids.sort();
    ids.dedup();
    Ok(Listed { entries: ids, unreachable: Vec::new(), rest })
}

/// Whether a text can be the ID of a project. That of an organisation's domain has a colon: `example.com:shop`.
pub fn is_project(id: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
    (1..=128).contains(&id.len()) && id.chars().all(good) && !id.starts_with(['.', '-', ':'])
}
