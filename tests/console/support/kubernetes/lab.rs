//! A test's own corner of the shared control plane: names, namespaces and logins that no other test uses.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::wait::wait_for;
use super::{Caller, LOGINS, Plane};

static NUMBER: AtomicUsize = AtomicUsize::new(0);

pub struct Lab {
    plane: &'static Plane,
    /// The prefix of all names that the test creates.
    pub name: String,
    /// Acts as the cluster's administrator.
    pub administrator: Caller,
}

/// A user of the cluster, at first without any rights.
#[derive(Clone, Debug)]
pub struct Login {
    pub name: String,
    pub token: String,
}

impl Login {
    pub(super) fn number(number: usize) -> Self {
        Self { name: format!("user-{number}"), token: format!("sekret-token-of-user-{number}") }
    }
}

/// A rule of a role: `rule("apps", &["daemonsets"], &["get"])`.
pub fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
}

impl Lab {
    pub async fn open(name: &str) -> Self {
        let plane = Plane::shared().await;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self { plane, name: format!("{name}-{number}"), administrator: plane.administrator() }
    }

    /// The address of the API server.
    pub fn server(&self) -> &str {
        &self.plane.server
    }

    /// The certificate authority of the API server, as PEM.
    pub fn authority(&self) -> &str {
        &self.plane.authority.pem
    }

    pub(super) fn signer(&self) -> &'static super::Authority {
        &self.plane.authority
    }

    /// A user who is known to the cluster but has no rights.
    pub fn login(&self) -> Login {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(number < LOGINS, "no more logins");
        Login::number(number)
    }

    /// A user with these rights in the whole cluster.
    pub async fn login_with(&self, rules: &[Value]) -> Login {
        let login = self.login();
        self.grant(&login, rules).await;
        login
    }

    /// A user with all rights.
    pub async fn almighty(&self) -> Login {
        let all = json!({"nonResourceURLs": ["*"], "verbs": ["*"]});
        self.login_with(&[all, rule("*", &["*"], &["*"])]).await
    }

    /// Grants rights in the whole cluster, in force on return. Returns the name of the role and its binding.
    pub async fn grant(&self, login: &Login, rules: &[Value]) -> String {
        self.bind(login, None, rules).await
    }

    /// Grants rights in one namespace.
    pub async fn grant_in(&self, namespace: &str, login: &Login, rules: &[Value]) -> String {
        self.bind(login, Some(namespace), rules).await
    }

    async fn bind(&self, login: &Login, namespace: Option<&str>, rules: &[Value]) -> String {
        let name = format!("{}-{}", login.name, NUMBER.fetch_add(1, Ordering::Relaxed));
        let (kind, place) = match namespace {
            None => ("ClusterRole", RBAC.to_owned()),
            Some(namespace) => ("Role", format!("{RBAC}/namespaces/{namespace}")),
        };
        let plural = kind.to_lowercase();
        let role = json!({"apiVersion": RBAC_V1, "kind": kind, "metadata": {"name": name}, "rules": rules});
        self.administrator.create(&format!("{place}/{plural}s"), &role).await;
        let binding = json!({"apiVersion": RBAC_V1, "kind": format!("{kind}Binding"), "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": login.name}]});
        self.administrator.create(&format!("{place}/{plural}bindings"), &binding).await;
        if let Some(rule) = rules.iter().rfind(|rule| rule["resources"].is_array()) {
            self.wait_until_allowed(login, namespace, rule, true).await;
        }
        name
    }

    /// Revokes the rights granted by [`Lab::grant`].
    pub async fn revoke(&self, login: &Login, granted: &str) {
        let role = self.administrator.get(&format!("{RBAC}/clusterroles/{granted}")).await.expect("a role");
        self.administrator.delete(&format!("{RBAC}/clusterrolebindings/{granted}")).await;
        let last = role["rules"].as_array().and_then(|rules| rules.last()).expect("a rule");
        self.wait_until_allowed(login, None, last, false).await;
    }

    /// The API server's authorizer sees a new role a moment after it was stored.
    async fn wait_until_allowed(&self, login: &Login, namespace: Option<&str>, rule: &Value, allowed: bool) {
        let asked = json!({"verb": rule["verbs"][0], "group": rule["apiGroups"][0], "resource": rule["resources"][0],
            "namespace": namespace, "name": rule["resourceNames"][0]});
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": login.name, "resourceAttributes": asked}});
        wait_for("a right is known", Duration::from_secs(20), async || {
            let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
            self.administrator.create(path, &review).await["status"]["allowed"] == allowed
        })
        .await;
    }

    pub fn by(&self, login: &Login) -> Caller {
        Caller::new(self.authority(), self.server(), &login.token)
    }

    pub fn kubeconfig(&self, login: &Login) -> String {
        self.kubeconfig_at(self.server(), login)
    }

    /// The kubeconfig of a user who has all rights without needing a role.
    pub fn administrators_kubeconfig(&self) -> String {
        self.plane.kubeconfig(self.server(), super::ADMINISTRATOR)
    }

    /// A kubeconfig with another address of the API server.
    pub fn kubeconfig_at(&self, server: &str, login: &Login) -> String {
        self.plane.kubeconfig(server, &login.token)
    }

    /// Creates a namespace with the test's prefix.
    pub async fn namespace(&self, name: &str) -> String {
        let name = format!("{}-{name}", self.name);
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.administrator.create("/api/v1/namespaces", &namespace).await;
        name
    }

    /// Runs the real kubectl with the kubeconfig in a file.
    pub fn kubectl(&self, kubeconfig: &str, arguments: &[&str]) -> Output {
        let directory = tempfile::tempdir().expect("a folder");
        let file = directory.path().join("kubeconfig");
        std::fs::write(&file, kubeconfig).expect("a file");
        let program =
            std::env::var_os("STRONGROOM_TEST_KUBECTL").expect("STRONGROOM_TEST_KUBECTL is set by script/test");
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("KUBECONFIG", file).env("HOME", directory.path());
        command.current_dir(directory.path()).output().expect("kubectl runs")
    }

    /// All objects at a path that match a label selector.
    pub async fn labelled(&self, path: &str, selector: &str) -> Vec<Value> {
        let path = format!("{path}?labelSelector={}", selector.replace('=', "%3D"));
        let (status, list) = self.administrator.send(Method::GET, &path, None).await;
        assert_eq!(status, 200, "{list}");
        list["items"].as_array().cloned().unwrap_or_default()
    }
}

pub const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const RBAC_V1: &str = "rbac.authorization.k8s.io/v1";
