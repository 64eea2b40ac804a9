//! Serverless scans: AWS Lambda against a peer that verifies every signature, against moto, and from the form to the
//! exported file; Google's in a folder of their own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strongroom::credentials::aws::KIND;
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Outside, Secret};
use strongroom::integrations::progress::{Progress, Report};
use strongroom::integrations::scan::{self, Gap};
use strongroom::providers::Failure;
use strongroom::providers::aws::{Endpoints, Sessions};
use strongroom::providers::egress::Egress;
use strongroom::providers::tokens::Stored;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::outside::World;
use crate::support::peers::lambda::{KEY, SECRET};

mod google;
mod hostile;
mod moto;
mod regions;
mod story;

/// One scan, as `runs` would start it.
struct Scan {
    settings: Vec<(&'static str, String)>,
    key: (String, String),
    stored: Stored,
    sessions: Sessions,
    egress: Egress,
    stop: CancellationToken,
    progress: Arc<Mutex<Vec<Progress>>>,
}

impl Scan {
    /// With the peer's own key, of all enabled regions.
    fn of(url: &str) -> Self {
        let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let endpoints = Endpoints::new([("AWS_ENDPOINT_URL", url), ("AWS_EC2_METADATA_DISABLED", "true")]);
        Self {
            settings: Vec::new(),
            key: (KEY.to_owned(), SECRET.to_owned()),
            stored: Stored { credential: Uuid::new_v4(), secret_version: 1 },
            sessions: Sessions::new(egress.clone(), endpoints),
            egress,
            stop: CancellationToken::new(),
            progress: Arc::default(),
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    fn in_regions(self, names: &str) -> Self {
        self.with("regions", "chosen").with("region_names", names)
    }

    fn by(self, id: &str, secret: &str) -> Self {
        Self { key: (id.to_owned(), secret.to_owned()), ..self }
    }

    /// Gives up sooner than the product.
    fn hasty(self) -> Self {
        let egress = self.egress.within(Duration::from_millis(500), Duration::from_millis(800));
        Self { sessions: Sessions::new(egress.clone(), self.sessions.endpoints().clone()), egress, ..self }
    }

    async fn run(&self) -> Result<scan::Scan, Gap> {
        let call = async |cx: &Context<'_>| Spec::find("lambda").unwrap().scanner().unwrap().scan(cx).await;
        self.on_context(call).await
    }

    /// *Test connection*.
    async fn check(&self) -> Result<String, Failure> {
        let call = async |cx: &Context<'_>| Spec::find("lambda").unwrap().check.unwrap()(cx).await;
        self.on_context(call).await.map(|said| said.expect("a sentence"))
    }

    async fn on_context<T>(&self, call: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let posted = self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let settings = form::check(Spec::find("lambda").unwrap().fields, &posted, None).expect("the settings are good");
        let (id, secret) = (self.key.0.as_str(), self.key.1.as_str());
        let values =
            Values::from_iter([("method", "access_key"), ("access_key_id", id), ("secret_access_key", secret)]);
        let secret = Secret { kind: &KIND, values: &values, stored: Some(self.stored) };
        let world = World::new(self.egress.clone(), Default::default());
        let outside = Outside { aws: &self.sessions, ..world.outside() };
        let mut cx = Context::new(outside, &settings, "Functions", Some(secret));
        let progress = Arc::clone(&self.progress);
        cx.report = Report::to(move |now| progress.lock().unwrap().push(now));
        cx.stop = self.stop.clone();
        call(&cx).await
    }
}

/// `eu-central-1/pay`
fn names(scan: &scan::Scan) -> Vec<String> {
    scan.items.iter().map(|item| format!("{}/{}", item.place, item.name)).collect()
}

/// Place and words of each gap.
fn gaps(scan: &scan::Scan) -> Vec<(String, String)> {
    scan.gaps.iter().map(|gap| (gap.at.clone(), gap.to_string())).collect()
}
