//! The parts *Container registries*, *Function apps* and *Clusters*: what there is in the subscriptions. They are asked
//! one by one by lists of the Resource Manager, since Azure Resource Graph leaves out in silence what may not be read.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;

use super::part::{Around, Look, Part};
use crate::integrations::azure::{self, because};
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::cover;
use crate::integrations::patterns::is_below;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Scan};
use crate::providers::ProviderError;
use crate::providers::azure::management::Subscription;
use crate::providers::azure::resources::{READS_CLUSTERS, READS_REGISTRIES, Resource, clusters, registries};
use crate::providers::azure::sites::{Apps, READS, function_apps};
use crate::providers::oci_registry::{AT_ONCE, Pages};

pub(super) const REGISTRIES: Part = Part {
    field: "registries",
    path: "acr",
    grant: |scope| {
        azure::grant(scope, "may list the registries", "Strongroom registry finder", &[READS_REGISTRIES.name])
    },
    read: |look| Box::pin(all(look, &OF_REGISTRIES)),
    check: |look| Box::pin(first(look, &OF_REGISTRIES)),
};

pub(super) const FUNCTIONS: Part = Part {
    field: "functions",
    path: "functions",
    grant: |scope| azure::grant(scope, "may list the function apps", "Strongroom function finder", &[READS.name]),
    read: |look| Box::pin(all(look, &OF_FUNCTIONS)),
    check: |look| Box::pin(first(look, &OF_FUNCTIONS)),
};

pub(super) const CLUSTERS: Part = Part {
    field: "clusters",
    path: "aks",
    grant: |scope| azure::grant(scope, "may list the clusters", "Strongroom cluster finder", &[READS_CLUSTERS.name]),
    read: |look| Box::pin(all(look, &OF_CLUSTERS)),
    check: |look| Box::pin(first(look, &OF_CLUSTERS)),
};

/// Items of one subscription, how many things they stand for, and why there are no more, if there should be.
type Found = (Vec<Item>, usize, Option<ProviderError>);

/// What is listed, and by which call.
struct List {
    step: Step,
    path: &'static str,
    /// One of the things: `registry`, and several.
    nouns: (&'static str, &'static str),
    of: for<'a> fn(&'a Around<'a>, &'a Subscription, Pages) -> BoxFuture<'a, Result<Found, ProviderError>>,
}

static OF_REGISTRIES: List = List {
    step: Step { label: "Listing registries", doing: "Listing the registries" },
    path: REGISTRIES.path,
    nouns: ("registry", "registries"),
    of: |around, of, pages| {
        Box::pin(async move {
            let (found, rest) = registries(&around.line, of, pages).await?;
            Ok((found.iter().map(|one| registry(of, one)).collect(), found.len(), rest))
        })
    },
};

static OF_FUNCTIONS: List = List {
    step: Step { label: "Listing function apps", doing: "Listing the function apps" },
    path: FUNCTIONS.path,
    nouns: ("function app", "function apps"),
    of: |around, of, pages| {
        Box::pin(async move {
            let Apps { found, unreadable, rest } = function_apps(&around.line, of, pages).await?;
            let mut regions: BTreeMap<&str, i64> = BTreeMap::new();
            found.iter().for_each(|app| *regions.entry(app.region.as_str()).or_default() += 1);
            let items = regions.into_iter().map(|(region, number)| functions(of, region, number)).collect();
            Ok((items, found.len(), rest.or((!unreadable.is_empty()).then_some(ProviderError::BadAnswer))))
        })
    },
};

static OF_CLUSTERS: List = List {
    step: Step { label: "Listing clusters", doing: "Listing the clusters" },
    path: CLUSTERS.path,
    nouns: ("cluster", "clusters"),
    of: |around, of, pages| {
        Box::pin(async move {
            let (found, rest) = clusters(&around.line, of, pages).await?;
            Ok((found.iter().map(|one| cluster(of, one)).collect(), found.len(), rest))
        })
    },
};

/// A subscription that could not be read: what is of that list in it may be hidden.
fn unread(list: &List, of: &Subscription, cause: ProviderError) -> Gap {
    let because = because(&cause);
    let hides = Hides::Below { place: of.id.clone(), paths: vec![list.path.to_owned()] };
    Gap::new(list.step, of.title(), cause, because).hiding(hides)
}

/// The list of every subscription, a few at a time.
async fn all(look: &Look<'_>, list: &'static List) -> Result<Scan, Gap> {
    let report = &look.visit.cx.report;
    report.step(Step::LISTING_SUBSCRIPTIONS);
    let around = look.around().await?;
    let mut scan = Scan { gaps: look.missing().into_iter().collect(), ..Scan::default() };
    report.parts(list.step, around.subscriptions.len(), scan.gaps.len());
    let work = (0..around.subscriptions.len()).map(|at| async move {
        let of = &around.subscriptions[at];
        (of, (list.of)(around, of, Pages::All).await)
    });
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some((of, found)) = finished.next().await {
        match look.judge.judged(found, |cause| unread(list, of, cause))? {
            Ok((items, _, rest)) => {
                if items.is_empty() && rest.is_none() {
                    look.empty.store(true, Ordering::Relaxed);
                }
                scan.items.extend(items);
                scan.gaps.extend(rest.map(|cause| unread(list, of, cause)));
            }
            Err(gap) => scan.gaps.push(gap),
        }
        report.part(list.step, scan.items.len(), scan.gaps.len());
    }
    Ok(scan)
}

/// A page of the list of the first subscription, as a sentence.
async fn first(look: &Look<'_>, list: &'static List) -> Result<String, Gap> {
    let around = look.around().await?;
    let Some(of) = around.subscriptions.first() else { return Ok(String::new()) };
    let (_, number, _) = (list.of)(around, of, Pages::First).await.map_err(|cause| unread(list, of, cause))?;
    let (one, several) = list.nouns;
    let listed = match number {
        0 => format!("no {several}"),
        1 => format!("1 {one}"),
        number => format!("{number} {several}"),
    };
    Ok(format!("Azure lists {listed} on its first page of {}.", of.title()))
}

fn form(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn registry(of: &Subscription, one: &Resource) -> Item {
    let scope = cover::registry(&one.address, "").unwrap_or_default();
    let add = if scope.is_empty() { Vec::new() } else { form(&[("version", "acr"), ("registry", &one.address)]) };
    let facts = Facts {
        sort: Sort::Registry,
        service: "Azure Container Registry".to_owned(),
        title: if one.address.is_empty() { one.name.clone() } else { one.address.clone() },
        scope,
        add,
        ..facts(of, one)
    };
    facts.item(&of.id, format!("{}/{}/{}", REGISTRIES.path, one.region, one.name))
}

fn functions(of: &Subscription, region: &str, number: i64) -> Item {
    let add =
        [("version", "azure_functions"), ("subscriptions", "chosen"), ("subscription_ids", &of.id), ("slots", "on")];
    let facts = Facts {
        sort: Sort::Functions,
        service: "Azure Functions".to_owned(),
        account: of.name.clone(),
        region: region.to_owned(),
        title: format!("Function apps in {region}"),
        number: Some(number),
        scope: cover::functions("azure", &of.id, None),
        add: form(&add),
        ..Facts::default()
    };
    facts.item(&of.id, format!("{}/{region}", FUNCTIONS.path))
}

/// Clusters have one name a group of resources.
fn cluster(of: &Subscription, one: &Resource) -> Item {
    let facts = Facts {
        sort: Sort::Cluster,
        service: "Azure Kubernetes Service".to_owned(),
        title: one.name.clone(),
        number: one.nodes,
        version: one.version.clone(),
        access: if one.is_private { "Private" } else { "Public" }.to_owned(),
        ..facts(of, one)
    };
    facts.item(&of.id, format!("{}/{}/{}/{}", CLUSTERS.path, one.region, one.group, one.name))
}

fn facts(of: &Subscription, one: &Resource) -> Facts {
    Facts {
        account: of.name.clone(),
        region: one.region.clone(),
        address: one.address.clone(),
        state: one.state.clone(),
        made: one.made,
        ..Facts::default()
    }
}

/// Whether a name is one of that part's.
pub(super) fn is_of(part: &Part, name: &str) -> bool {
    !part.path.is_empty() && is_below(name, part.path)
}
