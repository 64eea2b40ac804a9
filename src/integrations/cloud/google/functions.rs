//! The part *Functions*: how many functions of Cloud Functions and services of Cloud Run there are in each location of a
//! project that has some. A function that is a service too counts once.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use super::part::{self, Listed, Part, Tour, counted, seen};
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::cover;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Item, Scan};
use crate::providers::endpoints::Service;
use crate::providers::gcp::line::Line;
use crate::providers::gcp::workload::{Found, alone};
use crate::providers::gcp::{Refusal, Why, functions, run};
use crate::providers::oci_registry::Pages;
use crate::providers::{Failure, ProviderError};

pub(super) const FUNCTIONS: Part = Part {
    field: "functions",
    may: "may list the functions and services",
    role: "strongroomFunctions",
    rights: &[&functions::LISTS, &run::LISTS, &run::LISTS_LOCATIONS],
    further: None,
    paths: &[SERVERLESS.path],
    read,
    check,
};

const SERVERLESS: Listed = Listed {
    step: Step { label: "Listing functions", doing: "Listing the functions" },
    api: &run::API,
    service: Service::GoogleRun,
    path: part::SERVERLESS,
};

struct Lines<'a> {
    functions: Line<'a>,
    run: Line<'a>,
}

async fn lines<'a>(tour: &Tour<'a>) -> Result<Lines<'a>, Gap> {
    let functions = Listed { api: &functions::API, service: Service::GoogleFunctions, ..SERVERLESS };
    Ok(Lines { functions: functions.line(tour).await?, run: SERVERLESS.line(tour).await? })
}

fn read<'a>(tour: &'a Tour<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
    Box::pin(async move {
        let lines = &lines(tour).await?;
        let read = |project: String| async move {
            let (functions, services) = of(lines, &project, Pages::All).await?;
            Ok(found(&project, functions, services))
        };
        SERVERLESS.in_projects(tour, read).await
    })
}

/// Both kinds. An API that is switched off has nothing as long as the other one answers.
async fn of(lines: &Lines<'_>, project: &str, pages: Pages) -> Result<(Found, Found), ProviderError> {
    let (functions, services) =
        tokio::join!(functions::of(&lines.functions, project, pages), run::of(&lines.run, project, pages));
    let is_off = |answer: &Result<Found, ProviderError>| {
        matches!(answer, Err(ProviderError::Google(Refusal { why: Why::ApiOff { .. }, .. })))
    };
    match (is_off(&functions), is_off(&services)) {
        (true, false) => Ok((Found::default(), services?)),
        (false, true) => Ok((functions?, Found::default())),
        _ => Ok((functions?, services?)),
    }
}

fn found(project: &str, functions: Found, services: Found) -> Scan {
    let mut scan = Scan::default();
    for found in [&functions, &services] {
        scan.gaps.extend(found.unreachable.iter().map(|location| SERVERLESS.unreachable(project, location)));
        let failed = found.failed.iter();
        scan.gaps.extend(failed.map(|(location, cause)| SERVERLESS.gap_in(project, location, cause.clone())));
        scan.gaps.extend(found.rest.iter().map(|cause| SERVERLESS.gap(project, cause.clone())));
    }
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    // One that Strongroom cannot read is there all the same.
    let odd = [&functions, &services].into_iter().flat_map(|found| &found.unreadable);
    let odd: Vec<String> = odd.filter_map(|entry| Some(entry.place.as_ref()?.0.clone())).collect();
    let alone = alone(&functions.workloads, services.workloads);
    let known = functions.workloads.into_iter().chain(alone).map(|one| one.location);
    known.chain(odd).for_each(|location| *numbers.entry(location).or_default() += 1);
    scan.items.extend(numbers.into_iter().map(|(location, number)| item(project, &location, number)));
    scan
}

fn item(project: &str, location: &str, number: usize) -> Item {
    let form = [
        ("version", "google_functions"),
        ("projects", "chosen"),
        ("project_ids", project),
        ("name", &format!("Functions of {project}")),
    ];
    let facts = Facts {
        sort: Sort::Functions,
        service: "Google Cloud Functions and Cloud Run".to_owned(),
        region: location.to_owned(),
        title: format!("Functions in {location}"),
        number: i64::try_from(number).ok(),
        // A scan of functions reads a project as a whole.
        scope: cover::functions("google", project, None),
        add: form.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        ..Facts::default()
    };
    facts.item(project, format!("{}/{location}", SERVERLESS.path))
}

fn check<'a>(tour: &'a Tour<'a>) -> BoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let (lines, project) = (lines(tour).await?, tour.first());
        let text = of(&lines, project, Pages::First).await.map(|(functions, services)| {
            let number = functions.workloads.len() + alone(&functions.workloads, services.workloads).len();
            counted(number, "function or service", "functions and services")
        });
        seen(project, text, "no functions and services")
    })
}
