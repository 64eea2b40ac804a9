//! What a person should look at first: stale and expiring credentials, failed tests, rows that fail their checks.
//! Straight from the credentials, for the dashboard: what alerts make of it, and whom they told, is in `alerts`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Text, Timestamptz, Uuid as SqlUuid};

use super::credential_limits::Limits;
use super::credential_query::EXPIRING_DAYS;
use super::times::Time;
use super::{Conn, CredentialId, DbError};

/// One credential and why it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention {
    pub id: CredentialId,
    pub name: String,
    pub usages: i32,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The stored value is not what Strongroom saved.
    Integrity,
    /// The last test found this.
    FailedTest(String),
    /// Days since the secret was made, beyond the limit.
    Stale(i64),
    /// Days until it expires; below zero when it has expired.
    Expiring(i64, DateTime<Utc>),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: CredentialId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    usage_count: i32,
    #[diesel(sql_type = Text)]
    why: String,
    #[diesel(sql_type = Text)]
    verdict: String,
    #[diesel(sql_type = Timestamptz)]
    #[diesel(deserialize_as = Time)]
    at: DateTime<Utc>,
    /// Whole days since `at`, rounded down.
    #[diesel(sql_type = Double)]
    days: f64,
}

/// The most urgent of each sort: altered rows, then failed tests, then stale ones from the oldest, then those that
/// expire next.
pub fn list(conn: &mut Conn, limits: &Limits, each: i64) -> Result<Vec<Attention>, DbError> {
    let (kinds, days, by_nature) = limits.columns();
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT id, name, usage_count, why, verdict, at,
            CASE WHEN isfinite(at) THEN floor(extract(epoch FROM now() - at) / 86400) ELSE 0 END::float8 AS days FROM (
            (SELECT id, name, usage_count, 'integrity' AS why, '' AS verdict, integrity_failed_at AS at FROM credentials
                WHERE integrity_failed_at IS NOT NULL ORDER BY integrity_failed_at LIMIT $3)
            UNION ALL
            (SELECT id, name, usage_count, 'test', test_verdict, tested_at FROM credentials
                WHERE test_failed ORDER BY tested_at DESC LIMIT $3)
            UNION ALL
            (SELECT * FROM (
                SELECT c.* FROM unnest($1, $4, $5) AS l (kind, days, by_nature) CROSS JOIN LATERAL (
                    SELECT id, name, usage_count, 'stale', '', aged_from AS at FROM credentials
                    WHERE kind = l.kind AND stale_after_days IS NULL AND NOT shipped AND (ages OR NOT l.by_nature)
                        AND aged_from < now() - make_interval(days => l.days) ORDER BY aged_from LIMIT $3) AS c
                UNION ALL (
                    SELECT id, name, usage_count, 'stale', '', aged_from FROM credentials
                    WHERE stale_after_days > 0 AND aged_from < now() - make_interval(days => stale_after_days)
                    ORDER BY aged_from LIMIT $3)) AS old
             ORDER BY at LIMIT $3)
            UNION ALL
            (SELECT id, name, usage_count, 'expiring', '', expires_at FROM credentials
                WHERE expires_at < now() + make_interval(days => $2) ORDER BY expires_at LIMIT $3)
         ) AS found",
    )
    .bind::<Array<Text>, _>(kinds)
    .bind::<Integer, _>(EXPIRING_DAYS)
    .bind::<BigInt, _>(each)
    .bind::<Array<Integer>, _>(days)
    .bind::<Array<Bool>, _>(by_nature)
    .load(conn)?;
    Ok(rows.into_iter().map(attention).collect())
}

fn attention(row: Row) -> Attention {
    let days = row.days as i64;
    let why = match row.why.as_str() {
        "integrity" => Why::Integrity,
        "test" => Why::FailedTest(row.verdict),
        "stale" => Why::Stale(days),
        _ => Why::Expiring(-days - 1, row.at),
    };
    Attention { id: row.id, name: row.name, usages: row.usage_count, why }
}
