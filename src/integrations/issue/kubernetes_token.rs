//! A token of a service account, which the cluster of a kubeconfig issues. The kubeconfig's own login stays here.

use super::form::{Form, Issued, Order, suits_all};
use crate::credentials::kubeconfig::{Payload, Place};
use crate::form::{Field, Values};
use crate::integrations::deployments::Door;
use crate::providers::kubernetes::{ApiError, Asked, Cluster, Refusal, WHO};
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{Failure, ProviderError, finding};

pub static FORM: Form = Form {
    slug: "kubernetes_token",
    label: "Service account token",
    help: "The cluster's address, its certificate authority and a token of a service account.",
    gives: "cluster_token",
    kinds: &["kubeconfig"],
    fields: &[
        Field::text("namespace", "Namespace").placeholder("shop").max(63).check(label),
        Field::text("service_account", "Service account")
            .placeholder("deployer")
            .help("The kubeconfig's login needs the right to create serviceaccounts/token for it.")
            .max(253)
            .check(name),
        Field::text("audiences", "Audiences")
            .optional()
            .help("Separate several by commas. Leave blank for the cluster's own API.")
            .max(1024)
            .check(audiences),
        Field::number(MINUTES, "Token length in minutes", 10, 1440)
            .optional()
            .default("60")
            .help("The cluster may shorten it."),
    ],
    suits: suits_all,
    issue: Some(|order| Box::pin(issue(order))),
};

const MINUTES: &str = "token_minutes";

/// A DNS label (RFC 1123).
fn label(text: &str) -> Result<String, String> {
    match is_label(text) {
        true => Ok(text.to_owned()),
        false => Err("Enter a name of small letters, digits and dashes.".to_owned()),
    }
}

fn is_label(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(good) && !text.starts_with('-') && !text.ends_with('-')
}

/// A DNS subdomain: labels with dots between.
fn name(text: &str) -> Result<String, String> {
    match text.split('.').all(is_label) {
        true => Ok(text.to_owned()),
        false => Err("Enter a name of small letters, digits, dashes and dots.".to_owned()),
    }
}

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

fn audiences(text: &str) -> Result<String, String> {
    let listed = listed(text);
    match listed.iter().all(|one| one.bytes().all(|b| b.is_ascii_graphic())) {
        true => Ok(listed.join(", ")),
        false => Err("An audience has no spaces.".to_owned()),
    }
}

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    let failed = |error: ProviderError| Failure::from(finding(&error, WHO));
    let Payload { kubeconfig } = order.payload()?;
    let settings = order.settings;
    let cluster = Cluster::new(&kubeconfig, order.outside.egress).map_err(failed)?;
    let asked = Asked {
        namespace: settings.get("namespace"),
        service_account: settings.get("service_account"),
        audiences: listed(settings.get("audiences")),
        seconds: settings.get(MINUTES).parse().unwrap_or(60) * 60,
    };
    let token = cluster.token(&asked).await.map_err(|error| explained(error, settings))?;
    let place = Place { server: kubeconfig.server, authority: kubeconfig.authority };
    Ok(Issued::cluster(Door { place, token }))
}

fn explained(error: ApiError, settings: &Values) -> Failure {
    let (namespace, name) = (settings.get("namespace"), settings.get("service_account"));
    let finding = match error {
        ApiError::Call(error) => finding(&error, WHO),
        ApiError::Refused(Refusal::Unauthorized) => Finding::new(
            Verdict::BadKey,
            "The cluster doesn't accept the kubeconfig's login.",
            "Test the credential, and store a new kubeconfig.",
        ),
        ApiError::Refused(Refusal::Forbidden) => Finding::new(
            Verdict::Denied,
            format!("The kubeconfig's login may not create tokens of {name} in {namespace}."),
            "Grant it the right to create serviceaccounts/token for this service account.",
        ),
        ApiError::Refused(Refusal::Missing | Refusal::NoNamespace) => Finding::new(
            Verdict::NotHere,
            format!("There is no service account {name} in {namespace}."),
            "Correct the client's rule, or create the service account.",
        ),
        ApiError::Refused(_) => Finding::new(
            Verdict::Denied,
            format!("The cluster issued no token of {name} in {namespace}."),
            "Check the audiences and the token length in the client's rule.",
        ),
    };
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_audiences_are_those_of_kubernetes() {
        assert!(label("kube-system").is_ok() && name("a.b-c").is_ok());
        for bad in ["", "-a", "a-", "A", "a/b", "a..b", "a?b"] {
            assert!(name(bad).is_err() && label(bad).is_err(), "{bad}");
        }
        assert_eq!(audiences(" vault,https://x.example ").as_deref(), Ok("vault, https://x.example"));
        assert!(audiences("a b").is_err());
    }
}
