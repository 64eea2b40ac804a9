//! The desired objects of a deployment: a pure function of settings, secrets and mark. They are in the order in which
//! they are applied. The Namespace is separate, since it may belong to somebody else.

use serde_json::{Map, Value, json};

use super::image::Image;
use super::mark::{ENFORCED, ObjectRef, SECRET_VERSION};
use super::parts::Parts;
use super::secrets::{self, Pull};
use super::{pod, rules};
use crate::providers::kubernetes::kinds::{self, Kind};

/// A desired object. Its body may contain secrets, so never show or log it.
#[derive(Clone)]
pub(super) struct Desired {
    pub kind: &'static Kind,
    pub body: Value,
    /// An existing object that is not ours is used unchanged.
    pub may_be_shared: bool,
}

/// All objects of a deployment.
pub(super) struct Plan {
    /// The namespace, in case it has to be created.
    pub namespace: Desired,
    pub objects: Vec<Desired>,
}

impl Desired {
    pub(super) fn new(kind: &'static Kind, metadata: Value, rest: Value) -> Self {
        let mut body = json!({ "apiVersion": kind.api_version(), "kind": kind.kind, "metadata": metadata });
        if let (Value::Object(body), Value::Object(rest)) = (&mut body, rest) {
            body.extend(rest);
        }
        Self { kind, body, may_be_shared: false }
    }

    pub fn object(&self) -> ObjectRef {
        let text = |member: &str| self.body["metadata"][member].as_str().unwrap_or_default();
        ObjectRef::new(self.kind.kind, text("namespace"), text("name"))
    }
}

impl Parts<'_> {
    fn metadata(&self, name: &str, is_namespaced: bool) -> Value {
        let mut metadata = json!({ "name": name, "labels": self.labels() });
        if is_namespaced {
            metadata["namespace"] = json!(self.namespace());
        }
        metadata
    }

    fn object(&self, kind: &'static Kind, name: &str, rest: Value) -> Desired {
        Desired::new(kind, self.metadata(name, kind.is_namespaced), rest)
    }

    fn secret(&self, name: &str, version: String, kind: &str, data: Map<String, Value>) -> Desired {
        let mut metadata = self.metadata(name, true);
        metadata["annotations"] = json!({ SECRET_VERSION: version });
        Desired::new(&kinds::SECRET, metadata, json!({ "type": kind, "data": data }))
    }

    fn secrets(&self, image: &Image) -> Result<Vec<Desired>, String> {
        let mut made = Vec::new();
        if let Some(secret) = self.pull {
            let config = Pull::of(secret)?.to_docker_config(image);
            let data = Map::from_iter([(".dockerconfigjson".to_owned(), encoded(&config))]);
            made.push(self.secret(&self.pull_name(), secrets::version(secret), "kubernetes.io/dockerconfigjson", data));
        }
        if let Some(secret) = self.agent {
            let data: Map<String, Value> =
                self.agent_keys().iter().map(|key| (key.key.to_owned(), encoded(&key.value))).collect();
            if data.is_empty() {
                return Err("The agent secret cannot be used here. Edit the credential, or choose another one.".into());
            }
            made.push(self.secret(&self.agent_name(), secrets::version(secret), "Opaque", data));
        }
        Ok(made)
    }

    fn roles(&self) -> Vec<Desired> {
        let rules = rules::of(self.settings);
        if rules.is_empty() {
            return Vec::new();
        }
        let (name, account) = (self.role_name(), self.service_account());
        let subject = json!({ "kind": "ServiceAccount", "name": account, "namespace": self.namespace() });
        let role = json!({ "apiGroup": kinds::CLUSTER_ROLE.group, "kind": kinds::CLUSTER_ROLE.kind, "name": name });
        vec![
            self.object(&kinds::CLUSTER_ROLE, &name, json!({ "rules": rules })),
            self.object(&kinds::CLUSTER_ROLE_BINDING, &name, json!({ "roleRef": role, "subjects": [subject] })),
        ]
    }

    /// All objects; the error is a sentence.
    pub fn plan(&self) -> Result<Plan, String> {
        let image =
            Image::parse(self.settings.get("image")).ok_or("The settings name no image. Edit the deployment.")?;
        if self.namespace().is_empty() || self.name().is_empty() {
            return Err("The settings name no namespace and DaemonSet. Edit the deployment.".to_owned());
        }
        let mut account = self.object(&kinds::SERVICE_ACCOUNT, self.service_account(), json!({}));
        account.may_be_shared = !self.settings.get("service_account").is_empty();
        let mut objects = vec![account];
        objects.extend(self.secrets(&image)?);
        objects.extend(self.roles());
        objects.push(self.object(&kinds::DAEMON_SET, self.name(), json!({ "spec": pod::daemon_set(self) })));
        let mut namespace = self.object(&kinds::NAMESPACE, self.namespace(), json!({}));
        if self.uses_host() {
            namespace.body["metadata"]["labels"][ENFORCED] = json!("privileged");
        }
        Ok(Plan { namespace, objects })
    }
}

fn encoded(value: &str) -> Value {
    use base64::Engine as _;
    json!(base64::engine::general_purpose::STANDARD.encode(value))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::credentials;
    use crate::form::Values;
    use crate::integrations::context::Secret;
    use crate::integrations::deployments::mark::{DEPLOYMENT, MANAGED_BY, MANAGER, Mark};
    use crate::providers::tokens::Stored;

    fn settings(more: &[(&str, &str)]) -> Values {
        let least = [("image", "r.example/agent:1"), ("namespace", "agents"), ("daemon_set", "agent")];
        least.iter().chain(more).copied().collect()
    }

    fn kinds_of(plan: &Plan) -> Vec<String> {
        plan.objects.iter().map(|desired| desired.object().to_string()).collect()
    }

    #[test]
    fn an_image_alone_makes_a_service_account_and_a_daemon_set() {
        let (settings, mark) = (settings(&[]), Mark::default());
        let plan = Parts { settings: &settings, mark: &mark, pull: None, agent: None }.plan().unwrap();
        assert_eq!(kinds_of(&plan), ["ServiceAccount agents/agent", "DaemonSet agents/agent"]);
        assert_eq!(plan.namespace.object().to_string(), "Namespace agents");
        for desired in plan.objects.iter().chain([&plan.namespace]) {
            let labels = &desired.body["metadata"]["labels"];
            assert_eq!((&labels[MANAGED_BY], &labels[DEPLOYMENT]), (&json!(MANAGER), &json!(mark.id.to_string())));
        }
    }

    #[test]
    fn a_namespace_that_is_made_for_access_to_the_host_allows_it() {
        let level = |more: &[(&str, &str)]| {
            let (settings, mark) = (settings(more), Mark::default());
            let plan = Parts { settings: &settings, mark: &mark, pull: None, agent: None }.plan().unwrap();
            plan.namespace.body["metadata"]["labels"].get(ENFORCED).cloned()
        };
        assert_eq!(level(&[]), None);
        assert_eq!(level(&[("host_paths", "/var/run")]), Some(json!("privileged")));
    }

    #[test]
    fn secrets_come_before_roles_and_carry_their_version_and_no_hash() {
        let settings = settings(&[("rules", rules::NODES), ("labels", "team=blue")]);
        let values = Values::from_iter([("username", "u"), ("password", "hunter2")]);
        let stored = Some(Stored { credential: Uuid::nil(), secret_version: 7 });
        let secret = Secret { kind: credentials::find("basic").unwrap(), values: &values, stored };
        let mark = Mark::default();
        let plan = Parts { settings: &settings, mark: &mark, pull: Some(secret), agent: Some(secret) }.plan().unwrap();
        let role = "strongroom:agents:agent";
        let expected = [
            "ServiceAccount agents/agent".to_owned(),
            "Secret agents/agent-pull".to_owned(),
            "Secret agents/agent-secret".to_owned(),
            format!("ClusterRole {role}"),
            format!("ClusterRoleBinding {role}"),
            "DaemonSet agents/agent".to_owned(),
        ];
        assert_eq!(kinds_of(&plan), expected);
        let version = format!("{}.7", Uuid::nil());
        assert_eq!(plan.objects[2].body["metadata"]["annotations"][SECRET_VERSION], json!(version));
        assert_eq!(plan.objects[2].body["data"]["password"], encoded("hunter2"));
        assert!(plan.objects.iter().all(|desired| desired.body.get("stringData").is_none()));
        let template = &plan.objects[5].body["spec"]["template"];
        assert_eq!(
            template["metadata"]["annotations"][SECRET_VERSION],
            json!(format!("agent={version},pull={version}"))
        );
        assert_eq!(template["metadata"]["labels"]["team"], json!("blue"));
        assert!(!plan.objects[5].body.to_string().contains("hunter2"));
    }

    #[test]
    fn a_credential_that_cannot_be_a_pull_secret_is_said_so() {
        let (settings, values, mark) = (settings(&[]), Values::default(), Mark::default());
        let secret = Secret { kind: credentials::find("gcp").unwrap(), values: &values, stored: None };
        let said = Parts { settings: &settings, mark: &mark, pull: Some(secret), agent: None }.plan().err();
        assert!(said.unwrap().starts_with("The pull secret cannot be used"));
    }
}
