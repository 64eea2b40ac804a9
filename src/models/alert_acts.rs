//! What people do about alerts: acknowledge and snooze, one or several in one transaction, with one event each. What
//! cannot be done with one of them does not stop the others.

use diesel::prelude::*;

use super::alert::Alert;
use super::events::{self, Action, Actor, Ledger};
use super::integrity_alerts::{TRIGGER, is_genuine};
use super::schema::alerts;
use super::{AlertId, Conn, DbError, trust};
use crate::vault::Vault;

/// What came of an act on several alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// It is as was asked for, now or already before.
    pub done: usize,
    /// Somebody else owns it already.
    pub owned: usize,
    /// It is closed, or gone.
    pub closed: usize,
    /// It is about integrity and was altered: nobody looks after a forgery.
    pub altered: usize,
}

/// Makes the actor the owner of those that have none.
pub fn acknowledge(conn: &mut Conn, vault: &Vault, actor: &Actor, ids: &[AlertId]) -> Result<Acted, DbError> {
    let mut ledger = events::open(conn)?;
    let (found, mut acted) = locked(conn, vault, ids)?;
    for alert in found {
        match alert.acknowledged_by.as_deref() {
            Some(owner) if owner != actor.name => acted.owned += 1,
            Some(_) => acted.done += 1,
            None => {
                own(conn, vault, actor, &mut ledger, alert)?;
                acted.done += 1;
            }
        }
    }
    Ok(acted)
}

fn own(conn: &mut Conn, vault: &Vault, actor: &Actor, ledger: &mut Ledger, mut alert: Alert) -> Result<(), DbError> {
    (alert.acknowledged_at, alert.acknowledged_by) = (Some(ledger.now), Some(actor.name.clone()));
    let alert = trust::sign(vault, alert);
    save_owner(conn, &alert)?;
    ledger.record(conn, vault, actor, &alert.event(Action::AlertAcknowledged, alert.trigger.clone()))
}

/// Takes the owner off the open alerts of somebody who is gone; how many there were. Forged ones stay as they are.
pub(super) fn release(conn: &mut Conn, vault: &Vault, owner: &str) -> Result<usize, DbError> {
    let theirs = alerts::table.filter(alerts::acknowledged_by.eq(owner).and(alerts::closed_at.is_null()));
    let ids: Vec<AlertId> = theirs.select(alerts::id).load(conn)?;
    let (found, _) = locked(conn, vault, &ids)?;
    let count = found.len();
    for mut alert in found {
        (alert.acknowledged_at, alert.acknowledged_by) = (None, None);
        let alert = trust::sign(vault, alert);
        save_owner(conn, &alert)?;
    }
    Ok(count)
}

/// Writes who owns an alert, which is signed already.
fn save_owner(conn: &mut Conn, alert: &Alert) -> Result<(), DbError> {
    diesel::update(alerts::table.find(alert.id))
        .set((
            alerts::acknowledged_at.eq(alert.acknowledged_at),
            alerts::acknowledged_by.eq(&alert.acknowledged_by),
            alerts::row_mac.eq(&alert.row_mac),
        ))
        .execute(conn)?;
    Ok(())
}

/// No reminders for `days`; 0 ends the snooze.
pub fn snooze(conn: &mut Conn, vault: &Vault, actor: &Actor, ids: &[AlertId], days: i32) -> Result<Acted, DbError> {
    let mut ledger = events::open(conn)?;
    let (found, mut acted) = locked(conn, vault, ids)?;
    for alert in found {
        if days > 0 || alert.snoozed_until.is_some() {
            hush(conn, vault, actor, &mut ledger, (alert, days))?;
        }
        acted.done += 1;
    }
    Ok(acted)
}

fn hush(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    ledger: &mut Ledger,
    (mut alert, days): (Alert, i32),
) -> Result<(), DbError> {
    alert.snoozed_until = (days > 0).then(|| ledger.now + chrono::Duration::days(days.into()));
    alert.snoozed_by = alert.snoozed_until.map(|_| actor.name.clone());
    let alert = trust::sign(vault, alert);
    diesel::update(alerts::table.find(alert.id))
        .set((
            alerts::snoozed_until.eq(alert.snoozed_until),
            alerts::snoozed_by.eq(&alert.snoozed_by),
            alerts::row_mac.eq(&alert.row_mac),
        ))
        .execute(conn)?;
    let detail = match days {
        ..=0 => "no longer".to_owned(),
        1 => "for 1 day".to_owned(),
        days => format!("for {days} days"),
    };
    ledger.record(conn, vault, actor, &alert.event(Action::AlertSnoozed, detail))
}

/// Those that can be acted on, locked in the order of their ids so that two people do not wait for each other, and what
/// is known already of the others.
fn locked(conn: &mut Conn, vault: &Vault, ids: &[AlertId]) -> Result<(Vec<Alert>, Acted), DbError> {
    let rows = alerts::table.filter(alerts::id.eq_any(ids)).order(alerts::id).select(Alert::as_select());
    let mut found: Vec<Alert> = rows.for_no_key_update().load(conn)?;
    found.retain(|alert| alert.closed_at.is_none());
    let open = found.len();
    found.retain(|alert| alert.trigger != TRIGGER || is_genuine(vault, alert));
    let acted = Acted { closed: ids.len().saturating_sub(open), altered: open - found.len(), ..Acted::default() };
    Ok((found, acted))
}
