//! The *Test* of a kubeconfig: reads the cluster's version and the login's rights. Creates nothing in the cluster.

use reqwest::Method;
use serde::Deserialize;

use super::rights::{HEADS, Rights};
use super::{Answered, Cluster, WHO};
use crate::credentials::kubeconfig::{KIND, Kubeconfig, Payload};
use crate::credentials::pem::Pair;
use crate::form::Values;
use crate::providers::egress::{Answer, Egress};
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{Failure, calls, certificate, clock};

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    git_version: String,
}

pub async fn probe(values: &Values, egress: &Egress) -> Finding {
    let Some(payload) = crate::credentials::payload::<Payload>(values) else { return Finding::unreadable() };
    let config = payload.kubeconfig;
    let expires_at = (KIND.examine)(values).ok().and_then(|facts| facts.expires_at);
    if let Some(summary) = config.login.certificate().and_then(Pair::summary) {
        let dates = certificate::dates(summary.not_before, summary.not_after);
        if dates.verdict != Verdict::Ok {
            return dates;
        }
    }
    let mut finding = match examine(&config, egress).await {
        Ok(finding) => finding,
        Err(Answered::Failed(error)) => calls::failed(&error, WHO).into(),
        Err(Answered::Otherwise(answer)) => explain(answer).into(),
    };
    let expired = expires_at.is_some_and(|expires_at| expires_at <= clock::now());
    if finding.verdict == Verdict::BadKey && expired {
        let remedy = "Create a new token for the service account and store the new kubeconfig.";
        finding = Finding::new(Verdict::Expired, "The token in the kubeconfig has expired.", remedy);
    }
    finding.expires_at = expires_at;
    finding
}

async fn examine(config: &Kubeconfig, egress: &Egress) -> Result<Finding, Answered> {
    let cluster = Cluster::new(config, egress)?;
    let answer = cluster.send(Method::GET, "/version", None).await?;
    // A cluster may refuse to report its version and still answer access reviews.
    let version = match answer.status {
        200 => Some(answer.json::<Version>()?.git_version),
        403 => None,
        _ => return Err(Answered::Otherwise(answer)),
    };
    let namespace = config.namespace.as_deref().unwrap_or_default();
    let rights = Rights::of(&cluster, namespace).await?;
    let mut finding = judged(&rights, namespace);
    finding.table = Some((HEADS.into(), rights.table()));
    finding.facts.extend(version.and_then(|version| calls::shown(&version)).map(|version| ("Version", version)));
    finding.facts.extend(rights.needs_namespace().then(|| ("Namespace", namespace.to_owned())));
    let grants = if rights.grants_any { "Any right in the cluster" } else { "Only rights that it has itself" };
    finding.facts.push(("Can grant", grants.to_owned()));
    Ok(finding)
}

/// A login for one namespace is enough if an administrator has created the namespace and the roles.
fn judged(rights: &Rights, namespace: &str) -> Finding {
    if rights.suffice_everywhere() {
        return Finding::ok("The cluster knows the login, and it has every right that a deployment needs.");
    }
    if rights.suffice_there() {
        let place = match rights.needs_namespace() {
            true => format!("the namespace {namespace}"),
            false => "any namespace that exists".to_owned(),
        };
        return Finding::ok(format!(
            "The cluster knows the login, and it may deploy to {place}, without a ClusterRole."
        ));
    }
    let mut finding = Finding::new(
        Verdict::Denied,
        "The cluster knows the login, but it lacks rights that a deployment needs.",
        "Apply the first block below, or the second to limit Strongroom to one namespace.",
    );
    // The guide's two manifests: with the ClusterRole, and with the narrower Role.
    let blocks = KIND.guide.snippets.iter().filter(|(_, text)| text.contains("kind: ServiceAccount"));
    finding.snippets.extend(blocks.map(|(caption, text)| ((*caption).to_owned(), (*text).to_owned())));
    finding
}

pub fn explain(answer: Answer) -> Failure {
    let (verdict, sentence, remedy) = match answer.status {
        401 => (
            Verdict::BadKey,
            "The cluster does not know this login.",
            "Create a new token or client certificate and store the new kubeconfig.",
        ),
        // Any known login may ask for its own rights; an unknown one may not.
        403 => (
            Verdict::Denied,
            "The cluster does not let this login ask what it may do.",
            "Check that the cluster knows the login: a client certificate must be signed by the cluster's own CA.",
        ),
        404 => (Verdict::Unreachable, "There is no Kubernetes API at this address.", "Check server in the kubeconfig."),
        _ => return calls::unexplained(answer, WHO),
    };
    Failure::from(Finding::new(verdict, sentence, remedy))
}
