//! The part *Container registries*: the ECR registry of each region that has repositories, and how many.

use futures_util::future::BoxFuture;

use super::part::{self, Part, Visit};
use super::regional::Listed;
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::cover;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Scan};
use crate::providers::aws::Region;
use crate::providers::aws::regions::LIST_REGIONS;
use crate::providers::aws::repositories::{DESCRIBE_REPOSITORIES, repositories};
use crate::providers::oci_registry::Pages;
use crate::providers::{Failure, ProviderError};

pub(super) const REGISTRIES: Part = Part {
    field: "registries",
    may: "may list the repositories of all regions",
    rights: &[LIST_REGIONS, DESCRIBE_REPOSITORIES],
    further: None,
    read,
    check,
};

const ECR: Listed = Listed {
    step: Step { label: "Listing registries", doing: "Listing the repositories" },
    sort: Sort::Registry,
    service: "Amazon ECR",
    path: part::ECR,
};

fn read<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
    Box::pin(ECR.in_regions(visit, |region| of_region(visit, region)))
}

async fn of_region(visit: &Visit<'_>, region: Region) -> Result<Scan, ProviderError> {
    let listed = repositories(&visit.calls, &region, Pages::All).await?;
    let mut scan = Scan::default();
    if !listed.found.is_empty() {
        let host = region.registry(&visit.account);
        let form = [("version", "ecr"), ("registry", &host), ("name", &host)];
        let facts = Facts {
            title: host.clone(),
            number: i64::try_from(listed.found.len()).ok(),
            scope: cover::registry(&host, "").unwrap_or_default(),
            add: visit.form(&form),
            address: host.clone(),
            ..ECR.facts(visit, &region)
        };
        scan.items.push(facts.item(&visit.account, ECR.of(&region)));
    }
    scan.gaps.extend(listed.rest.map(|cause| ECR.gap(visit, &region, cause)));
    Ok(scan)
}

fn check<'a>(visit: &'a Visit<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let read = async |region: &Region| Ok(repositories(&visit.calls, region, Pages::First).await?.found.len());
        let (number, region) = ECR.first_page(visit, read).await?;
        let repositories = if number == 1 { "1 repository".to_owned() } else { format!("{number} repositories") };
        Ok(format!("Amazon ECR lists {repositories} on the first page of {region}."))
    })
}
