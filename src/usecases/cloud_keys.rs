//! What people do about old keys that scans found in cloud accounts: they snooze them, and end a snooze. The alert of the
//! account follows in the same transaction.

use super::alerts::Snooze;
use super::{Principal, Refusal, write};
use crate::accounts::Role;
use crate::models::{AlertId, Conn, DbError, ItemId, SnoozeId, snoozed_keys};
use crate::runs::alarms;
use crate::services::Services;
use crate::vault::Vault;

/// What a snooze silences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silenced {
    Key,
    /// All keys that the owner of this one has in the account, also those that are made later.
    Owner,
}

impl Silenced {
    pub fn find(word: &str) -> Option<Self> {
        match word {
            "key" => Some(Self::Key),
            "owner" => Some(Self::Owner),
            _ => None,
        }
    }
}

/// Snoozes a key or all keys of its owner; returns the alert of the account, if there ever was one.
pub async fn snooze(
    services: &Services,
    principal: &Principal,
    (key, silenced): (ItemId, Silenced),
    snooze: Snooze,
) -> Result<Option<AlertId>, Refusal> {
    principal.require(Role::Operator)?;
    let (limit, key) = (alarms::limit_days(services), (key, silenced == Silenced::Owner));
    let done = write(services, principal, move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let of = snoozed_keys::snooze(conn, vault, actor, key, snooze.days())?;
        alarms::settle_snoozes(conn, of, limit)
    });
    let alert = done.await?;
    services.wake.alerts.notify_one();
    Ok(alert)
}

/// Ends a snooze; returns the alert of the account, if there ever was one.
pub async fn stop(services: &Services, principal: &Principal, id: SnoozeId) -> Result<Option<AlertId>, Refusal> {
    principal.require(Role::Operator)?;
    let limit = alarms::limit_days(services);
    let done = write(services, principal, move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let of = snoozed_keys::stop(conn, vault, actor, id)?;
        alarms::settle_snoozes(conn, of, limit)
    });
    let alert = done.await.map_err(|error| match error {
        DbError::NotFound => Refusal::Conflict("This snooze has ended already. Go back and reload the page."),
        error => error.into(),
    })?;
    services.wake.alerts.notify_one();
    Ok(alert)
}
