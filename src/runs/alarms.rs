//! Alerts about what a scan found, where its family has an [`Alarm`]: one an item, opened and closed with the inventory.
//!
//! [`Alarm`]: crate::integrations::inventory::Alarm

use chrono::{DateTime, Utc};

use crate::integrations::Family;
use crate::integrations::alerts::Trigger;
use crate::integrations::inventory::{Alarm, Inventory};
use crate::models::alerts::{self, Subject};
use crate::models::cloud_keys::{self, OldKeys};
use crate::models::integrations::Integration;
use crate::models::item_alerts::{self, Due};
use crate::models::items::Found;
use crate::models::{self, Conn, DbError};

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

/// Opens or closes the alert about an account's old keys that are not stored here. After the keys are saved.
pub fn settle_keys(conn: &mut Conn, integration: &Integration, limit_days: Option<i32>) -> Result<(), DbError> {
    let trigger = Trigger::OldCloudKey.slug();
    let limit_days = limit_days.unwrap_or(0);
    let old = cloud_keys::old(conn, integration.id, limit_days)?;
    if old.number == 0 {
        return alerts::close(conn, &[trigger], integration.id.0, "the last scan found none");
    }
    let subject = Subject { kind: "integration", id: integration.id.0, name: &integration.name };
    alerts::raise(conn, trigger, subject, &old_keys(&old, limit_days))
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
