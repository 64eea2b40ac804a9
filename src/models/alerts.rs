//! Alerts: what is wrong, since when, and who looks after it. An alert is opened and closed in the transaction of its
//! cause, by [`raise`] and [`close`]; what the clock alone brings about is in `due_alerts`. Each change of an alert
//! leaves a notice, which `digests` gives to everybody who is to be told.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

pub use super::alert::{Alert, RAISED, Subject};
use super::events::{self, Action, Actor};
pub use super::integrity_alerts::raise as raise_integrity;
use super::integrity_alerts::{TRIGGER, is_genuine};
use super::readable::kept;
use super::schema::alerts;
use super::times::{MaybeTime, Time};
use super::{AlertId, Conn, CredentialId, DbError, trust};
use crate::vault::Vault;

/// Opens an alert unless it is open already; those about integrity are raised by [`raise_integrity`]. `words` say what went wrong, without a secret. In the caller's
/// transaction.
pub fn raise(conn: &mut Conn, trigger: &str, subject: Subject, words: &str) -> Result<(), DbError> {
    diesel::sql_query(
        "WITH opened AS (
            INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage)
            VALUES (gen_random_uuid(), $1, $2, $3, $4, $5)
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
            UPDATE alerts SET stage = $3, notices = least(notices, 999999) + 1, told_at = clock_timestamp()
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

/// How many are raised and not closed; warnings ahead do not count.
pub fn count_open(conn: &mut Conn) -> Result<i64, DbError> {
    Ok(alerts::table.filter(alerts::closed_at.is_null().and(alerts::stage.ge(RAISED))).count().get_result(conn)?)
}

/// Makes the actor the owner of an alert that has none; whether the actor is its owner now.
pub fn acknowledge(conn: &mut Conn, vault: &Vault, actor: &Actor, id: AlertId) -> Result<bool, DbError> {
    let mut ledger = events::open(conn)?;
    let mut alert = open_one(conn, vault, id)?;
    if alert.acknowledged_at.is_some() {
        return Ok(alert.acknowledged_by.as_deref() == Some(actor.name.as_str()));
    }
    (alert.acknowledged_at, alert.acknowledged_by) = (Some(ledger.now), Some(actor.name.clone()));
    let alert = trust::sign(vault, alert);
    diesel::update(alerts::table.find(id))
        .set((
            alerts::acknowledged_at.eq(alert.acknowledged_at),
            alerts::acknowledged_by.eq(&alert.acknowledged_by),
            alerts::row_mac.eq(&alert.row_mac),
        ))
        .execute(conn)?;
    ledger.record(conn, vault, actor, &alert.event(Action::AlertAcknowledged, alert.trigger.clone()))?;
    Ok(true)
}

/// No reminders for `days`; 0 ends the quiet.
pub fn snooze(conn: &mut Conn, vault: &Vault, actor: &Actor, id: AlertId, days: i32) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let mut alert = open_one(conn, vault, id)?;
    if days == 0 && alert.snoozed_until.is_none() {
        return Ok(());
    }
    alert.snoozed_until = (days > 0).then(|| ledger.now + chrono::Duration::days(days.into()));
    alert.snoozed_by = alert.snoozed_until.map(|_| actor.name.clone());
    let alert = trust::sign(vault, alert);
    diesel::update(alerts::table.find(id))
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

/// [`DbError::Integrity`] for an alert about integrity that was altered: nobody looks after a forgery.
fn open_one(conn: &mut Conn, vault: &Vault, id: AlertId) -> Result<Alert, DbError> {
    let found: Option<Alert> =
        alerts::table.find(id).select(Alert::as_select()).for_no_key_update().first(conn).optional()?;
    match found {
        Some(alert) if alert.closed_at.is_some() => Err(DbError::Stale),
        Some(alert) if alert.trigger == TRIGGER && !is_genuine(vault, &alert) => Err(DbError::Integrity),
        Some(alert) => Ok(alert),
        None => Err(DbError::NotFound),
    }
}

/// A line of the Alerts page.
#[derive(Clone, Debug, QueryableByName)]
pub struct Line {
    #[diesel(sql_type = SqlUuid)]
    pub id: AlertId,
    #[diesel(sql_type = Text)]
    pub trigger: String,
    #[diesel(sql_type = Text)]
    pub subject_kind: String,
    #[diesel(sql_type = SqlUuid)]
    pub subject_id: Uuid,
    #[diesel(sql_type = Text)]
    pub subject_name: String,
    #[diesel(sql_type = SmallInt)]
    pub stage: i16,
    #[diesel(sql_type = Timestamptz)]
    #[diesel(deserialize_as = Time)]
    pub opened_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub acknowledged_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub acknowledged_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub snoozed_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub snoozed_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub closed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub closed_why: Option<String>,
    /// What its last notice but the closing says.
    #[diesel(sql_type = Text)]
    pub event: String,
    #[diesel(sql_type = Integer)]
    pub days: i32,
    #[diesel(sql_type = Integer)]
    pub of_days: i32,
    #[diesel(sql_type = Text)]
    pub words: String,
    /// Of the credential; 0 for other subjects.
    #[diesel(sql_type = Integer)]
    pub usages: i32,
    /// Slug of the credential's type; empty for other subjects.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// What else tells the credential apart; empty for other subjects.
    #[diesel(sql_type = Text)]
    pub identity: String,
    /// Whether the credential, integration or item is still there.
    #[diesel(sql_type = Bool)]
    pub there: bool,
    /// Of the credential: since when its secret ages, and when it ends. What a notice says of either grows old.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub aged_from: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Messages about it: handed over, waiting, parked.
    #[diesel(sql_type = BigInt)]
    pub sent: i64,
    #[diesel(sql_type = BigInt)]
    pub waiting: i64,
    #[diesel(sql_type = BigInt)]
    pub parked: i64,
}

const LINES: &str = "
    SELECT a.id, a.trigger, a.subject_kind, a.subject_id, coalesce(c.name, i.name, a.subject_name) AS subject_name,
        a.stage, a.opened_at, a.acknowledged_at, a.acknowledged_by, a.snoozed_until, a.snoozed_by, a.closed_at,
        a.closed_why, coalesce(c.usage_count, 0) AS usages, coalesce(c.kind, '') AS kind,
        coalesce(c.identity, '') AS identity, c.id IS NOT NULL OR i.id IS NOT NULL OR t.id IS NOT NULL AS there,
        c.aged_from, c.expires_at,
        n.event, n.days, n.of_days, CASE WHEN a.words = '' THEN n.words ELSE a.words END AS words, d.sent, d.waiting, d.parked
    FROM (SELECT * FROM alerts WHERE __WHERE__ LIMIT $3) a
    LEFT JOIN credentials c ON a.subject_kind = 'credential' AND c.id = a.subject_id
    LEFT JOIN integrations i ON a.subject_kind = 'integration' AND i.id = a.subject_id
    LEFT JOIN items t ON a.subject_kind = 'item' AND t.id = a.subject_id
    CROSS JOIN LATERAL (SELECT event, days, of_days, words FROM notices
        WHERE alert_id = a.id AND event <> 'closed' ORDER BY number DESC LIMIT 1) n
    CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE e.state = 'sent') AS sent,
            count(*) FILTER (WHERE e.state IN ('ready', 'sending')) AS waiting,
            count(*) FILTER (WHERE e.state = 'parked') AS parked
        FROM notices m JOIN delivery_lines l ON l.notice_id = m.id JOIN deliveries e ON e.id = l.delivery_id
        WHERE m.alert_id = a.id) d";

/// Where a page begins: after this moment and id, going back in time.
pub type Place = (DateTime<Utc>, AlertId);

/// Newest first: those that are open, or those that are closed; of one trigger, or of all when it is empty.
pub fn list(
    conn: &mut Conn,
    closed: bool,
    trigger: &str,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Line>, DbError> {
    let (at, which) = if closed { ("closed_at", "IS NOT NULL") } else { ("opened_at", "IS NULL") };
    let wanted = format!(
        "closed_at {which} AND ($1 = '' OR trigger = $1) AND ($2 OR ({at}, id) < ($4, $5)) ORDER BY {at} DESC, id DESC"
    );
    let query = LINES.replace("__WHERE__", &wanted);
    let rows = diesel::sql_query(format!("{query} ORDER BY a.{at} DESC, a.id DESC"))
        .bind::<Text, _>(trigger)
        .bind::<Bool, _>(after.is_none())
        .bind::<BigInt, _>(limit)
        .bind::<Timestamptz, _>(after.map_or(DateTime::UNIX_EPOCH, |(at, _)| at))
        .bind::<SqlUuid, _>(after.map_or_else(AlertId::default, |(_, id)| id))
        .load(conn)?;
    Ok(kept(rows, "alerts"))
}

/// One line, as [`list`] has it.
pub fn line(conn: &mut Conn, id: AlertId) -> Result<Line, DbError> {
    let query = LINES.replace("__WHERE__", "id = $1").replace("$3", "1");
    Ok(diesel::sql_query(query).bind::<SqlUuid, _>(id).get_result(conn)?)
}

/// The open alerts about a subject, for its page.
pub fn of_subject(conn: &mut Conn, subject: Uuid) -> Result<Vec<Line>, DbError> {
    let query = LINES.replace("__WHERE__", "subject_id = $1 AND closed_at IS NULL").replace("$3", "10");
    Ok(kept(diesel::sql_query(query).bind::<SqlUuid, _>(subject).load(conn)?, "alerts"))
}

/// How many are open, by trigger.
pub fn counts(conn: &mut Conn) -> Result<Vec<(String, i64)>, DbError> {
    Ok(alerts::table
        .filter(alerts::closed_at.is_null())
        .group_by(alerts::trigger)
        .select((alerts::trigger, diesel::dsl::count_star()))
        .load(conn)?)
}

/// Forgets what was closed longer than `days` ago, with its notices and its part in messages.
pub fn purge(conn: &mut Conn, days: i32) -> Result<usize, DbError> {
    Ok(diesel::sql_query("DELETE FROM alerts WHERE closed_at < now() - make_interval(days => $1)")
        .bind::<Integer, _>(days)
        .execute(conn)?)
}
