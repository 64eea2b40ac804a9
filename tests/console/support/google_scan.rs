//! One scan or test of a provider of Google's, as `runs` would start it, against a peer that stands for all its APIs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strongroom::credentials::gcp::KIND;
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Secret};
use strongroom::integrations::progress::{Progress, Report};
use strongroom::integrations::scan::{self, Gap};
use strongroom::providers::Failure;
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::{Endpoints, Service};
use tokio_util::sync::CancellationToken;

use super::outside::World;
use super::peers::google::account;

/// All of Google's services at one address.
pub fn moved(url: &str) -> Endpoints {
    let google = Service::ALL.iter().copied().filter(|service| service.slug().starts_with("google-"));
    google.fold(Endpoints::default(), |all, one| all.with(one, url.parse().expect("an address")))
}

/// The same as the operator sets it.
pub fn endpoints(url: &str) -> String {
    let google = Service::ALL.iter().copied().map(Service::slug).filter(|slug| slug.starts_with("google-"));
    let pairs: Vec<String> = google.map(|slug| format!("{slug}={url}")).collect();
    format!("--endpoints={}", pairs.join(","))
}

pub struct Scan {
    version: &'static str,
    url: String,
    settings: Vec<(&'static str, String)>,
    egress: Egress,
    pub stop: CancellationToken,
    pub progress: Arc<Mutex<Vec<Progress>>>,
}

impl Scan {
    pub fn of(version: &'static str, url: &str) -> Self {
        Self {
            version,
            url: url.to_owned(),
            settings: Vec::new(),
            egress: Egress::new(vec!["127.0.0.0/8".parse().unwrap()]),
            stop: CancellationToken::new(),
            progress: Arc::default(),
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    pub fn of_projects(self, ids: &str) -> Self {
        self.with("projects", "chosen").with("project_ids", ids)
    }

    pub fn of_all_projects(self) -> Self {
        self.with("projects", "all")
    }

    /// Gives up sooner than the product.
    pub fn hasty(self) -> Self {
        Self { egress: self.egress.clone().within(Duration::from_millis(500), Duration::from_millis(800)), ..self }
    }

    pub async fn run(&self) -> Result<scan::Scan, Gap> {
        let spec = Spec::find(self.version).unwrap();
        self.on_context(async |cx: &Context<'_>| spec.scanner().unwrap().scan(cx).await).await
    }

    /// *Test connection*.
    pub async fn check(&self) -> Result<String, Failure> {
        let spec = Spec::find(self.version).unwrap();
        let said = self.on_context(async |cx: &Context<'_>| spec.check.unwrap()(cx).await).await;
        said.map(|said| said.expect("a sentence"))
    }

    async fn on_context<T>(&self, call: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let posted = self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let fields = Spec::find(self.version).unwrap().fields;
        let settings = form::check(fields, &posted, None).expect("the settings are good");
        let account = account();
        let values = Values::from_iter([("service_account", account.as_str()), ("level", "project")]);
        let secret = Secret { kind: &KIND, values: &values, stored: None };
        let world = World::new(self.egress.clone(), moved(&self.url));
        let mut cx = Context::new(world.outside(), &settings, "A scan", Some(secret));
        let progress = Arc::clone(&self.progress);
        cx.report = Report::to(move |now| progress.lock().unwrap().push(now));
        cx.stop = self.stop.clone();
        call(&cx).await
    }
}

/// `shop/europe-west3/pay`
pub fn names(scan: &scan::Scan) -> Vec<String> {
    scan.items.iter().map(|item| format!("{}/{}", item.place, item.name)).collect()
}

/// Place and words of each gap.
pub fn gaps(scan: &scan::Scan) -> Vec<(String, String)> {
    scan.gaps.iter().map(|gap| (gap.at.clone(), gap.to_string())).collect()
}
