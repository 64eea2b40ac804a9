//! The state of a deployment, as it is stored and shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::mark::{Made, ObjectRef};
use crate::integrations::scan::Scan;

/// The result of an apply, a check or a removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The nodes as items.
    pub scan: Scan,
    pub state: State,
}

/// The state of a deployment. Stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// `v1.36.2`; blank if the cluster does not report it.
    pub cluster_version: String,
    /// The image in the DaemonSet; blank if there is no DaemonSet.
    pub image: String,
    /// Nodes that should have a pod; that have one of the latest revision; that have one that is ready and available.
    pub desired: u32,
    pub updated: u32,
    pub ready: u32,
    pub available: u32,
    /// Nodes that run a pod but should not.
    pub misscheduled: u32,
    /// The controller has seen the latest settings, and there is at least one pod, and all are updated and available.
    pub finished: bool,
    /// Everything that Strongroom may delete is gone.
    pub removed: bool,
    /// Sentences that say why pods are not ready or why the namespace is kept.
    pub trouble: Vec<String>,
    /// The drift: `before` as it was deployed, `after` as it is now.
    pub drift: Vec<Difference>,
    /// Our objects that exist, with their UIDs. The next run gets them as [`Mark::made`].
    ///
    /// [`Mark::made`]: super::Mark::made
    pub made: Vec<Made>,
    /// A sync's store has new values, to be applied.
    #[serde(skip)]
    pub renew: bool,
    /// Of a sync, see [`Mark::restarted`].
    ///
    /// [`Mark::restarted`]: super::Mark::restarted
    pub restarted: BTreeMap<String, String>,
}

/// A field with two values. The data of a Secret is masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Difference {
    pub object: ObjectRef,
    /// `.spec.template.spec.containers[name="agent"].image`; blank for the object as a whole.
    pub path: String,
    /// `None`: the field does not exist.
    pub before: Option<String>,
    pub after: Option<String>,
}
