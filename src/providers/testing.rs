//! One *Test* for every type of credential: finds the probe of a type and holds it to the time limit. Nothing is stored
//! and no session is taken from or left in a cache, since a kept session would hide a key that was withdrawn. A new
//! type's probe is a line in [`PROBES`].

use std::future::ready;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::egress::Egress;
use super::endpoints::Endpoints;
use super::probe::{Finding, LIMIT, Verdict};
use super::{aws, azure, certificate, gcp, github, gitlab, ibm, kubernetes, oci};
use crate::credentials::Kind;
use crate::form::Values;

type Probe = for<'a> fn(&'a Values, &'a Egress, At<'a>) -> BoxFuture<'a, Finding>;

/// Where the providers are: AWS by its SDK's own variables, the others by ours.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub services: &'a Endpoints,
    pub aws: &'a aws::Endpoints,
}

/// By the slug of the kind. A kind that is not here is tested by the integration that uses it.
static PROBES: &[(&str, Probe)] = &[
    ("aws", |values, egress, at| aws::probe::probe(values, egress, at.aws).boxed()),
    ("azure", |values, egress, at| azure::probe(values, egress, at.services).boxed()),
    ("gcp", |values, egress, at| gcp::probe(values, egress, at.services).boxed()),
    ("ibm_cloud", |values, egress, at| ibm::probe(values, egress, at.services).boxed()),
    ("kubeconfig", |values, egress, _| kubernetes::probe(values, egress).boxed()),
    ("certificate", |values, _, _| ready(certificate::probe(values)).boxed()),
    ("oci", |values, egress, at| oci::probe(values, egress, at.services).boxed()),
    ("github_token", |values, egress, at| github::probe(values, egress, at.services).boxed()),
    ("gitlab_token", |values, egress, at| gitlab::probe(values, egress, at.services).boxed()),
];

/// Whether a kind is tested by itself.
pub fn has_test(kind: &Kind) -> bool {
    PROBES.iter().any(|(slug, _)| *slug == kind.slug)
}

/// One harmless call with checked values, of at most [`LIMIT`]; what it found, in words.
pub async fn test(kind: &Kind, values: &Values, egress: &Egress, at: At<'_>) -> Finding {
    let Some((_, probe)) = PROBES.iter().find(|(slug, _)| *slug == kind.slug) else {
        return Finding::new(
            Verdict::NotHere,
            "This type is tested through the integration that uses it.",
            "Run a scan or send a test alert with it.",
        );
    };
    if !(kind.parses)(values) {
        return unreadable();
    }
    let late = || {
        let seconds = LIMIT.as_secs();
        Finding::new(
            Verdict::Unreachable,
            format!("The provider did not answer within {seconds} seconds."),
            "Try again later. If it stays so, check that this machine may connect to the provider.",
        )
    };
    tokio::time::timeout(LIMIT, probe(values, egress, at)).await.unwrap_or_else(|_| late())
}

/// Values that no longer make a credential of their type.
pub(super) fn unreadable() -> Finding {
    Finding::new(
        Verdict::BadKey,
        "These values do not make a credential of this type.",
        "Edit the credential and enter them again.",
    )
}
