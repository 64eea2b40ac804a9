//! How a deployment stands, as stored and shown.

use serde::{Deserialize, Serialize};

use super::mark::{Made, ObjectRef};
use crate::integrations::scan::Scan;

/// What an apply, an observation or a removal brings home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The nodes as items.
    pub scan: Scan,
    pub state: State,
}

/// How a deployment stands. Stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// `v1.36.2`; blank where the cluster does not say.
    pub cluster_version: String,
    /// That the DaemonSet names; blank where there is none.
    pub image: String,
    /// Nodes that should have a pod, have one of the latest revision, and have a pod that is ready and available.
    pub desired: u32,
    pub updated: u32,
    pub ready: u32,
    pub available: u32,
    /// Nodes that have a pod and should not.
    pub misscheduled: u32,
    /// The cluster has seen the latest settings, and every node's pod is updated and available; there is at least one.
    pub finished: bool,
    /// Nothing of the deployment is left.
    pub removed: bool,
    /// Sentences: why pods are not ready, why the namespace stays.
    pub trouble: Vec<String>,
    /// What is not as deployed: `before` as it should be, `after` as it is.
    pub drift: Vec<Difference>,
    /// Every object that is there and ours, with its UID: to be given back as [`Mark::made`].
    ///
    /// [`Mark::made`]: super::Mark::made
    pub made: Vec<Made>,
}

/// A field with two values. Of a Secret, never a value of its data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Difference {
    pub object: ObjectRef,
    /// `.spec.template.spec.containers[name="agent"].image`; blank for the object as a whole.
    pub path: String,
    /// `None`: not there.
    pub before: Option<String>,
    pub after: Option<String>,
}
