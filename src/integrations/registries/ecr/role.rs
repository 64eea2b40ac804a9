//! The role that the settings name, and the session of it.

use super::host::Host;
use crate::credentials::aws::RoleArn;
use crate::form::Values;
use crate::providers::aws::{Assume, HOUR, Region, role_of};

/// A whole ARN, or a name in the account of the registry.
pub(super) fn role(text: &str) -> Result<String, String> {
    let text = text.trim();
    role_of(text, "000000000000", &Region::first_of("aws")).map(|_| text.to_owned())
}

/// `None` without STS.
pub(super) fn chosen_role(settings: &Values, host: &Host) -> Option<Result<RoleArn, String>> {
    (settings.get("sts") == "on").then(|| role_of(settings.get("role"), &host.account, &host.region))
}

/// Of a session of the role that the settings name.
pub(super) fn minutes(settings: &Values) -> u16 {
    settings.get("session_minutes").parse().unwrap_or(HOUR)
}

pub(super) fn assume(role: &RoleArn, settings: &Values, name: &str) -> Assume {
    Assume::new(role, settings.get("external_id"), name).lasting(minutes(settings))
}
