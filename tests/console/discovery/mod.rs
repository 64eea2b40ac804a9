//! Discovery: what cloud scans find beside keys, which integrations cover it, and the page that shows both. Against an
//! account whose services verify every signature, against moto, and in a browser.

use std::time::Duration;

use strongroom::credentials::aws::KIND;
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::cloud::resource::Facts;
use strongroom::integrations::context::{Context, Outside, Secret};
use strongroom::integrations::scan::{Gap, Scan};
use strongroom::models::{CredentialId, IntegrationId, runs};
use strongroom::providers::aws::{Endpoints, Sessions};
use strongroom::providers::egress::Egress;

use crate::support::app::{TestApp, Visit};
use crate::support::outside::World;
use crate::support::peers::lambda::{KEY, SECRET};
use crate::support::peers::moto::ACCOUNT;
use crate::support::process::{PATIENCE, wait_for};

mod clouds;
mod covered;
mod hostile;
mod moto;
mod page;
mod scan;
mod screens;
mod story;

/// A scan of an account, as `runs` would start it.
struct Work {
    version: &'static str,
    settings: Vec<(&'static str, String)>,
    key: (String, String),
    sessions: Sessions,
    egress: Egress,
}

impl Work {
    /// Of everything but keys.
    fn at(url: &str) -> Self {
        Self::of("aws_account", url)
            .with("account", ACCOUNT)
            .with("registries", "on")
            .with("functions", "on")
            .with("clusters", "on")
    }

    fn of(version: &'static str, url: &str) -> Self {
        let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let egress = egress.within(Duration::from_secs(2), Duration::from_secs(3));
        let endpoints = Endpoints::new([("AWS_ENDPOINT_URL", url), ("AWS_EC2_METADATA_DISABLED", "true")]);
        Self {
            version,
            settings: Vec::new(),
            key: (KEY.to_owned(), SECRET.to_owned()),
            sessions: Sessions::new(egress.clone(), endpoints),
            egress,
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.retain(|(other, _)| *other != name);
        self.settings.push((name, value.to_owned()));
        self
    }

    fn by(self, (id, secret): &(String, String)) -> Self {
        Self { key: (id.clone(), secret.clone()), ..self }
    }

    async fn scan(&self) -> Result<Scan, Gap> {
        self.on_context(async |spec, cx| spec.scanner().unwrap().scan(cx).await).await
    }

    /// *Test connection*.
    async fn check(&self) -> Result<String, String> {
        let said = self.on_context(async |spec, cx| spec.check.unwrap()(cx).await).await;
        said.map(Option::unwrap_or_default).map_err(|failure| failure.to_string())
    }

    async fn on_context<T>(&self, call: impl AsyncFnOnce(&Spec, &Context<'_>) -> T) -> T {
        let spec = Spec::find(self.version).unwrap();
        let posted = self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let settings = form::check(spec.fields, &posted, None).expect("the settings are good");
        let (id, secret) = (self.key.0.as_str(), self.key.1.as_str());
        let values =
            Values::from_iter([("method", "access_key"), ("access_key_id", id), ("secret_access_key", secret)]);
        let secret = Secret { kind: &KIND, values: &values, stored: None };
        let world = World::new(self.egress.clone(), Default::default());
        let outside = Outside { aws: &self.sessions, ..world.outside() };
        call(spec, &Context::new(outside, &settings, "Estate", Some(secret))).await
    }
}

fn names(scan: &Scan) -> Vec<&str> {
    scan.items.iter().map(|item| item.name.as_str()).collect()
}

fn facts(scan: &Scan, name: &str) -> Facts {
    let item = scan.items.iter().find(|item| item.name == name).unwrap_or_else(|| panic!("{name} in {scan:?}"));
    serde_json::from_str(&item.facts).unwrap()
}

/// Stores an access key through its form.
async fn store(visit: &mut Visit, (id, secret): (&str, &str)) -> CredentialId {
    let fields = [("kind", "aws"), ("name", "Scanner"), ("method", "access_key"), ("access_key_id", id)];
    let page = visit.post("/credentials", &[&fields[..], &[("secret_access_key", secret)]].concat()).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    id_in(page.location())
}

/// Adds an integration through its form, without a schedule.
async fn add(visit: &mut Visit, credential: CredentialId, fields: &[(&str, &str)]) -> IntegrationId {
    let credential = credential.to_string();
    let fields = [fields, &[("credential", credential.as_str()), ("schedule", "off")]].concat();
    let page = visit.post("/integrations", &fields).await;
    assert_eq!(page.status, 303, "{:?} {:?}", page.texts(".error-summary"), page.texts("[id$=-error]"));
    id_in(page.location())
}

/// Everything of the account but its keys.
const ESTATE: [(&str, &str); 6] = [
    ("name", "Estate"),
    ("version", "aws_account"),
    ("account", ACCOUNT),
    ("registries", "on"),
    ("functions", "on"),
    ("clusters", "on"),
];

fn id_in<T: std::str::FromStr>(location: &str) -> T {
    location.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id")
}

/// The state and the error of the last of so many runs, once all have ended.
async fn ended(app: &TestApp, integration: IntegrationId, number: usize) -> (String, Option<String>) {
    let all = || runs::of(&mut app.connect(), integration, 100).expect("the runs");
    wait_for("the run ends", PATIENCE, async || all().iter().filter(|run| !run.unfinished()).count() == number).await;
    let last = all().remove(0);
    (last.state.word().to_owned(), last.error)
}
