//! The row of an alert, and what it is about.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::AlertId;
use super::events::{Action, NewEvent};
use super::schema::alerts;
use super::times::{MaybeTime, Time};

/// From here on an alert is raised; below, it is a warning ahead.
pub const RAISED: i16 = 3;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `credential`, `integration`, `item` or `user`.
    pub kind: &'static str,
    pub id: Uuid,
    pub name: &'a str,
}

#[derive(Clone, Debug, Default, Queryable, Selectable, Insertable)]
pub struct Alert {
    pub id: AlertId,
    pub trigger: String,
    pub subject_kind: String,
    pub subject_id: Uuid,
    pub subject_name: String,
    pub stage: i16,
    #[diesel(deserialize_as = Time)]
    pub told_at: DateTime<Utc>,
    #[diesel(deserialize_as = Time)]
    pub opened_at: DateTime<Utc>,
    #[diesel(deserialize_as = MaybeTime)]
    pub acknowledged_at: Option<DateTime<Utc>>,
    pub acknowledged_by: Option<String>,
    #[diesel(deserialize_as = MaybeTime)]
    pub snoozed_until: Option<DateTime<Utc>>,
    pub snoozed_by: Option<String>,
    #[diesel(deserialize_as = MaybeTime)]
    pub closed_at: Option<DateTime<Utc>>,
    pub closed_why: Option<String>,
    /// Of alerts about integrity: see `integrity_alerts`.
    pub row_mac: Vec<u8>,
}

impl Alert {
    pub(super) fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        NewEvent {
            action,
            subject_kind: "alert",
            subject_id: Some(self.id.0),
            subject_name: &self.subject_name,
            detail,
        }
    }
}
