//! The inputs of a deployment's objects, and the names that the objects share.

use serde_json::{Value, json};

use super::deployment::{AGENT_SECRET, PULL_SECRET};
use super::fields::FILES;
use super::lines::{self, entries};
use super::mark::{DEPLOYMENT, MANAGED_BY, MANAGER, Mark};
use super::secrets::{self, AgentKey};
use crate::form::Values;
use crate::integrations::context::{Context, Secret};

/// The inputs of the objects.
pub(super) struct Parts<'a> {
    pub settings: &'a Values,
    pub mark: &'a Mark,
    pub pull: Option<Secret<'a>>,
    pub agent: Option<Secret<'a>>,
}

impl<'a> Parts<'a> {
    pub fn of(cx: &'a Context<'_>, mark: &'a Mark) -> Self {
        Self { settings: cx.settings, mark, pull: cx.secret(PULL_SECRET), agent: cx.secret(AGENT_SECRET) }
    }

    pub fn namespace(&self) -> &'a str {
        self.settings.get("namespace")
    }

    pub fn name(&self) -> &'a str {
        self.settings.get("daemon_set")
    }

    pub fn service_account(&self) -> &'a str {
        match self.settings.get("service_account") {
            "" => self.name(),
            name => name,
        }
    }

    /// Name of the ClusterRole and its binding. It has to be unique in the cluster, so it includes the namespace.
    pub fn role_name(&self) -> String {
        format!("strongroom:{}:{}", self.namespace(), self.name())
    }

    pub fn pull_name(&self) -> String {
        format!("{}-pull", self.name())
    }

    pub fn agent_name(&self) -> String {
        format!("{}-secret", self.name())
    }

    /// The labels of every object and pod.
    pub fn labels(&self) -> Value {
        let own = [
            ("app.kubernetes.io/name", self.name().to_owned()),
            (MANAGED_BY, MANAGER.to_owned()),
            (DEPLOYMENT, self.mark.id.to_string()),
        ];
        let entered = entries(self.settings.get("labels"), lines::pair);
        let own = own.into_iter().map(|(key, value)| (key.to_owned(), value));
        Value::Object(entered.into_iter().chain(own).map(|(key, value)| (key, json!(value))).collect())
    }

    /// The label selector of the DaemonSet. It is immutable.
    pub fn selector(&self) -> Value {
        json!({ DEPLOYMENT: self.mark.id.to_string() })
    }

    /// The versions of both secrets.
    pub fn versions(&self) -> String {
        let version =
            |role: &str, secret: Option<Secret<'_>>| secret.map(|s| format!("{role}={}", secrets::version(s)));
        let both = [version("agent", self.agent), version("pull", self.pull)];
        both.into_iter().flatten().collect::<Vec<_>>().join(",")
    }

    /// The keys of the agent's Secret.
    pub fn agent_keys(&self) -> Vec<AgentKey> {
        self.agent.map(secrets::agent).unwrap_or_default()
    }

    /// Whether the pods use the host in a way that the Pod Security level `baseline` refuses.
    pub fn uses_host(&self) -> bool {
        let is_on = |name: &&str| self.settings.get(name) == "on";
        ["host_network", "host_pid", "privileged"].iter().any(is_on) || !self.settings.get("host_paths").is_empty()
    }

    pub fn has_files(&self) -> bool {
        self.settings.get("secret_as") == FILES
    }
}
