//! The kubelet's credential provider plugin, by its JSON:
//! <https://kubernetes.io/docs/reference/config-api/kubelet-credentialprovider.v1/>

use serde_json::{Value, json};

use super::stand_in::StandIn;
use super::user::{Did, User, knowing, told};

fn lab() -> (StandIn, User) {
    let (console, user) = (StandIn::start(), User::new());
    let fields = [("registry", "registry.example"), ("username", "AWS"), ("password", "sekret")];
    console.session("images", "registry_login", &fields);
    user.write("hosts", "registry.example = images\n");
    (console, user)
}

fn ask(console: &StandIn, user: &User, request: &Value, environment: &[(&str, &str)]) -> Did {
    let mut command = user.bare(&["helper", "kubelet", "--hosts", "hosts"]);
    command.env("STRONGROOM_URL", console.peer.url()).envs(environment.iter().copied());
    told(&mut command, &request.to_string())
}

fn request(image: &str) -> Value {
    json!({"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest", "image": image})
}

#[test]
fn the_kubelet_gets_a_login_with_the_nodes_token() {
    let (console, user) = lab();
    let mut command = user.bare(&["helper", "kubelet", "--hosts", "hosts"]);
    let out = told(knowing(&mut command, &console), &request("registry.example/team/app:1").to_string()).well();
    let mut answer: Value = serde_json::from_str(&out).unwrap();
    let duration = answer["cacheDuration"].take();
    // An hour less the margin.
    assert!(["0h55m0s", "0h54m59s", "0h54m58s"].contains(&duration.as_str().unwrap()), "{duration}");
    let expected = json!({"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderResponse",
        "cacheKeyType": "Registry", "cacheDuration": null,
        "auth": {"registry.example": {"username": "AWS", "password": "sekret"}}});
    assert_eq!(answer, expected);
}

#[test]
fn the_kubelet_gets_a_login_with_the_pods_own_identity() {
    let (console, user) = lab();
    let mut pod = request("registry.example/team/app:1");
    pod["serviceAccountToken"] = "eyJ.pod".into();
    pod["serviceAccountAnnotations"] = json!({"strongroom/client": "app"});
    let answer: Value = serde_json::from_str(&ask(&console, &user, &pod, &[]).well()).unwrap();
    assert_eq!(answer["serviceAccountTokenCacheType"], "ServiceAccount");
    assert_eq!(answer["auth"]["registry.example"]["password"], "sekret");
    assert_eq!(console.logins(), [json!({"method": "kubernetes", "client": "app", "token": "eyJ.pod"})]);
    pod["serviceAccountToken"] = "wrong".into();
    ask(&console, &user, &pod, &[]).badly("does not accept this login");
    pod["serviceAccountAnnotations"] = json!({});
    ask(&console, &user, &pod, &[]).badly("which client?");
}

#[test]
fn an_image_without_a_rule_is_pulled_without_a_login() {
    let (console, user) = lab();
    let answer: Value = serde_json::from_str(&ask(&console, &user, &request("nginx"), &[]).well()).unwrap();
    assert_eq!((&answer["auth"], &answer["kind"]), (&Value::Null, &"CredentialProviderResponse".into()));
    assert!(console.peer.calls().is_empty());
    let old = json!({"apiVersion": "credentialprovider.kubelet.k8s.io/v0", "image": "x"});
    ask(&console, &user, &old, &[]).badly("unknown version");
}
