//! One *Test* for every type of credential: finds the probe of a type and holds it to the time limit. Nothing is stored
//! and no session is taken from or left in a cache, since a kept session would hide a key that was withdrawn. A new
//! type's probe is a line in [`PROBES`].

use std::future::ready;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::aws::roles::Wanted;
use super::egress::Egress;
use super::endpoints::Endpoints;
use super::probe::{Finding, LIMIT, Verdict};
use super::{aws, azure, certificate, gcp, github, gitlab, ibm, kubernetes, oci};
use crate::credentials::Kind;
use crate::form::Values;

/// A kind is also tried with the roles that its integrations name, where it knows roles.
type Probe = for<'a> fn(&'a Values, &'a [Wanted], &'a Egress, &'a Endpoints) -> BoxFuture<'a, Finding>;

/// By the slug of the kind. A kind that is not here is tested by the integration that uses it.
static PROBES: &[(&str, Probe)] = &[
    ("aws", |values, roles, egress, endpoints| aws::probe::probe(values, roles, egress, endpoints.aws()).boxed()),
    ("azure", |values, _, egress, endpoints| azure::probe(values, egress, endpoints).boxed()),
    ("gcp", |values, _, egress, endpoints| gcp::probe(values, egress, endpoints).boxed()),
    ("ibm_cloud", |values, _, egress, endpoints| ibm::probe(values, egress, endpoints).boxed()),
    ("kubeconfig", |values, _, egress, _| kubernetes::probe(values, egress).boxed()),
    ("certificate", |values, _, _, _| ready(certificate::probe(values)).boxed()),
    ("oci", |values, _, egress, endpoints| oci::probe(values, egress, endpoints).boxed()),
    ("github_token", |values, _, egress, endpoints| github::probe(values, egress, endpoints).boxed()),
    ("gitlab_token", |values, _, egress, endpoints| gitlab::probe(values, egress, endpoints).boxed()),
];

/// Whether a kind is tested by itself.
pub fn has_test(kind: &Kind) -> bool {
    PROBES.iter().any(|(slug, _)| *slug == kind.slug)
}

/// One harmless call with checked values, of at most [`LIMIT`]; what it found, in words. `roles` are those that the
/// credential's integrations name.
pub async fn test(kind: &Kind, values: &Values, roles: &[Wanted], egress: &Egress, endpoints: &Endpoints) -> Finding {
    let Some((_, probe)) = PROBES.iter().find(|(slug, _)| *slug == kind.slug) else {
        return Finding::new(
            Verdict::NotHere,
            "Test it with an integration that uses it.",
            "Run a scan or send a test alert with it.",
        );
    };
    let late = || {
        let seconds = LIMIT.as_secs();
        Finding::new(
            Verdict::Unreachable,
            format!("The provider did not answer within {seconds} seconds."),
            "Try again later. If it stays so, check that this machine may connect to the provider.",
        )
    };
    tokio::time::timeout(LIMIT, probe(values, roles, egress, endpoints)).await.unwrap_or_else(|_| late())
}
