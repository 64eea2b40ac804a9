//! kubectl with the exec plugin, against the real control plane.

use super::stand_in::StandIn;
use super::user::{Did, User, did, knowing};
use crate::support::kubernetes::{Lab, rule};

fn kubectl() -> String {
    std::env::var("STRONGROOM_TEST_KUBECTL").expect("run through script/test")
}

struct Cluster {
    console: StandIn,
    user: User,
}

impl Cluster {
    fn of(lab: &Lab) -> Self {
        let (console, user) = (StandIn::start(), User::new());
        let authority = user.write("ca.pem", lab.authority());
        let kubeconfig = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": lab.server(), "certificate-authority": authority}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1",
                "command": "strongroom-client", "args": ["helper", "kubectl", "cluster"], "interactiveMode": "Never"}}}],
        });
        user.write(".kube/config", &kubeconfig.to_string());
        Self { console, user }
    }

    fn kubectl(&self, arguments: &[&str]) -> Did {
        let mut command = self.user.program(kubectl());
        did(knowing(command.args(arguments), &self.console))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_logs_in_by_the_exec_plugin() {
    let lab = Lab::open("machine").await;
    let login = lab.login_with(&[rule("", &["nodes"], &["get", "list"])]).await;
    let cluster = Cluster::of(&lab);
    cluster.console.session("cluster", "cluster_token", &[("token", &login.token), ("server", lab.server())]);
    let out = cluster.kubectl(&["get", "nodes", "-o", "name"]).well();
    assert!(out.contains("node/node-1"), "{out}");
    let who = cluster.kubectl(&["auth", "can-i", "delete", "nodes"]);
    assert!(who.out.starts_with("no"), "{}{}", who.out, who.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_is_refused_with_a_wrong_token_and_says_why_there_is_none() {
    let lab = Lab::open("machine").await;
    let cluster = Cluster::of(&lab);
    cluster.kubectl(&["get", "nodes"]).badly("there is no rule cluster for this client");
    cluster.console.session("cluster", "cluster_token", &[("token", "nobodys"), ("server", lab.server())]);
    cluster.kubectl(&["get", "nodes"]).badly("provide credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_finds_the_cluster_of_exec() {
    let lab = Lab::open("machine").await;
    let login = lab.login_with(&[rule("", &["nodes"], &["get", "list"])]).await;
    let (console, user) = (StandIn::start(), User::new());
    let fields =
        [("token", login.token.as_str()), ("server", lab.server()), ("certificate_authority", lab.authority())];
    console.session("prod", "cluster_token", &fields);
    let out = user.run(&console, &["exec", "prod", "--", &kubectl(), "get", "nodes", "-o", "name"]).well();
    assert!(out.contains("node/node-1"), "{out}");
    let fields = [("token", "nobodys"), ("server", lab.server()), ("certificate_authority", lab.authority())];
    console.session("prod", "cluster_token", &fields);
    user.run(&console, &["exec", "prod", "--", &kubectl(), "get", "nodes"]).badly("Unauthorized");
}

#[test]
fn the_exec_plugin_answers_in_the_version_asked_for() {
    let (console, user) = (StandIn::start(), User::new());
    console.session("cluster", "cluster_token", &[("token", "t")]);
    let ask = |version: &str| {
        let info = serde_json::json!({"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": false}});
        let mut command = user.client(&console, &["helper", "kubectl", "cluster"]);
        did(command.env("KUBERNETES_EXEC_INFO", info.to_string()))
    };
    for version in ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"] {
        let answer: serde_json::Value = serde_json::from_str(&ask(version).well()).unwrap();
        assert_eq!(answer["apiVersion"], version);
        assert_eq!((&answer["kind"], &answer["status"]["token"]), (&"ExecCredential".into(), &"t".into()));
        let end = answer["status"]["expirationTimestamp"].as_str().unwrap();
        assert!(chrono::DateTime::parse_from_rfc3339(end).is_ok(), "{end}");
    }
    ask("client.authentication.k8s.io/v9").badly("unknown version");
}
