//! The namespace of a deployment. It is created if missing, left as it is if somebody else created it, and deleted only
//! if it is ours and empty.

use serde::Deserialize;
use serde_json::Value;

use super::faults::{Deed, Fault};
use super::mark::{DEPLOYMENT, ENFORCED, Mark};
use super::objects::Desired;
use super::pods::short;
use super::sight::{Sight, look};
use crate::integrations::progress::Step;
use crate::providers::kubernetes::kinds::{self, INHABITANTS, Kind};
use crate::providers::kubernetes::{ApiError, Cluster, Refusal};

/// The namespace as found in the cluster.
pub(super) enum Namespace {
    Missing,
    Ours(Value),
    /// Created by somebody else. `None` if the login may not read it, so it may also be missing.
    Foreign(Option<Value>),
    Terminating,
}

impl Namespace {
    pub fn exists(&self) -> bool {
        !matches!(self, Self::Missing)
    }

    /// The Pod Security level that it enforces, if it has the label.
    pub fn level(&self) -> Option<&str> {
        let (Self::Ours(live) | Self::Foreign(Some(live))) = self else { return None };
        live["metadata"]["labels"][ENFORCED].as_str()
    }

    /// Reads it from the cluster.
    pub async fn find(cluster: &Cluster, desired: &Desired, mark: &Mark, step: Step) -> Result<Self, Fault> {
        let object = desired.object();
        match look(cluster, &object, mark).await {
            Ok(sight) => Ok(match sight {
                Sight::Missing => Self::Missing,
                Sight::Ours(live) | Sight::Foreign(live) if is_terminating(&live) => Self::Terminating,
                Sight::Ours(live) => Self::Ours(live),
                Sight::Foreign(live) => Self::Foreign(Some(live)),
            }),
            // A login for one namespace works without the right to read the namespace.
            Err(error) if error.is_forbidden() => Ok(Self::Foreign(None)),
            Err(error) => Err(Fault::new(step, &object, Deed::Read, error)),
        }
    }

    /// Creates it if it is missing.
    pub async fn ensure(cluster: &Cluster, desired: &Desired, mark: &Mark) -> Result<Self, Fault> {
        let object = desired.object();
        let failed = |error| Fault::new(Step::APPLYING, &object, Deed::Apply, error);
        match Self::find(cluster, desired, mark, Step::APPLYING).await? {
            Self::Missing => match cluster.create(&kinds::NAMESPACE, "", &desired.body).await {
                Ok(live) => Ok(Self::Ours(live)),
                // Either the answer to our first attempt was lost, or another console was faster.
                Err(ApiError::Refused(Refusal::Exists)) => Self::find(cluster, desired, mark, Step::APPLYING).await,
                Err(error) => Err(failed(error)),
            },
            Self::Terminating => Err(failed(ApiError::Refused(Refusal::Terminating))),
            found => Ok(found),
        }
    }
}

fn is_terminating(live: &Value) -> bool {
    live["status"]["phase"].as_str() == Some("Terminating")
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    labels: std::collections::BTreeMap<String, String>,
}

/// A sentence that says why a namespace of ours cannot be deleted: it contains other objects, or may contain some.
pub(super) async fn inhabited(cluster: &Cluster, namespace: &str, mark: &Mark) -> Result<Option<String>, Fault> {
    for kind in std::iter::once(&kinds::POD).chain(&INHABITANTS) {
        let found = match cluster.list::<Named>(kind, namespace, "").await {
            Ok(found) => found.items,
            Err(error) if error.is_missing() => continue,
            Err(error) if error.is_forbidden() => return Ok(Some(unseen(kind, namespace))),
            Err(error) => {
                let at = format!("{} in {namespace}", kind.plural);
                return Err(Fault { step: Step::REMOVING, at, deed: Deed::List, error });
            }
        };
        if let Some(other) = found.iter().find(|one| one.is_of_others(kind, mark)) {
            let other = short(&other.metadata.name);
            return Ok(Some(format!(
                "The namespace {namespace} is kept, because it contains another object: {} {other}.",
                kind.kind
            )));
        }
    }
    Ok(None)
}

fn unseen(kind: &Kind, namespace: &str) -> String {
    format!(
        "The namespace {namespace} is kept: the login may not list {}, so Strongroom can't see whether it is empty. If \
         it is, run kubectl delete namespace {namespace}.",
        kind.plural
    )
}

impl Named {
    fn is_of_others(&self, kind: &Kind, mark: &Mark) -> bool {
        // Kubernetes creates these in every namespace.
        let by_itself = [("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")];
        // Our other objects are gone by now, so anything else with our label is a copy that somebody else made.
        let is_our_pod = *kind == kinds::POD && self.metadata.labels.get(DEPLOYMENT) == Some(&mark.id.to_string());
        !is_our_pod && !by_itself.contains(&(kind.kind, self.metadata.name.as_str()))
    }
}

/// Why a namespace is still being deleted, from the conditions that the namespace controller reports.
/// <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/#NamespaceStatus>
pub(super) fn stuck(live: &Value) -> Vec<String> {
    let conditions = live["status"]["conditions"].as_array();
    let held = conditions.into_iter().flatten().filter(|one| one["status"].as_str() == Some("True"));
    let mut said: Vec<String> = held
        .filter_map(|one| {
            let message = one["message"].as_str().unwrap_or_default();
            Some(match one["type"].as_str()? {
                "NamespaceContentRemaining" => format!("Still in the namespace: {}.", resources(message)?),
                "NamespaceFinalizersRemaining" => format!(
                    "Held by finalizers: {}. Whatever set them has to remove them; Strongroom never does.",
                    resources(message)?
                ),
                "NamespaceDeletionDiscoveryFailure" => {
                    "The cluster cannot list all kinds of objects: one of its API services does not answer.".to_owned()
                }
                "NamespaceDeletionContentFailure" => {
                    "The cluster could not delete what is in the namespace.".to_owned()
                }
                _ => return None,
            })
        })
        .collect();
    said.dedup();
    said.extend(finalizers(live));
    said
}

/// The finalizers of an object that is no namespace.
fn finalizers(live: &Value) -> Option<String> {
    let list = live["metadata"]["finalizers"].as_array()?;
    let fit = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || ".-/_".contains(c));
    let names: Vec<&str> = list.iter().filter_map(Value::as_str).filter(fit).take(10).collect();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        format!("Held by finalizers: {names}. Whatever set them has to remove them; Strongroom never does.")
    })
}

/// `Some resources are remaining: a.example has 1 resource instances` → `a.example has 1 resource instances`.
fn resources(message: &str) -> Option<String> {
    let (_, listed) = message.rsplit_once(": ")?;
    let fit = listed.chars().all(|c| c.is_ascii_alphanumeric() || " .,/-_".contains(c)) && !listed.is_empty();
    fit.then(|| listed.chars().take(300).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stuck_namespace_is_explained_by_its_conditions() {
        let condition =
            |kind: &str, status: &str, message: &str| json!({ "type": kind, "status": status, "message": message });
        let live = json!({ "status": { "conditions": [
            condition("NamespaceDeletionDiscoveryFailure", "False", "All resources successfully discovered"),
            condition(
                "NamespaceContentRemaining",
                "True",
                "Some resources are remaining: configmaps. has 1 resource instances",
            ),
            condition(
                "NamespaceFinalizersRemaining",
                "True",
                "Some content in the namespace has finalizers remaining: x.example/y in 1 resource instances",
            ),
        ] } });
        let said = stuck(&live);
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(said[0], "Still in the namespace: configmaps. has 1 resource instances.");
        assert!(said[1].starts_with("Held by finalizers: x.example/y in 1 resource instances."), "{said:?}");
        assert_eq!(stuck(&json!({})), Vec::<String>::new());
        let odd = condition("NamespaceContentRemaining", "True", "Some: <script>");
        assert_eq!(stuck(&json!({ "status": { "conditions": [odd] } })), Vec::<String>::new());
    }
}
