//! Which objects of a cluster are ours, and what was answered to a preview.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Label of every object that Strongroom makes, with the value [`MANAGER`].
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Our name as a field manager and in labels.
pub const MANAGER: &str = "strongroom";
/// Label that says which deployment an object belongs to: the ID of the integration.
pub const DEPLOYMENT: &str = "strongroom.dev/deployment";
/// Annotation with the versions of the secrets, so that pods restart when one changes.
pub const SECRET_VERSION: &str = "strongroom.dev/secret-version";

/// Label of a namespace: the least strict Pod Security level that its pods have to keep.
/// <https://kubernetes.io/docs/concepts/security/pod-security-admission/>
pub const ENFORCED: &str = "pod-security.kubernetes.io/enforce";

/// Whose deployment it is, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Of the integration.
    pub id: Uuid,
    /// As recorded after the last apply; empty where it is not known.
    pub made: Vec<Made>,
}

impl Mark {
    /// An object as it was recorded; `None` where nothing is known of it, or only that it may have been made.
    pub fn recorded(&self, object: &ObjectRef) -> Option<&Made> {
        self.made.iter().find(|made| made.object() == *object && !made.uid.is_empty())
    }
}

/// An object as the cluster knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Made {
    pub kind: String,
    /// Blank for an object of the whole cluster.
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
    /// Blank for an object of the whole cluster.
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

/// What was answered to a preview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Fields to take over from other managers. A blank field: the whole object, which exists without our mark.
    pub take_over: Vec<(ObjectRef, String)>,
    /// Objects to delete and create again, since a field of them cannot change.
    pub replace: Vec<ObjectRef>,
}

const TAKE: &str = "take";
const REPLACE: &str = "replace";

impl Options {
    /// One word an answer, as a run stores them.
    pub fn to_words(&self) -> Vec<String> {
        let at = |object: &ObjectRef| format!("{} {}/{}", object.kind, object.namespace, object.name);
        let taken = self.take_over.iter().map(|(object, field)| format!("{TAKE} {} {field}", at(object)));
        let replaced = self.replace.iter().map(|object| format!("{REPLACE} {}", at(object)));
        taken.chain(replaced).collect()
    }

    /// Reads [`Options::to_words`]; `None` when one of them is no such word.
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
