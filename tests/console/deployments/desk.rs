//! A console and a cluster, with what a deployment that hands a secret on is made of.

use serde_json::Value;
use strongroom::accounts::Role;

use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::kubernetes::Lab;
use crate::support::sql;
use crate::support::wait::until;

/// What is handed on to the cluster.
pub const AGENT: &str = "CanaryAgent-0123456789";

pub type Fields = Vec<(&'static str, String)>;

pub struct Desk {
    pub lab: Lab,
    pub app: TestApp,
    pub administrator: Visit,
    pub operator: Visit,
    /// Paths of the credentials' pages.
    pub cluster: String,
    pub agent: String,
}

impl Desk {
    pub async fn open(name: &str) -> Self {
        let (lab, app) = (Lab::open(name).await, TestApp::start());
        let (mut administrator, operator) = (app.administrator(), app.user("olga", Role::Operator));
        let cluster = kubeconfig(&mut administrator, "cluster", &lab.administrators_kubeconfig()).await;
        let token = [("kind", "api_token"), ("name", "agent token"), ("token", AGENT)];
        let agent = saved(&mut administrator, &token).await;
        Self { lab, app, administrator, operator, cluster, agent }
    }

    /// Name of a namespace that no other test has.
    pub fn namespace(&self, name: &str) -> String {
        format!("{}-{name}", self.lab.name)
    }

    /// The form of a deployment into that namespace, which hands the agent's token on.
    pub fn form(&self, namespace: &str) -> Fields {
        let text = str::to_owned;
        vec![
            ("version", text("kubernetes")),
            ("image", text("registry.example.com/agent:1")),
            ("namespace", self.namespace(namespace)),
            ("daemon_set", text("defender")),
            ("name", text(namespace)),
            ("credential", id_in(&self.cluster)),
            ("agent_secret", id_in(&self.agent)),
        ]
    }

    /// The same, added. The path of its page.
    pub async fn added(&mut self, namespace: &str) -> String {
        let form = self.form(namespace);
        self.add(&form).await
    }

    /// Adds it as an administrator who says where its secrets belong.
    pub async fn add(&mut self, form: &Fields) -> String {
        let asked = post(&mut self.administrator, "/integrations", form).await;
        let yes = asked.attributes("#send_to", "value").remove(0);
        let form = with(form, &[("send_to", &yes), ("password", PASSWORD)]);
        let added = post(&mut self.administrator, "/integrations", &form).await;
        assert_eq!(added.status, 303, "{:?}", added.texts("[id$=-error]"));
        added.location().to_owned()
    }

    /// Deploys it, and waits until every node has it.
    pub async fn deploy(&mut self, page: &str, agreed: &str) {
        let version = row_version(&mut self.administrator, page).await;
        let order = [("row_version", version.as_str()), ("all", agreed)];
        let queued = self.administrator.post(&format!("{page}/deploy"), &order).await;
        assert_eq!(queued.status, 303, "{:?}", queued.texts("main p"));
        self.settled().await;
        assert_eq!(self.standing(page).await, ["Ready"], "{page}");
    }

    /// Waits until no run is under way.
    pub async fn settled(&self) {
        let under_way = || sql::count(&self.app, "runs WHERE state IN ('queued', 'running')");
        until("the runs end", || (under_way() == 0).then_some(())).await;
    }

    /// How the page says that the deployment stands.
    pub async fn standing(&mut self, page: &str) -> Vec<String> {
        self.administrator.get(page).await.attributes("[data-standing]", "data-standing")
    }

    /// The DaemonSet in a namespace of [`Desk::namespace`].
    pub async fn daemon_set(&self, namespace: &str) -> Option<Value> {
        self.lab.administrator.get(&self.daemon_set_path(namespace)).await
    }

    pub fn daemon_set_path(&self, namespace: &str) -> String {
        format!("/apis/apps/v1/namespaces/{}/daemonsets/defender", self.namespace(namespace))
    }
}

/// Saves a credential. The path of its page.
pub async fn saved(visit: &mut Visit, fields: &[(&str, &str)]) -> String {
    let page = visit.post("/credentials", fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    page.location().to_owned()
}

pub async fn kubeconfig(visit: &mut Visit, name: &str, text: &str) -> String {
    saved(visit, &[("kind", "kubeconfig"), ("name", name), ("kubeconfig", text)]).await
}

pub async fn post(visit: &mut Visit, path: &str, fields: &Fields) -> Page {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    visit.post(path, &fields).await
}

/// The form with some fields filled in anew.
pub fn with(form: &Fields, fields: &[(&'static str, &str)]) -> Fields {
    let kept = form.iter().filter(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    kept.cloned().chain(fields.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
}

/// The version that the form of a row is over.
pub async fn row_version(visit: &mut Visit, page: &str) -> String {
    visit.get(&format!("{page}/edit")).await.attributes("[name=row_version]", "value").remove(0)
}

pub fn id_in(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}
