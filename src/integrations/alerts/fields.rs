//! Form fields that several channels share: the address of a self-hosted service, and the checkboxes at the end.

use super::message::Trigger;
use crate::form::Field;
use crate::integrations::address::service_address;

/// The page of a profile says in one line which are ticked, and not among its settings.
const fn trigger(name: &'static str, label: &'static str) -> Field {
    Field::checkbox(name, label).default("on").after_credential().summary(|_| None)
}

/// How many checkboxes there are, one a trigger.
pub const TRIGGERS: usize = Trigger::ALL.len();

/// The checkboxes that every profile ends with; all are ticked on a new form.
pub const TRIGGER_FIELDS: [Field; TRIGGERS] = [
    trigger("on_stale", "Notify about old secrets"),
    trigger("on_expiring", "Notify about expiring credentials"),
    trigger("on_failed_test", "Notify about failed tests"),
    trigger("on_failed_scan", "Notify about failed scans and deployments"),
    trigger("on_old_runtime", "Notify about old runtimes of functions"),
    trigger("on_old_cloud_key", "Notify about old keys in the cloud"),
    trigger("on_drift", "Notify about drift and failing pods"),
    trigger("on_integrity", "Notify about integrity errors"),
    trigger("on_delivery", "Notify about undelivered alerts"),
    trigger("on_lockout", "Notify about login lockouts"),
];

/// A channel's own fields, and the checkboxes after them. `ALL` is `N` and [`TRIGGERS`].
pub(super) const fn with_triggers<const N: usize, const ALL: usize>(own: [Field; N]) -> [Field; ALL] {
    assert!(ALL == N + TRIGGERS);
    let mut all = [TRIGGER_FIELDS[0]; ALL];
    let mut place = 0;
    while place < ALL {
        all[place] = if place < N { own[place] } else { TRIGGER_FIELDS[place - N] };
        place += 1;
    }
    all
}

/// The address without a slash at its end.
pub(super) fn check_address(text: &str) -> Result<String, String> {
    let url = service_address(text)?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
