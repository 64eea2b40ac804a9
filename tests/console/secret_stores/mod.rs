//! Secret stores: what each lists and reads, what it says of what it may not, and the whole way in the console.

use strongroom::credentials;
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Secret};
use strongroom::integrations::scan::{Gap, Scan};
use strongroom::integrations::stores::Entry;
use strongroom::providers::Failure;
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::Endpoints;

use crate::support::outside::World;

mod aws;
mod cyberark;
mod google;
mod hostile;
mod key_vault;
mod openbao;
mod story;

/// One store with a credential, as a run or a reader would use it.
struct Store {
    spec: &'static Spec,
    settings: Values,
    kind: &'static credentials::Kind,
    secret: Values,
    endpoints: Endpoints,
}

type Read = Result<Vec<Result<Entry, Failure>>, Failure>;

impl Store {
    fn of(slug: &str, settings: &[(&str, &str)], kind: &str, secret: &[(&str, &str)]) -> Self {
        let spec = Spec::find(slug).unwrap();
        let defaults = spec.fields.iter().map(|field| (field.name, field.default));
        let posted: Values = defaults.chain(settings.iter().copied()).collect();
        let settings = form::check(spec.fields, &posted, None);
        Self {
            spec,
            settings: settings.expect("the settings are good"),
            kind: credentials::find(kind).unwrap(),
            secret: secret.iter().copied().collect(),
            endpoints: Endpoints::default(),
        }
    }

    fn at(self, endpoints: Endpoints) -> Self {
        Self { endpoints, ..self }
    }

    async fn on_context<T>(&self, call: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let world = World::new(egress, self.endpoints.clone());
        let secret = Secret { kind: self.kind, values: &self.secret, stored: None };
        call(&Context::new(world.outside(), &self.settings, "A store", Some(secret))).await
    }

    async fn scan(&self) -> Result<Scan, Gap> {
        self.on_context(async |cx: &Context<'_>| self.spec.scanner().unwrap().scan(cx).await).await
    }

    async fn check(&self) -> Result<String, Failure> {
        let said = self.on_context(async |cx: &Context<'_>| self.spec.check.unwrap()(cx).await).await;
        said.map(|said| said.expect("a sentence"))
    }

    async fn read(&self, entries: &[&str]) -> Read {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        self.on_context(async |cx: &Context<'_>| self.spec.store().unwrap().read(cx, &entries).await).await
    }
}

/// `secret/team/db`
fn names(scan: &Scan) -> Vec<String> {
    scan.items.iter().map(|item| format!("{}/{}", item.place, item.name)).collect()
}

/// The keys of an entry with their values.
fn keys(entry: &Entry) -> Vec<(&str, &str)> {
    entry.keys.names().map(|name| (name, entry.keys.get(name))).collect()
}

fn said(read: &Result<Entry, Failure>) -> String {
    read.as_ref().expect_err("it was read").to_string()
}
