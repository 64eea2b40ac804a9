//! The *Test* of a kubeconfig: the version of the cluster, and what the login may do there. Nothing is created.

use futures_util::future::try_join_all;
use reqwest::Method;
use serde::Deserialize;

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

/// What a deployment makes and removes: kind, group, resource.
const DEPLOYED: [(&str, &str, &str); 5] = [
    ("ClusterRole", "rbac.authorization.k8s.io", "clusterroles"),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io", "clusterrolebindings"),
    ("DaemonSet", "apps", "daemonsets"),
    ("Secret", "", "secrets"),
    ("ServiceAccount", "", "serviceaccounts"),
];

/// The version of the cluster, and what the login may create and delete there. Nothing is created.
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
    // A cluster may keep its version to itself and still answer reviews.
    let version = match answer.status {
        200 => Some(answer.json::<Version>()?.git_version),
        403 => None,
        _ => return Err(Answered::Otherwise(answer)),
    };
    let reviews = DEPLOYED
        .iter()
        .flat_map(|(_, group, resource)| ["create", "delete"].map(|verb| cluster.may(verb, group, resource)));
    let allowed = try_join_all(reviews).await?;
    let rows = DEPLOYED.iter().zip(allowed.chunks(2)).map(|((kind, ..), allowed)| {
        let words = allowed.iter().map(|allowed| if *allowed { "Yes" } else { "No" }.to_owned());
        std::iter::once((*kind).to_owned()).chain(words).collect()
    });
    let mut finding = if allowed.iter().all(|allowed| *allowed) {
        Finding::ok("The cluster knows the login, and it may do all that a deployment needs.")
    } else {
        let mut finding = Finding::new(
            Verdict::Denied,
            "The cluster knows the login, but it may not do all that a deployment needs.",
            "Bind it to the ClusterRole below.",
        );
        // The guide's first snippet: the service account with its least role.
        finding
            .snippets
            .extend(KIND.guide.snippets.first().map(|(caption, text)| ((*caption).to_owned(), (*text).to_owned())));
        finding
    };
    finding.table = Some((vec!["Resource", "Create", "Delete"], rows.collect()));
    finding.facts.extend(version.and_then(|version| calls::shown(&version)).map(|version| ("Version", version)));
    Ok(finding)
}

pub fn explain(answer: Answer) -> Failure {
    let (verdict, sentence, remedy) = match answer.status {
        401 => (
            Verdict::BadKey,
            "The cluster does not know this login.",
            "Create a new token or client certificate and store the new kubeconfig.",
        ),
        // Every known login may ask what it may do; a stranger may not.
        403 => (
            Verdict::Denied,
            "The cluster does not let this login ask what it may do.",
            "Check that the login is known there: a client certificate must be signed by the cluster's own authority.",
        ),
        404 => (
            Verdict::Unreachable,
            "There is no Kubernetes API at this address.",
            "Check the member server of the kubeconfig.",
        ),
        _ => return calls::unexplained(answer, WHO),
    };
    Failure::from(Finding::new(verdict, sentence, remedy))
}
