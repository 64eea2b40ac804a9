//! When a secret counts as old and how people are told: one row, checked before use, or the defaults. What a limit
//! means for the rows is in `due_alerts`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
use super::schema::{alert_settings, events as trail};
use super::times::Time;
use super::trust::{self, Doubt, Parts, Seen, Signed, signed_columns};
use super::{Conn, DbError, altered, noted};
use crate::vault::Vault;

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
    /// Why the saved settings do not count. Then people are alerted about more than anybody may have wanted, never
    /// less.
    pub doubt: Option<Doubt>,
}

/// Under which the audit trail records the versions of the one row.
pub const SUBJECT: Uuid = Uuid::from_u128(0x5e77_1465);

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            stale_days: None,
            kind_days: BTreeMap::new(),
            ahead: true,
            remind: true,
            failed_scans: 3,
            row_version: 0,
            doubt: None,
        }
    }
}

impl AlertSettings {
    /// The limit of a type in days, when its secrets age at all. `operator` is the limit of the operator's settings,
    /// `by_default` whether the type's secrets age unless somebody says otherwise. While the saved settings do not count,
    /// every type has the operator's limit.
    pub fn limit(&self, kind: &str, by_default: bool, operator: i32) -> Option<i32> {
        let days = match self.kind_days.get(kind) {
            _ if self.doubt.is_some() => operator,
            Some(days) => *days,
            None if by_default => self.stale_days.unwrap_or(operator),
            None => 0,
        };
        Some(days).filter(|days| *days > 0)
    }

    /// Lists each setting that differs, with its old and new value, as the detail of an audit event.
    fn changes(&self, later: &Self) -> String {
        let plain = [
            ("AWS access keys", age(self.stale_days), age(later.stale_days)),
            ("warning ahead", on(self.ahead), on(later.ahead)),
            ("weekly reminders", on(self.remind), on(later.remind)),
            ("failed scans in a row", self.failed_scans.to_string(), later.failed_scans.to_string()),
        ];
        let kinds: BTreeSet<&String> = self.kind_days.keys().chain(later.kind_days.keys()).collect();
        let by_kind = kinds.into_iter().map(|kind| {
            let days = |settings: &Self| age(settings.kind_days.get(kind).copied());
            (kind.as_str(), days(self), days(later))
        });
        let changed = plain.into_iter().chain(by_kind).filter(|(_, was, is)| was != is);
        let changes: Vec<String> = changed.map(|(what, was, is)| format!("{what}: {was} to {is}")).collect();
        match changes.is_empty() {
            true => "saved as they were".to_owned(),
            false => changes.join(", "),
        }
    }
}

fn age(days: Option<i32>) -> String {
    match days {
        None => "the default".to_owned(),
        Some(0) => "never".to_owned(),
        Some(days) => format!("{days} days"),
    }
}

fn on(flag: bool) -> String {
    if flag { "on" } else { "off" }.to_owned()
}

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = alert_settings)]
pub(super) struct Row {
    stale_days: Option<i32>,
    kind_days: String,
    ahead: bool,
    remind: bool,
    failed_scans: i32,
    #[diesel(deserialize_as = Time)]
    edited_at: DateTime<Utc>,
    edited_by: String,
    row_version: i64,
    row_mac: Vec<u8>,
}

impl Signed for Row {
    const TABLE: &'static str = "alert_settings";

    fn subject(&self) -> Uuid {
        SUBJECT
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        Parts::default()
            .number(self.stale_days.map(i64::from))
            .text(&self.kind_days)
            .flags(&[self.ahead, self.remind])
            .number(i64::from(self.failed_scans))
            .number(self.row_version)
    }

    fn former_parts(&self) -> Option<Parts> {
        let parts = Parts::default().bytes(&self.stale_days.unwrap_or(0).to_be_bytes()).text(&self.kind_days);
        let parts = parts.flags(&[self.ahead, self.remind]).bytes(&self.failed_scans.to_be_bytes());
        Some(parts.number(self.row_version))
    }
}

/// The row, if there is one, and the latest version that the audit trail records.
pub(super) fn seen(conn: &mut Conn, vault: &Vault) -> Result<(Option<Seen<Row>>, i64), DbError> {
    let recorded = trail::table.filter(trail::subject_id.eq(SUBJECT).and(trail::subject_version.is_not_null()));
    let newest = recorded.order(trail::subject_version.desc());
    let latest = || newest.select(trail::subject_version).single_value();
    let found: Option<(Row, Option<i64>)> =
        alert_settings::table.select((Row::as_select(), latest())).first(conn).optional()?;
    match found {
        Some(row) => {
            let latest = row.1.unwrap_or(0);
            Ok((Some(Seen::new(vault, row, |_| true)), latest))
        }
        None => {
            let recorded = diesel::select(latest()).get_result::<Option<i64>>(conn)?.unwrap_or(0);
            Ok((None, recorded.max(vault.trail.latest_version(SUBJECT, noted::began()))))
        }
    }
}

/// The settings as saved; the defaults when nobody has saved any. Where the row does not count, or is gone although the
/// audit trail knows one, the settings say so in `doubt`.
pub fn load(conn: &mut Conn, vault: &Vault) -> Result<AlertSettings, DbError> {
    let doubted = |doubt, row_version| AlertSettings {
        doubt: Some(doubt),
        row_version,
        failed_scans: 1,
        ..AlertSettings::default()
    };
    let (seen, latest) = seen(conn, vault)?;
    let Some(seen) = seen else {
        return Ok(if latest > 0 { doubted(Doubt::Tampered, 0) } else { AlertSettings::default() });
    };
    let row = match seen.judged() {
        Ok(row) => row,
        Err((row, doubt)) => return Ok(doubted(doubt, row.row_version)),
    };
    let Ok(kind_days) = serde_json::from_str(&row.kind_days) else {
        return Ok(doubted(Doubt::LaterRelease, row.row_version));
    };
    Ok(AlertSettings {
        stale_days: row.stale_days,
        kind_days,
        ahead: row.ahead,
        remind: row.remind,
        failed_scans: row.failed_scans,
        row_version: row.row_version,
        doubt: None,
    })
}

/// Saves settings that were read at `settings.row_version`; [`DbError::Stale`] when somebody else was first. Call
/// inside a transaction.
pub fn save(conn: &mut Conn, vault: &Vault, actor: &Actor, settings: &AlertSettings) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let before = load(conn, vault)?;
    let (_, latest) = seen(conn, vault)?;
    let row = Row {
        stale_days: settings.stale_days,
        kind_days: serde_json::to_string(&settings.kind_days).map_err(|_| DbError::Other)?,
        ahead: settings.ahead,
        remind: settings.remind,
        failed_scans: settings.failed_scans,
        edited_at: ledger.now,
        edited_by: actor.name.clone(),
        row_version: settings.row_version.max(latest) + 1,
        row_mac: Vec::new(),
    };
    let row = trust::sign(vault, row);
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
    let event = NewEvent {
        action: Action::AlertsSettingsChanged,
        subject_kind: "settings",
        subject_id: Some(SUBJECT),
        subject_name: "alerts",
        detail: before.changes(settings),
    };
    ledger.record_version(conn, vault, actor, &event, row.row_version)?;
    altered::settle_store(conn, altered::Part::Settings, "they were saved again")
}
