//! Ownership of objects: those that others created or manage are not changed or deleted unless the user agrees.

use serde_json::json;
use strongroom::integrations::deployments::{AGENT_SECRET, ChangeKind, ObjectRef, Options};

use super::rig::Rig;
use crate::support::kubernetes::Lab;

const IMAGE: &str = ".spec.template.spec.containers[name=\"defender\"].image";

async fn plain(name: &str) -> (Lab, Rig) {
    let lab = Lab::open(name).await;
    let namespace = format!("{}-agents", lab.name);
    let rig = Rig::plain(lab.administrators_kubeconfig(), &namespace);
    (lab, rig)
}

fn daemon_set(rig: &Rig) -> ObjectRef {
    ObjectRef::new("DaemonSet", &rig.namespace, "defender")
}

/// Creates a DaemonSet by hand, as somebody else would.
async fn make_by_hand(lab: &Lab, rig: &Rig) {
    let labels = json!({"app": "mine"});
    let pod = json!({"containers": [{"name": "defender", "image": "registry.example.com/mine:1"}]});
    let object = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "defender"}, "spec": {
        "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}});
    lab.administrator.create(rig.path().trim_end_matches("/defender"), &object).await;
}

#[tokio::test]
async fn a_namespace_of_others_is_used_and_never_deleted() {
    let (lab, mut rig) = plain("used").await;
    rig.namespace = lab.namespace("theirs").await;
    rig.set("namespace", rig.namespace.clone());
    let preview = rig.preview().await.unwrap();
    assert_eq!(preview.changes[0].kind, ChangeKind::Same);
    assert!(preview.changes[0].reason.contains("never deletes it"), "{}", preview.changes[0].reason);
    assert!(rig.apply().await.unwrap().state.finished);
    let gone = rig.remove().await.unwrap();
    assert!(gone.state.removed && gone.state.trouble.is_empty(), "{:?}", gone.state);
    let left = lab.administrator.get(&format!("/api/v1/namespaces/{}", rig.namespace)).await.unwrap();
    assert_eq!((left["status"]["phase"].as_str(), rig.objects(&lab).await.len()), (Some("Active"), 0));
}

#[tokio::test]
async fn our_namespace_is_kept_while_it_contains_other_objects() {
    let (lab, rig) = plain("shared").await;
    rig.apply().await.unwrap();
    let maps = format!("/api/v1/namespaces/{}/configmaps", rig.namespace);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}});
    lab.administrator.create(&maps, &map).await;
    let gone = rig.remove().await.unwrap();
    assert!(gone.state.removed, "{:?}", gone.state);
    assert!(gone.state.trouble[0].ends_with("it contains another object: ConfigMap theirs."), "{:?}", gone.state);
    lab.administrator.delete(&format!("{maps}/theirs")).await;
    assert!(rig.remove().await.unwrap().state.trouble.is_empty());
    rig.assert_gone(&lab).await;
}

#[tokio::test]
async fn a_stuck_namespace_is_explained_and_never_forced() {
    let (lab, rig) = plain("stuck").await;
    rig.apply().await.unwrap();
    let secrets = format!("/api/v1/namespaces/{}/secrets", rig.namespace);
    let metadata = json!({"name": "held", "finalizers": ["example.com/hold"]});
    lab.administrator.create(&secrets, &json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})).await;
    for _ in 0..2 {
        let state = rig.remove().await.unwrap().state;
        assert!(!state.removed && state.trouble[0].contains("is still being deleted."), "{state:?}");
        assert!(state.trouble[0].contains("Held by finalizers: example.com/hold in 1 resource instances"), "{state:?}");
    }
    let refused = rig.apply().await.unwrap_err().to_string();
    assert!(refused.contains("is being deleted"), "{refused}");
    let preview = rig.preview().await.unwrap();
    assert!(preview.objections.iter().any(|said| said.contains("is being deleted")), "{:?}", preview.objections);
    lab.administrator.merge(&format!("{secrets}/held"), "tests", &json!({"metadata": {"finalizers": null}})).await;
    assert!(rig.remove().await.unwrap().state.removed);
    rig.assert_gone(&lab).await;
}

#[tokio::test]
async fn a_daemon_set_of_others_is_left_alone_until_it_is_taken_over() {
    let (lab, mut rig) = plain("theirs").await;
    rig.namespace = lab.namespace("theirs").await;
    rig.set("namespace", rig.namespace.clone());
    make_by_hand(&lab, &rig).await;
    let preview = rig.preview().await.unwrap();
    let change = preview.changes.iter().find(|change| change.object == daemon_set(&rig)).unwrap();
    assert_eq!(change.kind, ChangeKind::Foreign);
    assert!(change.reason.contains("spec.selector cannot be changed"), "{}", change.reason);
    let refused = rig.apply().await.unwrap_err().to_string();
    assert!(refused.contains("did not create it"), "{refused}");
    assert!(rig.objects(&lab).await.is_empty(), "nothing was written");
    assert!(rig.remove().await.unwrap().state.removed);
    assert_eq!(rig.daemon_set(&lab).await["spec"]["selector"]["matchLabels"]["app"], "mine");

    let taken = rig.apply_with(&preview.take_all()).await.unwrap();
    assert!(taken.state.finished, "{:?}", taken.state);
    assert_eq!(rig.observe().await.unwrap().state.drift, []);
    assert!(rig.remove().await.unwrap().state.removed);
    assert!(rig.objects(&lab).await.is_empty());
}

#[tokio::test]
async fn fields_are_taken_over_one_at_a_time() {
    let (lab, rig) = plain("fields").await;
    rig.apply().await.unwrap();
    let container = json!({"name": "defender", "image": "registry.example.com/agent:theirs"});
    let edit = json!({"spec": {"minReadySeconds": 1, "template": {"spec": {"containers": [container]}}}});
    lab.administrator.merge(&rig.path(), "kubectl-edit", &edit).await;
    let preview = rig.preview().await.unwrap();
    let conflicts = &preview.changes.iter().find(|change| change.object == daemon_set(&rig)).unwrap().conflicts;
    assert!(conflicts.iter().any(|one| one.field == ".spec.minReadySeconds"), "{conflicts:?}");
    let image = Options { take_over: vec![(daemon_set(&rig), IMAGE.to_owned())], ..Options::default() };
    assert!(rig.apply_with(&image).await.unwrap().state.finished);
    let live = rig.daemon_set(&lab).await;
    assert_eq!(live["spec"]["template"]["spec"]["containers"][0]["image"], "registry.example.com/agent:1");
    assert_eq!(live["spec"]["minReadySeconds"], 1, "what was not taken over stays theirs");
    assert!(rig.apply().await.unwrap().state.finished, "and stops nothing");
    rig.remove().await.unwrap();
}

#[tokio::test]
async fn an_object_with_an_immutable_field_is_replaced_only_if_agreed() {
    let (lab, mut rig) = plain("fixed").await;
    rig.secret(AGENT_SECRET, "api_token", &[("token", "sekret-of-the-agent")]);
    rig.apply().await.unwrap();
    // Somebody gave our Secret another type, which is immutable.
    let path = format!("/api/v1/namespaces/{}/secrets/defender-secret", rig.namespace);
    let mut copy = lab.administrator.get(&path).await.unwrap();
    let old = copy["metadata"]["uid"].clone();
    lab.administrator.delete(&path).await;
    copy["metadata"] = json!({"name": "defender-secret", "labels": copy["metadata"]["labels"]});
    copy["type"] = json!("example.com/other");
    lab.administrator.create(path.trim_end_matches("/defender-secret"), &copy).await;
    // As after a run that died before it recorded anything.
    let mut again = Rig::plain(lab.administrators_kubeconfig(), &rig.namespace);
    again.id = rig.id;
    again.secret(AGENT_SECRET, "api_token", &[("token", "sekret-of-the-agent")]);
    let rig = again;
    let preview = rig.preview().await.unwrap();
    let change = preview.changes.iter().find(|change| change.object.kind == "Secret").unwrap();
    assert_eq!(change.kind, ChangeKind::Replace, "{change:?}");
    let refused = rig.apply().await.unwrap_err().to_string();
    assert!(refused.contains("Replace the object in the preview"), "{refused}");
    assert!(rig.apply_with(&preview.take_all()).await.unwrap().state.finished);
    let live = lab.administrator.get(&path).await.unwrap();
    assert!(live["type"] == "Opaque" && live["metadata"]["uid"] != old, "{}", live["type"]);
    rig.remove().await.unwrap();
}

#[tokio::test]
async fn a_copy_that_replaced_our_object_is_not_deleted() {
    let (lab, rig) = plain("copy").await;
    rig.apply().await.unwrap();
    let path = format!("/api/v1/namespaces/{}/serviceaccounts/defender", rig.namespace);
    let labels = lab.administrator.get(&path).await.unwrap()["metadata"]["labels"].clone();
    lab.administrator.delete(&path).await;
    let metadata = json!({"name": "defender", "labels": labels});
    let copy = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
    lab.administrator.create(path.trim_end_matches("/defender"), &copy).await;
    let state = rig.remove().await.unwrap().state;
    assert!(state.trouble[0].contains("someone else recreated it"), "{state:?}");
    assert!(lab.administrator.get(&path).await.is_some());
}

#[tokio::test]
async fn an_existing_service_account_is_used_unchanged() {
    let (lab, mut rig) = plain("account").await;
    rig.namespace = lab.namespace("theirs").await;
    rig.set("namespace", rig.namespace.clone());
    rig.set("service_account", "theirs");
    let accounts = format!("/api/v1/namespaces/{}/serviceaccounts", rig.namespace);
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "theirs"}});
    lab.administrator.create(&accounts, &account).await;
    let preview = rig.preview().await.unwrap();
    assert!(preview.objections.is_empty() && preview.changes[1].kind == ChangeKind::Same, "{:?}", preview.changes);
    assert!(rig.apply().await.unwrap().state.finished);
    assert_eq!(rig.observe().await.unwrap().state.drift, []);
    assert!(rig.remove().await.unwrap().state.removed);
    assert!(lab.administrator.get(&format!("{accounts}/theirs")).await.is_some());
}

#[tokio::test]
async fn missing_rights_are_named_before_anything_is_created() {
    use crate::support::kubernetes::rule;
    let lab = Lab::open("narrow").await;
    let every = ["get", "create", "patch", "delete", "list"];
    let login = lab
        .login_with(&[
            rule("", &["namespaces", "serviceaccounts", "secrets", "pods"], &every),
            rule("rbac.authorization.k8s.io", &["clusterroles", "clusterrolebindings"], &every),
            rule("apps", &["daemonsets"], &every),
        ])
        .await;
    let mut rig = Rig::plain(lab.kubeconfig(&login), &format!("{}-agents", lab.name));
    rig.set("rules", "nodes");
    let preview = rig.preview().await.unwrap();
    assert_eq!(preview.objections.len(), 1, "{:?}", preview.objections);
    assert!(preview.objections[0].contains("get, list, watch on "), "{:?}", preview.objections);
    let refused = rig.apply().await.unwrap_err().to_string();
    assert!(refused.contains("rights that it does not have itself"), "{refused}");
    rig.assert_gone(&lab).await;
    assert_eq!(preview.nodes, None, "nodes may not be listed");
    rig.set("rules", "none");
    assert!(rig.apply().await.unwrap().state.finished);
    rig.remove().await.unwrap();
}
