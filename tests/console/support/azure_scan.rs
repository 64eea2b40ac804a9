//! A scan of Azure, as `runs` would start it, by a service key.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use strongroom::credentials::azure::KIND;
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Secret};
use strongroom::integrations::progress::{Progress, Report};
use strongroom::integrations::scan::{self, Gap};
use strongroom::providers::Failure;
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::{Endpoints, Service};
use strongroom::providers::tokens::Stored;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::outside::World;
use super::peers::entra::{self, CLIENT, SECRET, TENANT};
use super::peers::receiver::Receiver;

/// The JSON of a service key; `subscription` may be missing.
pub fn service_key(secret: &str, subscription: Option<&str>) -> String {
    let mut key = json!({"clientId": CLIENT, "clientSecret": secret, "tenantId": TENANT,
        "activeDirectoryEndpointUrl": "https://login.microsoftonline.com"});
    if let Some(subscription) = subscription {
        key["subscriptionId"] = json!(subscription);
    }
    key.to_string()
}

pub struct AzureScan {
    version: &'static str,
    settings: Vec<(&'static str, String)>,
    key: String,
    login: Receiver,
    moved: Vec<(Service, String)>,
    egress: Egress,
    pub stop: CancellationToken,
    pub progress: Arc<Mutex<Vec<Progress>>>,
}

impl AzureScan {
    /// By the directory's own secret, in the subscription of that ID.
    pub fn of(version: &'static str, subscription: Option<&str>) -> Self {
        Self {
            version,
            settings: Vec::new(),
            key: service_key(SECRET, subscription),
            login: entra::start(None),
            moved: Vec::new(),
            egress: Egress::new(vec!["127.0.0.0/8".parse().unwrap()]),
            stop: CancellationToken::new(),
            progress: Arc::default(),
        }
    }

    pub fn at(mut self, service: Service, peer: &Receiver) -> Self {
        self.moved.push((service, peer.url()));
        self
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    pub fn by(self, secret: &str, subscription: Option<&str>) -> Self {
        Self { key: service_key(secret, subscription), ..self }
    }

    /// Gives up sooner than the product.
    pub fn hasty(self) -> Self {
        let egress = self.egress.clone().within(Duration::from_millis(500), Duration::from_millis(150));
        Self { egress, ..self }
    }

    pub async fn run(&self) -> Result<scan::Scan, Gap> {
        let spec = Spec::find(self.version).unwrap();
        self.on_context(async |cx: &Context<'_>| spec.scanner().unwrap().scan(cx).await).await
    }

    /// *Test connection*.
    pub async fn check(&self) -> Result<String, Failure> {
        let spec = Spec::find(self.version).unwrap();
        let call = async |cx: &Context<'_>| spec.check.unwrap()(cx).await;
        self.on_context(call).await.map(|said| said.expect("a sentence"))
    }

    async fn on_context<T>(&self, call: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let posted = self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let settings = form::check(Spec::find(self.version).unwrap().fields, &posted, None).expect("good settings");
        let values = Values::from_iter([("method", "service_key"), ("service_key", self.key.as_str())]);
        let values = form::check(KIND.fields, &values, None).expect("a good credential");
        let stored = Some(Stored { credential: Uuid::new_v4(), secret_version: 1 });
        let secret = Secret { kind: &KIND, values: &values, stored };
        let login = [(Service::AzureLogin, self.login.url())];
        let endpoints = login.iter().chain(&self.moved).fold(Endpoints::default(), |endpoints, (service, url)| {
            endpoints.with(*service, url.parse().expect("an address"))
        });
        let world = World::new(self.egress.clone(), endpoints);
        let mut cx = Context::new(world.outside(), &settings, "Azure", Some(secret));
        let progress = Arc::clone(&self.progress);
        cx.report = Report::to(move |now| progress.lock().unwrap().push(now));
        cx.stop = self.stop.clone();
        call(&cx).await
    }
}

/// `d189c61b-…/westeurope/pay`
pub fn names(scan: &scan::Scan) -> Vec<String> {
    scan.items.iter().map(|item| format!("{}/{}", item.place, item.name)).collect()
}

/// The facts of an item.
pub fn facts(scan: &scan::Scan, name: &str) -> serde_json::Value {
    let item = scan.items.iter().find(|item| item.name == name).unwrap_or_else(|| panic!("{name} in {scan:?}"));
    serde_json::from_str(&item.facts).expect("facts are JSON")
}
