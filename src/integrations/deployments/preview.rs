//! The data of a preview, from which the user decides.

use super::mark::{ObjectRef, Options};
use super::state::Difference;

/// What exists, what would change, and what prevents the deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// `v1.36.2`; blank if the cluster does not report it.
    pub cluster_version: String,
    pub access: Vec<Access>,
    /// Sentences that say why it cannot be deployed; empty if it can.
    pub objections: Vec<String>,
    pub warnings: Vec<String>,
    /// How many nodes would get a pod; `None` if the login may not list nodes.
    pub nodes: Option<u32>,
    /// One per desired object, in the order of the apply; then the objects that would be deleted.
    pub changes: Vec<Change>,
}

/// What the login may do with a kind of object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `daemonsets`
    pub resource: String,
    /// In the order of [`Access::VERBS`]. `None`: the verb is not needed.
    pub verbs: [Option<bool>; 5],
}

impl Access {
    pub const VERBS: [&'static str; 5] = ["create", "patch", "get", "delete", "list"];
}

/// What would happen to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub object: ObjectRef,
    pub kind: ChangeKind,
    /// `before` as it is, `after` as it would be.
    pub lines: Vec<Difference>,
    /// Fields that somebody else manages. They stay as they are unless they are taken over.
    pub conflicts: Vec<Conflict>,
    /// A sentence; may be blank.
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    New,
    Changed,
    Same,
    /// An immutable field has to change, so the object must be deleted and recreated: see [`Options::replace`].
    Replace,
    /// It exists without our mark: [`Options::take_over`] with a blank field makes it ours.
    Foreign,
    /// An earlier apply created it, and the settings no longer need it.
    Removed,
}

impl ChangeKind {
    pub fn label(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Changed => "Changed",
            Self::Same => "Unchanged",
            Self::Replace => "Replaced",
            Self::Foreign => "Not ours",
            Self::Removed => "Removed",
        }
    }
}

/// A field of ours that another manager has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// `kubectl-edit`
    pub manager: String,
    /// `.spec.template.spec.containers[name="agent"].image`
    pub field: String,
}

impl Preview {
    pub fn can_deploy(&self) -> bool {
        self.objections.is_empty()
    }

    /// Whether an apply would change nothing.
    pub fn is_same(&self) -> bool {
        let same = |change: &Change| change.kind == ChangeKind::Same && change.conflicts.is_empty();
        self.changes.iter().all(same)
    }

    /// The answers that agree to every question of the preview.
    pub fn take_all(&self) -> Options {
        let mut options = Options::default();
        for change in &self.changes {
            let object = || change.object.clone();
            match change.kind {
                ChangeKind::Foreign => options.take_over.push((object(), String::new())),
                ChangeKind::Replace => options.replace.push(object()),
                _ => {}
            }
            options.take_over.extend(change.conflicts.iter().map(|conflict| (object(), conflict.field.clone())));
        }
        options
    }
}
