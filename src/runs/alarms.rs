//! Alerts about what a scan found, where its family has an [`Alarm`]: one an item, opened and closed with the inventory.
//!
//! [`Alarm`]: crate::integrations::inventory::Alarm

use chrono::{DateTime, Utc};

use crate::integrations::Family;
use crate::integrations::inventory::{Alarm, Inventory};
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

fn due(inventory: &Inventory, alarm: &Alarm, found: &[Found], now: DateTime<Utc>) -> Vec<Due> {
    let each = |item: &Found| {
        let facts = serde_json::from_str(&item.facts).ok()?;
        let words = (alarm.why)(&facts, now)?;
        let title = inventory.title(&item.place, &item.name);
        Some(Due { place: item.place.clone(), name: item.name.clone(), title, words })
    };
    found.iter().filter_map(each).collect()
}
