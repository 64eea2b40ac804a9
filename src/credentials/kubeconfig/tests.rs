use std::collections::BTreeSet;

use super::*;
use crate::credentials::tests::fixtures::{self, kubeconfig, kubeconfig_of};

const SERVER: &str = "server: 'https://cluster.example.com'";

fn parsed(text: &str) -> Kubeconfig {
    Kubeconfig::parse(text).unwrap_or_else(|message| panic!("{message}"))
}

fn refusal(text: &str) -> String {
    Kubeconfig::parse(text).err().expect("a refusal")
}

fn facts(text: &str) -> Facts {
    let values = Values::from_iter([("kubeconfig", parsed(text).to_json())]);
    examine(&values).expect("facts")
}

#[test]
fn a_token_is_read_with_its_cluster_and_namespace() {
    let config = parsed(&kubeconfig("{token: abc}"));
    assert_eq!(
        (config.server.as_str(), config.namespace.as_deref()),
        ("https://cluster.example.com:6443", Some("agents"))
    );
    assert!(matches!(config.login, Login::Token(token) if token.expose_secret() == "abc"));
}

#[test]
fn a_client_certificate_shows_its_name_and_expiry() {
    let facts = facts(&fixtures::kubeconfig_with_certificate());
    assert_eq!(facts.identity, "10.0.0.1:6443");
    assert!(facts.lines.contains(&("User", "kubernetes-admin".to_owned())));
    assert_eq!(facts.expires_at.map(crate::credentials::date).as_deref(), Some("2031-05-04"));
}

#[test]
fn a_service_accounts_token_shows_whose_it_is_and_when_it_expires() {
    let claims =
        URL_SAFE_NO_PAD.encode("{\"sub\":\"system:serviceaccount:kube-system:strongroom\",\"exp\":1935700000}");
    let shown = facts(&kubeconfig(&format!("{{token: e30.{claims}.x}}")));
    assert!(shown.lines.contains(&("User", "system:serviceaccount:kube-system:strongroom".to_owned())));
    assert_eq!(shown.expires_at.map(|time| time.timestamp()), Some(1_935_700_000));
    assert!(facts(&kubeconfig("{token: opaque}")).expires_at.is_none());
}

#[test]
fn a_login_by_a_binary_is_refused_by_naming_the_cause() {
    for (user, cause) in [
        ("{exec: {apiVersion: client.authentication.k8s.io/v1, command: gke-gcloud-auth-plugin}}", "Google Cloud SDK"),
        ("{exec: {command: /usr/bin/aws, args: [eks, get-token]}}", "aws-iam-authenticator or the AWS CLI"),
        ("{exec: {command: aws-iam-authenticator.exe}}", "aws-iam-authenticator"),
        ("{exec: {command: kubelogin}}", "kubelogin"),
        ("{exec: {command: touch, args: [/tmp/pwn]}}", "external binary"),
        ("{exec: {}, token: abc}", "external binary"),
        ("{auth-provider: {name: gcp, config: {cmd-path: /usr/bin/touch}}}", "Google Cloud SDK"),
        ("{auth-provider: {name: oidc}}", "login provider"),
    ] {
        let message = refusal(&kubeconfig(user));
        assert!(message.contains(cause), "{user}: {message}");
        assert!(message.contains("Strongroom runs no binaries") && message.contains("service account"), "{message}");
    }
}

#[test]
fn a_login_by_a_binary_is_named_before_any_other_mistake() {
    let text = kubeconfig_of("{server: 'http://x', certificate-authority-data: YQ==}", "{exec: {command: gcloud}}");
    assert!(refusal(&text).contains("Google Kubernetes Engine"));
}

#[test]
fn paths_of_files_are_refused_in_the_same_words_whether_they_exist_or_not() {
    for member in ["tokenFile", "client-certificate", "client-key"] {
        let [there, gone] =
            ["/etc/passwd", "/no/such/file"].map(|path| refusal(&kubeconfig(&format!("{{{member}: {path}}}"))));
        assert!(there == gone && there.contains(member) && there.contains("--flatten"), "{there}");
    }
    let message = refusal(&kubeconfig_of(&format!("{{{SERVER}, certificate-authority: /etc/ca.pem}}"), "{token: a}"));
    assert!(message.contains("certificate-authority"));
}

#[test]
fn what_weakens_or_diverts_the_connection_is_refused() {
    for member in ["insecure-skip-tls-verify: true", "proxy-url: 'http://evil'", "tls-server-name: other"] {
        let message = refusal(&kubeconfig_of(&format!("{{{SERVER}, {member}}}"), "{token: a}"));
        assert!(message.contains(member.split(':').next().expect("a name")), "{message}");
    }
    for member in ["insecure-skip-tls-verify: false", "proxy-url: ''", "disable-compression: true"] {
        parsed(&kubeconfig_of(&format!("{{{SERVER}, {member}}}"), "{token: a}"));
    }
}

#[test]
fn acting_as_somebody_else_is_refused() {
    for member in ["as: admin", "as-uid: '1'", "as-groups: ['system:masters']", "as-user-extra: {a: [b]}"] {
        assert!(refusal(&kubeconfig(&format!("{{token: a, {member}}}"))).contains("somebody else"), "{member}");
    }
}

#[test]
fn the_server_is_https_and_no_metadata_service() {
    for server in ["http://a.example.com", "https://169.254.169.254", "https://u:p@a.example.com", "a.example.com", ""]
    {
        assert!(
            refusal(&kubeconfig_of(&format!("{{server: '{server}'}}"), "{token: a}")).contains("server"),
            "{server}"
        );
    }
    let behind = "https://rancher.example.com/k8s/clusters/c-abc";
    assert_eq!(parsed(&kubeconfig_of(&format!("{{server: '{behind}/'}}"), "{token: a}")).server, behind);
}

#[test]
fn members_that_no_kubeconfig_has_are_refused() {
    for text in [
        kubeconfig("{token: a, exec-v2: {}}"),
        kubeconfig_of(&format!("{{{SERVER}, redirect: x}}"), "{token: a}"),
        kubeconfig("{token: a}") + "include: other\n",
        kubeconfig("{token: a}").replace("namespace:", "proxy:"),
        kubeconfig("{token: a}").replace("- name: admin", "- name: admin\n  also: x"),
    ] {
        assert!(refusal(&text).contains("no kubeconfig has"), "{text}");
    }
    assert!(refusal(&kubeconfig("{token: a}").replace("kind: Config", "kind: Pod")).contains("kind"));
}

#[test]
fn exactly_one_complete_login_is_needed() {
    for (user, word) in [
        ("{}", "nothing to log in with"),
        ("{token: ''}", "nothing to log in with"),
        ("{username: a}", "no password"),
        ("{password: a}", "no username"),
        ("{client-certificate-data: YQ==}", "client-key-data"),
        ("{client-key-data: YQ==}", "client-certificate-data"),
        ("{token: a, username: b, password: c}", "several ways"),
        ("{client-certificate-data: '***', client-key-data: YQ==}", "base64"),
        ("{client-certificate-data: YQ==, client-key-data: YQ==}", "certificate"),
        ("{token: [a]}", "token"),
        ("{token: 'a b'}", "token"),
        ("{username: 'a:b', password: c}", "username"),
        ("text", "members"),
    ] {
        let message = refusal(&kubeconfig(user));
        assert!(message.contains(word), "{user}: {message}");
    }
    assert!(
        refusal(&kubeconfig_of(&format!("{{{SERVER}, certificate-authority-data: YQ==}}"), "{token: a}"))
            .contains("certificate-authority-data")
    );
}

const SEVERAL: &str = "
contexts:
- {name: one, context: {cluster: a, user: a}}
- {name: two, context: {cluster: b, user: b}}
clusters:
- {name: a, cluster: {server: 'https://a.example.com'}}
- {name: b, cluster: {server: 'https://b.example.com', insecure-skip-tls-verify: true}}
users:
- {name: a, user: {token: chosen-token}}
- {name: b, user: {exec: {command: other-secret}}}
";

#[test]
fn several_contexts_without_a_choice_are_refused_and_the_remedy_given() {
    let message = refusal(SEVERAL);
    assert!(message.contains("kubectl config use-context"), "{message}");
    assert!(message.contains("kubectl config view --minify --flatten"), "{message}");
}

#[test]
fn only_the_chosen_context_is_kept() {
    let text = parsed(&format!("current-context: one{SEVERAL}")).to_json();
    assert!(text.contains("chosen-token") && !text.contains("other-secret") && !text.contains("b.example.com"));
    assert!(refusal(&format!("current-context: two{SEVERAL}")).contains("external binary"));
}

#[test]
fn the_only_context_needs_no_choice() {
    assert_eq!(parsed(&kubeconfig("{token: a}").replace("current-context: production\n", "")).context, "production");
    assert!(refusal("apiVersion: v1\n").contains("no contexts"));
}

#[test]
fn every_name_must_resolve_to_one_entry() {
    let text = kubeconfig("{token: a}");
    assert!(refusal(&text.replace("current-context: production", "current-context: gone")).contains("current-context"));
    assert!(refusal(&text.replace("{cluster: one", "{cluster: gone")).contains("cluster"));
    assert!(refusal(&text.replace("user: admin", "user: gone")).contains("user"));
    assert!(refusal(&text.replace("user: admin, ", "")).contains("user"));
    assert!(refusal(&(text.clone() + "- name: admin\n  user: {token: b}\n")).contains("same name"));
    assert!(refusal(&text.replace("namespace: agents", "namespace: '../x'")).contains("namespace"));
}

#[test]
fn a_second_server_hidden_behind_the_first_is_refused() {
    let cluster = format!("{{{SERVER}, server: 'https://evil.example.com'}}");
    assert!(refusal(&kubeconfig_of(&cluster, "{token: a}")).contains("second time"));
}

#[test]
fn what_minikube_and_kubectl_write_beside_is_dropped() {
    let extension = "extensions: [{name: info, extension: {provider: minikube.sigs.k8s.io, version: v1}}]";
    let text = kubeconfig_of(&format!("{{{SERVER}, {extension}}}"), &format!("{{token: 12345, {extension}}}"));
    let config = parsed(&text);
    assert!(!config.to_json().contains("minikube"));
    assert!(matches!(config.login, Login::Token(token) if token.expose_secret() == "12345"));
}

#[test]
fn the_narrower_role_has_no_right_on_the_cluster_and_neither_lists_secrets() {
    for (block, kind) in [(guide::CLUSTER_ROLE, "ClusterRole"), (guide::NAMESPACE_ROLE, "Role")] {
        let documents: Vec<Node> = block.split("---\n").map(|text| document::yaml(text).expect("YAML")).collect();
        let role = documents.iter().find(|doc| doc.get("kind").and_then(Node::text) == Some(kind)).expect("a role");
        let rules = role.get("rules").and_then(Node::list).expect("rules");
        let words = |rule: &Node, member: &str| -> BTreeSet<String> {
            let list = rule.get(member).and_then(Node::list).unwrap_or_default();
            list.iter().filter_map(Node::text).map(str::to_owned).collect()
        };
        let has = |resource: &str, verb: &str| {
            rules.iter().any(|rule| words(rule, "resources").contains(resource) && words(rule, "verbs").contains(verb))
        };
        assert!(has("daemonsets", "patch") && has("secrets", "get") && !has("secrets", "list"), "{kind}");
        let of_the_cluster = has("clusterroles", "escalate") || has("namespaces", "create") || has("nodes", "list");
        assert_eq!(of_the_cluster, kind == "ClusterRole");
    }
}
