//! What people do about alerts, and what is to be told at all and when. Neither *Acknowledge* nor *Snooze* closes an
//! alert: only the end of its cause does.

use std::collections::BTreeMap;

use super::numbers::days;
use super::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::accounts::Role;
use crate::alerting;
use crate::credentials::KINDS;
use crate::form::{Errors, Values};
use crate::models::alert_acts::{self, Acted};
use crate::models::alert_list::{self, Filter, Owner};
use crate::models::alert_settings::{self, AlertSettings};
use crate::models::credential_limits::MOST_DAYS;
use crate::models::{AlertId, DbError, alerts};
use crate::services::Services;

/// Scans in a row that may have to fail.
const MOST_SCANS: i32 = 100;

/// Most alerts that one act takes; of a larger group the worst.
pub const MOST_AT_ONCE: i64 = 1_000;

/// Makes the principal the owner of an alert.
pub async fn acknowledge(services: &Services, principal: &Principal, id: AlertId) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let done = write(services, principal, move |conn, vault, actor| {
        alerts::find(conn, id)?;
        alert_acts::acknowledge(conn, vault, actor, &[id])
    });
    one(done.await?)?;
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

/// Snoozes an alert.
pub async fn snooze(services: &Services, principal: &Principal, id: AlertId, snooze: Snooze) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let done = write(services, principal, move |conn, vault, actor| {
        alerts::find(conn, id)?;
        alert_acts::snooze(conn, vault, actor, &[id], snooze.days())
    });
    one(done.await?)?;
    services.wake.alerts.notify_one();
    Ok(())
}

/// What stood in the way of an act on one alert.
fn one(acted: Acted) -> Result<(), Refusal> {
    match acted {
        Acted { closed: 1.., .. } => Err(Refusal::Conflict("This alert is closed: the problem is gone.")),
        Acted { owned: 1.., .. } => Err(Refusal::Conflict("Someone else already owns this alert. Its page says who.")),
        Acted { altered: 1.., .. } => Err(DbError::Integrity.into()),
        _ => Ok(()),
    }
}

/// What can be done with several alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Acknowledge,
    Snooze(Snooze),
}

/// Several alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Several {
    These(Vec<AlertId>),
    /// All that fit a filter, but no more than [`MOST_AT_ONCE`].
    Group(Filter),
}

/// What came of an act on several alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    pub acted: Acted,
    /// The group has more than [`MOST_AT_ONCE`].
    pub more: bool,
}

/// Acknowledges or snoozes several alerts in one transaction. What cannot be done with one does not stop the others.
pub async fn act(services: &Services, principal: &Principal, several: Several, act: Act) -> Result<Done, Refusal> {
    principal.require(Role::Operator)?;
    let done = write(services, principal, move |conn, vault, actor| {
        let ids = match &several {
            Several::These(ids) => ids.clone(),
            Several::Group(filter) => alert_list::ids(conn, &left(filter, act), MOST_AT_ONCE + 1)?,
        };
        let more = i64::try_from(ids.len()).is_ok_and(|number| number > MOST_AT_ONCE);
        let ids = ids.get(..MOST_AT_ONCE as usize).unwrap_or(&ids);
        let mut acted = match act {
            Act::Acknowledge => alert_acts::acknowledge(conn, vault, actor, ids)?,
            Act::Snooze(snooze) => alert_acts::snooze(conn, vault, actor, ids, snooze.days())?,
        };
        if let Several::Group(filter) = &several
            && left(filter, act) != *filter
        {
            acted.owned += alert_list::owned(conn, filter, &actor.name)?;
        }
        Ok(Done { acted, more })
    });
    let done = done.await?;
    services.wake.alerts.notify_one();
    Ok(done)
}

/// Those of a group that an act can change: what has an owner is counted alone, however much of it there is.
fn left(filter: &Filter, act: Act) -> Filter {
    match (act, &filter.owner) {
        (Act::Acknowledge, Owner::Any) => Filter { owner: Owner::Nobody, ..filter.clone() },
        _ => filter.clone(),
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
