//! What people do about alerts, and what is to be told at all and when. Neither *Acknowledge* nor *Snooze* closes an
//! alert: only the end of its cause does.

use std::collections::BTreeMap;

use super::numbers::days;
use super::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::accounts::Role;
use crate::alerting;
use crate::credentials::KINDS;
use crate::form::{Errors, Values};
use crate::models::alert_settings::{self, AlertSettings};
use crate::models::credential_limits::MOST_DAYS;
use crate::models::{AlertId, DbError, alerts};
use crate::services::Services;

/// Scans in a row that may have to fail.
const MOST_SCANS: i32 = 100;

/// Says that the principal looks after an alert.
pub async fn acknowledge(services: &Services, principal: &Principal, id: AlertId) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let done = write(services, principal, move |conn, vault, actor| alerts::acknowledge(conn, vault, actor, id)).await;
    if !done.map_err(unless_open)? {
        return Err(Refusal::Conflict("Someone else already owns this alert. Its page says who."));
    }
    services.wake.alerts.notify_one();
    Ok(())
}

/// How long something is snoozed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snooze {
    Day,
    Week,
    Month,
    /// Three months.
    Quarter,
    /// They come again.
    Not,
}

impl Snooze {
    /// By the number of days.
    pub fn find(days: &str) -> Option<Self> {
        let all = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Not];
        all.into_iter().find(|snooze| snooze.days().to_string() == days)
    }

    pub(super) fn days(self) -> i32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
            Self::Not => 0,
        }
    }
}

/// Keeps the reminders of an alert away.
pub async fn snooze(services: &Services, principal: &Principal, id: AlertId, snooze: Snooze) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let quiet = move |conn: &mut _, vault: &_, actor: &_| alerts::snooze(conn, vault, actor, id, snooze.days());
    write(services, principal, quiet).await.map_err(unless_open)?;
    services.wake.alerts.notify_one();
    Ok(())
}

fn unless_open(error: DbError) -> Refusal {
    match error {
        DbError::Stale => Refusal::Conflict("This alert is closed: what was wrong is not wrong any more."),
        error => error.into(),
    }
}

/// The name of the value that holds the limit of a type of credentials.
pub fn limit_of(kind: &str) -> String {
    format!("days_{kind}")
}

/// Saves the settings of all alerts over the version that the principal has seen. Quieter alerts need the password.
///
/// `entered` holds `stale_days`, [`limit_of`] each type, `failed_scans`, and `on` or nothing as `ahead` and `remind`.
pub async fn save_settings(
    services: &Services,
    principal: &Principal,
    seen: i64,
    entered: &Values,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Administrator)?;
    let settings = checked(entered, seen).map_err(Refusal::Invalid)?;
    let before = read(services, alert_settings::load).await?;
    if alerting::is_quieter(&before, &settings, services.stale_days()) {
        confirm(services, principal.visitor(), confirmation).await?;
    }
    let save = move |conn: &mut _, vault: &_, actor: &_| alert_settings::save(conn, vault, actor, &settings);
    write(services, principal, save).await.map_err(|error| match error {
        DbError::Stale => Refusal::Overtaken,
        error => error.into(),
    })?;
    alerting::refresh(services).await?;
    services.wake.alerts.notify_one();
    Ok(())
}

fn checked(entered: &Values, row_version: i64) -> Result<AlertSettings, Errors> {
    let mut errors = Errors::default();
    let mut number = |name: &str, least: i32, most: i32| match days(entered.get(name), least, most) {
        Ok(days) => days,
        Err(sentence) => {
            errors.add(name, sentence);
            None
        }
    };
    let kinds =
        KINDS.iter().filter_map(|kind| Some((kind.slug.to_owned(), number(&limit_of(kind.slug), 0, MOST_DAYS)?)));
    let kind_days: BTreeMap<String, i32> = kinds.collect();
    let stale_days = number("stale_days", 1, MOST_DAYS);
    let failed_scans = number("failed_scans", 1, MOST_SCANS);
    if failed_scans.is_none() && errors.of("failed_scans").is_none() {
        errors.add("failed_scans", format!("Enter a whole number from 1 to {MOST_SCANS}."));
    }
    let mut tick = |name: &str| {
        let ticked = entered.get(name);
        if !matches!(ticked, "on" | "") {
            errors.add(name, "Tick it or leave it blank.");
        }
        ticked == "on"
    };
    let (ahead, remind) = (tick("ahead"), tick("remind"));
    match failed_scans {
        Some(failed_scans) if errors.is_empty() => {
            Ok(AlertSettings { stale_days, kind_days, ahead, remind, failed_scans, row_version, doubt: None })
        }
        _ => Err(errors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(name: &str, value: &str) -> Values {
        let mut values: Values = [("failed_scans", "3")].into_iter().collect();
        values.set(name, value);
        values
    }

    #[test]
    fn a_limit_is_a_number_of_days_or_nothing() {
        let checked = |name, value| checked(&entered(name, value), 1);
        assert_eq!(checked("days_basic", "180").unwrap().kind_days["basic"], 180);
        assert_eq!(checked("days_basic", " 0 ").unwrap().kind_days["basic"], 0);
        assert!(checked("days_basic", "").unwrap().kind_days.is_empty());
        assert_eq!(checked("stale_days", "30").unwrap().stale_days, Some(30));
        for (name, bad) in [
            ("stale_days", "0"),
            ("days_aws", "-1"),
            ("days_aws", "3651"),
            ("days_aws", "1.5"),
            ("failed_scans", ""),
            ("ahead", "yes"),
        ] {
            assert!(checked(name, bad).is_err(), "{name} {bad}");
        }
    }
}
