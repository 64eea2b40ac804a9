//! Restarts the workloads that use a Secret: an annotation of their pod template gets the version of the Secret's source.
//! What was restarted for which version is recorded, so that a run which was cut off restarts the rest.

use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::plan::Wanted;
use crate::integrations::deployments::faults::{Deed, Fault};
use crate::integrations::deployments::mark::{Mark, ObjectRef};
use crate::integrations::progress::Step;
use crate::providers::ProviderError;
use crate::providers::kubernetes::kinds::{Kind, WORKLOADS};
use crate::providers::kubernetes::{ApiError, Cluster};

const STEP: Step = Step::RESTARTING;

/// Begins the annotation of the pod template; the name of the Secret follows.
pub const ANNOTATION: &str = "secret-version.strongroom.dev/";

impl Step {
    pub const RESTARTING: Self = Self { label: "Restarting workloads", doing: "The restart" };
}

/// A workload, as far as it says which Secrets its pods use.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Workload {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    template: Template,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    metadata: Metadata,
    spec: Value,
}

/// The members of a pod's spec that name a Secret, in the member after it.
const NAMED: [(&str, &str); 5] = [
    ("secretKeyRef", "name"),
    ("secretRef", "name"),
    ("secret", "secretName"),
    ("secret", "name"),
    ("nodePublishSecretRef", "name"),
];

/// Whether a pod's spec names the Secret: in a variable, a volume or a pull secret, of any container.
fn names(spec: &Value, secret: &str) -> bool {
    match spec {
        Value::Array(list) => list.iter().any(|entry| names(entry, secret)),
        Value::Object(members) => {
            let here = NAMED.iter().any(|(member, name)| members.get(*member).is_some_and(|at| at[name] == secret));
            let pulls = members.get("imagePullSecrets").and_then(Value::as_array);
            let pulls = pulls.is_some_and(|list| list.iter().any(|entry| entry["name"] == secret));
            here || pulls || members.values().any(|member| names(member, secret))
        }
        _ => false,
    }
}

/// The workloads of the namespaces, read once each.
pub(super) struct Restarts<'a> {
    cluster: &'a Cluster,
    mark: &'a Mark,
    read: BTreeMap<String, Vec<(&'static Kind, Workload)>>,
}

/// A workload that has to be restarted.
pub(super) struct Due {
    pub kind: &'static Kind,
    pub object: ObjectRef,
    /// The version that its pods were started with, if it was recorded.
    pub before: Option<String>,
}

impl<'a> Restarts<'a> {
    pub fn new(cluster: &'a Cluster, mark: &'a Mark) -> Self {
        Self { cluster, mark, read: BTreeMap::new() }
    }

    /// How a Secret is recorded.
    pub fn key(wanted: &Wanted) -> String {
        let object = wanted.desired.object();
        format!("{}/{}", object.namespace, object.name)
    }

    fn annotation(wanted: &Wanted) -> String {
        format!("{ANNOTATION}{}", wanted.item.secret)
    }

    async fn load(&mut self, namespace: &str) -> Result<(), Fault> {
        if self.read.contains_key(namespace) {
            return Ok(());
        }
        let mut found = Vec::new();
        for kind in WORKLOADS {
            let failed = |error| {
                let at = format!("the {} in {namespace}", kind.plural);
                Fault { step: STEP, at, deed: Deed::List, error }
            };
            let listed = self.cluster.list::<Workload>(kind, namespace, "").await.map_err(failed)?;
            if listed.has_more {
                return Err(failed(ApiError::Call(ProviderError::TooLarge)));
            }
            found.extend(listed.items.into_iter().map(|one| (kind, one)));
        }
        self.read.insert(namespace.to_owned(), found);
        Ok(())
    }

    /// The workloads to restart for a Secret; none if they were restarted for this version.
    pub async fn due(&mut self, wanted: &Wanted) -> Result<Vec<Due>, Fault> {
        if self.mark.restarted.get(&Self::key(wanted)) == Some(&wanted.version) {
            return Ok(Vec::new());
        }
        let namespace = wanted.desired.object().namespace;
        self.load(&namespace).await?;
        let (annotation, all) = (Self::annotation(wanted), self.read.get(&namespace));
        let due = all.into_iter().flatten().filter_map(|(kind, one)| {
            let before = one.spec.template.metadata.annotations.get(&annotation).cloned();
            let is_due =
                names(&one.spec.template.spec, &wanted.item.secret) && before.as_ref() != Some(&wanted.version);
            let object = ObjectRef::new(kind.kind, &namespace, &one.metadata.name);
            is_due.then_some(Due { kind, object, before })
        });
        Ok(due.collect())
    }

    /// Restarts the workloads that use a Secret.
    pub async fn carry_out(&mut self, wanted: &Wanted) -> Result<(), Fault> {
        let annotations = json!({ Self::annotation(wanted): wanted.version });
        let patch = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
        for Due { kind, object, .. } in self.due(wanted).await? {
            match self.cluster.merge(kind, &object.namespace, &object.name, &patch).await {
                Ok(_) => {}
                // It was deleted a moment ago.
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(Fault::new(STEP, &object, Deed::Patch, error)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_using_a_secret_is_seen() {
        let container = |extra: Value| json!({ "containers": [extra] });
        let uses = [
            container(
                json!({ "env": [{ "name": "A", "valueFrom": { "secretKeyRef": { "name": "db", "key": "p" } } }] }),
            ),
            json!({ "initContainers": [{ "envFrom": [{ "secretRef": { "name": "db" } }] }] }),
            json!({ "volumes": [{ "name": "v", "secret": { "secretName": "db" } }] }),
            json!({ "volumes": [{ "name": "v", "projected": { "sources": [{ "secret": { "name": "db" } }] } }] }),
            json!({ "imagePullSecrets": [{ "name": "db" }] }),
        ];
        for spec in &uses {
            assert!(names(spec, "db") && !names(spec, "d"), "{spec}");
        }
        let others =
            json!({ "volumes": [{ "name": "db", "configMap": { "name": "db" } }], "serviceAccountName": "db" });
        assert!(!names(&others, "db"));
    }
}
