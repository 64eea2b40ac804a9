//! Google Cloud Functions and Cloud Run: the form, and what it needs to be granted. How a scan goes is in `scan`. The two
//! are one version, since a function of the second generation is a service of Cloud Run too, and counts once.

use futures_util::future::BoxFuture;

use crate::form::{Field, Values};
use crate::integrations::context::Context;
use crate::integrations::family::Family;
use crate::integrations::google::{self, Scope};
use crate::integrations::patterns::{Names, all_if_blank, check_patterns};
use crate::integrations::scan::{Gap, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use, suits_all};
use crate::providers::Failure;
use crate::providers::gcp::{functions, projects, run};

mod scan;

pub static GOOGLE: Spec = Spec {
    slug: "google_functions",
    label: "Google Cloud Functions and Cloud Run",
    fields: FIELDS,
    uses: &[Use::main(&["gcp"])],
    host: Host::Vendor(|_| Some(functions::API.host.to_owned())),
    suits: suits_all,
    grants,
    check: Some(check),
    does: Does::Scan(&Functions),
};

static FIELDS: &[Field] = &[
    google::PROJECTS,
    google::PROJECT_IDS,
    Field::text("functions", "Functions")
        .optional()
        .placeholder("pay-*")
        .help("Leave blank for all functions and services. Use * as a wildcard and commas between patterns.")
        .max(4096)
        .check(check_patterns)
        .summary(all_if_blank)
        .advanced(),
    Field::text("exclude_functions", "Functions to exclude").optional().max(4096).check(check_patterns).advanced(),
];

/// What the settings ask for.
struct Plan {
    scope: Scope,
    names: Names,
}

/// Follows the name of a service that has the same one as a function of the first generation beside it.
const OF_CLOUD_RUN: &str = " (Cloud Run)";

impl Plan {
    fn of(settings: &Values) -> Self {
        let names = Names::new(settings.get("functions"), settings.get("exclude_functions"));
        Self { scope: Scope::of(settings), names }
    }

    /// Whether an item of that place, `shop/europe-west3`, and that name is selected.
    fn takes(&self, place: &str, name: &str) -> bool {
        let project = place.split_once('/').map_or(place, |(project, _)| project);
        self.scope.takes(project) && self.names.take(name.strip_suffix(OF_CLOUD_RUN).unwrap_or(name))
    }
}

fn grants(settings: &Values, _name: &str) -> Grants {
    let scope = Scope::of(settings);
    let mut permissions = vec![functions::LISTS.permission, run::LISTS.permission, run::LISTS_LOCATIONS.permission];
    if scope == Scope::All {
        permissions.push(projects::SEES.permission);
    }
    let policy = google::grant(&scope, "may list the functions and services", "strongroomFunctions", &permissions);
    Grants { role: None, policies: vec![policy] }
}

fn check<'a>(cx: &'a Context<'a>) -> BoxFuture<'a, Result<Option<String>, Failure>> {
    Box::pin(async move { Ok(Some(scan::check(cx).await?)) })
}

struct Functions;

impl Scanner for Functions {
    fn family(&self) -> Family {
        Family::ServerlessScan
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(scan::scan(cx))
    }

    fn selects(&self, settings: &Values) -> Selects {
        let plan = Plan::of(settings);
        Box::new(move |place, name| plan.takes(place, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(settings: &[(&str, &str)]) -> Plan {
        Plan::of(&settings.iter().copied().collect())
    }

    #[test]
    fn what_is_no_longer_selected_of_google_is_not_kept() {
        let plan = plan(&[("projects", "chosen"), ("project_ids", "shop, bank"), ("exclude_functions", "dev-*")]);
        assert!(plan.takes("shop/europe-west3", "pay") && plan.takes("bank/us-east1", "pay (Cloud Run)"));
        assert!(!plan.takes("shop/europe-west3", "dev-pay (Cloud Run)") && !plan.takes("other/europe-west3", "pay"));
    }

    #[test]
    fn only_a_scan_of_all_projects_asks_for_the_right_to_see_them() {
        let asks = |projects: &str| {
            let settings: Values = [("projects", projects), ("project_ids", "shop")].into_iter().collect();
            grants(&settings, "x").policies[0].1.contains("resourcemanager.projects.get")
        };
        assert_eq!([asks("own"), asks("chosen"), asks("all")], [false, false, true]);
    }
}
