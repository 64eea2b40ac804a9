//! Finds out by a dry run what applying an object would do. Changes nothing in the cluster.

use serde_json::{Value, json};

use super::additions::additions;
use super::compare::differences;
use super::faults::{Deed, Fault};
use super::mark::{Mark, ObjectRef};
use super::objects::Desired;
use super::paths;
use super::preview::{Change, ChangeKind, Conflict};
use super::sight::{Sight, is_leaving, look, other_manager};
use super::state::Difference;
use crate::integrations::progress::Step;
use crate::providers::kubernetes::kinds;
use crate::providers::kubernetes::{ApiError, Apply, Cluster, Owned, Refusal};

/// The cluster and deployment for which objects are judged.
pub(super) struct Place<'a> {
    pub cluster: &'a Cluster,
    pub mark: &'a Mark,
    /// Whether the namespace exists. If not, the API server refuses even a dry run.
    pub has_namespace: bool,
    pub step: Step,
}

/// A desired object, together with what the cluster has now.
pub(super) struct Judged {
    pub desired: Desired,
    pub sight: Sight,
    pub kind: ChangeKind,
    /// The object as it would be afterwards; `None` if the API server was not asked or cannot say.
    pub after: Option<Value>,
    /// Fields of ours that other managers have set.
    pub conflicts: Vec<Owned>,
    /// Fields that others added, with their values. An apply leaves them alone.
    pub additions: Vec<(Owned, Value)>,
    /// Immutable fields that would have to change.
    pub fixed: Vec<String>,
    /// Why the object cannot be applied.
    pub objection: Option<Fault>,
}

impl Judged {
    fn new(desired: Desired, sight: Sight, kind: ChangeKind) -> Self {
        Self {
            desired,
            sight,
            kind,
            after: None,
            conflicts: Vec::new(),
            additions: Vec::new(),
            fixed: Vec::new(),
            objection: None,
        }
    }

    pub fn object(&self) -> ObjectRef {
        self.desired.object()
    }

    /// Whether the object belongs to somebody else and is used unchanged.
    pub fn is_shared(&self) -> bool {
        self.desired.may_be_shared && matches!(self.sight, Sight::Foreign(_))
    }

    /// The differences between now and after the apply.
    fn lines(&self) -> Vec<Difference> {
        let after = self.after.as_ref().unwrap_or(&self.desired.body);
        match &self.kind {
            ChangeKind::Replace => self.fixed_lines(),
            // The dry run failed, so the result is unknown.
            _ if self.objection.is_some() && self.sight.live().is_some() => Vec::new(),
            _ if self.is_shared() => Vec::new(),
            _ => differences(&self.object(), self.sight.live(), Some(after)),
        }
    }

    /// The immutable fields only: the API server refuses the rest of the comparison.
    fn fixed_lines(&self) -> Vec<Difference> {
        let at = |value: Option<&Value>, field: &str| {
            let pointer = format!("/{}", field.trim_start_matches('.').replace('.', "/"));
            value.and_then(|value| value.pointer(&pointer)).map(paths::shown)
        };
        let line = |field: &String| Difference {
            object: self.object(),
            path: format!(".{}", field.trim_start_matches('.')),
            before: at(self.sight.live(), field),
            after: at(Some(&self.desired.body), field),
        };
        self.fixed.iter().map(line).collect()
    }

    /// The additions, as lines that would disappear.
    fn added_lines(&self) -> impl Iterator<Item = Difference> {
        self.additions.iter().map(|(owned, value)| {
            // Environment variables that others added may hold their secrets.
            let is_variable = owned.field.contains(".env");
            let value = if is_variable { "set".to_owned() } else { paths::shown(value) };
            Difference { object: self.object(), path: owned.field.clone(), before: Some(value), after: None }
        })
    }

    pub fn change(&self) -> Change {
        let conflict = |owned: &Owned| Conflict { manager: owned.manager.clone(), field: owned.field.clone() };
        let reason = match self.kind {
            ChangeKind::Foreign if self.fixed.is_empty() => {
                "It already exists, and this integration did not create it.".to_owned()
            }
            ChangeKind::Foreign => format!(
                "It already exists, and this integration did not create it. {} cannot be changed in place: taking \
                 the object over deletes it and creates it again.",
                self.fixed.join(", ")
            ),
            ChangeKind::Replace => {
                format!(
                    "{} cannot be changed in place: the object must be deleted and recreated.",
                    self.fixed.join(", ")
                )
            }
            _ if self.is_shared() => "It already exists. Strongroom uses it unchanged and never deletes it.".to_owned(),
            _ => self.objection.as_ref().map(Fault::sentence).unwrap_or_default(),
        };
        let added = self.additions.iter().map(|(owned, _)| owned);
        let conflicts = self.conflicts.iter().chain(added).map(conflict).collect();
        let lines = self.lines().into_iter().chain(self.added_lines()).collect();
        Change { object: self.object(), kind: self.kind, lines, conflicts, reason }
    }

    /// The drift: `before` as it was deployed, `after` as it is now.
    pub fn drift(&self) -> Vec<Difference> {
        let whole = |before: &str, after: Option<&str>| Difference {
            object: self.object(),
            path: String::new(),
            before: Some(before.to_owned()),
            after: after.map(str::to_owned),
        };
        match self.kind {
            ChangeKind::New => vec![whole("deployed", None)],
            ChangeKind::Foreign => vec![whole("deployed", Some("another object of this name"))],
            _ => {
                let swap = |line: Difference| Difference { before: line.after, after: line.before, ..line };
                self.lines().into_iter().chain(self.added_lines()).map(swap).collect()
            }
        }
    }
}

impl Place<'_> {
    /// Judges all objects, before anything is written.
    pub async fn judge_all(&self, objects: Vec<Desired>) -> Result<Vec<Judged>, Fault> {
        let mut all = Vec::new();
        for desired in objects {
            all.push(self.judge(desired).await?);
        }
        Ok(all)
    }

    pub(super) async fn judge(&self, desired: Desired) -> Result<Judged, Fault> {
        let object = desired.object();
        let failed = |deed, error| Fault::new(self.step, &object, deed, error);
        if desired.kind.is_namespaced && !self.has_namespace {
            return Ok(Judged::new(desired, Sight::Missing, ChangeKind::New));
        }
        let sight = match look(self.cluster, &object, self.mark).await {
            Ok(sight) => sight,
            Err(error @ ApiError::Refused(_)) => {
                let objection = Some(failed(Deed::Read, error));
                return Ok(Judged { objection, ..Judged::new(desired, Sight::Missing, ChangeKind::New) });
            }
            Err(error) => return Err(failed(Deed::Read, error)),
        };
        let kind = match &sight {
            Sight::Missing => ChangeKind::New,
            Sight::Foreign(_) => ChangeKind::Foreign,
            Sight::Ours(_) => ChangeKind::Same,
        };
        if desired.may_be_shared && matches!(sight, Sight::Foreign(_)) {
            return Ok(Judged::new(desired, sight, ChangeKind::Same));
        }
        if sight.live().is_some_and(is_leaving) {
            let error = ApiError::Refused(Refusal::Terminating);
            let objection = Some(Fault { at: format!("{object} is being deleted"), ..failed(Deed::Apply, error) });
            return Ok(Judged { objection, ..Judged::new(desired, sight, kind) });
        }
        let mut judged = Judged::new(desired, sight, kind);
        self.try_out(&mut judged).await?;
        Ok(judged)
    }

    /// Does the dry run. On a conflict, a second, forced one shows the object with the conflicting fields taken over.
    async fn try_out(&self, judged: &mut Judged) -> Result<(), Fault> {
        let mut answer = self.dry_run(&judged.desired, false).await;
        if let Err(ApiError::Refused(Refusal::Conflicts(owned))) = &answer {
            judged.conflicts = owned.clone();
            answer = self.dry_run(&judged.desired, true).await;
        }
        let is_binding = *judged.desired.kind == kinds::CLUSTER_ROLE_BINDING;
        match answer {
            Ok(after) => {
                let is_changed = !differences(&judged.object(), judged.sight.live(), Some(&after)).is_empty();
                if judged.kind == ChangeKind::Same && is_changed {
                    judged.kind = ChangeKind::Changed;
                }
                if *judged.desired.kind == kinds::DAEMON_SET && judged.kind != ChangeKind::New {
                    judged.additions = self.additions(judged, &after).await;
                }
                judged.after = Some(after);
            }
            Err(ApiError::Refused(Refusal::Immutable { fields })) => {
                judged.fixed = fields;
                if judged.kind != ChangeKind::Foreign {
                    judged.kind = ChangeKind::Replace;
                }
            }
            // The ClusterRole that it binds does not exist yet, so the API server cannot compare the rights.
            Err(error) if is_binding && judged.kind == ChangeKind::New && error.is_missing() => {}
            Err(error @ ApiError::Refused(_)) => {
                judged.objection = Some(Fault::new(self.step, &judged.object(), Deed::Apply, error));
            }
            Err(error) => return Err(Fault::new(self.step, &judged.object(), Deed::Apply, error)),
        }
        Ok(())
    }

    /// Dry-runs the object under another name, which shows how it would look without anyone else's fields.
    async fn additions(&self, judged: &Judged, after: &Value) -> Vec<(Owned, Value)> {
        let mut other = judged.desired.clone();
        other.body["metadata"]["name"] = json!(format!("{}-compared", judged.object().name));
        // A quota or policy may refuse even this dry run. Then only additions go unnoticed.
        let Ok(new) = self.dry_run(&other, false).await else { return Vec::new() };
        let manager = judged.sight.live().and_then(other_manager).unwrap_or_else(|| "another manager".to_owned());
        let owned = |path| Owned { manager: manager.clone(), field: format!(".spec{path}") };
        additions(&after["spec"], &new["spec"]).into_iter().map(|(path, value)| (owned(path), value)).collect()
    }

    async fn dry_run(&self, desired: &Desired, is_forced: bool) -> Result<Value, ApiError> {
        self.cluster.apply(desired.kind, &desired.body, Apply { is_forced, is_dry: true }).await
    }
}
