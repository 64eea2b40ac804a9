//! Signing in to EKS, GKE and AKS clusters without a kubeconfig, against fakes of the cloud APIs that check each
//! request, and API servers that verify each cloud's tokens.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use strongroom::credentials::{self, Kind};
use strongroom::form::Values;
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Secret};
use strongroom::integrations::deployments::{Clusters, Seen, VERSIONS};
use strongroom::integrations::issue::{Form, Issued, Order};
use strongroom::providers::Failure;
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::Endpoints;
use strongroom::providers::tokens::Stored;
use uuid::Uuid;

use crate::support::kubernetes::Caller;
use crate::support::outside::World;
use crate::support::peers::certificates::Authority;
use crate::support::peers::receiver::{Receiver, UPSTREAM};

mod aks;
mod eks;
mod form;
mod gke;

/// A cloud credential, and the parts outside the process that persist between two runs.
struct Console {
    spec: &'static Spec,
    kind: &'static Kind,
    values: Values,
    stored: Stored,
    world: World,
}

impl Console {
    fn new(version: &str, kind: &str, values: &[(&str, &str)], endpoints: Endpoints) -> Self {
        let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let egress = egress.within(Duration::from_secs(2), Duration::from_secs(8));
        Self {
            spec: VERSIONS.iter().copied().find(|spec| spec.slug == version).expect("a way to a cluster"),
            kind: credentials::find(kind).expect("a kind"),
            values: values.iter().copied().collect(),
            stored: Stored { credential: Uuid::new_v4(), secret_version: 1 },
            world: World::new(egress, endpoints),
        }
    }

    /// *Test connection*.
    async fn check(&self, settings: &[(&str, &str)]) -> Result<String, String> {
        let settings = settings.iter().copied().collect();
        let said = (self.spec.check.expect("a check"))(&self.context(&settings)).await;
        said.map(Option::unwrap_or_default).map_err(told)
    }

    /// Fails to sign in, and returns the reason.
    async fn refused(&self, settings: &[(&str, &str)]) -> String {
        self.check(settings).await.expect_err("it is refused")
    }

    async fn list(&self, settings: &[(&str, &str)]) -> Result<Clusters, String> {
        let settings = settings.iter().copied().collect();
        let cx = self.context(&settings);
        self.spec.deployment().unwrap().clusters(&cx).expect("a list").await.map_err(told)
    }

    fn context<'a>(&'a self, settings: &'a Values) -> Context<'a> {
        let secret = Secret { kind: self.kind, values: &self.values, stored: Some(self.stored) };
        Context::new(self.world.outside(), settings, "Defender", Some(secret))
    }
}

/// The sentence of a failure. It must not contain any text from the server.
fn told(failure: Failure) -> String {
    let all = format!("{failure:?}");
    assert!(!all.contains(UPSTREAM) && !all.contains("ya29.") && !all.contains("k8s-aws-v1"), "{all}");
    let snippets = failure.snippets.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
    format!("{failure} {snippets}")
}

fn in_base64(authority: &Authority) -> String {
    STANDARD.encode(&authority.pem)
}

/// The values, places and versions in a list.
fn shown(clusters: &Clusters) -> Vec<String> {
    let line = |one: &Seen| {
        let fills = one.fills.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ");
        format!("{fills} {} {} {}", one.place, one.version, one.access)
    };
    clusters.found.iter().map(line).collect()
}

/// The tokens that an API server received, each once.
fn bearers(api: &Receiver) -> Vec<String> {
    let mut all: Vec<String> =
        api.calls().iter().filter_map(|call| call.header("authorization").map(str::to_owned)).collect();
    all.dedup();
    all
}

impl Console {
    /// What a client's rule with these settings issues.
    async fn issue(&self, form: &str, posted: &[(&str, &str)]) -> Result<Issued, String> {
        let form = Form::find(form).expect("a form");
        let settings = form.check(self.kind, &posted.iter().copied().collect(), &Values::default());
        let secret = Secret { kind: self.kind, values: &self.values, stored: Some(self.stored) };
        let (settings, outside) = (settings.expect("good settings"), self.world.outside());
        let order = Order { outside, secret, settings: &settings, client: "deployer" };
        (form.issue.expect("it issues"))(&order).await.map_err(told)
    }
}

/// Whether an API server lets somebody in by what was issued.
async fn enters(issued: &Issued) -> bool {
    let fields = &issued.fields;
    Caller::new(fields.get("certificate_authority"), fields.get("server"), fields.get("token"))
        .answers("/version")
        .await
}
