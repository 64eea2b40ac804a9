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
mod guide;
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
            "Amazon EKS, Google Kubernetes Engine and Azure Kubernetes Service need no kubeconfig: choose Add \
             integration → Defender DaemonSet, then the service, and use a credential of that cloud.",
            "For any cluster, save the first block below as strongroom.yaml and run kubectl apply -f strongroom.yaml: it \
             creates a service account, a role with every right that a deployment needs, and a token.",
            "This role can grant any right in the cluster, since it includes bind and escalate: protect the kubeconfig \
             like an administrator's password.",
            "For less, apply the second block instead, with your namespace in place of defender: the login can then use \
             only that namespace. Create the namespace and the agent's cluster role yourself; Strongroom deploys \
             without one.",
            "Run the lines of the last block: they write a kubeconfig with that token. For one namespace only, run \
             NAMESPACE=defender before them.",
            "Paste the file kubeconfig.yaml here and delete it.",
            "From a kubeconfig of your own: kubectl config view --minify --flatten --raw prints the current context \
             alone, with its certificates and secrets inline.",
        ],
        snippets: &[
            ("strongroom.yaml, for the whole cluster", guide::CLUSTER_ROLE),
            ("strongroom.yaml, for one namespace", guide::NAMESPACE_ROLE),
            ("Write the kubeconfig", guide::WRITE),
        ],
        source: "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/",
    },
    policies: super::no_policies,
    address: |values| {
        let config = Kubeconfig::parse(values.get("kubeconfig")).ok()?;
        Some(("kubeconfig", Url::parse(&config.server).ok()?))
    },
};

/// The line of the facts that names the API server, as the kubeconfig has it.
pub const SERVER: &str = "Server";

/// Which cluster a server is, without the scheme that all have: `10.0.0.1:6443`, `rancher.example/k8s/clusters/c-1`.
pub fn address(server: &str) -> String {
    server.trim_start_matches("https://").trim_end_matches('/').to_owned()
}

fn examine(values: &Values) -> Result<Facts, Errors> {
    let config = Kubeconfig::parse(values.get("kubeconfig")).map_err(|message| Errors::one("kubeconfig", message))?;
    let mut lines = vec![
        (SERVER, config.server.clone()),
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

#[cfg(test)]
mod tests;
