//! Google Cloud: the form, and how a scan signs in and finds the projects. What it looks for are the [`PARTS`]; the place
//! of each item is its project.

use futures_util::future::BoxFuture;

use crate::form::{Errors, Field, Values};
use crate::integrations::context::Context;
use crate::integrations::family::Family;
use crate::integrations::google::{self, Scope, Visit};
use crate::integrations::patterns::is_below;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use};
use crate::providers::gcp::{iam, projects};
use crate::providers::{Failure, ProviderError};

mod clusters;
mod functions;
mod keys;
mod part;
mod registries;

use part::{Part, Tour};

pub static GOOGLE: Spec = Spec {
    slug: "google_cloud",
    label: "Google Cloud",
    fields: FIELDS,
    uses: &[Use::main(&["gcp"])],
    host: Host::Vendor(|_| Some(iam::API.host.to_owned())),
    suits,
    grants,
    check: Some(|cx| Box::pin(async { Ok(Some(check(cx).await?)) })),
    does: Does::Scan(&Projects),
};

static FIELDS: &[Field] = &[
    google::PROJECTS,
    google::PROJECT_IDS,
    Field::checkbox("keys", "Keys of all service accounts")
        .default("on")
        .help("Lists every key that people made or uploaded, with its age and last use, stored here or not."),
    Field::checkbox("registries", "Container registries")
        .default("on")
        .help("Finds the repositories of Artifact Registry, and shows which of them aren't scanned."),
    Field::checkbox("functions", "Functions")
        .default("on")
        .help("Finds the regions with functions and services of Cloud Run, and shows which of them aren't scanned."),
    Field::checkbox("clusters", "Clusters").default("on").help("Finds the clusters of Google Kubernetes Engine."),
];

static PARTS: &[Part] = &[keys::KEYS, registries::REGISTRIES, functions::FUNCTIONS, clusters::CLUSTERS];

fn chosen(settings: &Values) -> impl Iterator<Item = &'static Part> {
    PARTS.iter().filter(|part| settings.get(part.field) == "on")
}

fn suits(settings: &Values, _kind: &str, _credential: &Values) -> Result<(), Errors> {
    match chosen(settings).next() {
        None => Err(Errors::one(PARTS[0].field, "Choose what the scan looks for.")),
        Some(_) => Ok(()),
    }
}

fn grants(settings: &Values, _name: &str) -> Grants {
    let scope = Scope::of(settings);
    let mut policies = Vec::new();
    for part in chosen(settings) {
        let mut permissions: Vec<&str> = part.rights.iter().map(|right| right.permission).collect();
        if scope == Scope::All {
            permissions.push(projects::SEES.permission);
        }
        policies.push(google::grant(&scope, part.may, part.role, &permissions));
        if let Some((may, role, right)) = part.further {
            policies.push(google::grant(&scope, may, role, &[right.permission]));
        }
    }
    Grants { role: None, policies }
}

async fn sign_in<'a>(cx: &'a Context<'a>) -> Result<(Tour<'a>, Option<Gap>), Gap> {
    cx.report.step(Step::SIGNING_IN);
    let visit = Visit::sign_in(cx).await?;
    cx.report.step(Step::LISTING_PROJECTS);
    let (projects, missing) = visit.projects().await?;
    Ok((Tour::new(visit, projects), missing))
}

/// Signs in and reads a page of each part in one project; nothing is changed.
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let (tour, _) = sign_in(cx).await?;
    let others = match tour.projects.len().saturating_sub(1) {
        0 => String::new(),
        1 => " One other project will be read too.".to_owned(),
        several => format!(" {several} other projects will be read too."),
    };
    let mut seen = Vec::new();
    for part in chosen(cx.settings) {
        seen.push((part.check)(&tour).await?);
    }
    Ok(format!("Google let Strongroom in and lists in {}: {}.{others}", tour.first(), seen.join("; ")))
}

/// The scan of all parts that are switched on.
struct Projects;

impl Scanner for Projects {
    fn family(&self) -> Family {
        Family::CloudScan
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(async {
            let stopped = || {
                let because = google::because(&ProviderError::Stopped);
                Err(Gap::new(Step::SIGNING_IN, "", ProviderError::Stopped, because))
            };
            cx.stop.run_until_cancelled(read(cx)).await.unwrap_or_else(stopped)
        })
    }

    /// What a part that is switched off had found is gone.
    fn selects(&self, settings: &Values) -> Selects {
        let scope = Scope::of(settings);
        let on: Vec<&Part> = chosen(settings).collect();
        Box::new(move |project, name| {
            let part = PARTS.iter().find(|part| part.paths.iter().any(|path| is_below(name, path)));
            let part = part.unwrap_or(&PARTS[0]);
            scope.takes(project) && on.iter().any(|one| one.field == part.field)
        })
    }
}

async fn read(cx: &Context<'_>) -> Result<Scan, Gap> {
    let (tour, missing) = sign_in(cx).await?;
    let mut scan = Scan { gaps: missing.into_iter().collect(), ..Scan::default() };
    for part in chosen(cx.settings) {
        scan.add((part.read)(&tour).await?);
    }
    scan.finished(tour.empty.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().copied().collect()
    }

    #[test]
    fn each_part_of_google_has_commands_of_its_own() {
        let all = settings(&[("projects", "all"), ("keys", "on"), ("clusters", "on")]);
        let policies = grants(&all, "x").policies;
        let [keys, uses, clusters] = &policies[..] else { panic!("{policies:?}") };
        assert!(keys.1.contains("iam.serviceAccountKeys.list") && keys.1.contains("resourcemanager.projects.get"));
        assert!(uses.0.ends_with("may also read when the keys were last used"));
        assert!(clusters.1.contains("container.clusters.list") && !clusters.1.contains("iam.serviceAccounts"));
        assert!(suits(&settings(&[("projects", "own")]), "gcp", &Values::default()).is_err());
    }

    #[test]
    fn what_a_part_that_is_off_had_found_is_gone() {
        let on = |pairs: &[(&str, &str)]| Projects.selects(&settings(pairs));
        let clusters = on(&[("clusters", "on"), ("projects", "chosen"), ("project_ids", "shop")]);
        assert!(clusters("shop", "gke/europe-west3/prod") && !clusters("shop", "0a1b2c"));
        assert!(!clusters("bank", "gke/europe-west3/prod") && !clusters("shop", "run/europe-west3"));
        assert!(on(&[("keys", "on")])("shop", "0a1b2c"));
    }
}
