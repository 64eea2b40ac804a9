//! Alerts about integrity. Somebody who alters the store would also silence the alert about it: write one of that kind
//! beforehand, or acknowledge, snooze, close or delete it. So these alerts are signed over all that keeps them quiet. One
//! that does not hold counts as none: it is closed, and its cause raises another.

use diesel::prelude::*;
use uuid::Uuid;

use super::alert::{Alert, RAISED, Subject};
use super::events::clock_timestamp;
use super::schema::{alerts, notices};
use super::trust::{self, Doubt, Parts, Seen, Signed, signed_columns};
use super::{AlertId, Conn, DbError};
use crate::vault::Vault;

pub const TRIGGER: &str = "integrity";

impl Signed for Alert {
    const TABLE: &'static str = "alerts";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!(unversioned);

    /// Without the closing: nobody trusts that an alert is closed, since its cause raises it again.
    fn parts(&self) -> Parts {
        Parts::default()
            .id(Some(self.id))
            .text(&self.trigger)
            .text(&self.subject_kind)
            .id(Some(self.subject_id))
            .text(&self.subject_name)
            .number(i64::from(self.stage))
            .time(self.opened_at)
            .time(self.acknowledged_at)
            .text(self.acknowledged_by.as_deref().unwrap_or_default())
            .time(self.snoozed_until)
            .text(self.snoozed_by.as_deref().unwrap_or_default())
    }
}

/// Opens an alert about integrity unless one that Strongroom wrote is open. `words` is a sentence. In the caller's
/// transaction. [`DbError::ReadOnly`] when the database takes the alert and does not keep it.
pub fn raise(conn: &mut Conn, vault: &Vault, subject: Subject, words: &str) -> Result<(), DbError> {
    match open(conn, vault, subject.id)? {
        Open::Genuine => return Ok(()),
        Open::Nothing => {}
        Open::Forged => {
            tracing::error!(subject = subject.name, "an alert was altered outside Strongroom and is raised again");
            close_forged(conn, subject.id)?;
        }
    }
    insert(conn, vault, subject, words)?;
    // Another replica may have been first. Else a trigger or a rule of somebody has swallowed the alert.
    match open(conn, vault, subject.id)? {
        Open::Genuine => Ok(()),
        Open::Forged | Open::Nothing => Err(DbError::ReadOnly),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Genuine,
    Forged,
}

fn open(conn: &mut Conn, vault: &Vault, subject: Uuid) -> Result<Open, DbError> {
    let found =
        alerts::table.filter(is_open(TRIGGER, subject)).select(Alert::as_select()).for_no_key_update().first(conn);
    let alert = match found.optional() {
        Ok(Some(alert)) => alert,
        Ok(None) => return Ok(Open::Nothing),
        // It holds what Strongroom never writes.
        Err(diesel::result::Error::DeserializationError(_)) => return Ok(Open::Forged),
        Err(error) => return Err(error.into()),
    };
    // Without its first notice, an alert is on no page and in no message.
    let first = notices::alert_id.eq(alert.id).and(notices::number.eq(1)).and(notices::event.eq("raised"));
    let told: bool = diesel::select(diesel::dsl::exists(notices::table.filter(first))).get_result(conn)?;
    let genuine = told && is_genuine(vault, &alert);
    Ok(if genuine { Open::Genuine } else { Open::Forged })
}

/// Whether Strongroom wrote what keeps the alert quiet; for other triggers nobody asks.
pub(super) fn is_genuine(vault: &Vault, alert: &Alert) -> bool {
    let seen = Seen::new(vault, (alert.clone(), None), |_| true);
    matches!(seen.doubt(), None | Some(Doubt::LaterRelease))
}

#[diesel::dsl::auto_type(no_type_alias)]
fn is_open(trigger: &'static str, subject: Uuid) -> _ {
    alerts::trigger.eq(trigger).and(alerts::subject_id.eq(subject)).and(alerts::closed_at.is_null())
}

fn close_forged(conn: &mut Conn, subject: Uuid) -> Result<(), DbError> {
    let why = "it was altered outside Strongroom, and raised again";
    diesel::update(alerts::table.filter(is_open(TRIGGER, subject)))
        .set((alerts::closed_at.eq(clock_timestamp().nullable()), alerts::closed_why.eq(why)))
        .execute(conn)?;
    Ok(())
}

fn insert(conn: &mut Conn, vault: &Vault, subject: Subject, words: &str) -> Result<(), DbError> {
    let opened_at = super::clock(conn)?;
    let alert = Alert {
        id: AlertId(Uuid::new_v4()),
        trigger: TRIGGER.to_owned(),
        subject_kind: subject.kind.to_owned(),
        subject_id: subject.id,
        subject_name: subject.name.to_owned(),
        stage: RAISED,
        told_at: opened_at,
        opened_at,
        ..Alert::default()
    };
    let alert = trust::sign(vault, alert);
    let written = diesel::insert_into(alerts::table)
        .values((&*alert, alerts::words.eq(words)))
        .on_conflict_do_nothing()
        .execute(conn)?;
    if written == 1 {
        let notice = (
            notices::id.eq(Uuid::new_v4()),
            notices::alert_id.eq(alert.id),
            notices::number.eq(1),
            notices::event.eq("raised"),
            notices::words.eq(words),
        );
        diesel::insert_into(notices::table).values(notice).execute(conn)?;
    }
    Ok(())
}
