//! Alerts: what is wrong, since when, and who looks after it. An alert is opened and closed in the transaction of its
//! cause, by [`raise`] and [`close`]; what the clock alone brings about is in `due_alerts`, what people do in `alert_acts`,
//! and how they are listed in `alert_list`. Each change of an alert leaves a notice, which `digests` gives to everybody
//! who is to be told.

use diesel::prelude::*;
use diesel::sql_types::{Integer, SmallInt, Text, Uuid as SqlUuid};
use uuid::Uuid;

pub use super::alert::{Alert, RAISED, Subject};
pub use super::alert_line::{Line, line, of_subject};
use super::integrity_alerts::TRIGGER;
pub use super::integrity_alerts::raise as raise_integrity;
use super::schema::alerts;
use super::{AlertId, Conn, CredentialId, DbError};

/// Opens an alert unless it is open already; those about integrity are raised by [`raise_integrity`]. `words` say what went wrong, without a secret. In the caller's
/// transaction.
pub fn raise(conn: &mut Conn, trigger: &str, subject: Subject, words: &str) -> Result<(), DbError> {
    diesel::sql_query(
        "WITH opened AS (
            INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage, words)
            VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6)
            ON CONFLICT (trigger, subject_id) WHERE closed_at IS NULL DO NOTHING RETURNING id)
         INSERT INTO notices (id, alert_id, number, event, words)
         SELECT gen_random_uuid(), id, 1, 'raised', $6 FROM opened",
    )
    .bind::<Text, _>(trigger)
    .bind::<Text, _>(subject.kind)
    .bind::<SqlUuid, _>(subject.id)
    .bind::<Text, _>(subject.name)
    .bind::<SmallInt, _>(RAISED)
    .bind::<Text, _>(words)
    .execute(conn)?;
    Ok(())
}

/// Raises an alert, and says again what is wrong when one that is open has become worse.
pub fn worsen(conn: &mut Conn, trigger: &str, subject: Subject, stage: i16, words: &str) -> Result<(), DbError> {
    raise(conn, trigger, subject, words)?;
    diesel::sql_query(
        "WITH worse AS (
            UPDATE alerts SET stage = $3, notices = least(notices, 999999) + 1, told_at = clock_timestamp(), words = $4
            WHERE trigger = $1 AND subject_id = $2 AND closed_at IS NULL AND stage < $3 RETURNING id, notices)
         INSERT INTO notices (id, alert_id, number, event, words)
         SELECT gen_random_uuid(), id, notices, 'reminder', $4 FROM worse
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(trigger)
    .bind::<SqlUuid, _>(subject.id)
    .bind::<SmallInt, _>(stage)
    .bind::<Text, _>(words)
    .execute(conn)?;
    Ok(())
}

/// What an open alert says from now on, where that has changed; nobody is notified of it.
pub fn say(conn: &mut Conn, trigger: &str, subject: Uuid, words: &str) -> Result<(), DbError> {
    let open = alerts::trigger.eq(trigger).and(alerts::subject_id.eq(subject)).and(alerts::closed_at.is_null());
    let other = alerts::table.filter(open.and(alerts::words.ne(words)));
    diesel::update(other).set(alerts::words.eq(words)).execute(conn)?;
    Ok(())
}

/// The open alerts about something that has another name now are found by it. Those about integrity are signed over the
/// name, and closed by whatever gives it another.
pub(super) fn rename(conn: &mut Conn, subject: Uuid, name: &str) -> Result<(), DbError> {
    let open = alerts::subject_id.eq(subject).and(alerts::closed_at.is_null()).and(alerts::trigger.ne(TRIGGER));
    let others = alerts::table.filter(open.and(alerts::subject_name.ne(name)));
    diesel::update(others).set(alerts::subject_name.eq(name)).execute(conn)?;
    Ok(())
}

/// The last alert of that kind about something, open or closed.
pub fn last(conn: &mut Conn, trigger: &str, subject: Uuid) -> Result<Option<AlertId>, DbError> {
    let all = alerts::table.filter(alerts::subject_id.eq(subject).and(alerts::trigger.eq(trigger)));
    Ok(all.order(alerts::opened_at.desc()).select(alerts::id).first(conn).optional()?)
}

/// Whether there is an open alert of that kind about something.
pub fn is_open(conn: &mut Conn, trigger: &str, subject: Uuid) -> Result<bool, DbError> {
    let open = alerts::subject_id.eq(subject).and(alerts::trigger.eq(trigger)).and(alerts::closed_at.is_null());
    Ok(diesel::select(diesel::dsl::exists(alerts::table.filter(open))).get_result(conn)?)
}

/// Closes the open alerts of these triggers about a subject, if there are any, and lets that be told. `why` ends a
/// sentence: `its secret was replaced`. Their signatures go, so that nobody opens them again by SQL. In the caller's
/// transaction.
pub fn close(conn: &mut Conn, triggers: &[&str], subject: Uuid, why: &str) -> Result<(), DbError> {
    diesel::sql_query(
        "WITH closed AS (
            UPDATE alerts SET closed_at = clock_timestamp(), closed_why = $3, notices = least(notices, 999999) + 1,
                row_mac = ''
            WHERE subject_id = $1 AND trigger = ANY($2) AND closed_at IS NULL RETURNING id, notices)
         INSERT INTO notices (id, alert_id, number, event, words)
         SELECT gen_random_uuid(), id, notices, 'closed', $3 FROM closed
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(subject)
    .bind::<diesel::sql_types::Array<Text>, _>(triggers)
    .bind::<Text, _>(why)
    .execute(conn)?;
    Ok(())
}

/// Other values were saved for a credential: what was wrong with the ones before is not wrong with these. `ends`: these
/// end soon too.
pub fn after_edit(conn: &mut Conn, credential: CredentialId, replaced: bool, ends: bool) -> Result<(), DbError> {
    if !replaced {
        return close(conn, &["integrity", "failed_test"], credential.0, "it was saved again");
    }
    let closed: &[&str] = match ends {
        true => &["stale", "integrity", "failed_test"],
        false => &["stale", "integrity", "failed_test", "expiring"],
    };
    close(conn, closed, credential.0, "its secret was replaced")
}

pub fn find(conn: &mut Conn, id: AlertId) -> Result<Alert, DbError> {
    Ok(alerts::table.find(id).select(Alert::as_select()).first(conn)?)
}

/// Forgets what was closed longer than `days` ago, with its notices and its part in messages.
pub fn purge(conn: &mut Conn, days: i32) -> Result<usize, DbError> {
    Ok(diesel::sql_query("DELETE FROM alerts WHERE closed_at < now() - make_interval(days => $1)")
        .bind::<Integer, _>(days)
        .execute(conn)?)
}
