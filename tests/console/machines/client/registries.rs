//! Docker's credential helper, as skopeo uses it against a real registry.

use super::stand_in::StandIn;
use super::user::{Did, User, did, knowing, told};
use crate::support::peers::registry::{Auth, Registry};

const USER: &str = "puller";
const PASSWORD: &str = "sekret-of-the-registry";

async fn lab() -> (StandIn, User, Registry) {
    let (console, user) = (StandIn::start(), User::new());
    let registry = Registry::start(Auth::Htpasswd { user: USER, password: PASSWORD }).await;
    registry.push_image("team/app", &["1"]).await;
    // Not `credsStore`, which Docker knows and skopeo does not.
    let helpers = serde_json::json!({"credHelpers": {(host(&registry)): "strongroom"}});
    user.write(".docker/config.json", &helpers.to_string());
    user.write(".config/strongroom/hosts", &format!("{} = images\n", host(&registry)));
    (console, user, registry)
}

fn host(registry: &Registry) -> String {
    registry.url().trim_start_matches("http://").to_owned()
}

fn inspect(console: &StandIn, user: &User, registry: &Registry) -> Did {
    let mut skopeo = user.program("skopeo");
    let image = format!("docker://{}/team/app:1", host(registry));
    skopeo.args(["inspect", "--raw", "--tls-verify=false", &image]);
    skopeo.env("REGISTRY_AUTH_FILE", user.path(".docker/config.json"));
    did(knowing(&mut skopeo, console))
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_reads_a_private_image_by_the_docker_helper() {
    let (console, user, registry) = lab().await;
    let registered = host(&registry);
    console.session(
        "images",
        "registry_login",
        &[("registry", &registered), ("username", USER), ("password", PASSWORD)],
    );
    let out = inspect(&console, &user, &registry).well();
    assert!(out.contains("schemaVersion"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_is_refused_without_a_rule_and_with_one_for_another_registry() {
    let (console, user, registry) = lab().await;
    inspect(&console, &user, &registry).badly("there is no rule images for this client");
    let other = [("registry", "registry.example"), ("username", USER), ("password", PASSWORD)];
    console.session("images", "registry_login", &other);
    inspect(&console, &user, &registry).badly("is for registry.example");
    user.write(".config/strongroom/hosts", "registry.example = images\n");
    inspect(&console, &user, &registry).badly("authentication required");
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_finds_the_login_of_exec() {
    let (console, user, registry) = lab().await;
    let image = format!("docker://{}/team/app:1", host(&registry));
    let registered = host(&registry);
    let inspect =
        || user.run(&console, &["exec", "images", "--", "skopeo", "inspect", "--raw", "--tls-verify=false", &image]);
    console.session(
        "images",
        "registry_login",
        &[("registry", &registered), ("username", USER), ("password", PASSWORD)],
    );
    assert!(inspect().well().contains("schemaVersion"));
    console.session(
        "images",
        "registry_login",
        &[("registry", &registered), ("username", USER), ("password", "wrong")],
    );
    inspect().badly("authentication required");
}

#[test]
fn the_docker_helper_speaks_dockers_protocol() {
    let (console, user) = (StandIn::start(), User::new());
    console.session("hub", "registry_login", &[("registry", "docker.io"), ("username", "u"), ("password", "p")]);
    console.value("own", &[("token", "sekret")]);
    user.write(".config/strongroom/hosts", "docker.io = hub\nown.example:5000 = own\n*.dkr.example = ecr\n");
    let helper = |action: &str, input: &str| {
        let mut command = user.program(user.path("bin/docker-credential-strongroom"));
        told(knowing(command.arg(action), &console), input)
    };
    let got = helper("get", "https://index.docker.io/v1/\n").well();
    let json: serde_json::Value = serde_json::from_str(&got).unwrap();
    assert_eq!(json, serde_json::json!({"ServerURL": "https://index.docker.io/v1/", "Username": "u", "Secret": "p"}));
    assert!(helper("get", "own.example:5000").well().contains("\"Secret\":\"sekret\""));
    // Exactly these words mean: go on without. They come on standard output.
    let unknown = helper("get", "other.example");
    assert_eq!((unknown.status, unknown.out.as_str()), (1, "credentials not found in native keychain\n"));
    let asked = console.peer.calls().len();
    let list: serde_json::Value = serde_json::from_str(&helper("list", "").well()).unwrap();
    assert_eq!(
        list,
        serde_json::json!({"https://index.docker.io/v1/": "strongroom", "https://own.example:5000": "strongroom"})
    );
    assert_eq!(console.peer.calls().len(), asked, "a list fetches nothing");
    assert_eq!(helper("erase", "own.example:5000").well(), "");
    helper("store", r#"{"ServerURL":"x","Username":"u","Secret":"s"}"#).badly("nothing to store");
}
