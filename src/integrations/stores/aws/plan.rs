//! What the settings of a store in AWS ask for.

use crate::credentials::aws::RoleArn;
use crate::form::{Errors, Field, Values};
use crate::integrations::aws::{self, Place};
use crate::integrations::patterns::Names;
use crate::integrations::stores::names;
use crate::providers::aws::Region;

pub(super) const REGIONS: Field = Field::text("region_names", "Regions")
    .placeholder("eu-central-1")
    .help("Separate several by commas. All have to be in the same partition.")
    .max(1024)
    .check(aws::region_names);

pub(super) struct Plan {
    pub regions: Vec<Region>,
    names: Names,
}

impl Plan {
    /// `None` for regions that cannot be any, as only a form that was not checked has them.
    pub fn of(settings: &Values) -> Option<Self> {
        let regions = aws::regions(settings.get(REGIONS.name)).filter(|regions| !regions.is_empty())?;
        Some(Self { regions, names: names::selected(settings) })
    }

    pub fn place(&self) -> Place<'_> {
        Place { region: &self.regions[0], account: None }
    }

    pub fn takes(&self, region: &str, name: &str) -> bool {
        self.regions.iter().any(|one| one.as_str() == region) && self.names.take(name)
    }

    /// Region and name of an entry that the settings select.
    pub fn split<'a>(&'a self, entry: &'a str) -> Option<(&'a Region, &'a str)> {
        let (region, name) = entry.split_once('/')?;
        let region = self.regions.iter().find(|one| one.as_str() == region)?;
        (names::is_path(name) && self.names.take(name)).then_some((region, name))
    }
}

pub(super) fn suits(settings: &Values, kind: &str, credential: &Values) -> Result<(), Errors> {
    aws::suits(settings, kind, credential)?;
    let role = RoleArn::parse(settings.get("role")).ok().filter(|_| settings.get("sts") == "on");
    match (role, Plan::of(settings)) {
        (Some(role), Some(plan)) if role.partition() != plan.regions[0].partition() => {
            Err(Errors::one("role", "This role is of another partition than the regions."))
        }
        _ => Ok(()),
    }
}
