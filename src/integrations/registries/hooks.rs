//! What registries say when something in them changed. Each version that can call an address has a line in [`HOOKS`]:
//! where its vendor takes the address, and which repository a message is about. A message that is not understood is about
//! all of them. Pulls are no change: a scan pulls too.

use std::collections::BTreeSet;

use serde_json::Value;

use super::selection::Selection;
use crate::form::Values;
use crate::providers::oci_registry::is_repository;

/// How a version of a registry tells that something changed.
pub struct Hook {
    /// The slug of its spec.
    version: &'static str,
    /// Where its vendor takes the address, as a sentence.
    pub enter: &'static str,
    read: fn(&Value) -> Vec<Said>,
}

/// What a call says has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Nothing that is scanned.
    Nothing,
    All,
    /// Repositories that are scanned, each once.
    Repositories(Vec<String>),
}

/// What one event of a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Of(String),
    Unknown,
}

/// Every version that can tell.
static HOOKS: &[Hook] = &[
    Hook {
        version: "docker_v2",
        enter: "Enter it as the url of an endpoint under notifications in the registry's config.yml.",
        read: distribution,
    },
    Hook {
        version: "acr",
        enter: "Enter it in the Azure portal under Webhooks of the registry as Service URI, for the actions \
                push and delete.",
        read: acr,
    },
    Hook {
        version: "docker_hub",
        enter: "Enter it at Docker Hub under Webhooks of each repository.",
        read: |message| vec![of(text(message, "/repository/repo_name"))],
    },
    Hook {
        version: "harbor",
        enter: "Enter it in Harbor under Webhooks of each project, type http, for artifacts pushed and \
                artifacts deleted.",
        read: harbor,
    },
    Hook {
        version: "nexus",
        enter: "Enter it in Nexus under System > Capabilities as a Webhook: Repository, with the event type \
                component.",
        read: nexus,
    },
    Hook {
        version: "jfrog",
        enter: "Enter it in the JFrog Platform under Administration > Webhooks, for the Docker events \
                pushed, deleted and promoted.",
        read: jfrog,
    },
    Hook {
        version: "quay",
        enter: "Enter it at Quay in the settings of each repository as a notification: Push to Repository, \
                Webhook POST.",
        read: |message| vec![of(text(message, "/repository"))],
    },
    Hook {
        version: "gitlab",
        enter: "Enter it as a url of registry['notifications'] in gitlab.rb of your own server; GitLab.com \
                calls no address.",
        read: distribution,
    },
];

impl Hook {
    /// Of a version, by its slug; `None` for one that calls nobody.
    pub fn of(version: &str) -> Option<&'static Self> {
        HOOKS.iter().find(|hook| hook.version == version)
    }

    /// What a message says has changed of what these settings select.
    pub fn changed(&self, settings: &Values, message: &[u8]) -> Changed {
        let Ok(message) = serde_json::from_slice::<Value>(message) else { return Changed::All };
        let names = Selection::of(settings).names;
        let mut repositories = BTreeSet::new();
        for said in (self.read)(&message) {
            match said {
                Said::Nothing => {}
                Said::Of(name) if !is_repository(&name) => return Changed::All,
                Said::Of(name) if names.take(&name) => drop(repositories.insert(name)),
                Said::Of(_) => {}
                Said::Unknown => return Changed::All,
            }
        }
        if repositories.is_empty() {
            return Changed::Nothing;
        }
        Changed::Repositories(repositories.into_iter().collect())
    }
}

fn text<'a>(message: &'a Value, pointer: &str) -> Option<&'a str> {
    message.pointer(pointer).and_then(Value::as_str)
}

fn of(repository: Option<&str>) -> Said {
    repository.map_or(Said::Unknown, |name| Said::Of(name.to_owned()))
}

/// The envelope of distribution, which GitLab's registry took over: several events, also of each blob.
/// <https://distribution.github.io/distribution/about/notifications/>
fn distribution(message: &Value) -> Vec<Said> {
    let Some(events) = message.get("events").and_then(Value::as_array) else { return vec![Said::Unknown] };
    let said = |event: &Value| match text(event, "/action") {
        Some("pull") => Said::Nothing,
        _ => of(text(event, "/target/repository")),
    };
    events.iter().map(said).collect()
}

/// <https://learn.microsoft.com/en-us/azure/container-registry/container-registry-webhook-reference>
fn acr(message: &Value) -> Vec<Said> {
    vec![match text(message, "/action") {
        Some("ping") => Said::Nothing,
        _ => of(text(message, "/target/repository")),
    }]
}

/// Both formats of the payload, `Default` and `CloudEvents`.
/// <https://goharbor.io/docs/latest/working-with-projects/project-configuration/configure-webhooks/>
fn harbor(message: &Value) -> Vec<Said> {
    const NO_CHANGE: [&str; 6] =
        ["PULL_", "SCANNING_", "QUOTA_", "harbor.artifact.pulled", "harbor.scan.", "harbor.quota."];
    let kind = text(message, "/type").unwrap_or_default();
    if NO_CHANGE.iter().any(|start| kind.starts_with(start)) {
        return vec![Said::Nothing];
    }
    let name = |data| text(message, &format!("/{data}/repository/repo_full_name"));
    vec![of(name("event_data").or_else(|| name("data")))]
}

/// Of components; of assets those that are manifests. <https://help.sonatype.com/en/example-headers-and-payloads.html>
fn nexus(message: &Value) -> Vec<Said> {
    let Some(repository) = text(message, "/repositoryName") else { return vec![Said::Unknown] };
    let formats = [text(message, "/component/format"), text(message, "/asset/format")];
    if formats.iter().flatten().any(|format| *format != "docker") {
        return vec![Said::Nothing];
    }
    let image = match (text(message, "/component/name"), text(message, "/asset/name")) {
        (Some(image), _) => Some(image),
        (None, Some(asset)) => match asset.trim_start_matches('/').strip_prefix("v2/") {
            Some(path) if path.contains("/manifests/") => path.split("/manifests/").next(),
            _ => return vec![Said::Nothing],
        },
        (None, None) => None,
    };
    vec![of(image.map(|image| format!("{repository}/{image}")).as_deref())]
}

/// Of the domain `docker`. The cache of a remote repository has another key than the repository.
/// <https://jfrog.com/help/r/jfrog-platform-administration-documentation/domain-docker>
fn jfrog(message: &Value) -> Vec<Said> {
    let data = message.get("data").unwrap_or(message);
    vec![match (text(data, "/repo_key"), text(data, "/image_name")) {
        (Some(key), Some(image)) if !key.ends_with("-cache") => Said::Of(format!("{key}/{image}")),
        _ => Said::Unknown,
    }]
}

#[cfg(test)]
mod tests;
