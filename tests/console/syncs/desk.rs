//! A console that releases stored values, a cluster, and a credential to keep there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use strongroom::accounts::Role;

use crate::deployments::desk::{Fields, id_in, kubeconfig, post, row_version, saved, with};
use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::kubernetes::Lab;
use crate::support::sql;
use crate::support::wait::until;

/// The value that is kept in the cluster, and must be nowhere else.
pub const CANARY: &str = "CanarySync-7Qm2xLw9Zr4T";
/// Name of the credential.
pub const SOURCE: &str = "shop database";

pub struct Desk {
    pub lab: Lab,
    pub app: TestApp,
    pub administrator: Visit,
    pub operator: Visit,
    /// Paths of the pages of the kubeconfig, the source and the sync.
    pub cluster: String,
    pub source: String,
    pub sync: String,
    /// The namespace, which exists.
    pub namespace: String,
}

impl Desk {
    pub async fn open(name: &str) -> Self {
        let lab = Lab::open(name).await;
        let config = lab.administrators_kubeconfig();
        Self::with(lab, &config).await
    }

    /// The same, signing in with that kubeconfig.
    pub async fn with(lab: Lab, config: &str) -> Self {
        let app = TestApp::start_with(&["--release-values=on"]);
        let (mut administrator, operator) = (app.administrator(), app.user("olga", Role::Operator));
        let cluster = kubeconfig(&mut administrator, "cluster", config).await;
        let basic = [("kind", "basic"), ("name", SOURCE), ("username", "app"), ("password", CANARY)];
        let source = saved(&mut administrator, &basic).await;
        let id = id_in(&cluster);
        let form = [("version", "sync_kubernetes"), ("name", "production"), ("credential", &*id)];
        let added = administrator.post("/integrations", &form).await;
        assert_eq!(added.status, 303, "{:?}", added.texts(".error-summary"));
        let (sync, namespace) = (added.location().to_owned(), lab.namespace("shop").await);
        Self { lab, app, administrator, operator, cluster, source, sync, namespace }
    }

    /// The form of the Secret `db` with all values of the source.
    pub fn form(&self) -> Fields {
        vec![
            ("source", "credential".to_owned()),
            ("source_credential", id_in(&self.source)),
            ("secret", "db".to_owned()),
            ("namespaces", self.namespace.clone()),
            ("type", "Opaque".to_owned()),
        ]
    }

    /// What releases the value of the source.
    pub fn released(form: &Fields) -> Fields {
        with(form, &[("release", SOURCE), ("password", PASSWORD)])
    }

    /// Adds a Secret as the administrator does.
    pub async fn add(&mut self, form: &Fields) -> Page {
        let version = row_version(&mut self.administrator, &self.sync).await;
        let form = with(&Self::released(form), &[("row_version", &version)]);
        post(&mut self.administrator, &format!("{}/secrets/new", self.sync), &form).await
    }

    /// Adds the Secret `db`.
    pub async fn keep(&mut self, more: &[(&'static str, &str)]) {
        let form = with(&self.form(), more);
        let added = self.add(&form).await;
        assert_eq!(added.status, 303, "{:?}", added.texts(".error-summary, [id$=-error]"));
    }

    pub async fn preview(&mut self) -> Page {
        self.administrator.post(&format!("{}/preview", self.sync), &[]).await
    }

    /// Applies, with the answers to the preview's questions, one a line, and waits for the end.
    pub async fn apply(&mut self, agreed: &str) {
        let version = row_version(&mut self.administrator, &self.sync).await;
        let order = [("row_version", version.as_str()), ("all", agreed)];
        let queued = self.administrator.post(&format!("{}/deploy", self.sync), &order).await;
        assert_eq!(queued.status, 303, "{:?}", queued.texts("main p"));
        self.settled().await;
    }

    pub async fn check(&mut self) {
        assert_eq!(self.administrator.post(&format!("{}/runs", self.sync), &[]).await.status, 303);
        self.settled().await;
    }

    pub async fn remove(&mut self) {
        let version = row_version(&mut self.administrator, &self.sync).await;
        let fields = [("row_version", version.as_str())];
        assert_eq!(self.administrator.post(&format!("{}/removal", self.sync), &fields).await.status, 303);
        self.settled().await;
    }

    /// Waits until no run is under way.
    pub async fn settled(&self) {
        let under_way = || sql::count(&self.app, "runs WHERE state IN ('queued', 'running')");
        until("the runs end", || (under_way() == 0).then_some(())).await;
    }

    pub async fn page(&mut self) -> Page {
        let path = self.sync.clone();
        self.administrator.get(&path).await
    }

    pub async fn standing(&mut self) -> String {
        self.page().await.attributes("[data-standing]", "data-standing").remove(0)
    }

    pub fn path(&self, name: &str) -> String {
        format!("/api/v1/namespaces/{}/secrets/{name}", self.namespace)
    }

    pub async fn secret(&self, name: &str) -> Option<Value> {
        self.lab.administrator.get(&self.path(name)).await
    }

    /// A value of the Secret `db`.
    pub async fn value(&self, key: &str) -> String {
        decoded(&self.secret("db").await.expect("a Secret"), key)
    }

    /// Creates a Secret by hand, as somebody else would.
    pub async fn by_hand(&self, name: &str, data: Value) {
        let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
        self.lab.administrator.create(&format!("/api/v1/namespaces/{}/secrets", self.namespace), &object).await;
    }

    /// Creates a Deployment whose pods use the Secret `db`, or none.
    pub async fn workload(&self, name: &str, uses: bool) {
        let env = json!([{"name": "P", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]);
        let env = if uses { env } else { json!([]) };
        let pod = json!({"containers": [{"name": "c", "image": "r.example.com/app:1", "env": env}]});
        let spec = json!({"replicas": 0, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod}});
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec});
        self.lab
            .administrator
            .create(&format!("/apis/apps/v1/namespaces/{}/deployments", self.namespace), &object)
            .await;
    }

    /// The version that the pods of a Deployment were started with.
    pub async fn started_with(&self, name: &str) -> Option<String> {
        let path = format!("/apis/apps/v1/namespaces/{}/deployments/{name}", self.namespace);
        let live = self.lab.administrator.get(&path).await.expect("a Deployment");
        let annotations = &live["spec"]["template"]["metadata"]["annotations"];
        annotations["secret-version.strongroom.dev/db"].as_str().map(str::to_owned)
    }

    /// Gives the source another password, as whoever edits it does.
    pub async fn rotate(&mut self, password: &str) {
        let source = self.source.clone();
        let version = row_version(&mut self.operator, &source).await;
        let edit = [("row_version", version.as_str()), ("name", SOURCE), ("username", "app"), ("password", password)];
        let edited = self.operator.post(&format!("{source}/edit"), &edit).await;
        assert_eq!(edited.status, 303, "{:?}", edited.texts("main p"));
    }
}

pub fn decoded(secret: &Value, key: &str) -> String {
    let text = secret["data"][key].as_str().unwrap_or_else(|| panic!("no {key}"));
    String::from_utf8(STANDARD.decode(text).expect("base64")).expect("a text")
}
