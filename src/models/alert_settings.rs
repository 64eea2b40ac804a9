//! When a secret counts as old and how people are told: one row, checked before use, or the defaults. What a limit means
//! for the rows is in `due_alerts`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::events::{self, Action, Actor, NewEvent};
use super::schema::alert_settings;
use super::{Conn, DbError};
use crate::vault::{IntegrityError, Vault};

/// Days before the limit at which people are warned ahead.
pub const AHEAD_DAYS: [i32; 2] = [14, 3];
/// Days before an expiry at which people are told.
pub const EXPIRY_DAYS: [i32; 3] = [30, 7, 1];
/// Days until an open alert is told again.
pub const REMIND_DAYS: i32 = 7;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSettings {
    /// Of AWS access keys, unless `kind_days` says otherwise. `None`: the operator's own limit.
    pub stale_days: Option<i32>,
    /// By type; 0 is never. A type that is not listed: AWS as above, others never.
    pub kind_days: BTreeMap<String, i32>,
    /// Warn 14 and 3 days ahead.
    pub ahead: bool,
    /// Tell again every week.
    pub remind: bool,
    /// Scans that must fail in a row.
    pub failed_scans: i32,
    pub row_version: i64,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            stale_days: None,
            kind_days: BTreeMap::new(),
            ahead: true,
            remind: true,
            failed_scans: 3,
            row_version: 0,
        }
    }
}

impl AlertSettings {
    /// The limit of a type in days, when its secrets age at all. `operator` is the limit of the operator's settings,
    /// `by_default` whether the type's secrets age unless somebody says otherwise.
    pub fn limit(&self, kind: &str, by_default: bool, operator: i32) -> Option<i32> {
        let days = match self.kind_days.get(kind) {
            Some(days) => *days,
            None if by_default => self.stale_days.unwrap_or(operator),
            None => 0,
        };
        Some(days).filter(|days| *days > 0)
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = alert_settings)]
struct Row {
    stale_days: Option<i32>,
    kind_days: String,
    ahead: bool,
    remind: bool,
    failed_scans: i32,
    edited_at: DateTime<Utc>,
    edited_by: String,
    row_version: i64,
    row_mac: Vec<u8>,
}

impl Row {
    fn mac_parts<T>(&self, f: impl FnOnce(&[&[u8]]) -> T) -> T {
        f(&[
            &self.stale_days.unwrap_or(0).to_be_bytes(),
            self.kind_days.as_bytes(),
            &[u8::from(self.ahead), u8::from(self.remind)],
            &self.failed_scans.to_be_bytes(),
            &self.row_version.to_be_bytes(),
        ])
    }

    fn check(&self, vault: &Vault) -> Result<(), IntegrityError> {
        self.mac_parts(|parts| vault.check_mac("alert_settings", parts, &self.row_mac))
    }
}

/// The settings as saved; the defaults when nobody has saved any, and when the row is not what Strongroom wrote: then
/// alerts are louder than somebody wanted, never quieter.
pub fn load(conn: &mut Conn, vault: &Vault) -> Result<AlertSettings, DbError> {
    let Some(row): Option<Row> = alert_settings::table.select(Row::as_select()).first(conn).optional()? else {
        return Ok(AlertSettings::default());
    };
    let kinds = serde_json::from_str(&row.kind_days);
    let (Ok(()), Ok(kind_days)) = (row.check(vault), kinds) else {
        tracing::error!(
            "the alert settings are not what Strongroom saved: the defaults hold until they are saved anew"
        );
        return Ok(AlertSettings { row_version: row.row_version, ..AlertSettings::default() });
    };
    Ok(AlertSettings {
        stale_days: row.stale_days,
        kind_days,
        ahead: row.ahead,
        remind: row.remind,
        failed_scans: row.failed_scans,
        row_version: row.row_version,
    })
}

/// Whether the row is as Strongroom wrote it; `None` when there is none.
pub fn intact(conn: &mut Conn, vault: &Vault) -> Result<Option<bool>, DbError> {
    let row: Option<Row> = alert_settings::table.select(Row::as_select()).first(conn).optional()?;
    Ok(row.map(|row| row.check(vault).is_ok()))
}

/// Saves settings that were read at `settings.row_version`; [`DbError::Stale`] when somebody else was first. Call inside
/// a transaction.
pub fn save(conn: &mut Conn, vault: &Vault, actor: &Actor, settings: &AlertSettings) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let mut row = Row {
        stale_days: settings.stale_days,
        kind_days: serde_json::to_string(&settings.kind_days).map_err(|_| DbError::Other)?,
        ahead: settings.ahead,
        remind: settings.remind,
        failed_scans: settings.failed_scans,
        edited_at: ledger.now,
        edited_by: actor.name.clone(),
        row_version: settings.row_version + 1,
        row_mac: Vec::new(),
    };
    row.row_mac = row.mac_parts(|parts| vault.mac("alert_settings", parts));
    let values = (
        alert_settings::stale_days.eq(row.stale_days),
        alert_settings::kind_days.eq(&row.kind_days),
        alert_settings::ahead.eq(row.ahead),
        alert_settings::remind.eq(row.remind),
        alert_settings::failed_scans.eq(row.failed_scans),
        alert_settings::edited_at.eq(row.edited_at),
        alert_settings::edited_by.eq(&row.edited_by),
        alert_settings::row_version.eq(row.row_version),
        alert_settings::row_mac.eq(&row.row_mac),
    );
    let saved = match settings.row_version {
        0 => diesel::insert_into(alert_settings::table).values(values).on_conflict_do_nothing().execute(conn)?,
        read => {
            let same = alert_settings::table.filter(alert_settings::row_version.eq(read));
            diesel::update(same).set(values).execute(conn)?
        }
    };
    if saved == 0 {
        return Err(DbError::Stale);
    }
    let limit = row.stale_days.map_or("the default".to_owned(), |days| format!("{days} days"));
    let event = NewEvent {
        action: Action::AlertsSettingsChanged,
        subject_kind: "settings",
        subject_id: None,
        subject_name: "alerts",
        detail: format!("AWS access keys after {limit}; by type {}", row.kind_days),
    };
    ledger.record(conn, vault, actor, &event)
}
