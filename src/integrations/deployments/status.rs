//! The progress of a rollout, as the DaemonSet controller counts it. A missing number is 0.
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/#DaemonSetStatus>

use serde::Deserialize;
use serde_json::Value;

use super::state::State;

/// The fields of a DaemonSet that show its state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct DaemonSet {
    metadata: Metadata,
    status: Status,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Metadata {
    generation: u64,
    annotations: Option<Annotations>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "deprecated.daemonset.template.generation")]
    template: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    observed_generation: u64,
    desired_number_scheduled: u32,
    current_number_scheduled: u32,
    updated_number_scheduled: u32,
    number_ready: u32,
    number_available: u32,
    number_misscheduled: u32,
}

impl DaemonSet {
    pub fn of(live: &Value) -> Self {
        Self::deserialize(live).unwrap_or_default()
    }

    /// Whether the controller has seen the latest settings, so that its numbers are current.
    pub fn is_observed(&self) -> bool {
        self.status.observed_generation >= self.metadata.generation
    }

    pub fn desired(&self) -> u32 {
        self.status.desired_number_scheduled
    }

    /// Nodes that should have a pod but for which none was created.
    pub fn uncreated(&self) -> u32 {
        self.desired().saturating_sub(self.status.current_number_scheduled)
    }

    /// The numbers of updated and of available pods, which grow during a rollout.
    pub fn progress(&self) -> (u32, u32) {
        (self.status.updated_number_scheduled, self.status.number_available)
    }

    pub fn is_finished(&self) -> bool {
        let desired = self.desired();
        self.is_observed() && desired > 0 && self.progress() == (desired, desired)
    }

    /// The generation of the pod template, which its pods carry as a label. `None` if the cluster counts every pod as
    /// updated: after an undo, pods with the earlier template's hash are current, although their generation is older.
    pub fn template(&self) -> Option<&str> {
        let all = self.is_observed() && self.status.updated_number_scheduled >= self.desired();
        self.metadata.annotations.as_ref()?.template.as_deref().filter(|_| !all)
    }

    /// Copies the numbers into a state.
    pub fn count(&self, state: &mut State) {
        let status = &self.status;
        (state.desired, state.updated) = (status.desired_number_scheduled, status.updated_number_scheduled);
        (state.ready, state.available) = (status.number_ready, status.number_available);
        (state.misscheduled, state.finished) = (status.number_misscheduled, self.is_finished());
    }
}

/// The image of a container in a DaemonSet; blank if it has no such container.
pub(super) fn image(live: &Value, container: &str) -> String {
    let containers = live.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let ours = containers.into_iter().flatten().find(|one| one["name"].as_str() == Some(container));
    ours.and_then(|one| one["image"].as_str()).unwrap_or_default().chars().take(512).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_that_count_as_updated_are_not_told_apart_by_their_generation() {
        let of = |updated: u32| {
            let status =
                json!({ "observedGeneration": 3, "desiredNumberScheduled": 3, "updatedNumberScheduled": updated });
            let annotations = json!({ "deprecated.daemonset.template.generation": "3" });
            let set = DaemonSet::of(&json!({
                "metadata": { "generation": 3, "annotations": annotations }, "status": status,
            }));
            set.template().map(str::to_owned)
        };
        assert_eq!((of(1).as_deref(), of(3)), (Some("3"), None));
    }

    fn finished(generation: u64, status: Value) -> bool {
        DaemonSet::of(&json!({ "metadata": { "generation": generation }, "status": status })).is_finished()
    }

    #[test]
    fn done_means_observed_and_all_updated_and_available_and_more_than_zero() {
        let status = |observed: u64, desired: u32, updated: u32, available: u32| {
            json!({
                "observedGeneration": observed, "desiredNumberScheduled": desired,
                "updatedNumberScheduled": updated, "numberAvailable": available, "numberReady": desired,
            })
        };
        assert!(finished(5, status(5, 3, 3, 3)));
        assert!(!finished(5, status(4, 3, 3, 3)), "not observed");
        assert!(!finished(5, status(5, 0, 0, 0)), "nothing to run on");
        assert!(!finished(5, status(5, 3, 3, 2)) && !finished(5, status(5, 3, 1, 3)));
    }

    #[test]
    fn a_number_that_is_missing_is_zero() {
        // Right after an apply: three pods of the old image are ready.
        assert!(!finished(5, json!({ "observedGeneration": 5, "desiredNumberScheduled": 3, "numberReady": 3 })));
        assert_eq!(DaemonSet::of(&json!({ "status": { "desiredNumberScheduled": 2 } })).uncreated(), 2);
        assert_eq!(DaemonSet::of(&json!({ "status": "odd" })), DaemonSet::default());
    }

    #[test]
    fn the_image_is_that_of_our_container() {
        let containers = json!([{ "name": "side", "image": "x" }, { "name": "agent", "image": "a:1" }]);
        let live = json!({ "spec": { "template": { "spec": { "containers": containers } } } });
        assert_eq!((image(&live, "agent").as_str(), image(&live, "other").as_str()), ("a:1", ""));
    }
}
