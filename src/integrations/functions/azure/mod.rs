//! Azure Function Apps with their deployment slots: the form, and what it needs to be granted. How a scan goes is in
//! `scan`. An app is what Azure lists: the functions in it share its runtime, state and identity.

use futures_util::future::BoxFuture;

use crate::form::{Field, Values};
use crate::integrations::azure::{self, Scope};
use crate::integrations::context::Context;
use crate::integrations::family::Family;
use crate::integrations::patterns::{Names, all_if_blank, check_patterns};
use crate::integrations::scan::{Gap, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use, suits_all};
use crate::providers::Failure;
use crate::providers::azure::sites::{READS, READS_SLOTS};

mod scan;

pub static AZURE: Spec = Spec {
    slug: "azure_functions",
    label: "Azure Function Apps",
    fields: FIELDS,
    uses: &[Use::main(&["azure"])],
    // The cloud of the credential decides which one.
    host: Host::Vendor(|_| Some("Azure Resource Manager".to_owned())),
    suits: suits_all,
    grants,
    check: Some(check),
    does: Does::Scan(&FunctionApps),
};

static FIELDS: &[Field] = &[
    azure::SUBSCRIPTIONS,
    azure::SUBSCRIPTION_IDS,
    Field::checkbox("slots", "Deployment slots").default("on").help("Costs one more request per function app."),
    Field::text("functions", "Function apps")
        .optional()
        .placeholder("pay-*")
        .help("Leave blank for all; Logic Apps are none. Use * as a wildcard and commas between patterns.")
        .max(4096)
        .check(check_patterns)
        .summary(all_if_blank)
        .advanced(),
    Field::text("exclude_functions", "Function apps to exclude").optional().max(4096).check(check_patterns).advanced(),
];

/// What the settings ask for.
struct Plan {
    scope: Scope,
    slots: bool,
    names: Names,
}

impl Plan {
    fn of(settings: &Values) -> Self {
        let names = Names::new(settings.get("functions"), settings.get("exclude_functions"));
        Self { scope: Scope::of(settings), slots: settings.get("slots") == "on", names }
    }

    /// Whether an item of that place, `d189c61b-…/westeurope`, and that name, `pay` or `pay/staging`, is selected.
    fn takes(&self, place: &str, name: &str) -> bool {
        let (subscription, _) = place.split_once('/').unwrap_or((place, ""));
        let (app, slot) = name.split_once('/').map_or((name, None), |(app, slot)| (app, Some(slot)));
        self.scope.takes(subscription) && (self.slots || slot.is_none()) && self.names.take(app)
    }
}

/// <https://learn.microsoft.com/en-us/azure/role-based-access-control/permissions/web-and-mobile>
fn grants(settings: &Values, _name: &str) -> Grants {
    let plan = Plan::of(settings);
    let mut actions = vec![READS.name];
    actions.extend(plan.slots.then_some(READS_SLOTS.name));
    let policy = azure::grant(&plan.scope, "may list the function apps", "Strongroom function apps", &actions);
    Grants { role: None, policies: vec![policy] }
}

fn check<'a>(cx: &'a Context<'a>) -> BoxFuture<'a, Result<Option<String>, Failure>> {
    Box::pin(async move { Ok(Some(scan::check(cx).await?)) })
}

struct FunctionApps;

impl Scanner for FunctionApps {
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

    const A: &str = "d189c61b-6c27-41d3-9749-ca5c9cc4a622";

    fn settings(slots: &str) -> Values {
        let pairs = [("subscriptions", "chosen"), ("subscription_ids", A), ("exclude_functions", "dev-*")];
        pairs.into_iter().chain([("slots", slots)]).collect()
    }

    #[test]
    fn what_is_no_longer_selected_of_azure_is_not_kept() {
        let (with, without) = (Plan::of(&settings("on")), Plan::of(&settings("")));
        let place = format!("{A}/westeurope");
        assert!(with.takes(&place, "pay") && with.takes(&place, "pay/dev-1") && without.takes(&place, "pay"));
        assert!(!without.takes(&place, "pay/staging"), "slots are no longer asked for");
        assert!(!with.takes(&place, "dev-pay/staging") && !with.takes("other/westeurope", "pay"));
    }

    #[test]
    fn the_role_has_no_more_than_what_is_read() {
        let text = |slots: &str| grants(&settings(slots), "x").policies.remove(0).1;
        assert!(text("on").contains("[\"Microsoft.Web/sites/read\", \"Microsoft.Web/sites/slots/read\"]"));
        assert!(text("").contains("[\"Microsoft.Web/sites/read\"]"));
    }
}
