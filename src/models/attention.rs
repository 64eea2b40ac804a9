//! The worst of each sort of credential that a person should look at: rows that fail their checks, failed tests, stale
//! and expiring ones. How many there are of each is in `credential_summary`; what alerts make of it, and whom they told,
//! is in `alerts`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Text, Timestamptz, Uuid as SqlUuid};

use super::credential_limits::Limits;
use super::credential_query::EXPIRING_DAYS;
use super::times::{self, Time};
use super::{Conn, CredentialId, DbError};

/// One credential and why it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention {
    pub id: CredentialId,
    pub kind: String,
    pub name: String,
    pub usages: i32,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The stored value is not what Strongroom saved, as was seen then.
    Tampered(DateTime<Utc>),
    /// The last test found this, then.
    FailedTest(String, DateTime<Utc>),
    /// Days since the secret was made, beyond the limit.
    Stale(i64),
    /// Days until it expires; 0 or less when it has expired.
    Expiring(i64, DateTime<Utc>),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: CredentialId,
    #[diesel(sql_type = Text)]
    kind: String,
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
}

/// The most urgent of each sort: altered rows, then failed tests, then stale ones from the oldest, then those that
/// expire next.
pub fn list(conn: &mut Conn, limits: &Limits, each: i64, now: DateTime<Utc>) -> Result<Vec<Attention>, DbError> {
    let (kinds, days, by_nature) = limits.columns();
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT id, kind, name, usage_count, why, verdict, at FROM (
            (SELECT id, kind, name, usage_count, 'integrity' AS why, '' AS verdict, integrity_failed_at AS at
                FROM credentials WHERE integrity_failed_at IS NOT NULL ORDER BY integrity_failed_at LIMIT $3)
            UNION ALL
            (SELECT id, kind, name, usage_count, 'test', test_verdict, tested_at FROM credentials
                WHERE test_failed ORDER BY tested_at DESC LIMIT $3)
            UNION ALL
            (SELECT * FROM (
                SELECT c.* FROM unnest($1, $4, $5) AS l (kind, days, by_nature) CROSS JOIN LATERAL (
                    SELECT id, kind, name, usage_count, 'stale', '', aged_from AS at FROM credentials
                    WHERE kind = l.kind AND stale_after_days IS NULL AND NOT shipped AND (ages OR NOT l.by_nature)
                        AND aged_from < now() - make_interval(days => l.days) ORDER BY aged_from LIMIT $3) AS c
                UNION ALL (
                    SELECT id, kind, name, usage_count, 'stale', '', aged_from FROM credentials
                    WHERE stale_after_days > 0 AND aged_from < now() - make_interval(days => stale_after_days)
                    ORDER BY aged_from LIMIT $3)) AS old
             ORDER BY at LIMIT $3)
            UNION ALL
            (SELECT id, kind, name, usage_count, 'expiring', '', expires_at FROM credentials
                WHERE expires_at < now() + make_interval(days => $2) ORDER BY expires_at LIMIT $3)
         ) AS found",
    )
    .bind::<Array<Text>, _>(kinds)
    .bind::<Integer, _>(EXPIRING_DAYS)
    .bind::<BigInt, _>(each)
    .bind::<Array<Integer>, _>(days)
    .bind::<Array<Bool>, _>(by_nature)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| attention(row, now)).collect())
}

fn attention(Row { id, kind, name, usage_count, why, verdict, at }: Row, now: DateTime<Utc>) -> Attention {
    let why = match why.as_str() {
        "integrity" => Why::Tampered(at),
        "test" => Why::FailedTest(verdict, at),
        "stale" => Why::Stale(times::days_since(at, now)),
        _ => Why::Expiring(times::days_left(at, now), at),
    };
    Attention { id, kind, name, usages: usage_count, why }
}
