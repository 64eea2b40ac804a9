//! Registry scans and the way out, against real registries and against servers that mean no good.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strongroom::credentials::Kind;
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Secret};
use strongroom::integrations::progress::{Progress, Report};
use strongroom::integrations::scan::Gap;
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::Endpoints;
use strongroom::providers::oci_registry::SentTo;
use tokio_util::sync::CancellationToken;

use crate::support::images::{Image, Scanned};
use crate::support::outside::World;

mod alibaba;
mod azure;
mod clients;
mod dialects;
mod docker_hub;
mod ecr_public;
mod egress;
mod field_contents;
mod field_gaps;
mod field_patience;
mod field_signing_in;
mod ghcr;
mod gitlab;
mod google;
mod harbor;
mod hostile;
mod ibm;
mod jfrog;
mod limits;
mod nexus;
mod openshift;
mod oracle;
mod proxy;
mod pulp;
mod quay;
mod redirects;
mod scans;
mod trust;
mod vendors;

/// As the operator of a test machine would set it.
fn loopback() -> Egress {
    Egress::new(vec!["127.0.0.0/8".parse().unwrap()])
}

/// Gives up sooner than the product, so that a test of giving up is short.
fn hasty() -> Egress {
    loopback().within(Duration::from_millis(500), Duration::from_millis(800))
}

/// One scan, as `runs` would start it.
struct Scan {
    version: &'static str,
    endpoints: Endpoints,
    settings: Vec<(&'static str, String)>,
    credential: Option<(&'static Kind, Values)>,
    egress: Egress,
    stop: CancellationToken,
    progress: Arc<Mutex<Vec<Progress>>>,
    sent_to: SentTo,
}

impl Scan {
    fn of(registry: impl Into<String>) -> Self {
        let (stop, progress) = (CancellationToken::new(), Arc::default());
        Self {
            version: "docker_v2",
            endpoints: Endpoints::default(),
            settings: vec![("registry", registry.into())],
            credential: None,
            egress: loopback(),
            stop,
            progress,
            sent_to: SentTo::default(),
        }
    }

    fn version(self, version: &'static str) -> Self {
        Self { version, ..self }
    }

    fn endpoints(self, endpoints: Endpoints) -> Self {
        Self { endpoints, ..self }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }

    fn credential(mut self, kind: &'static Kind, values: &[(&str, &str)]) -> Self {
        self.credential = Some((kind, Values::from_iter(values.iter().copied())));
        self
    }

    fn password(self, username: &str, password: &str) -> Self {
        self.credential(&strongroom::credentials::basic::KIND, &[("username", username), ("password", password)])
    }

    fn egress(mut self, egress: Egress) -> Self {
        self.egress = egress;
        self
    }

    /// The images of a scan without gaps.
    async fn run(&self) -> Result<Vec<Image>, Gap> {
        let found = self.whole().await?;
        assert_eq!(found.gaps, []);
        Ok(found.images)
    }

    async fn whole(&self) -> Result<Scanned, Gap> {
        let (spec, settings, world) = self.prepared();
        spec.scanner().unwrap().scan(&self.context(&settings, &world)).await.map(Scanned::from)
    }

    /// *Test connection*.
    async fn check(&self) -> Result<String, String> {
        let (spec, settings, world) = self.prepared();
        let said = spec.check.expect("every registry has one")(&self.context(&settings, &world)).await;
        said.map(|said| said.expect("there is such a call")).map_err(|failure| failure.to_string())
    }

    fn prepared(&self) -> (&'static Spec, Values, World) {
        let spec = Spec::find(self.version).unwrap();
        let posted = self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let settings = form::check(spec.fields, &posted, None).expect("the settings are good");
        (spec, settings, World::new(self.egress.clone(), self.endpoints.clone()))
    }

    fn context<'a>(&'a self, settings: &'a Values, world: &'a World) -> Context<'a> {
        let seen = Arc::clone(&self.progress);
        let secret = self.credential.as_ref().map(|(kind, values)| Secret { kind, values, stored: None });
        Context {
            report: Report::to(move |progress| seen.lock().unwrap().push(progress)),
            stop: self.stop.clone(),
            sent_to: self.sent_to.clone(),
            ..Context::new(world.outside(), settings, "A scan", secret)
        }
    }

    async fn images(&self) -> Vec<String> {
        let images = self.run().await.unwrap();
        images.into_iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect()
    }
}
