//! The part *Functions*: how many functions there are in each compartment of a region that has some. No integration scans
//! them yet, so nothing covers them.

use futures_util::future::BoxFuture;

use super::part::{Part, Visit, gap};
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::progress::Step;
use crate::integrations::scan::Scan;
use crate::providers::oci::calls::Calls;
use crate::providers::oci::functions::{INSPECT, count};
use crate::providers::oci::tenancy::Compartment;
use crate::providers::oci_registry::Pages;
use crate::providers::{Failure, ProviderError};

pub(super) const FUNCTIONS: Part = Part {
    field: "functions",
    right: INSPECT,
    step: Step { label: "Listing functions", doing: "Listing the functions" },
    sort: Sort::Functions,
    service: "Oracle Functions",
    path: "functions",
    read,
    check,
};

fn read<'a>(visit: &'a Visit<'a>, calls: &'a Calls<'a>) -> BoxFuture<'a, Result<Scan, ProviderError>> {
    Box::pin(visit.in_compartments(&FUNCTIONS, calls.region(), move |one| of_compartment(visit, calls, one)))
}

async fn of_compartment(visit: &Visit<'_>, calls: &Calls<'_>, one: Compartment) -> Result<Scan, ProviderError> {
    let region = calls.region();
    let (number, rest) = count(calls, &one.id, Pages::All).await?;
    let path = format!("{}/{}", FUNCTIONS.of(region), one.id);
    let mut scan = Scan::default();
    if number > 0 {
        let facts = Facts {
            title: format!("Functions of {} in {region}", one.name),
            number: i64::try_from(number).ok(),
            ..FUNCTIONS.facts(visit, region)
        };
        scan.items.push(facts.item(visit.tenancy(), path.clone()));
    }
    let at = format!("{} in {region}", one.name);
    scan.gaps.extend(rest.map(|cause| FUNCTIONS.gap(visit, &at, path, cause)));
    Ok(scan)
}

fn check<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let calls = visit.calls.in_region(&visit.regions[0]);
        let found = count(&calls, visit.tenancy(), Pages::First).await;
        let (number, _) = found.map_err(|cause| gap(FUNCTIONS.step, "", cause))?;
        Ok(format!("{number} function{} in the tenancy itself", if number == 1 { "" } else { "s" }))
    })
}
