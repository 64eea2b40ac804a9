//! The part *Functions*: how many functions of AWS Lambda there are in each region that has some.

use futures_util::future::BoxFuture;

use super::part::{self, Part, Visit};
use super::regional::{Listed, counted};
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::cover;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Scan};
use crate::providers::aws::Region;
use crate::providers::aws::lambda::{LIST_FUNCTIONS, functions};
use crate::providers::aws::regions::LIST_REGIONS;
use crate::providers::oci_registry::Pages;
use crate::providers::{Failure, ProviderError};

pub(super) const FUNCTIONS: Part = Part {
    field: "functions",
    may: "may list the functions of all regions",
    rights: &[LIST_REGIONS, LIST_FUNCTIONS],
    further: None,
    read,
    check,
};

const LAMBDA: Listed = Listed {
    step: Step { label: "Listing functions", doing: "Listing the functions" },
    sort: Sort::Functions,
    service: "AWS Lambda",
    path: part::LAMBDA,
};

fn read<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
    Box::pin(LAMBDA.in_regions(visit, move |region| of_region(visit, region)))
}

async fn of_region(visit: &Visit<'_>, region: Region) -> Result<Scan, ProviderError> {
    let listed = functions(&visit.calls, &region, false, Pages::All).await?;
    // One that Strongroom cannot read is a function all the same.
    let number = listed.functions.len() + listed.unreadable.len();
    let mut scan = Scan::default();
    if number > 0 {
        let name = format!("AWS Lambda {} {}", visit.account, region.as_str());
        let form =
            [("version", "lambda"), ("regions", "chosen"), ("region_names", region.as_str()), ("name", name.as_str())];
        let facts = Facts {
            title: format!("Functions in {}", region.as_str()),
            number: i64::try_from(number).ok(),
            scope: cover::functions("aws", &visit.account, Some(region.as_str())),
            add: visit.form(&form),
            ..LAMBDA.facts(visit, &region)
        };
        scan.items.push(facts.item(&visit.account, LAMBDA.of(&region)));
    }
    scan.gaps.extend(listed.rest.map(|cause| LAMBDA.gap(visit, &region, cause)));
    Ok(scan)
}

fn check<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let read = async |region: &Region| {
            let listed = functions(&visit.calls, region, false, Pages::First).await?;
            Ok(listed.functions.len() + listed.unreadable.len())
        };
        let (number, region) = LAMBDA.first_page(visit, read).await?;
        Ok(format!("AWS Lambda lists {} on the first page of {region}.", counted(number, "function")))
    })
}
