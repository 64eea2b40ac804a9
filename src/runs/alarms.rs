//! Alerts about what a scan found, where its family has an [`Alarm`]: one an item, opened and closed with the inventory.
//!
//! [`Alarm`]: crate::integrations::inventory::Alarm

use chrono::{DateTime, Utc};

use crate::credentials;
use crate::integrations::Family;
use crate::integrations::alerts::Trigger;
use crate::integrations::deployments::{Difference, State};
use crate::integrations::inventory::{Alarm, Inventory};
use crate::models::alerts::{self, Subject};
use crate::models::integrations::Integration;
use crate::models::item_alerts::{self, Due};
use crate::models::items::Found;
use crate::models::old_keys::{self, OldKeys};
use crate::models::{self, AlertId, Conn, DbError, IntegrationId, snoozed_keys};
use crate::services::Services;

/// Opens the alerts that these items need and closes those that they need no more. After the items are saved.
pub fn settle(conn: &mut Conn, integration: &Integration, found: &[Found]) -> Result<(), DbError> {
    let Some(inventory) = Family::find(&integration.family).and_then(Family::inventory) else { return Ok(()) };
    let Some(alarm) = inventory.alarm else { return Ok(()) };
    let due = due(inventory, &alarm, found, models::clock(conn)?);
    let trigger = alarm.trigger.slug();
    item_alerts::close_others(conn, trigger, integration.id, &due, alarm.over)?;
    item_alerts::raise(conn, trigger, integration.id, &due)?;
    Ok(())
}

/// Days after which a key counts as old, by the alert settings; `None`: never.
pub fn limit_days(services: &Services) -> Option<i32> {
    services.limits().of_kind(credentials::aws::KIND.slug, true)
}

/// Opens or closes the alert about an account's old keys that are not stored here, or lets it say what is true by now.
/// After the keys, or their snoozes, are saved.
pub fn settle_keys(conn: &mut Conn, (id, name): (IntegrationId, &str), limit_days: Option<i32>) -> Result<(), DbError> {
    snoozed_keys::lock(conn, id)?;
    let trigger = Trigger::OldCloudKey.slug();
    let limit_days = limit_days.unwrap_or(0);
    let old = old_keys::count(conn, id, limit_days)?;
    if old.number == 0 {
        let snoozed = !snoozed_keys::of(conn, id, 1)?.is_empty();
        let why = if snoozed { "all of its old keys are snoozed" } else { "the last scan found none" };
        return alerts::close(conn, &[trigger], id.0, why);
    }
    let words = old_keys(&old, limit_days);
    alerts::raise(conn, trigger, Subject { kind: "integration", id: id.0, name }, &words)?;
    alerts::say(conn, trigger, id.0, &words)
}

/// The same after some of its keys were snoozed or are snoozed no more; the alert, if there ever was one.
pub fn settle_snoozes(conn: &mut Conn, id: IntegrationId, limit_days: Option<i32>) -> Result<Option<AlertId>, DbError> {
    let name = snoozed_keys::account(conn, id)?;
    settle_keys(conn, (id, &name), limit_days)?;
    alerts::last(conn, Trigger::OldCloudKey.slug(), id.0)
}

/// Raises, updates or closes the alert about a deployment that has drifted or whose pods do not run.
pub fn settle_deployment(conn: &mut Conn, integration: &Integration, state: &State) -> Result<(), DbError> {
    let (trigger, id) = (Trigger::Drift.slug(), integration.id.0);
    let why = match (state.drift.first(), state.trouble.first()) {
        _ if state.removed => return alerts::close(conn, &[trigger], id, "it was removed from the cluster"),
        (Some(first), _) => differs(first, state.drift.len() - 1),
        (None, Some(trouble)) => trouble.clone(),
        (None, None) => return alerts::close(conn, &[trigger], id, "it is as deployed again"),
    };
    alerts::raise(conn, trigger, Subject { kind: "integration", id, name: &integration.name }, &why)?;
    alerts::say(conn, trigger, id, &why)
}

/// `.spec.replicas of DaemonSet agents/agent is 2, not 3. 1 more field differs.`
pub(super) fn differs(first: &Difference, others: usize) -> String {
    let what = match first.path.as_str() {
        "" => first.object.to_string(),
        path => format!("{path} of {}", first.object),
    };
    let said = match (&first.before, &first.after) {
        (_, None) => format!("{what} is missing."),
        (None, Some(after)) => format!("{what} is {after}, but should not exist."),
        (Some(before), Some(after)) => format!("{what} is {after}, not {before}."),
    };
    match others {
        0 => said,
        1 => format!("{said} 1 more field differs."),
        others => format!("{said} {others} more fields differ."),
    }
}

/// Takes away the snoozes of keys that have ended; of how many integrations.
pub async fn end_snoozes(services: &Services) -> Result<usize, DbError> {
    let limit_days = limit_days(services);
    let end = move |conn: &mut Conn| {
        let ended = snoozed_keys::end(conn)?;
        for id in &ended {
            settle_snoozes(conn, *id, limit_days)?;
        }
        Ok(ended.len())
    };
    services.db.transaction(end).await
}

/// `3 active keys are older than 90 days, the oldest, of ada, 2,821 days.`
fn old_keys(old: &OldKeys, limit_days: i32) -> String {
    let keys = if old.number == 1 { "1 active key is".to_owned() } else { format!("{} active keys are", old.number) };
    let owner = old.owner.as_deref().filter(|owner| !owner.is_empty()).unwrap_or("an unnamed user");
    let days = old.days.unwrap_or(limit_days);
    format!("{keys} older than {limit_days} days, the oldest, of {owner}, {days} days.")
}

fn due(inventory: &Inventory, alarm: &Alarm, found: &[Found], now: DateTime<Utc>) -> Vec<Due> {
    let each = |item: &Found| {
        let facts = serde_json::from_str(&item.facts).ok()?;
        let words = (alarm.why)(&item.name, &facts, now)?;
        let title = inventory.title(&item.place, &item.name);
        Some(Due { place: item.place.clone(), name: item.name.clone(), title, words })
    };
    found.iter().filter_map(each).collect()
}
