use serde_json::json;

use super::*;
use crate::integrations::Spec;

fn said(version: &str, message: &Value) -> Changed {
    Hook::of(version).unwrap().changed(&Values::default(), message.to_string().as_bytes())
}

fn one(name: &str) -> Changed {
    Changed::Repositories(vec![name.to_owned()])
}

#[test]
fn every_version_that_calls_is_one_that_is_offered() {
    for hook in HOOKS {
        assert!(Spec::find(hook.version).is_some(), "{}", hook.version);
        assert!(hook.enter.ends_with('.'), "{}", hook.enter);
    }
    assert!(Hook::of("ecr").is_none() && Hook::of("slack").is_none());
}

#[test]
fn several_events_of_distribution_name_each_repository_once() {
    let event = |action: &str, name: &str| json!({"action": action, "target": {"repository": name, "tag": "1.0"}});
    let events = |events: Vec<Value>| json!({ "events": events });
    let push = [event("push", "team/app"), event("mount", "team/app"), event("delete", "b"), event("pull", "c")];
    let both = Changed::Repositories(vec!["b".to_owned(), "team/app".to_owned()]);
    assert_eq!(said("docker_v2", &events(push.to_vec())), both);
    assert_eq!(said("gitlab", &events(push.to_vec())), both);
    assert_eq!(said("docker_v2", &events(vec![event("pull", "team/app")])), Changed::Nothing, "a scan pulls too");
    assert_eq!(said("docker_v2", &events(vec![event("push", "team/app"), json!({"action": "push"})])), Changed::All);
}

#[test]
fn acr_tells_the_repository_and_a_ping_is_no_change() {
    let push = json!({"id": "cb8c3971-9adc-488b-xxxx-43cbb4974ff5", "timestamp": "2017-11-17T16:52:01.343145347Z",
        "action": "push", "target": {"mediaType": "application/vnd.docker.distribution.manifest.v2+json", "size": 524,
        "digest": "sha256:x", "length": 524, "repository": "hello-world", "tag": "v1"},
        "request": {"id": "3cbb6949", "host": "myregistry.azurecr.io", "method": "PUT", "useragent": "docker/17.09"}});
    assert_eq!(said("acr", &push), one("hello-world"));
    let delete = json!({"action": "delete", "target": {"digest": "sha256:x", "repository": "team/app"}});
    assert_eq!(said("acr", &delete), one("team/app"));
    assert_eq!(said("acr", &json!({"action": "ping"})), Changed::Nothing);
}

#[test]
fn docker_hub_and_quay_tell_the_whole_name() {
    let push = json!({"callback_url": "https://registry.hub.docker.com/u/svendowideit/testhook/hook/21/",
        "push_data": {"pushed_at": 1417566161, "pusher": "trustedbuilder", "tag": "latest"},
        "repository": {"name": "testhook", "namespace": "svendowideit", "repo_name": "svendowideit/testhook",
        "repo_url": "https://registry.hub.docker.com/u/svendowideit/testhook/", "status": "Active"}});
    assert_eq!(said("docker_hub", &push), one("svendowideit/testhook"));
    let push = json!({"name": "ubuntu", "repository": "devtable/ubuntu", "docker_url": "quay.io/devtable/ubuntu",
        "updated_tags": {"latest": "b750"}, "namespace": "devtable"});
    assert_eq!(said("quay", &push), one("devtable/ubuntu"));
}

#[test]
fn harbor_tells_it_in_both_of_its_formats() {
    let repository = json!({"name": "debian", "namespace": "library", "repo_full_name": "library/debian"});
    let resources = json!([{"digest": "sha256:x", "tag": "latest", "resource_url": "hub.harbor.com/library/debian"}]);
    let data = json!({"resources": resources, "repository": repository});
    let plain = |kind: &str| json!({"type": kind, "occur_at": 1586922308, "operator": "admin", "event_data": data});
    assert_eq!(said("harbor", &plain("PUSH_ARTIFACT")), one("library/debian"));
    assert_eq!(said("harbor", &plain("DELETE_ARTIFACT")), one("library/debian"));
    assert_eq!(said("harbor", &plain("PULL_ARTIFACT")), Changed::Nothing);
    assert_eq!(said("harbor", &plain("SCANNING_COMPLETED")), Changed::Nothing);
    let cloud = |kind: &str| {
        json!({"specversion": "1.0", "source": "/projects/2/webhook/policies/15", "type": kind,
        "datacontenttype": "application/json", "data": data})
    };
    assert_eq!(said("harbor", &cloud("harbor.artifact.pushed")), one("library/debian"));
    assert_eq!(said("harbor", &cloud("harbor.artifact.pulled")), Changed::Nothing);
    let replicated = json!({"type": "REPLICATION", "event_data": {"replication": {"policy_creator": "admin"}}});
    assert_eq!(said("harbor", &replicated), Changed::All);
}

#[test]
fn nexus_tells_repository_and_image_of_components_and_manifests() {
    let message = |what: &str, thing: Value| {
        json!({"timestamp": "2016-11-10T23:57:49.664+0000", "nodeId": "52905B51",
        "initiator": "admin/127.0.0.1", "repositoryName": "docker-hosted", "action": "CREATED", what: thing})
    };
    let component = |format: &str| json!({"id": "08909bf0", "format": format, "name": "team/app", "version": "1.0"});
    assert_eq!(said("nexus", &message("component", component("docker"))), one("docker-hosted/team/app"));
    assert_eq!(said("nexus", &message("component", component("npm"))), Changed::Nothing);
    let asset = |name: &str| message("asset", json!({"format": "docker", "name": name}));
    assert_eq!(said("nexus", &asset("v2/team/app/manifests/1.0")), one("docker-hosted/team/app"));
    assert_eq!(said("nexus", &asset("/v2/-/blobs/sha256:x")), Changed::Nothing);
}

#[test]
fn jfrog_tells_key_and_image_and_a_cache_is_about_all() {
    let data = |key: &str| {
        json!({"repo_key": key, "event_type": "pushed", "path": "library/ubuntu/latest/manifest.json",
        "image_name": "library/ubuntu", "tag": "latest", "platforms": []})
    };
    let whole = json!({"domain": "docker", "event_type": "pushed", "data": data("docker-local"), "jpd_origin": "x"});
    assert_eq!(said("jfrog", &whole), one("docker-local/library/ubuntu"));
    assert_eq!(said("jfrog", &data("docker-local")), one("docker-local/library/ubuntu"));
    assert_eq!(said("jfrog", &data("docker-remote-cache")), Changed::All);
}

#[test]
fn what_is_not_understood_is_about_all_and_what_is_not_scanned_about_nothing() {
    for hook in HOOKS {
        for message in ["", "[]", "null", "{}", "{\"x\":", "\"team/app\"", "<html>", "\u{0}"] {
            assert_eq!(
                hook.changed(&Values::default(), message.as_bytes()),
                Changed::All,
                "{} {message}",
                hook.version
            );
        }
        let deep = "[".repeat(100_000);
        assert_eq!(hook.changed(&Values::default(), deep.as_bytes()), Changed::All);
    }
    let push = |name: &str| json!({"repository": {"repo_name": name}});
    assert_eq!(said("docker_hub", &push("../../etc?x=1")), Changed::All, "no name of a repository");
    let settings = Values::from_iter([("repository", "team/*"), ("exclude_repositories", "team/old")]);
    let changed = |name: &str| Hook::of("docker_hub").unwrap().changed(&settings, push(name).to_string().as_bytes());
    assert_eq!(changed("team/app"), one("team/app"));
    assert_eq!((changed("team/old"), changed("other/app")), (Changed::Nothing, Changed::Nothing));
}
