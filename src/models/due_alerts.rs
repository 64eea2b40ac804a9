//! Alerts that time alone opens or closes: secrets older than their limit, credentials about to expire, reminders, and
//! alerts whose cause is gone. Each is one statement over the whole table, by the database's clock, that writes alerts
//! and notices together. One replica at a time; see [`turn`]. A notice of the same number that somebody wrote beforehand
//! stops none of the others.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Text};

use super::alert_settings::{AHEAD_DAYS, EXPIRY_DAYS, REMIND_DAYS};
use super::{Conn, DbError};

/// The limit of one type of credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub kind: String,
    /// 0: its secrets do not age.
    pub days: i32,
    /// Only those secrets that age by their nature, such as an AWS access key and not an IAM role.
    pub by_nature: bool,
}

/// What holds in a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Of every type that has one.
    pub limits: Vec<Limit>,
    pub ahead: bool,
    pub remind: bool,
}

/// What came of a turn: alerts opened or made worse, told again, closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    pub raised: usize,
    pub reminded: usize,
    pub closed: usize,
}

/// Held by the replica that decides what is due or who is told, until its transaction ends.
pub(super) const LOCK: i64 = 0x414c_4552_5453;
/// What a million rows need, where the pool's five seconds are meant for pages.
pub(super) const PATIENCE: &str = "SET LOCAL statement_timeout = '4min'";

/// One turn; `None` when another replica has it. Call inside a transaction.
pub fn turn(conn: &mut Conn, rules: &Rules) -> Result<Option<Turn>, DbError> {
    let locked = diesel::dsl::sql::<Bool>(&format!("SELECT pg_try_advisory_xact_lock({LOCK})"));
    if !locked.get_result::<bool>(conn)? {
        return Ok(None);
    }
    conn.batch_execute(PATIENCE)?;
    let mut turn = Turn::default();
    turn.raised += run(conn, rules, &format!("{LIMITS} {AGED} {STALE} {OPEN}"))?;
    turn.raised += run(conn, rules, &format!("{LIMITS} {KNOWN_AGED} {STALE} {WORSEN}"))?;
    turn.raised += run(conn, rules, &format!("{LIMITS} {ENDING} {EXPIRING} {OPEN}"))?;
    turn.raised += run(conn, rules, &format!("{LIMITS} {KNOWN_ENDING} {EXPIRING} {WORSEN}"))?;
    turn.closed += run(conn, rules, &format!("{LIMITS} {CLOSE_STALE}"))?;
    for query in [CLOSE_EXPIRING, CLOSE_CLIENT_EXPIRING, CLOSE_GONE, CLOSE_DELIVERY] {
        turn.closed += conn_execute(conn, query)?;
    }
    if rules.remind {
        turn.reminded += conn_execute(conn, &REMIND.replace("__DAYS__", &REMIND_DAYS.to_string()))?;
    }
    Ok(Some(turn))
}

fn conn_execute(conn: &mut Conn, query: &str) -> Result<usize, DbError> {
    Ok(diesel::sql_query(query).execute(conn)?)
}

fn run(conn: &mut Conn, rules: &Rules, query: &str) -> Result<usize, DbError> {
    let kinds: Vec<&str> = rules.limits.iter().map(|limit| limit.kind.as_str()).collect();
    let days: Vec<i32> = rules.limits.iter().map(|limit| limit.days).collect();
    let by_nature: Vec<bool> = rules.limits.iter().map(|limit| limit.by_nature).collect();
    let [first, second] = AHEAD_DAYS;
    Ok(diesel::sql_query(query)
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<Integer>, _>(days)
        .bind::<Array<Bool>, _>(by_nature)
        .bind::<Integer, _>(if rules.ahead { first } else { 0 })
        .bind::<Integer, _>(if rules.ahead { second } else { 0 })
        .bind::<Array<Integer>, _>(EXPIRY_DAYS.as_slice())
        .execute(conn)?)
}

/// The limits as rows.
const LIMITS: &str = "
    WITH limits AS (SELECT * FROM unnest($1, $2, $3) AS l (kind, days, by_nature))";

/// Secrets that have passed their limit or soon will, from an index: what is young costs nothing.
const AGED: &str = ",
    aged AS (
        SELECT c.id, c.name, c.aged_from, l.days AS of_days
        FROM limits l JOIN credentials c ON c.kind = l.kind AND c.stale_after_days IS NULL AND NOT c.shipped
            AND (c.ages OR NOT l.by_nature) AND c.aged_from < now() - make_interval(days => l.days - $4)
        UNION ALL
        SELECT id, name, aged_from, stale_after_days FROM credentials
        WHERE stale_after_days > 0 AND NOT shipped AND aged_from < now() - make_interval(days => stale_after_days - $4))";

const ENDING: &str = ",
    ending AS (
        SELECT id, name, expires_at, 'credential' AS subject_kind FROM credentials
        WHERE expires_at < now() + make_interval(days => ($6)[1])
        UNION ALL
        SELECT id, name, ends_at, 'client' FROM clients
        WHERE active AND ends_at < now() + make_interval(days => ($6)[1]))";

/// The same of the alerts that are open and can get worse. What is known is looked up from the alert, by its key, and
/// once (MATERIALIZED): the planner takes ten thousand fresh alerts for one, and read all credentials that are due for
/// each.
const KNOWN_AGED: &str = ",
    aged AS MATERIALIZED (
        SELECT a.id AS alert, a.stage AS before, c.aged_from, coalesce(c.stale_after_days, l.days) AS of_days
        FROM alerts a JOIN credentials c ON c.id = a.subject_id
        LEFT JOIN limits l ON l.kind = c.kind AND (c.ages OR NOT l.by_nature)
        WHERE a.trigger = 'stale' AND a.closed_at IS NULL AND a.stage < 3 AND NOT c.shipped
            AND coalesce(c.stale_after_days, l.days) > 0
            AND c.aged_from < now() - make_interval(days => coalesce(c.stale_after_days, l.days) - $4))";

const KNOWN_ENDING: &str = ",
    ending AS MATERIALIZED (
        SELECT a.id AS alert, a.stage AS before, c.expires_at FROM alerts a JOIN credentials c ON c.id = a.subject_id
        WHERE a.trigger = 'expiring' AND a.closed_at IS NULL AND a.stage < 6
            AND c.expires_at < now() + make_interval(days => ($6)[1])
        UNION ALL
        SELECT a.id, a.stage, c.ends_at FROM alerts a JOIN clients c ON c.id = a.subject_id
        WHERE a.trigger = 'expiring' AND a.closed_at IS NULL AND a.stage < 6
            AND c.ends_at < now() + make_interval(days => ($6)[1]))";

/// Stage 1 and 2 are the warnings ahead; strictly older than the limit is stage 3.
const STALE: &str = ",
    due AS (
        SELECT aged.*, 'stale' AS trigger, 'credential' AS subject_kind,
            CASE WHEN isfinite(aged_from) THEN greatest(aged_from, 'epoch') + make_interval(days => of_days)
                ELSE now() END AS since,
            CASE WHEN isfinite(aged_from)
                THEN floor(extract(epoch FROM now() - aged_from) / 86400)::int ELSE 0 END AS days,
            CASE WHEN aged_from < now() - make_interval(days => of_days) THEN 3
                 WHEN aged_from < now() - make_interval(days => of_days - $5) THEN 2 ELSE 1 END::smallint AS stage
        FROM aged)";

/// 30, 7 and 1 days ahead, and the end itself, are the stages 3 to 6.
const EXPIRING: &str = ",
    due AS (
        SELECT ending.*, 'expiring' AS trigger, 0 AS of_days,
            CASE WHEN isfinite(expires_at) THEN greatest(expires_at, 'epoch') - make_interval(days => ($6)[1])
                ELSE now() END AS since,
            CASE WHEN isfinite(expires_at)
                THEN ceil(extract(epoch FROM expires_at - now()) / 86400)::int ELSE 0 END AS days,
            CASE WHEN expires_at <= now() THEN 6
                 WHEN expires_at < now() + make_interval(days => ($6)[3]) THEN 5
                 WHEN expires_at < now() + make_interval(days => ($6)[2]) THEN 4 ELSE 3 END::smallint AS stage
        FROM ending)";

const OPEN: &str = ",
    fresh AS (
        SELECT due.*, gen_random_uuid() AS alert FROM due
        WHERE NOT EXISTS (SELECT 1 FROM alerts a
            WHERE a.trigger = due.trigger AND a.subject_id = due.id AND a.closed_at IS NULL)),
    opened AS (
        INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage, since)
        SELECT alert, trigger, subject_kind, id, name, stage, since FROM fresh
        ON CONFLICT (trigger, subject_id) WHERE closed_at IS NULL DO NOTHING RETURNING id)
    INSERT INTO notices (id, alert_id, number, event, days, of_days)
    SELECT gen_random_uuid(), fresh.alert, 1, CASE WHEN stage < 3 THEN 'ahead' ELSE 'raised' END, days, of_days
    FROM fresh JOIN opened ON opened.id = fresh.alert";

/// Who asked for quiet hears of it when the quiet ends.
const WORSEN: &str = ",
    worse AS (
        UPDATE alerts a SET stage = due.stage, notices = least(a.notices, 999999) + 1, told_at = now(),
            since = due.since
        FROM due
        WHERE a.id = due.alert AND a.closed_at IS NULL AND a.stage < due.stage
            AND (a.snoozed_until IS NULL OR a.snoozed_until <= now())
        RETURNING a.id, a.notices, a.stage, due.before, due.days, due.of_days)
    INSERT INTO notices (id, alert_id, number, event, days, of_days)
    SELECT gen_random_uuid(), id, notices,
        CASE WHEN stage < 3 THEN 'ahead' WHEN before < 3 THEN 'raised' ELSE 'reminder' END, days, of_days FROM worse
    ON CONFLICT DO NOTHING";

/// A new secret closes the alert itself; here are limits that were raised, and what nobody foresaw. What this turn has
/// opened is not looked at again.
const CLOSE_STALE: &str = ",
    young AS MATERIALIZED (
        SELECT a.id AS alert FROM alerts a JOIN credentials c ON c.id = a.subject_id
        LEFT JOIN limits l ON l.kind = c.kind AND (c.ages OR NOT l.by_nature)
        WHERE a.trigger = 'stale' AND a.closed_at IS NULL AND a.opened_at < now()
            AND (c.shipped OR coalesce(c.stale_after_days, l.days, 0) = 0
                OR c.aged_from >= now() - make_interval(days => coalesce(c.stale_after_days, l.days) - $4))),
    closed AS (
        UPDATE alerts a SET closed_at = now(), closed_why = 'its limit was changed',
            notices = least(notices, 999999) + 1
        FROM young WHERE a.id = young.alert AND a.closed_at IS NULL
        RETURNING id, notices, closed_why)
    INSERT INTO notices (id, alert_id, number, event, words)
    SELECT gen_random_uuid(), id, notices, 'closed', closed_why FROM closed
    ON CONFLICT DO NOTHING";

const CLOSE_EXPIRING: &str = "
    WITH closed AS (
        UPDATE alerts a SET closed_at = now(), closed_why = 'it ends later now', notices = least(notices, 999999) + 1
        FROM credentials c
        WHERE a.trigger = 'expiring' AND a.closed_at IS NULL AND c.id = a.subject_id
            AND (c.expires_at IS NULL OR c.expires_at >= now() + interval '30 days')
        RETURNING a.id, a.notices, a.closed_why)
    INSERT INTO notices (id, alert_id, number, event, words)
    SELECT gen_random_uuid(), id, notices, 'closed', closed_why FROM closed
    ON CONFLICT DO NOTHING";

/// A login that was rotated or ended, and a client that was disabled.
const CLOSE_CLIENT_EXPIRING: &str = "
    WITH closed AS (
        UPDATE alerts a SET closed_at = now(), notices = least(notices, 999999) + 1,
            closed_why = CASE WHEN c.active THEN 'its login was rotated or ended' ELSE 'the client was disabled' END
        FROM clients c
        WHERE a.trigger = 'expiring' AND a.closed_at IS NULL AND c.id = a.subject_id
            AND (NOT c.active OR c.ends_at IS NULL OR c.ends_at >= now() + interval '30 days')
        RETURNING a.id, a.notices, a.closed_why)
    INSERT INTO notices (id, alert_id, number, event, words)
    SELECT gen_random_uuid(), id, notices, 'closed', closed_why FROM closed
    ON CONFLICT DO NOTHING";

const CLOSE_GONE: &str = "
    WITH closed AS (
        UPDATE alerts a SET closed_at = now(), closed_why = 'it was deleted', notices = least(notices, 999999) + 1
        WHERE closed_at IS NULL AND opened_at < now() AND (
            (subject_kind = 'credential' AND NOT EXISTS (SELECT 1 FROM credentials c WHERE c.id = a.subject_id))
            OR (subject_kind = 'integration' AND NOT EXISTS (SELECT 1 FROM integrations i WHERE i.id = a.subject_id))
            OR (subject_kind = 'client' AND NOT EXISTS (SELECT 1 FROM clients c WHERE c.id = a.subject_id))
            OR (subject_kind = 'item' AND NOT EXISTS (SELECT 1 FROM items i WHERE i.id = a.subject_id)))
        RETURNING a.id, a.notices, a.closed_why),
    passed AS (
        UPDATE alerts a SET closed_at = now(), closed_why = 'it is a day ago', notices = least(notices, 999999) + 1
        WHERE trigger = 'lockout' AND closed_at IS NULL AND opened_at < now() - interval '1 day'
        RETURNING a.id, a.notices, a.closed_why)
    INSERT INTO notices (id, alert_id, number, event, words)
    SELECT gen_random_uuid(), id, notices, 'closed', closed_why
    FROM (SELECT * FROM closed UNION ALL SELECT * FROM passed) AS ended
    ON CONFLICT DO NOTHING";

/// What is tried again has to arrive first.
const CLOSE_DELIVERY: &str = "
    WITH closed AS (
        UPDATE alerts a SET closed_at = now(), closed_why = 'messages are delivered again',
            notices = least(notices, 999999) + 1
        FROM integrations i LEFT JOIN channels c ON c.integration_id = i.id
        WHERE a.trigger = 'delivery' AND a.closed_at IS NULL AND i.id = a.subject_id AND i.active
            AND coalesce(c.misses, 0) = 0
            AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.integration_id = i.id AND (d.state = 'parked'
                OR (d.state IN ('ready', 'sending') AND d.error IS NOT NULL)))
        RETURNING a.id, a.notices, a.closed_why)
    INSERT INTO notices (id, alert_id, number, event, words)
    SELECT gen_random_uuid(), id, notices, 'closed', closed_why FROM closed
    ON CONFLICT DO NOTHING";

/// The last age is not true any more: it is counted from what the last notice said.
const REMIND: &str = "
    WITH again AS (
        UPDATE alerts a SET told_at = now(), notices = least(a.notices, 999999) + 1
        FROM alerts old
        WHERE a.closed_at IS NULL AND a.stage >= 3 AND a.trigger <> 'lockout' AND old.id = a.id
            AND a.told_at < now() - interval '__DAYS__ days'
            AND (a.snoozed_until IS NULL OR a.snoozed_until <= now())
        RETURNING a.id, a.notices, a.trigger, a.words, now()::date - old.told_at::date AS passed)
    INSERT INTO notices (id, alert_id, number, event, days, of_days, words)
    SELECT gen_random_uuid(), again.id, again.notices, 'reminder',
        CASE again.trigger WHEN 'stale' THEN n.days + again.passed WHEN 'expiring' THEN n.days - again.passed ELSE n.days END,
        n.of_days, CASE WHEN again.words = '' THEN n.words ELSE again.words END
    FROM again CROSS JOIN LATERAL (SELECT days, of_days, words FROM notices
        WHERE alert_id = again.id ORDER BY number DESC LIMIT 1) n
    ON CONFLICT DO NOTHING";
