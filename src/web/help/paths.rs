//! Where each page of the help is.

use super::topic::Link;
use crate::credentials::Kind;
use crate::integrations::Spec;
use crate::integrations::alerts::Trigger;

pub const STATES: &str = "/help/states";
pub const ALERTS: &str = "/help/alerts";
pub const SCANS: &str = "/help/scans";
pub const DISCOVERY: &str = "/help/discovery";
pub const CLOUD_KEYS: &str = "/help/cloud-keys";
pub const DEPLOYMENTS: &str = "/help/deployments";
pub const SYNCS: &str = "/help/secret-syncs";
pub const STORES: &str = "/help/stores";
pub const ROTATE: &str = "/help/rotate";
pub const ROLES: &str = "/help/roles";
pub const TWO_STEP: &str = "/help/two-step";
pub const AUDIT: &str = "/help/audit";
pub const KEY_RING: &str = "/help/key-ring";
pub const IMPORT: &str = "/help/import";
pub const KEYBOARD: &str = "/help/keyboard";
pub const CLIENTS: &str = "/help/clients";
pub const CONTAINERS: &str = "/help/containers";
pub const API: &str = "/help/api";
pub const SAMPLE: &str = "/help/sample-data";
pub const CONNECTIONS: &str = "/help/connections";

pub fn of_kind(slug: &str) -> String {
    format!("/help/credentials/{slug}")
}

pub fn of_spec(slug: &str) -> String {
    format!("/help/integrations/{slug}")
}

pub fn to_kind(kind: &Kind) -> Link {
    Link { mark: kind.slug, ..Link::new(of_kind(kind.slug), kind.label) }
}

pub fn to_spec(spec: &Spec) -> Link {
    let text = format!("{} ({})", spec.label, spec.family().label());
    Link { mark: spec.slug, ..Link::new(of_spec(spec.slug), text) }
}

/// What explains alerts of a trigger.
pub fn of_trigger(trigger: Trigger) -> String {
    match trigger {
        Trigger::Stale => ROTATE.to_owned(),
        Trigger::Expiring => format!("{STATES}#expiring"),
        Trigger::FailedTest => format!("{STATES}#failing"),
        Trigger::FailedScan => SCANS.to_owned(),
        Trigger::Integrity => format!("{STATES}#tampered"),
        Trigger::Delivery => format!("{ALERTS}#delivery"),
        Trigger::OldRuntime | Trigger::OldCloudKey | Trigger::Drift | Trigger::Lockout => format!("{ALERTS}#triggers"),
    }
}
