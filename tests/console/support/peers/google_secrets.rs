//! Google's Secret Manager: the secrets of projects, and their versions.
//! <https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/list>,
//! <https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access>

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::google::{denied, refused};
use super::google_world::{Api, Google, World};
use super::receiver::{Call, Said};

impl Google {
    /// A secret with one version; without a value, its only version is disabled.
    pub fn secret(&self, project: &str, name: &str, value: Option<&[u8]>) -> &Self {
        // Google names the project by its number here.
        let whole = format!("projects/123456789012/secrets/{name}");
        let entry = json!({"name": whole, "createTime": "2026-03-01T12:00:00.123456Z", "replication": {"automatic": {}},
            "etag": "\"1\"", "data": value.map(|value| BASE64_STANDARD.encode(value))});
        self.entry(Api::Secrets, project, entry)
    }
}

/// `None` for a call that is not for this API.
pub fn answer(call: &Call, world: &mut World) -> Option<Said> {
    let parts: Vec<&str> = call.path().trim_start_matches('/').split('/').collect();
    Some(match parts[..] {
        ["v1", "projects", project, "secrets"] => {
            let said = world.list(call, (Api::Secrets, project), "secrets", |_| true);
            // The list has no values: the peer keeps them beside.
            without_data(said)
        }
        ["v1", "projects", project, "secrets", name, "versions", "latest:access"] => access(world, project, name),
        _ => return None,
    })
}

fn without_data(said: Said) -> Said {
    let Said::Answer { status, headers, body } = said else { return said };
    let mut value: serde_json::Value = serde_json::from_slice(&body).unwrap();
    if let Some(secrets) = value.get_mut("secrets").and_then(|secrets| secrets.as_array_mut()) {
        secrets.iter_mut().for_each(|secret| drop(secret.as_object_mut().unwrap().remove("data")));
    }
    Said::Answer { status, headers, body: value.to_string().into_bytes() }
}

fn access(world: &mut World, project: &str, name: &str) -> Said {
    let at = (Api::Secrets, project);
    if world.keeps_values {
        return denied("secretmanager.versions.access");
    }
    let whole = format!("projects/123456789012/secrets/{name}");
    match world.of(at, |entry| entry["name"] == whole.as_str()).first() {
        None => refused(404, "NOT_FOUND", "NOT_FOUND"),
        Some(entry) if entry["data"].is_null() => refused(400, "FAILED_PRECONDITION", "SECRET_DISABLED"),
        Some(entry) => Said::json(
            200,
            &json!({"name": format!("{whole}/versions/7"), "payload": {"data": entry["data"], "dataCrc32c": "1"}}),
        ),
    }
}
