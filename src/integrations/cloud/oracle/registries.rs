//! The part *Container registries*: the compartments of each region that have container repositories, and how many.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use super::part::{Part, Visit, gap, is_denied};
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::cover;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Item, Scan};
use crate::providers::oci::artifacts::{INSPECT, registry_host, repositories};
use crate::providers::oci::calls::Calls;
use crate::providers::oci_registry::Pages;
use crate::providers::{Failure, ProviderError};

pub(super) const REGISTRIES: Part = Part {
    field: "registries",
    right: INSPECT,
    step: Step { label: "Listing registries", doing: "Listing the repositories" },
    sort: Sort::Registry,
    service: "Oracle Cloud Infrastructure Registry",
    path: "ocir",
    read,
    check,
};

/// One list has all compartments; where the user may not see the tenancy's, each is asked for its own.
fn read<'a>(visit: &'a Visit<'a>, calls: &'a Calls<'a>) -> BoxFuture<'a, Result<Scan, ProviderError>> {
    Box::pin(async move {
        let region = calls.region();
        let (found, rest) = match repositories(calls, None, None, Pages::All).await {
            Err(cause) if is_denied(&cause) => {
                let of = |one: crate::providers::oci::tenancy::Compartment| async move {
                    let (found, rest) = repositories(calls, Some(&one.id), None, Pages::All).await?;
                    let mut scan = Scan::default();
                    if !found.is_empty() {
                        scan.items.push(item(visit, region, &one.id, found.len()));
                    }
                    let path = format!("{}/{}", REGISTRIES.of(region), one.id);
                    scan.gaps.extend(rest.map(|cause| REGISTRIES.gap(visit, region, path, cause)));
                    Ok(scan)
                };
                return visit.in_compartments(&REGISTRIES, region, of).await;
            }
            found => found?,
        };
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        for repository in found {
            *numbers.entry(repository.compartment_id).or_default() += 1;
        }
        let items = numbers.iter().map(|(compartment, number)| item(visit, region, compartment, *number)).collect();
        let gaps = rest.map(|cause| REGISTRIES.gap(visit, region, REGISTRIES.of(region), cause));
        Ok(Scan { items, gaps: gaps.into_iter().collect(), ..Scan::default() })
    })
}

/// What of a region's registry a scan can read for itself: a compartment.
fn item(visit: &Visit<'_>, region: &str, compartment: &str, number: usize) -> Item {
    let host = registry_host(visit.tenancy(), region).unwrap_or_default();
    let called = visit.called(compartment);
    // Blank is the whole tenancy on that form.
    let within = if compartment == visit.tenancy() { "" } else { compartment };
    let form = [
        ("version", "oracle".to_owned()),
        ("region", region.to_owned()),
        ("compartment", within.to_owned()),
        ("name", format!("{host} {called}")),
    ];
    let facts = Facts {
        title: format!("{host}, {called}"),
        number: i64::try_from(number).ok(),
        scope: cover::registry(&host, compartment).unwrap_or_default(),
        add: form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        address: host,
        ..REGISTRIES.facts(visit, region)
    };
    facts.item(visit.tenancy(), format!("{}/{compartment}", REGISTRIES.of(region)))
}

fn check<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let calls = visit.calls.in_region(&visit.regions[0]);
        let found = repositories(&calls, None, None, Pages::First).await;
        let (found, _) = found.map_err(|cause| gap(REGISTRIES.step, "", cause))?;
        Ok(match found.len() {
            1 => "1 repository".to_owned(),
            several => format!("{several} repositories"),
        })
    })
}
