//! An alert as pages show it: beside what it is about, its last notice, and the messages that tell of it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::readable::kept;
use super::times::{MaybeTime, Time};
use super::{AlertId, Conn, DbError};

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
    /// From 1, critical, to 3, medium.
    #[diesel(sql_type = SmallInt)]
    pub severity: i16,
    /// Since when it is wrong.
    #[diesel(sql_type = Timestamptz)]
    #[diesel(deserialize_as = Time)]
    pub since: DateTime<Utc>,
    /// Slug of the type of the credential, or of the version of the integration that it is or was found by; else empty.
    #[diesel(sql_type = Text)]
    pub mark: String,
    /// Slug of the credential's type, or `client`; empty for other subjects.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// What else tells the credential apart; empty for other subjects.
    #[diesel(sql_type = Text)]
    pub identity: String,
    /// Whether the credential, integration or item is still there.
    #[diesel(sql_type = Bool)]
    pub there: bool,
    /// Of the credential: since when its secret ages. Of it, or of a client's login: when it ends. What a notice says of either grows old.
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
    SELECT a.id, a.trigger, a.subject_kind, a.subject_id, coalesce(c.name, i.name, x.name, a.subject_name) AS subject_name,
        a.stage, a.severity, a.since, a.opened_at, a.acknowledged_at, a.acknowledged_by, a.snoozed_until, a.snoozed_by,
        a.closed_at, a.closed_why, coalesce(c.usage_count, 0) AS usages,
        coalesce(c.kind, CASE a.subject_kind WHEN 'client' THEN 'client' END, '') AS kind,
        coalesce(c.kind, i.version, f.version, CASE a.subject_kind WHEN 'client' THEN 'client' END, '') AS mark,
        coalesce(c.identity, '') AS identity,
        c.id IS NOT NULL OR i.id IS NOT NULL OR t.id IS NOT NULL OR x.id IS NOT NULL AS there, c.aged_from,
        coalesce(c.expires_at, x.ends_at) AS expires_at,
        n.event, n.days, n.of_days, CASE WHEN a.words = '' THEN n.words ELSE a.words END AS words,
        d.sent, d.waiting, d.parked
    FROM (__ALERTS__) a
    LEFT JOIN credentials c ON a.subject_kind = 'credential' AND c.id = a.subject_id
    LEFT JOIN integrations i ON a.subject_kind = 'integration' AND i.id = a.subject_id
    LEFT JOIN clients x ON a.subject_kind = 'client' AND x.id = a.subject_id
    LEFT JOIN items t ON a.subject_kind = 'item' AND t.id = a.subject_id
    LEFT JOIN integrations f ON f.id = t.integration_id
    CROSS JOIN LATERAL (SELECT event, days, of_days, words FROM notices
        WHERE alert_id = a.id AND event <> 'closed' ORDER BY number DESC LIMIT 1) n
    CROSS JOIN LATERAL (__MESSAGES__) d";

const NOT_COUNTED: &str = "SELECT 0::bigint AS sent, 0::bigint AS waiting, 0::bigint AS parked";
const COUNTED: &str = "SELECT count(*) FILTER (WHERE e.state = 'sent') AS sent,
        count(*) FILTER (WHERE e.state IN ('ready', 'sending')) AS waiting,
        count(*) FILTER (WHERE e.state = 'parked') AS parked
    FROM notices m JOIN delivery_lines l ON l.notice_id = m.id JOIN deliveries e ON e.id = l.delivery_id
    WHERE m.alert_id = a.id";

/// These alerts as [`Line`]s, without their messages: those are 0.
pub(super) fn lines_of(alerts: &str) -> String {
    LINES.replace("__ALERTS__", alerts).replace("__MESSAGES__", NOT_COUNTED)
}

fn counted(which: &str) -> String {
    LINES.replace("__ALERTS__", &format!("SELECT * FROM alerts WHERE {which}")).replace("__MESSAGES__", COUNTED)
}

/// One alert.
pub fn line(conn: &mut Conn, id: AlertId) -> Result<Line, DbError> {
    Ok(diesel::sql_query(counted("id = $1")).bind::<SqlUuid, _>(id).get_result(conn)?)
}

/// The open alerts about a subject, for its page.
pub fn of_subject(conn: &mut Conn, subject: Uuid) -> Result<Vec<Line>, DbError> {
    let query = counted("subject_id = $1 AND closed_at IS NULL LIMIT 10");
    Ok(kept(diesel::sql_query(query).bind::<SqlUuid, _>(subject).load(conn)?, "alerts"))
}
