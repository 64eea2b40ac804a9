//! Shared by all forms that issue from an AWS credential: the fields for a role, and the session of that role.

use super::form::Order;
use crate::credentials::aws::RoleArn;
use crate::form::{Errors, Field, Values};
use crate::integrations::aws;
use crate::providers::aws::{Region, Session};
use crate::providers::{Failure, ProviderError, finding};

/// Its help differs.
pub const ROLE: Field =
    Field { when: None, ..aws::ROLE }.optional().placeholder("arn:aws:iam::123456789012:role/reader");
pub const EXTERNAL_ID: Field = Field { when: None, advanced: false, ..aws::EXTERNAL_ID };
/// The name that the integrations know it by.
pub const MINUTES: &str = "session_minutes";

/// An external ID needs a role, and a session from a role into another lasts an hour at most.
pub fn suits(settings: &Values, credential: &Values) -> Result<(), Errors> {
    if settings.get("role").is_empty() && settings.contains("external_id") {
        return Err(Errors::one("role", "Enter the role that the external ID is for."));
    }
    aws::suits(settings, "aws", credential)
}

/// The role and the region must be in one partition.
pub fn in_partition(settings: &Values, region: Option<&Region>) -> Result<(), Errors> {
    match (RoleArn::parse(settings.get("role")), region) {
        (Ok(role), Some(region)) if role.partition() != region.partition() => {
            Err(Errors::one("role", "The role and the region are in different AWS partitions."))
        }
        _ => Ok(()),
    }
}

/// The settings as the integrations name them.
pub fn settings(order: &Order<'_>) -> Values {
    let mut settings = order.settings.clone();
    if !settings.get("role").is_empty() {
        settings.set("sts", "on");
    }
    settings
}

/// The session of the role that the settings name, else of the credential's own; its own keys where there is none.
pub async fn session(order: &Order<'_>, region: &Region) -> Result<Session, Failure> {
    let settings = settings(order);
    let place = aws::Place { region, account: None };
    place.sign_in(&order.context(&settings)).await.map_err(failed)
}

pub fn failed(error: ProviderError) -> Failure {
    finding(&error, "AWS").into()
}
