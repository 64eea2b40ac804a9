//! How we recognise our own objects in a cluster, and the user's answers to a preview.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Label of every object that Strongroom creates, with the value [`MANAGER`].
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Our name as field manager and in labels.
pub const MANAGER: &str = "strongroom";
/// Label with the deployment to which an object belongs: the ID of the integration.
pub const DEPLOYMENT: &str = "strongroom.dev/deployment";
/// Annotation with the versions of the secrets, so that pods restart when one changes.
pub const SECRET_VERSION: &str = "strongroom.dev/secret-version";

/// Label of a namespace: the Pod Security level that it enforces for its pods.
/// <https://kubernetes.io/docs/concepts/security/pod-security-admission/>
pub const ENFORCED: &str = "pod-security.kubernetes.io/enforce";

/// The deployment, and the objects that it is known to have created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// ID of the integration.
    pub id: Uuid,
    /// The objects recorded after the last apply; empty if that is not known.
    pub made: Vec<Made>,
    /// By `namespace/name` of a Secret, the version for which the workloads that use it were restarted.
    pub restarted: BTreeMap<String, String>,
}

impl Mark {
    /// The recorded object; `None` if it was not recorded, or if it is only known that it may have been created.
    pub fn recorded(&self, object: &ObjectRef) -> Option<&Made> {
        self.made.iter().find(|made| made.object() == *object && !made.uid.is_empty())
    }
}

/// An object with its UID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Made {
    pub kind: String,
    /// Blank for a cluster-scoped object.
    pub namespace: String,
    pub name: String,
    /// Blank: it may have been made, by an apply that did not end.
    pub uid: String,
}

/// An object by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectRef {
    pub kind: String,
    /// Blank for a cluster-scoped object.
    pub namespace: String,
    pub name: String,
}

impl ObjectRef {
    pub fn new(kind: &str, namespace: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl fmt::Display for ObjectRef {
    /// `DaemonSet agents/agent`, `ClusterRole agent`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        write!(f, "{} {}{slash}{}", self.kind, self.namespace, self.name)
    }
}

impl Made {
    pub fn object(&self) -> ObjectRef {
        ObjectRef::new(&self.kind, &self.namespace, &self.name)
    }
}

/// The user's answers to a preview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Fields to take over from other managers. A blank field takes over a whole object that lacks our mark.
    pub take_over: Vec<(ObjectRef, String)>,
    /// Objects to delete and create again, because an immutable field has to change.
    pub replace: Vec<ObjectRef>,
}

const TAKE: &str = "take";
const REPLACE: &str = "replace";

impl Options {
    /// One word per answer, as a run stores them.
    pub fn to_words(&self) -> Vec<String> {
        let at = |object: &ObjectRef| format!("{} {}/{}", object.kind, object.namespace, object.name);
        let taken = self.take_over.iter().map(|(object, field)| format!("{TAKE} {} {field}", at(object)));
        let replaced = self.replace.iter().map(|object| format!("{REPLACE} {}", at(object)));
        taken.chain(replaced).collect()
    }

    /// Parses the words of [`Options::to_words`]; `None` if one of them is unknown.
    pub fn from_words(words: &[String]) -> Option<Self> {
        let mut options = Self::default();
        for word in words {
            let mut parts = word.splitn(4, ' ');
            let (what, kind, path) = (parts.next()?, parts.next()?, parts.next()?);
            let (namespace, name) = path.split_once('/')?;
            let object = ObjectRef::new(kind, namespace, name);
            match (what, parts.next()) {
                (TAKE, Some(field)) => options.take_over.push((object, field.to_owned())),
                (REPLACE, None) => options.replace.push(object),
                _ => return None,
            }
        }
        Some(options)
    }

    pub fn takes(&self, object: &ObjectRef, field: &str) -> bool {
        self.take_over.iter().any(|(taken, path)| taken == object && (path == field || path.is_empty()))
    }

    pub fn takes_whole(&self, object: &ObjectRef) -> bool {
        self.takes(object, "")
    }

    pub fn replaces(&self, object: &ObjectRef) -> bool {
        self.replace.contains(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_travel_as_words() {
        let daemon_set = ObjectRef::new("DaemonSet", "agents", "agent");
        let options = Options {
            take_over: vec![
                (daemon_set.clone(), ".spec.template.spec.containers[name=\"a b\"].image".to_owned()),
                (ObjectRef::new("ClusterRole", "", "strongroom:agents:agent"), String::new()),
            ],
            replace: vec![daemon_set.clone()],
        };
        assert_eq!(Options::from_words(&options.to_words()), Some(options.clone()));
        assert!(options.takes(&daemon_set, ".spec.template.spec.containers[name=\"a b\"].image"));
        assert!(!options.takes(&daemon_set, ".spec") && !options.takes_whole(&daemon_set));
        assert_eq!(Options::from_words(&["take all".to_owned()]), None);
        assert_eq!(daemon_set.to_string(), "DaemonSet agents/agent");
    }
}
