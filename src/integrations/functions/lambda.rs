//! AWS Lambda: the form, and what it needs to be granted. How a scan goes is in `scan`.

use futures_util::future::BoxFuture;

use super::scan;
use crate::credentials::aws::RoleArn;
use crate::form::{Errors, Field, Values};
use crate::integrations::aws::{self, Place};
use crate::integrations::context::Context;
use crate::integrations::family::Family;
use crate::integrations::patterns::{Names, all_if_blank, check_patterns};
use crate::integrations::scan::{Gap, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use};
use crate::providers::Failure;
use crate::providers::aws::Region;
use crate::providers::aws::lambda::LIST_FUNCTIONS;
use crate::providers::aws::policies::{Statement, document};
use crate::providers::aws::regions::LIST_REGIONS;

pub static LAMBDA: Spec = Spec {
    slug: "lambda",
    label: "AWS Lambda",
    fields: FIELDS,
    uses: &[Use::main(&["aws"])],
    host: Host::Vendor(host),
    suits,
    grants,
    check: Some(check),
    does: Does::Scan(&Functions),
};

const CHOSEN: &str = "chosen";
const ALL_VERSIONS: &str = "all";

static FIELDS: &[Field] = &[
    Field::choice(
        "regions",
        "Regions",
        &[
            ("aws", "All enabled regions"),
            (CHOSEN, "Chosen regions"),
            ("aws-cn", "All enabled regions in China"),
            ("aws-us-gov", "All enabled regions of GovCloud (US)"),
            ("aws-eusc", "All enabled regions of the European Sovereign Cloud"),
        ],
    ),
    Field::text("region_names", "Region names")
        .when("regions", &[CHOSEN])
        .placeholder("eu-central-1, us-east-1")
        .help("Separate several by commas. All have to be in the same partition.")
        .max(1024)
        .check(aws::region_names),
    Field::choice("versions", "Versions", &[("latest", "Latest code only"), (ALL_VERSIONS, "All published versions")]),
    Field::text("functions", "Functions")
        .optional()
        .placeholder("pay-*")
        .help("Leave blank for all. Use * as a wildcard and commas between patterns.")
        .max(4096)
        .check(check_patterns)
        .summary(all_if_blank)
        .advanced(),
    Field::text("exclude_functions", "Functions to exclude").optional().max(4096).check(check_patterns).advanced(),
    aws::STS.help("Assume a role that can list the functions."),
    aws::ROLE
        .placeholder("arn:aws:iam::123456789012:role/function-reader")
        .help("The role's whole ARN. It wins over a role of the credential."),
    aws::EXTERNAL_ID,
    aws::SESSION_MINUTES,
];

/// What the settings ask for.
pub(super) struct Plan {
    /// Where to sign in.
    pub home: Region,
    /// `None`: all that are enabled in the partition of `home`.
    pub regions: Option<Vec<Region>>,
    pub all_versions: bool,
    pub names: Names,
}

impl Plan {
    /// `None` for regions that cannot be any, as only a form that was not checked has them.
    pub fn of(settings: &Values) -> Option<Self> {
        let regions = match settings.get("regions") {
            CHOSEN => Some(aws::regions(settings.get("region_names"))?),
            _ => None,
        };
        let home = match &regions {
            Some(chosen) => chosen.first()?.clone(),
            None => Region::first_of(settings.get("regions")),
        };
        let all_versions = settings.get("versions") == ALL_VERSIONS;
        let names = Names::new(settings.get("functions"), settings.get("exclude_functions"));
        Some(Self { home, regions, all_versions, names })
    }

    pub fn place(&self) -> Place<'_> {
        Place { region: &self.home, account: None }
    }

    /// Whether no function of a region is left out by its name.
    pub fn takes_all(&self) -> bool {
        self.names.take_all()
    }

    /// Whether an item of that region and name is selected.
    pub fn takes(&self, region: &str, name: &str) -> bool {
        let function = name.split(':').next().unwrap_or(name);
        let in_region = |all: &Vec<Region>| all.iter().any(|one| one.as_str() == region);
        let as_versions = name.contains(':') == self.all_versions;
        self.regions.as_ref().is_none_or(in_region) && as_versions && self.names.take(function)
    }
}

fn suits(settings: &Values, kind: &str, credential: &Values) -> Result<(), Errors> {
    aws::suits(settings, kind, credential)?;
    let role = RoleArn::parse(settings.get("role")).ok().filter(|_| settings.get("sts") == "on");
    match (role, Plan::of(settings)) {
        (Some(role), Some(plan)) if role.partition() != plan.home.partition() => {
            Err(Errors::one("role", "This role is of another partition than the regions."))
        }
        _ => Ok(()),
    }
}

/// Every region has a host of its own, which AWS owns.
fn host(settings: &Values) -> Option<String> {
    let plan = Plan::of(settings)?;
    let region = match plan.regions.as_deref() {
        Some([only]) => only.as_str(),
        _ => "*",
    };
    Some(format!("lambda.{region}.{}", plan.home.dns_suffix()))
}

/// Both actions know no resources.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html>
fn grants(settings: &Values, name: &str) -> Grants {
    let Some(plan) = Plan::of(settings) else { return Grants::default() };
    let actions: &[&str] = if plan.regions.is_some() { &[LIST_FUNCTIONS] } else { &[LIST_REGIONS, LIST_FUNCTIONS] };
    let policy = document(&[Statement::allow(actions, &["*"])]);
    plan.place().grants(settings, name, "may list the functions", policy)
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
        match Plan::of(settings) {
            Some(plan) => Box::new(move |region, name| plan.takes(region, name)),
            None => Box::new(|_, _| true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form;

    fn checked(settings: &[(&str, &str)]) -> Result<Values, Errors> {
        form::check(FIELDS, &settings.iter().copied().collect(), None)
    }

    #[test]
    fn chosen_regions_are_each_named_once_and_share_a_partition() {
        let names = |text| aws::region_names(text).ok();
        assert_eq!(names(" us-east-1,eu-west-3  us-east-1\n").as_deref(), Some("us-east-1, eu-west-3"));
        for bad in ["", ",", "europe", "us-east-1, cn-north-1", "us-east-1;eu-west-3"] {
            assert_eq!(names(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_policy_and_the_host_are_those_of_the_chosen_regions() {
        let all = checked(&[("regions", "aws-cn")]).unwrap();
        assert_eq!(host(&all).as_deref(), Some("lambda.*.amazonaws.com.cn"));
        assert!(grants(&all, "x").policies[0].1.contains(LIST_REGIONS));
        let one = checked(&[("regions", CHOSEN), ("region_names", "eu-west-3")]).unwrap();
        assert_eq!(host(&one).as_deref(), Some("lambda.eu-west-3.amazonaws.com"));
        let grants = grants(&one, "x");
        assert!(!grants.policies[0].1.contains(LIST_REGIONS) && grants.policies[0].1.contains(LIST_FUNCTIONS));
        assert!(grants.role.is_none());
    }

    #[test]
    fn a_role_of_another_partition_does_not_suit() {
        let role = "arn:aws-cn:iam::123456789012:role/reader";
        let settings = [("regions", CHOSEN), ("region_names", "eu-west-3"), ("sts", "on"), ("role", role)];
        let settings = checked(&settings).unwrap();
        assert!(suits(&settings, "aws", &Values::default()).is_err());
    }

    #[test]
    fn what_is_no_longer_selected_is_not_kept() {
        let settings = [("regions", CHOSEN), ("region_names", "eu-west-3"), ("exclude_functions", "dev-*")];
        let plan = Plan::of(&checked(&settings).unwrap()).unwrap();
        assert!(plan.takes("eu-west-3", "pay"));
        assert!(!plan.takes("eu-west-3", "dev-pay") && !plan.takes("us-east-1", "pay"));
        assert!(!plan.takes("eu-west-3", "pay:1"), "versions are no longer asked for");
    }
}
