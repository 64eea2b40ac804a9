//! A kubeconfig: one cluster and one way to log in to it, cut out of the file that was pasted. The strict reader is in
//! [`config`]; why a login by a binary is refused, in [`refusals`]. Nothing here runs a program or opens a file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use super::document::{self, Node};
use super::{Facts, Guide, Kind, certificate, checks, pem};
use crate::form::{Errors, Field, Values};
use crate::pasted::Wanted;

mod config;
mod issued;
mod refusals;

pub use config::{Context, Kubeconfig, Login};
pub use issued::{Issued, Place};

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    pub kubeconfig: Kubeconfig,
}

pub static KIND: Kind = Kind {
    slug: "kubeconfig",
    label: "Kubeconfig",
    summary: "Access to one Kubernetes cluster.",
    fields: &[Field::secret_document("kubeconfig", "Kubeconfig")
        .wants(Wanted::Kubeconfig)
        // As much as the reader takes: a merged file of many clusters, of which one is kept.
        .max(262_144)
        .help("The whole YAML, with a token or certificates inline. Only its current context is kept.")
        .check(|value| Kubeconfig::parse(value).map(|config| config.to_json()))],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "Save the first block below as strongroom.yaml and apply it: it makes a service account, a role that may \
             create and delete what Strongroom deploys, and a token.",
            "Run the lines of the second block: they write a kubeconfig with that token, which works for any cluster, \
             GKE and EKS included.",
            "Paste the file kubeconfig.yaml here and delete it.",
            "From a kubeconfig of your own: kubectl config view --minify --flatten --raw prints the current context \
             alone, with its certificates and secrets inline.",
        ],
        snippets: &[
            ("Service account, least role and token: kubectl apply -f strongroom.yaml", CLUSTER_ROLE),
            ("Write the kubeconfig", WRITE),
        ],
        source: "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/",
    },
    policies: super::no_policies,
    address: |values| {
        let config = Kubeconfig::parse(values.get("kubeconfig")).ok()?;
        Some(("kubeconfig", Url::parse(&config.server).ok()?))
    },
};

fn examine(values: &Values) -> Result<Facts, Errors> {
    let config = Kubeconfig::parse(values.get("kubeconfig")).map_err(|message| Errors::one("kubeconfig", message))?;
    let mut lines = vec![
        ("Server", config.server.clone()),
        ("Context", config.context.clone()),
        ("Namespace", config.namespace.clone().unwrap_or_else(|| "default".to_owned())),
    ];
    let label = match &config.login {
        Login::Token(_) => "Token",
        Login::Certificate(_) => "Client certificate",
        Login::CertificateAndToken(..) => "Client certificate and token",
        Login::Basic { .. } => "User name and password",
    };
    lines.push(("Login", label.to_owned()));
    let summary = config.login.certificate().and_then(pem::Pair::summary);
    let claims = config.login.token().map(|token| Claims::of(token.expose_secret())).unwrap_or_default();
    let username = if let Login::Basic { username, .. } = &config.login { Some(username.clone()) } else { None };
    let subject = summary.as_ref().map(|summary| summary.subject.clone());
    lines.extend(subject.or(claims.subject).or(username).map(|user| ("User", user)));
    // With both, whichever ends first.
    let expires_at = summary.map(|summary| summary.not_after).into_iter().chain(claims.expires_at).min();
    lines.extend(certificate::authority_line(config.authority.as_deref().unwrap_or_default()));
    Ok(Facts { identity: checks::host(&config.server), lines, expires_at, ..Facts::default() })
}

/// What a service account's token says of itself (RFC 7519): read for display only, so its signature is not checked.
#[derive(Default)]
struct Claims {
    subject: Option<String>,
    expires_at: Option<DateTime<Utc>>,
}

impl Claims {
    fn of(token: &str) -> Self {
        Self::read(token).unwrap_or_default()
    }

    fn read(token: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        let claims = document::json(std::str::from_utf8(&json).ok()?).ok()?;
        let expires_at = match claims.get("exp") {
            Some(Node::Number(Some(seconds))) => DateTime::from_timestamp(*seconds, 0),
            _ => None,
        };
        let subject = claims.get("sub").and_then(Node::text);
        let subject = subject.filter(|text| text.len() <= 255 && text.chars().all(|c| c.is_ascii_graphic()));
        Some(Self { subject: subject.map(str::to_owned), expires_at })
    }
}

const CLUSTER_ROLE: &str = r#"apiVersion: v1
kind: ServiceAccount
metadata:
  name: strongroom
  namespace: kube-system
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: strongroom
rules:
  - apiGroups: ["rbac.authorization.k8s.io"]
    resources: ["clusterroles", "clusterrolebindings"]
    verbs: ["get", "create", "patch", "delete", "bind", "escalate"]
  - apiGroups: ["apps"]
    resources: ["daemonsets"]
    verbs: ["get", "create", "patch", "delete"]
  - apiGroups: [""]
    resources: ["secrets", "serviceaccounts"]
    verbs: ["get", "create", "patch", "delete"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: strongroom
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: strongroom
subjects:
  - kind: ServiceAccount
    name: strongroom
    namespace: kube-system
---
apiVersion: v1
kind: Secret
metadata:
  name: strongroom-token
  namespace: kube-system
  annotations:
    kubernetes.io/service-account.name: strongroom
type: kubernetes.io/service-account-token"#;

const WRITE: &str = r#"SERVER=$(kubectl config view --minify --output 'jsonpath={.clusters[0].cluster.server}')
kubectl -n kube-system get secret strongroom-token --output 'jsonpath={.data.ca\.crt}' | base64 -d > ca.crt
TOKEN=$(kubectl -n kube-system get secret strongroom-token --output 'jsonpath={.data.token}' | base64 -d)
kubectl config --kubeconfig kubeconfig.yaml set-cluster target --server "$SERVER" --certificate-authority ca.crt --embed-certs
kubectl config --kubeconfig kubeconfig.yaml set-credentials strongroom --token "$TOKEN"
kubectl config --kubeconfig kubeconfig.yaml set-context strongroom --cluster target --user strongroom
kubectl config --kubeconfig kubeconfig.yaml use-context strongroom"#;

#[cfg(test)]
mod tests;
