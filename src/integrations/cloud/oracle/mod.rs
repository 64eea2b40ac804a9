//! Oracle Cloud: the form, and how a scan signs in. What it looks for are the [`PARTS`], each in every region and every
//! compartment that the user may see.

use futures_util::future::BoxFuture;

use crate::credentials;
use crate::credentials::oci::{self as credential, Payload};
use crate::form::{Errors, Field, Values};
use crate::integrations::context::Context;
use crate::integrations::family::Family;
use crate::integrations::patterns::is_below;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use};
use crate::providers::oci::{self, calls::Calls, tenancy};
use crate::providers::{Failure, ProviderError};

mod clusters;
mod functions;
mod part;
mod registries;

use part::{Part, Visit, gap, is_denied};

pub static ORACLE_CLOUD: Spec = Spec {
    slug: "oracle_cloud",
    label: "Oracle Cloud",
    fields: FIELDS,
    uses: &[Use::main(&["oci"])],
    host: Host::Vendor(|_| Some("oraclecloud.com".to_owned())),
    suits,
    grants,
    check: Some(|cx| Box::pin(async { Ok(Some(check(cx).await?)) })),
    does: Does::Scan(&Tenancy),
};

static FIELDS: &[Field] = &[
    Field::checkbox("registries", "Container registries")
        .default("on")
        .help("Finds the compartments with container repositories, and shows which of them aren't scanned."),
    Field::checkbox("functions", "Functions")
        .default("on")
        .help("Finds the compartments with functions, and how many they have."),
    Field::checkbox("clusters", "Clusters").default("on").help("Finds the clusters of Oracle Kubernetes Engine."),
    Field::text("regions", "Regions")
        .optional()
        .placeholder("eu-frankfurt-1, us-ashburn-1")
        .help("Where to look. Leave blank for all regions that the tenancy subscribes to.")
        .max(1024)
        .check(region_names)
        .summary(|value| Some(if value.is_empty() { "All subscribed regions" } else { value }.to_owned())),
];

static PARTS: &[Part] = &[registries::REGISTRIES, functions::FUNCTIONS, clusters::CLUSTERS];

const LISTING_REGIONS: Step = Step { label: "Listing regions", doing: "Listing the regions" };
const LISTING_COMPARTMENTS: Step = Step { label: "Listing compartments", doing: "Listing the compartments" };

fn chosen(settings: &Values) -> impl Iterator<Item = &'static Part> {
    PARTS.iter().filter(|part| settings.get(part.field) == "on")
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n', ' ']).map(str::trim).filter(|name| !name.is_empty())
}

/// In their canonical form, each once.
fn region_names(text: &str) -> Result<String, String> {
    let mut regions: Vec<String> = Vec::new();
    for name in names(text) {
        let region = credential::region(name)
            .map_err(|_| "Enter regions such as eu-frankfurt-1, separated by commas.".to_owned())?;
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    Ok(regions.join(", "))
}

fn suits(settings: &Values, _kind: &str, _credential: &Values) -> Result<(), Errors> {
    if chosen(settings).next().is_none() {
        return Err(Errors::one(PARTS[0].field, "Choose what the scan looks for."));
    }
    Ok(())
}

/// <https://docs.oracle.com/en-us/iaas/Content/Identity/Reference/policyreference.htm>
fn grants(settings: &Values, _name: &str) -> Grants {
    let regions = settings.get("regions").is_empty().then_some(tenancy::INSPECT_TENANCIES);
    let rights =
        regions.into_iter().chain([tenancy::INSPECT_COMPARTMENTS]).chain(chosen(settings).map(|part| part.right));
    let statements: Vec<String> = rights.map(|right| format!("Allow group strongroom to {right} in tenancy")).collect();
    let caption = "Policy of the user's group: may see what is in the tenancy".to_owned();
    Grants { role: None, policies: vec![(caption, statements.join("\n"))] }
}

/// The regions and the compartments, and a gap for each of both lists that cannot be read: then what is known without it
/// is looked into.
async fn sign_in<'a>(cx: &'a Context<'a>) -> Result<(Visit<'a>, Vec<Gap>), Gap> {
    let failed = |cause| gap(Step::SIGNING_IN, "", cause);
    let secret = cx.main().ok_or(ProviderError::WrongCredential).map_err(failed)?;
    let payload = || credentials::payload::<Payload>(secret.values).ok_or(ProviderError::WrongCredential);
    let first = payload().map_err(failed)?;
    let wanted: Vec<String> = names(cx.settings.get("regions")).map(str::to_owned).collect();
    let tried = match (wanted.first(), first.region.clone()) {
        (Some(region), _) => vec![region.clone()],
        (None, Some(region)) => vec![region],
        (None, None) => oci::usual_regions(&first.tenancy_ocid).iter().map(|region| (*region).to_owned()).collect(),
    };
    let report = cx.report.clone();
    let mut refused = ProviderError::InvalidAddress;
    for region in tried {
        let calls = Calls::new(payload().map_err(failed)?, &region, cx.outside.egress, cx.outside.endpoints);
        let report = report.clone();
        let calls = calls.map_err(failed)?.told_to(Box::new(move |until| report.pause(until)));
        // A region knows the users of a tenancy only if the tenancy subscribes to it.
        let (regions, mut gaps) = match tenancy::regions(&calls).await {
            Ok(regions) if wanted.is_empty() => (regions, Vec::new()),
            Err(cause) if is_denied(&cause) && wanted.is_empty() => {
                (vec![region.clone()], vec![gap(LISTING_REGIONS, "", cause)])
            }
            Err(cause) if !is_denied(&cause) => {
                refused = cause;
                continue;
            }
            _ => (wanted.clone(), Vec::new()),
        };
        let compartments = match tenancy::compartments(&calls).await {
            Ok((found, rest)) => {
                gaps.extend(rest.map(|cause| gap(LISTING_COMPARTMENTS, "", cause)));
                found
            }
            Err(ProviderError::Stopped) => return Err(failed(ProviderError::Stopped)),
            Err(cause) => {
                gaps.push(gap(LISTING_COMPARTMENTS, "", cause));
                Vec::new()
            }
        };
        let name = tenancy::name(&calls).await.unwrap_or_default();
        return Ok((Visit::new(cx, calls, name, regions, compartments), gaps));
    }
    Err(failed(refused))
}

/// Signs in and reads a page of each part in one region; nothing is changed.
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let (visit, gaps) = sign_in(cx).await?;
    if let Some(gap) = gaps.into_iter().next() {
        return Err(gap.into());
    }
    let mut counts = Vec::new();
    for part in chosen(cx.settings) {
        counts.push((part.check)(&visit).await?);
    }
    let (regions, compartments) = (visit.regions.len(), visit.compartments.len());
    Ok(format!(
        "Oracle Cloud let Strongroom in and lists {} on the first page of {}. Regions to read: {regions}; compartments: \
         {compartments}.",
        counts.join(", "),
        visit.regions[0],
    ))
}

/// The scan of all parts that are switched on.
struct Tenancy;

impl Scanner for Tenancy {
    fn family(&self) -> Family {
        Family::CloudScan
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(async {
            let stopped = || Err(gap(Step::SIGNING_IN, "", ProviderError::Stopped));
            cx.stop.run_until_cancelled(read(cx)).await.unwrap_or_else(stopped)
        })
    }

    /// What a part that is switched off had found is gone, and so is what is in other regions than those wanted.
    fn selects(&self, settings: &Values) -> Selects {
        let paths: Vec<&str> = chosen(settings).map(|part| part.path).collect();
        let regions: Vec<String> = names(settings.get("regions")).map(str::to_owned).collect();
        Box::new(move |_, name| {
            let region = name.split('/').nth(1).unwrap_or_default();
            paths.iter().any(|path| is_below(name, path))
                && (regions.is_empty() || regions.iter().any(|one| one == region))
        })
    }
}

async fn read(cx: &Context<'_>) -> Result<Scan, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let (visit, gaps) = sign_in(cx).await?;
    let mut scan = Scan { gaps, ..Scan::default() };
    for part in chosen(cx.settings) {
        scan.add(visit.read(part).await?);
    }
    scan.finished(visit.empty.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form;

    #[test]
    fn regions_are_each_named_once_and_decide_what_is_kept() {
        assert_eq!(
            region_names(" eu-frankfurt-1,us-ashburn-1  eu-frankfurt-1").as_deref(),
            Ok("eu-frankfurt-1, us-ashburn-1")
        );
        assert!(region_names("frankfurt").is_err());
        let posted = [("functions", "on"), ("regions", "eu-frankfurt-1")].into_iter().collect();
        let settings = form::check(FIELDS, &posted, None).unwrap();
        let selects = Tenancy.selects(&settings);
        assert!(selects("t", "functions/eu-frankfurt-1/c"));
        assert!(!selects("t", "functions/us-ashburn-1/c") && !selects("t", "ocir/eu-frankfurt-1/c"));
        let policy = &grants(&settings, "x").policies[0].1;
        assert!(policy.contains("inspect functions-family") && !policy.contains("inspect tenancies"), "{policy}");
    }
}
