//! The scan of AWS Lambda: sign in, find the regions, list the functions of each, twenty regions at a time. A region that
//! cannot be read is a gap.

use std::collections::HashSet;

use futures_util::StreamExt;

use super::function::Facts;
use super::lambda::Plan;
use crate::integrations::context::Context;
use crate::integrations::cover::{self, Cover};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Judge, Scan};
use crate::providers::ProviderError;
use crate::providers::aws::lambda::{self, Function, Listing, Unreadable};
use crate::providers::aws::{Refusal, Region, SignedCalls, regions};
use crate::providers::oci_registry::Pages;

const LISTING_REGIONS: Step = Step { label: "Listing regions", doing: "Listing the regions" };
const LISTING: Step = Step { label: "Listing functions", doing: "Listing the functions" };
const READING: Step = Step { label: "Reading functions", doing: "Reading the description" };

/// Regions that are read at once, each a host of its own.
const AT_ONCE: usize = 20;
/// More functions than this are not taken in by one scan.
const MAX_FUNCTIONS: usize = 200_000;
/// So many entries of a region that cannot be read are named; the rest is counted.
const NAMED: usize = 20;

/// Scans; stops soon after `cx.stop` is cancelled.
pub(super) async fn scan(cx: &Context<'_>) -> Result<Scan, Gap> {
    let stopped = || Err(of_all(Step::SIGNING_IN, ProviderError::Stopped));
    cx.stop.run_until_cancelled(read(cx)).await.unwrap_or_else(stopped)
}

/// Signs in, lists the regions if all are wanted, and reads one page of one region. A sentence about what was found.
pub(super) async fn check(cx: &Context<'_>) -> Result<String, Gap> {
    let (plan, calls) = sign_in(cx).await?;
    let regions = regions_of(&plan, &calls).await?;
    let region = regions.iter().find(|region| **region == plan.home).unwrap_or(&regions[0]);
    let listing = list(&calls, region, &plan, Pages::First).await.map_err(|cause| of_region(region, cause))?;
    let functions = listing.functions.len();
    let listed = match functions {
        0 => "no functions".to_owned(),
        1 => "1 function".to_owned(),
        several => format!("{several} functions on the first page"),
    };
    let others = match regions.len() - 1 {
        0 => String::new(),
        1 => " One other region will be read too.".to_owned(),
        several => format!(" {several} other regions will be read too."),
    };
    Ok(format!("AWS let Strongroom in and lists {listed} in {}.{others}", region.as_str()))
}

async fn sign_in(cx: &Context<'_>) -> Result<(Plan, SignedCalls), Gap> {
    let failed = |cause| of_all(Step::SIGNING_IN, cause);
    let plan = Plan::of(cx.settings).ok_or(ProviderError::InvalidAddress).map_err(failed)?;
    let session = plan.place().sign_in(cx).await.map_err(failed)?;
    let calls = SignedCalls::new(session, cx.outside.egress).map_err(failed)?;
    Ok((plan, calls))
}

/// Never empty.
async fn regions_of(plan: &Plan, calls: &SignedCalls) -> Result<Vec<Region>, Gap> {
    match &plan.regions {
        Some(chosen) => Ok(chosen.clone()),
        None => regions::enabled(calls, &plan.home).await.map_err(|cause| of_all(LISTING_REGIONS, cause)),
    }
}

async fn read(cx: &Context<'_>) -> Result<Scan, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let (plan, calls) = sign_in(cx).await?;
    cx.report.step(LISTING_REGIONS);
    let regions = regions_of(&plan, &calls).await?;
    cx.report.parts(LISTING, regions.len(), 0);
    let (judge, mut scan, mut empty) = (Judge::default(), Scan::default(), false);
    // Whose functions they are: without it nobody can tell what the scan covers, and it is a scan all the same.
    let account = calls.session().caller().await.ok().map(|caller| caller.account);
    let (calls, plan, judge, account) = (&calls, &plan, &judge, account.as_deref());
    let work = regions.into_iter().map(|region| async move {
        let listing = list(calls, &region, plan, Pages::All).await;
        let found = judge.judged(listing, |cause| of_region(&region, cause))?;
        let scope = account.map(|account| cover::functions("aws", account, Some(region.as_str())));
        let cover = |scope| if found.is_ok() { Cover::read(scope, plan.takes_all()) } else { Cover::unread(scope) };
        let covers = scope.map(cover).into_iter().collect();
        Ok(match found {
            Ok(listing) => Scan { covers, ..taken(&region, plan, listing) },
            Err(gap) => Scan { covers, ..Scan::gap(gap) },
        })
    });
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some(found) = finished.next().await {
        let mut found: Scan = found?;
        empty |= found.items.is_empty() && found.gaps.is_empty();
        if scan.items.len() + found.items.len() > MAX_FUNCTIONS {
            let at = found.items.pop().map(|item| item.place).unwrap_or_default();
            found = Scan::gap(of_place(&at, ProviderError::TooLarge));
        }
        scan.add(found);
        cx.report.part(LISTING, scan.items.len(), scan.gaps.len());
    }
    scan.finished(empty)
}

/// AWS answers for a region that is switched off as if it did not know the key. Whether it knows it, it says by
/// `sts:GetCallerIdentity`.
async fn list(calls: &SignedCalls, region: &Region, plan: &Plan, pages: Pages) -> Result<Listing, ProviderError> {
    match lambda::functions(calls, region, plan.all_versions, pages).await {
        Err(ProviderError::Aws(Refusal::UnknownKey)) if calls.session().caller().await.is_ok() => {
            Err(ProviderError::Aws(Refusal::RegionOff))
        }
        listing => listing,
    }
}

/// The functions of a region that are selected, and a gap for each part of its list that is missing.
fn taken(region: &Region, plan: &Plan, listing: Listing) -> Scan {
    let (mut scan, mut names) = (Scan::default(), HashSet::new());
    for function in listing.functions {
        let name = item_name(plan, &function.name, &function.version);
        if plan.takes(region.as_str(), &name) && names.insert(name.clone()) {
            scan.items.push(item(region, name, function));
        }
    }
    let unreadable = listing.unreadable.iter().filter(|entry| !entry.is_named() || plan.names.take(&entry.name));
    let mut odd: Vec<&Unreadable> = unreadable.collect();
    let more = odd.split_off(odd.len().min(NAMED)).len();
    scan.gaps.extend(odd.into_iter().map(|entry| of_entry(region, plan, entry)));
    if more > 0 {
        scan.gaps.push(of_region(region, ProviderError::BadAnswer).with_others(more));
    }
    scan.gaps.extend(listing.rest.map(|cause| of_region(region, cause)));
    scan
}

fn item_name(plan: &Plan, name: &str, version: &str) -> String {
    if plan.all_versions { format!("{name}:{version}") } else { name.to_owned() }
}

fn item(region: &Region, name: String, function: Function) -> Item {
    let facts = Facts {
        runtime: function.runtime.unwrap_or_default(),
        package: function.package_type,
        size: Some(function.code_size),
        modified: function.modified,
        role: function.role,
        architectures: function.architectures,
        layers: function.layers,
        ..Facts::default()
    };
    Item::new(region.as_str().to_owned(), name, function.code_sha256, &facts)
}

/// AWS as a whole failed at a step.
fn of_all(step: Step, cause: ProviderError) -> Gap {
    let because = because(step, &cause);
    Gap::new(step, "", cause, because)
}

fn of_region(region: &Region, cause: ProviderError) -> Gap {
    of_place(region.as_str(), cause)
}

fn of_place(region: &str, cause: ProviderError) -> Gap {
    let because = because(LISTING, &cause);
    Gap::new(LISTING, region, cause, because).hiding(Hides::Place(region.to_owned()))
}

/// An entry of a list that cannot be read. What an earlier scan found under its name is kept.
fn of_entry(region: &Region, plan: &Plan, entry: &Unreadable) -> Gap {
    if !entry.is_named() {
        return of_region(region, ProviderError::BadAnswer);
    }
    let name = item_name(plan, &entry.name, &entry.version);
    let at = format!("{}/{name}", region.as_str());
    let because =
        "AWS Lambda described it in a way that Strongroom does not understand. Report this, or add the function \
                   to Functions to exclude."
            .to_owned();
    let hides = Hides::Items { place: region.as_str().to_owned(), names: vec![name] };
    Gap::new(READING, at, ProviderError::BadAnswer, because).hiding(hides)
}

/// The cause and the way out.
fn because(step: Step, cause: &ProviderError) -> String {
    let said = cause.sentence("AWS Lambda");
    match (step, cause) {
        (LISTING_REGIONS, ProviderError::Stopped) => said,
        (LISTING_REGIONS, _) => format!("{said} Or choose the regions under Regions."),
        (_, ProviderError::TooLarge) => format!("{said} Look at Functions under Settings."),
        _ => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Values;

    fn plan(settings: &[(&str, &str)]) -> Plan {
        Plan::of(&settings.iter().copied().collect::<Values>()).unwrap()
    }

    fn odd(name: &str, version: &str) -> Unreadable {
        Unreadable { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn what_cannot_be_read_keeps_what_was_there_and_is_told_in_bounds() {
        let region = Region::parse("eu-west-3").unwrap();
        let plan = plan(&[("regions", "aws"), ("versions", "all"), ("exclude_functions", "dev-*")]);
        let unreadable = vec![odd("pay", "7"), odd("dev-pay", "1")];
        let scan = taken(&region, &plan, Listing { unreadable, ..Listing::default() });
        assert_eq!(scan.gaps.len(), 1, "what is not selected is no gap");
        assert_eq!(scan.gaps[0].at, "eu-west-3/pay:7");
        assert!(scan.gaps[0].hides.may_be("eu-west-3", "pay:7") && !scan.gaps[0].hides.may_be("eu-west-3", "pay:8"));
        let unreadable = (0..500).map(|_| odd("", "")).collect();
        let scan = taken(&region, &plan, Listing { unreadable, ..Listing::default() });
        assert_eq!(scan.gaps.len(), NAMED + 1);
        assert_eq!(scan.gaps[NAMED].others, 480);
        assert!(scan.gaps.iter().all(|gap| gap.hides.may_be("eu-west-3", "any:1")));
    }

    #[test]
    fn a_missing_right_to_list_regions_names_the_other_way() {
        let cause = ProviderError::Aws(Refusal::Denied { action: regions::LIST_REGIONS });
        let said = of_all(LISTING_REGIONS, cause).to_string();
        assert!(said.contains("account:ListRegions") && said.ends_with("choose the regions under Regions."), "{said}");
    }
}
