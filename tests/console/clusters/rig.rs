//! One deployment as `runs` carries it out, without a console: with a kubeconfig, into a namespace of its test.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use strongroom::credentials::{self, Kind};
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Secret};
use strongroom::integrations::deployments::{self, AGENT_SECRET, Made, Mark, Options, Outcome, PULL_SECRET, Preview};
use strongroom::integrations::scan::Gap;
use strongroom::providers::Failure;
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::Endpoints;
use strongroom::providers::tokens::Stored;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::kubernetes::Lab;
use crate::support::outside::World;

pub const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
pub const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
pub const LABEL: &str = "strongroom.dev/deployment";

pub struct Rig {
    pub id: Uuid,
    pub namespace: String,
    kubeconfig: String,
    settings: Vec<(&'static str, String)>,
    secrets: Vec<(&'static str, &'static Kind, Values, i32)>,
    /// The objects that the last run recorded. A run that dies records nothing.
    made: Mutex<Vec<Made>>,
    stop: CancellationToken,
}

impl Rig {
    /// A deployment into a namespace that does not exist yet, with a ClusterRole and both secrets, on one node.
    pub fn new(lab: &Lab, kubeconfig: String, name: &str) -> Self {
        let namespace = format!("{}-{name}", lab.name);
        let mut rig = Self::plain(kubeconfig, &namespace);
        rig.settings.push(("rules", "nodes".to_owned()));
        rig.settings.push(("node_selector", "kubernetes.io/hostname=node-1".to_owned()));
        rig.secret(PULL_SECRET, "basic", &[("username", "robot"), ("password", "sekret-of-the-registry")]);
        rig.secret(AGENT_SECRET, "api_token", &[("token", "sekret-of-the-agent")]);
        rig
    }

    /// A deployment with an image and otherwise default settings.
    pub fn plain(kubeconfig: String, namespace: &str) -> Self {
        Self {
            id: Uuid::now_v7(),
            namespace: namespace.to_owned(),
            kubeconfig,
            settings: vec![("image", "registry.example.com/agent:1".to_owned()), ("namespace", namespace.to_owned())],
            secrets: Vec::new(),
            made: Mutex::default(),
            stop: CancellationToken::new(),
        }
    }

    /// The same deployment with another login or through another address.
    pub fn by(&self, kubeconfig: String) -> Self {
        Self {
            id: self.id,
            namespace: self.namespace.clone(),
            kubeconfig,
            settings: self.settings.clone(),
            secrets: self.secrets.clone(),
            made: Mutex::new(self.made.lock().unwrap().clone()),
            stop: CancellationToken::new(),
        }
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.into()));
    }

    pub fn secret(&mut self, role: &'static str, kind: &str, values: &[(&str, &str)]) {
        let version = self.secrets.iter().find(|(known, ..)| *known == role).map_or(1, |(.., version)| version + 1);
        self.secrets.retain(|(known, ..)| *known != role);
        let kind = credentials::find(kind).expect("a kind");
        self.secrets.push((role, kind, Values::from_iter(values.iter().copied()), version));
    }

    pub async fn preview(&self) -> Result<Preview, Failure> {
        self.call(async |deployment, cx, mark| deployments::preview(deployment, cx, mark).await).await
    }

    pub async fn apply(&self) -> Result<Outcome, Gap> {
        self.apply_with(&Options::default()).await
    }

    pub async fn apply_with(&self, options: &Options) -> Result<Outcome, Gap> {
        let applied = self.call(async |deployment, cx, mark| deployments::apply(deployment, cx, mark, options).await);
        self.recorded(applied.await)
    }

    pub async fn observe(&self) -> Result<Outcome, Gap> {
        let seen = self.call(async |deployment, cx, mark| deployments::observe(deployment, cx, mark).await);
        self.recorded(seen.await)
    }

    pub async fn remove(&self) -> Result<Outcome, Gap> {
        self.call(async |deployment, cx, mark| deployments::remove(deployment, cx, mark).await).await
    }

    fn recorded(&self, outcome: Result<Outcome, Gap>) -> Result<Outcome, Gap> {
        if let Ok(outcome) = &outcome {
            *self.made.lock().unwrap() = outcome.state.made.clone();
        }
        outcome
    }

    async fn call<T>(&self, run: impl AsyncFnOnce(&dyn deployments::Deployment, &Context<'_>, &Mark) -> T) -> T {
        let spec = Spec::find("kubernetes").expect("a way");
        let posted = self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let settings = form::check(spec.fields, &with_defaults(spec, posted), None).expect("the settings are good");
        let kubeconfig = credentials::find("kubeconfig").expect("a kind");
        let main = form::check(kubeconfig.fields, &Values::from_iter([("kubeconfig", self.kubeconfig.as_str())]), None);
        let main = main.expect("a kubeconfig");
        let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let world = World::new(egress.within(Duration::from_secs(5), Duration::from_secs(10)), Endpoints::default());
        let main = Secret { kind: kubeconfig, values: &main, stored: None };
        let mut cx =
            Context { stop: self.stop.clone(), ..Context::new(world.outside(), &settings, "An agent", Some(main)) };
        for (role, kind, values, version) in &self.secrets {
            let stored = Some(Stored { credential: self.id, secret_version: *version });
            cx.secrets.push((role, Secret { kind, values, stored }));
        }
        let mark = Mark { id: self.id, made: self.made.lock().unwrap().clone(), ..Mark::default() };
        run(spec.deployment().expect("a deployment"), &cx, &mark).await
    }

    /// Every object with the deployment's label, as `Kind name`.
    pub async fn objects(&self, lab: &Lab) -> Vec<String> {
        let selector = format!("{LABEL}={}", self.id);
        let within = format!("/api/v1/namespaces/{}", self.namespace);
        let mut found = Vec::new();
        for (kind, path) in [
            ("Namespace", "/api/v1/namespaces".to_owned()),
            ("ServiceAccount", format!("{within}/serviceaccounts")),
            ("Secret", format!("{within}/secrets")),
            ("ClusterRole", ROLES.to_owned()),
            ("ClusterRoleBinding", BINDINGS.to_owned()),
            ("DaemonSet", format!("/apis/apps/v1/namespaces/{}/daemonsets", self.namespace)),
            ("Pod", format!("{within}/pods")),
        ] {
            let listed = lab.labelled(&path, &selector).await;
            found.extend(listed.iter().filter(|object| !is_leaving(object)).map(|object| match kind {
                "Pod" => kind.to_owned(),
                _ => format!("{kind} {}", object["metadata"]["name"].as_str().unwrap_or_default()),
            }));
        }
        found
    }

    /// Fails unless every object exists exactly once.
    pub async fn assert_whole(&self, lab: &Lab) {
        let namespace = &self.namespace;
        let role = format!("strongroom:{namespace}:defender");
        assert_eq!(
            self.objects(lab).await,
            [
                format!("Namespace {namespace}"),
                "ServiceAccount defender".to_owned(),
                "Secret defender-pull".to_owned(),
                "Secret defender-secret".to_owned(),
                format!("ClusterRole {role}"),
                format!("ClusterRoleBinding {role}"),
                "DaemonSet defender".to_owned(),
                "Pod".to_owned(),
            ]
        );
    }

    /// Fails if anything is left.
    pub async fn assert_gone(&self, lab: &Lab) {
        assert_eq!(self.objects(lab).await, Vec::<String>::new());
        assert!(lab.administrator.get(&format!("/api/v1/namespaces/{}", self.namespace)).await.is_none());
    }

    pub async fn daemon_set(&self, lab: &Lab) -> Value {
        lab.administrator.get(&self.path()).await.expect("a DaemonSet")
    }

    /// The path of the DaemonSet.
    pub fn path(&self) -> String {
        format!("/apis/apps/v1/namespaces/{}/daemonsets/defender", self.namespace)
    }
}

fn is_leaving(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string() || object["status"]["phase"] == "Terminating"
}

/// The defaults of a new form, with these values entered.
fn with_defaults(spec: &'static Spec, entered: Values) -> Values {
    let shown = form::view(spec.fields, None, None, &form::Errors::default(), &|_| Vec::new());
    let mut posted: Values = shown.iter().map(|field| (field.name, field.value.clone())).collect();
    for field in spec.fields.iter().filter(|field| !entered.get(field.name).is_empty()) {
        posted.set(field.name, entered.get(field.name));
    }
    posted
}
