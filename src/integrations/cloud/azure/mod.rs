//! Azure: the form, and how a scan signs in. What it looks for are the [`PARTS`]: the keys of applications are those of
//! a tenant, everything else is in subscriptions.

use futures_util::future::BoxFuture;

use crate::form::{Errors, Field, Values};
use crate::integrations::azure::{self, Scope, Visit};
use crate::integrations::context::Context;
use crate::integrations::family::Family;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use};
use crate::providers::azure::{graph, management};
use crate::providers::{Failure, ProviderError};

mod keys;
mod part;
mod resources;

use part::{Look, Part, of_all};

pub static AZURE: Spec = Spec {
    slug: "azure_tenant",
    label: "Azure",
    fields: FIELDS,
    uses: &[Use::main(&["azure"])],
    // The cloud of the credential decides which ones.
    host: Host::Vendor(|_| Some("Azure Resource Manager and Microsoft Graph".to_owned())),
    suits,
    grants,
    check: Some(|cx| Box::pin(async { Ok(Some(check(cx).await?)) })),
    does: Does::Scan(&Tenant),
};

static FIELDS: &[Field] = &[
    Field::checkbox("keys", "Secrets and certificates of all applications").default("on").help(
        "Lists every long-term key of the tenant with its age and its end, stored here or not. Needs a permission of \
         Microsoft Graph.",
    ),
    Field::checkbox("registries", "Container registries")
        .default("on")
        .help("Finds the Azure Container Registries, and shows which of them aren't scanned."),
    Field::checkbox("functions", "Function apps")
        .default("on")
        .help("Finds the regions with function apps, and shows which of them aren't scanned."),
    Field::checkbox("clusters", "Clusters").default("on").help("Finds the clusters of Azure Kubernetes Service."),
    azure::SUBSCRIPTIONS.default("all").help("Where to look for registries, function apps and clusters."),
    azure::SUBSCRIPTION_IDS,
];

static PARTS: &[Part] = &[keys::KEYS, resources::REGISTRIES, resources::FUNCTIONS, resources::CLUSTERS];

fn chosen(settings: &Values) -> impl Iterator<Item = &'static Part> {
    PARTS.iter().filter(|part| settings.get(part.field) == "on")
}

fn suits(settings: &Values, _kind: &str, _credential: &Values) -> Result<(), Errors> {
    match chosen(settings).next() {
        Some(_) => Ok(()),
        None => Err(Errors::one(PARTS[0].field, "Choose what the scan looks for.")),
    }
}

fn grants(settings: &Values, _name: &str) -> Grants {
    let scope = Scope::of(settings);
    Grants { role: None, policies: chosen(settings).map(|part| (part.grant)(&scope)).collect() }
}

/// Gets a token for what is read first.
async fn sign_in<'a>(cx: &'a Context<'a>) -> Result<Look<'a>, Gap> {
    let only_keys = chosen(cx.settings).all(|part| part.field == keys::KEYS.field);
    let api = if only_keys { &graph::API } else { &management::API };
    Ok(Look::new(Visit::sign_in(cx, api).await?))
}

/// Signs in and reads a page of each part; nothing is changed.
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let look = sign_in(cx).await?;
    let mut sentences = Vec::new();
    for part in chosen(cx.settings) {
        sentences.push((part.check)(&look).await?);
    }
    Ok(sentences.join(" "))
}

/// The scan of all parts that are switched on.
struct Tenant;

impl Scanner for Tenant {
    fn family(&self) -> Family {
        Family::CloudScan
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(async {
            let stopped = || Err(of_all(ProviderError::Stopped));
            cx.stop.run_until_cancelled(read(cx)).await.unwrap_or_else(stopped)
        })
    }

    /// What a part that is switched off had found is gone, and what is in a subscription that is no longer chosen.
    fn selects(&self, settings: &Values) -> Selects {
        let on: Vec<&'static Part> = chosen(settings).collect();
        let scope = Scope::of(settings);
        Box::new(move |place, name| {
            let is_key = !PARTS.iter().any(|part| resources::is_of(part, name));
            match is_key {
                true => on.iter().any(|part| part.path.is_empty()),
                false => scope.takes(place) && on.iter().any(|part| resources::is_of(part, name)),
            }
        })
    }
}

async fn read(cx: &Context<'_>) -> Result<Scan, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let look = sign_in(cx).await?;
    let mut scan = Scan::default();
    for part in chosen(cx.settings) {
        scan.add((part.read)(&look).await?);
    }
    scan.finished(look.empty.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_longer_looked_for_in_azure_is_not_kept() {
        let settings = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Values>();
        let on =
            settings(&[("keys", "on"), ("clusters", "on"), ("subscriptions", "chosen"), ("subscription_ids", "a")]);
        let takes = Tenant.selects(&on);
        assert!(takes("tenant", "key") && takes("a", "aks/westeurope/g/prod"));
        assert!(!takes("b", "aks/westeurope/g/prod") && !takes("a", "acr/westeurope/example"));
        let off = Tenant.selects(&settings(&[("functions", "on"), ("subscriptions", "all")]));
        assert!(off("b", "functions/westeurope") && !off("tenant", "key"));
        assert!(suits(&settings(&[]), "azure", &Values::default()).is_err() && suits(&on, "azure", &on).is_ok());
        let captions: Vec<String> = grants(&on, "x").policies.into_iter().map(|(caption, _)| caption).collect();
        assert!(
            captions[0].contains("Application.Read.All") && captions[1].contains("clusters") && captions.len() == 2
        );
    }
}
