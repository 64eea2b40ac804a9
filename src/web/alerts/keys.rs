//! The members of an alert about old keys in the cloud: the worst of those that count, and what is snoozed.

use chrono::{DateTime, Utc};

use crate::integrations::alerts::Trigger;
use crate::models::alerts::Line;
use crate::models::snoozed_keys::{self, SnoozedKey};
use crate::models::{Conn, DbError, IntegrationId, cloud_keys, old_keys};
use crate::web::cloud_keys::view::{KeyView, SnoozeView};
use crate::web::integrations::shown::counted;
use crate::web::params::Params;

/// Keys, and snoozes, on the page of an alert.
const MOST: i64 = 25;

/// As they were read.
pub struct Members {
    number: i64,
    worst: Vec<cloud_keys::Line>,
    snoozed: Vec<SnoozedKey>,
    limit: Option<i32>,
}

/// Those of an alert of that trigger. Keys of a closed alert are another alert's, if anybody's.
pub fn read(conn: &mut Conn, alert: &Line, limit: Option<i32>) -> Result<Option<Members>, DbError> {
    if Trigger::find(&alert.trigger) != Some(Trigger::OldCloudKey) || !alert.there {
        return Ok(None);
    }
    let (of, days) = (IntegrationId(alert.subject_id), limit.unwrap_or(0));
    let snoozed = snoozed_keys::of(conn, of, MOST)?;
    if alert.closed_at.is_some() {
        return Ok(Some(Members { number: 0, worst: Vec::new(), snoozed, limit }));
    }
    let (number, worst) = (old_keys::count(conn, of, days)?.number, old_keys::worst(conn, of, days, MOST)?);
    Ok(Some(Members { number, worst, snoozed, limit }))
}

/// As the page shows them.
pub struct MembersView {
    /// `12 keys`, `25 of 312 keys, the oldest first`
    pub summary: String,
    pub worst: Vec<KeyView>,
    /// All old keys of the account, on *Cloud keys*.
    pub all: String,
    pub snoozed: Vec<SnoozeView>,
}

impl MembersView {
    pub fn new(members: Members, now: DateTime<Utc>) -> Self {
        let Members { number, worst, snoozed, limit } = members;
        let (shown, all) = (worst.len(), counted(number, "key"));
        let place = worst.first().map_or("", |line| line.place.as_str());
        Self {
            summary: if usize::try_from(number).is_ok_and(|number| number > shown) {
                format!("{shown} of {all}, the oldest first")
            } else {
                all
            },
            all: Params::default().link("/cloud-keys", &[("show", "old"), ("q", place)]),
            worst: worst.into_iter().map(|line| KeyView::new(line, limit, false, now)).collect(),
            snoozed: snoozed.into_iter().map(SnoozeView::new).collect(),
        }
    }
}
