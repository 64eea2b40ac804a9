//! A deployment from its first preview to its removal, with edits by others in between.

use serde_json::json;
use strongroom::integrations::deployments::{AGENT_SECRET, ChangeKind, Difference, Options, Preview};

use super::rig::{ROLES, Rig};
use crate::support::kubernetes::{Lab, NODES, TAINTED};

/// A deployment with a ClusterRole and both secrets, on every untainted node.
async fn whole(name: &str) -> (Lab, Rig) {
    let lab = Lab::open(name).await;
    let mut rig = Rig::new(&lab, lab.administrators_kubeconfig(), "agents");
    rig.set("node_selector", "");
    (lab, rig)
}

fn kinds(preview: &Preview) -> Vec<ChangeKind> {
    preview.changes.iter().map(|change| change.kind).collect()
}

fn paths(lines: &[Difference]) -> Vec<String> {
    lines.iter().map(|line| format!("{} {}", line.object.kind, line.path)).collect()
}

const IMAGE: &str = ".spec.template.spec.containers[name=\"defender\"].image";

#[tokio::test]
async fn the_first_preview_shows_every_object_and_creates_nothing() {
    let (lab, rig) = whole("first").await;
    let preview = rig.preview().await.unwrap();
    assert_eq!((preview.objections.as_slice(), preview.nodes), (&[][..], Some(3)));
    assert_eq!(kinds(&preview), [ChangeKind::New; 7]);
    assert!(preview.cluster_version.starts_with('v'), "{}", preview.cluster_version);
    let lines: Vec<Difference> = preview.changes.iter().flat_map(|change| change.lines.clone()).collect();
    assert!(paths(&lines).contains(&format!("DaemonSet {IMAGE}")));
    let token = lines.iter().find(|line| line.path == ".data.token").unwrap();
    assert_eq!((token.before.as_deref(), token.after.as_deref()), (None, Some("set")));
    rig.assert_gone(&lab).await;
}

#[tokio::test]
async fn a_deployment_finishes_on_every_node_and_is_removed_completely() {
    let (lab, rig) = whole("done").await;
    let done = rig.apply().await.unwrap();
    assert!(done.state.finished, "{:?}", done.state);
    assert_eq!((done.state.desired, done.state.updated, done.state.available), (3, 3, 3));
    assert_eq!((done.state.trouble.as_slice(), done.state.made.len()), (&[][..], 7));
    let nodes: Vec<&str> = done.scan.items.iter().map(|item| item.place.as_str()).collect();
    assert_eq!(nodes, NODES);
    assert!(done.scan.items.iter().all(|item| item.facts.contains("\"Ready\"")), "{:?}", done.scan.items);
    let seen = rig.observe().await.unwrap();
    assert_eq!((seen.state.drift.as_slice(), seen.state.finished), (&[][..], true));
    assert_eq!(seen.state.made, done.state.made);
    let gone = rig.remove().await.unwrap();
    assert!(gone.state.removed && gone.state.trouble.is_empty(), "{:?}", gone.state);
    rig.assert_gone(&lab).await;
}

#[tokio::test]
async fn applying_the_same_settings_again_changes_nothing() {
    let (lab, rig) = whole("again").await;
    rig.apply().await.unwrap();
    let preview = rig.preview().await.unwrap();
    assert!(preview.is_same(), "{:?}", preview.changes);
    rig.apply().await.unwrap();
    assert_eq!(rig.daemon_set(&lab).await["metadata"]["generation"], 1);
    rig.remove().await.unwrap();
}

#[tokio::test]
async fn edits_by_others_are_drift_and_taking_over_restores_them() {
    let (lab, rig) = whole("edits").await;
    rig.apply().await.unwrap();
    let container = json!({"name": "defender", "image": "registry.example.com/agent:evil"});
    let edit = json!({"spec": {"template": {"spec": {"hostPID": true, "containers": [container]}}}});
    lab.administrator.merge(&rig.path(), "kubectl-edit", &edit).await;
    let secret = format!("/api/v1/namespaces/{}/secrets/defender-secret", rig.namespace);
    lab.administrator.merge(&secret, "kubectl-edit", &json!({"data": {"token": "b3RoZXI="}})).await;
    let role = format!("{ROLES}/strongroom:{}:defender", rig.namespace);
    let all = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    lab.administrator.merge(&role, "kubectl-edit", &json!({"rules": all})).await;

    let seen = rig.observe().await.unwrap().state.drift;
    let image = seen.iter().find(|line| line.path == IMAGE).unwrap();
    assert_eq!(image.before.as_deref(), Some("registry.example.com/agent:1"));
    assert_eq!(image.after.as_deref(), Some("registry.example.com/agent:evil"));
    for path in ["DaemonSet .spec.template.spec.hostPID", "Secret .data.token", "ClusterRole .rules"] {
        assert!(paths(&seen).iter().any(|found| found == path), "{path}: {:?}", paths(&seen));
    }
    let told = format!("{seen:?}");
    assert!(!told.contains("b3RoZXI") && !told.contains("sekret"), "{told}");

    let preview = rig.preview().await.unwrap();
    let managers: Vec<&str> =
        preview.changes.iter().flat_map(|change| &change.conflicts).map(|one| one.manager.as_str()).collect();
    assert!(!managers.is_empty() && managers.iter().all(|manager| *manager == "kubectl-edit"), "{managers:?}");
    let restored = rig.apply_with(&preview.take_all()).await.unwrap();
    assert!(restored.state.finished, "{:?}", restored.state);
    assert_eq!(rig.observe().await.unwrap().state.drift, []);
    assert_ne!(rig.daemon_set(&lab).await["spec"]["template"]["spec"]["hostPID"], true);
    rig.remove().await.unwrap();
}

#[tokio::test]
async fn additions_by_others_to_the_pods_are_drift_and_can_be_removed() {
    let (lab, rig) = whole("added").await;
    rig.apply().await.unwrap();
    let containers = json!([
        {"name": "defender", "env": [{"name": "X", "value": "sekret-of-others"}]},
        {"name": "side", "image": "registry.example.com/side:1"},
    ]);
    let pod = json!({"containers": containers, "nodeSelector": {"pool": "a"}});
    let object = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "defender"},
        "spec": {"template": {"spec": pod}}});
    lab.administrator.apply(&rig.path(), "sidecars", &object).await;
    let seen = rig.observe().await.unwrap().state.drift;
    for path in ["containers[name=\"side\"]", "containers[name=\"defender\"].env[name=\"X\"]", "nodeSelector"] {
        let path = format!(".spec.template.spec.{path}");
        let line = seen.iter().find(|line| line.path == path).unwrap_or_else(|| panic!("{path}: {seen:?}"));
        assert!(line.before.is_none() && line.after.is_some(), "{line:?}");
    }
    assert!(!format!("{seen:?}").contains("sekret"), "{seen:?}");
    assert!(rig.apply().await.unwrap().state.finished);
    assert!(!rig.observe().await.unwrap().state.drift.is_empty(), "an apply leaves them");
    let preview = rig.preview().await.unwrap();
    assert!(rig.apply_with(&preview.take_all()).await.unwrap().state.finished);
    assert_eq!(rig.observe().await.unwrap().state.drift, []);
    let pod = rig.daemon_set(&lab).await["spec"]["template"]["spec"].clone();
    assert_eq!((pod["containers"].as_array().map(Vec::len), &pod["nodeSelector"]), (Some(1), &json!(null)));
    rig.remove().await.unwrap();
}

#[tokio::test]
async fn objects_deleted_by_others_are_drift_and_an_apply_restores_them() {
    let (lab, rig) = whole("deleted").await;
    rig.apply().await.unwrap();
    lab.administrator.delete(&rig.path()).await;
    let seen = rig.observe().await.unwrap();
    assert!(paths(&seen.state.drift).contains(&"DaemonSet ".to_owned()), "{:?}", seen.state.drift);
    assert!(!seen.state.finished);
    assert!(rig.apply().await.unwrap().state.finished);
    assert_eq!(rig.observe().await.unwrap().state.drift, []);
    rig.remove().await.unwrap();
    rig.assert_gone(&lab).await;
}

#[tokio::test]
async fn a_failed_image_pull_is_reported_and_undo_recovers_from_it() {
    let (_lab, mut rig) = whole("broken").await;
    rig.apply().await.unwrap();
    rig.set("image", "registry.example.com/agent:broken");
    let stuck = rig.apply().await.unwrap();
    assert!(!stuck.state.finished && stuck.state.desired == 3, "{:?}", stuck.state);
    assert!(stuck.state.trouble[0].starts_with("ImagePullBackOff on 1 node ("), "{:?}", stuck.state.trouble);
    let failing: Vec<_> = stuck.scan.items.iter().filter(|item| item.facts.contains("\"Failing\"")).collect();
    assert_eq!(failing.len(), 1, "the other nodes keep what they had");
    rig.set("image", "registry.example.com/agent:1");
    assert!(rig.apply().await.unwrap().state.finished);
    rig.remove().await.unwrap();
}

#[tokio::test]
async fn a_private_image_is_pulled_with_the_pull_secret_alone() {
    const PRIVATE: &str = "private.example.com/agent:1";
    let (lab, mut rig) = whole("private").await;
    rig.set("image", PRIVATE);
    let done = rig.apply().await.unwrap();
    assert!(done.state.finished, "{:?}", done.state);
    rig.remove().await.unwrap();
    let mut rig = Rig::plain(lab.administrators_kubeconfig(), &format!("{}-without", lab.name));
    rig.set("image", PRIVATE);
    let stuck = rig.apply().await.unwrap();
    assert!(stuck.state.trouble[0].starts_with("ErrImagePull on "), "{:?}", stuck.state);
    rig.remove().await.unwrap();
}

#[tokio::test]
async fn a_deployment_without_matching_nodes_is_not_a_success() {
    let (_lab, mut rig) = whole("nowhere").await;
    rig.set("node_selector", "pool=none");
    let preview = rig.preview().await.unwrap();
    assert_eq!(preview.nodes, Some(0));
    assert!(preview.warnings.iter().any(|said| said.contains("run anywhere")), "{:?}", preview.warnings);
    let done = rig.apply().await.unwrap();
    assert!(!done.state.finished && done.state.trouble[0].contains("runs on no node"), "{:?}", done.state);
    rig.set("node_selector", "pool=gpu");
    assert_eq!(rig.preview().await.unwrap().nodes, Some(0), "the node is tainted");
    rig.set("tolerations", "dedicated=gpu:NoSchedule");
    assert_eq!(rig.preview().await.unwrap().nodes, Some(1));
    let done = rig.apply().await.unwrap();
    assert!(done.state.finished && done.scan.items[0].place == TAINTED, "{:?}", done.state);
    rig.remove().await.unwrap();
}

#[tokio::test]
async fn a_new_version_of_a_secret_restarts_the_pods() {
    let (lab, mut rig) = whole("rotated").await;
    rig.apply().await.unwrap();
    rig.secret(AGENT_SECRET, "api_token", &[("token", "sekret-of-the-second-version")]);
    let preview = rig.preview().await.unwrap();
    let data = preview.changes.iter().flat_map(|change| &change.lines).find(|line| line.path == ".data.token").unwrap();
    assert_eq!((data.before.as_deref(), data.after.as_deref()), (Some("set"), Some("changed (version 2)")));
    let done = rig.apply_with(&Options::default()).await.unwrap();
    assert!(done.state.finished, "{:?}", done.state);
    assert_eq!(rig.daemon_set(&lab).await["metadata"]["generation"], 2);
    rig.remove().await.unwrap();
}

#[tokio::test]
async fn objects_of_earlier_settings_stay_recorded_until_the_next_apply() {
    let (lab, mut rig) = whole("renamed").await;
    rig.apply().await.unwrap();
    rig.set("daemon_set", "renamed");
    rig.observe().await.unwrap();
    assert!(rig.apply().await.unwrap().state.finished);
    assert!(lab.administrator.get(&rig.path()).await.is_none(), "the DaemonSet of the name before");
    assert_eq!(rig.observe().await.unwrap().state.drift, []);
    assert!(rig.remove().await.unwrap().state.removed);
    rig.assert_gone(&lab).await;
}

#[tokio::test]
async fn objects_that_are_no_longer_needed_go_with_the_next_apply() {
    let (lab, mut rig) = whole("less").await;
    rig.apply().await.unwrap();
    rig.set("rules", "none");
    let preview = rig.preview().await.unwrap();
    let removed: Vec<&str> = preview
        .changes
        .iter()
        .filter(|change| change.kind == ChangeKind::Removed)
        .map(|change| change.object.kind.as_str())
        .collect();
    assert_eq!(removed, ["ClusterRoleBinding", "ClusterRole"]);
    let done = rig.apply().await.unwrap();
    assert!(done.state.finished && done.state.made.len() == 5, "{:?}", done.state);
    let left = rig.objects(&lab).await;
    assert!(!left.iter().any(|object| object.contains("Role")), "{left:?}");
    rig.remove().await.unwrap();
    rig.assert_gone(&lab).await;
}
