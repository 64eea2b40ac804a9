//! The credentials in numbers, for the dashboard: one pass over the table. Rows are the business of `credential_list`.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};

use super::credential_limits::Limits;
use super::credential_query::EXPIRING_DAYS;
use super::{Conn, DbError};

/// Numbers for the dashboard.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// (kind, how many), most first.
    pub kinds: Vec<(String, i64)>,
    /// Ages of the secrets that have a limit, by thirds of it: under a third, under two, under the limit, over it.
    pub ages: [i64; 4],
    /// The least and the greatest of these limits, in days.
    pub limits: Option<(i32, i32)>,
    pub unused: i64,
    pub expiring: i64,
    pub failed_integrity: i64,
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = BigInt)]
    first: i64,
    #[diesel(sql_type = BigInt)]
    second: i64,
    #[diesel(sql_type = BigInt)]
    third: i64,
    #[diesel(sql_type = BigInt)]
    stale: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    least: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    greatest: Option<i32>,
    #[diesel(sql_type = BigInt)]
    unused: i64,
    #[diesel(sql_type = BigInt)]
    expiring: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
}

/// The bounds of a type's limit are worked out once, those of a credential's own limit for its row.
const COUNTS: &str = "
    WITH limits AS MATERIALIZED (
        SELECT kind, by_nature, days, now() - make_interval(days => days) / 3 AS third,
            now() - make_interval(days => days) * 2 / 3 AS two_thirds, now() - make_interval(days => days) AS whole
        FROM unnest($1, $2, $3) AS l (kind, days, by_nature)),
    aged AS (
        SELECT c.kind, aged_from AS at, usage_count, shipped, expires_at, integrity_failed_at,
            CASE WHEN own IS NULL THEN l.days ELSE nullif(own, 0) END AS days,
            CASE WHEN own IS NULL THEN third ELSE now() - make_interval(days => nullif(own, 0)) / 3 END AS third,
            CASE WHEN own IS NULL THEN two_thirds ELSE now() - make_interval(days => nullif(own, 0)) * 2 / 3 END AS two_thirds,
            CASE WHEN own IS NULL THEN whole ELSE now() - make_interval(days => nullif(own, 0)) END AS whole
        FROM (SELECT *, stale_after_days AS own FROM credentials) AS c
        LEFT JOIN limits l ON l.kind = c.kind AND (c.ages OR NOT l.by_nature) AND NOT c.shipped)
    SELECT kind, count(*) AS total,
        count(*) FILTER (WHERE at > third) AS first,
        count(*) FILTER (WHERE at <= third AND at > two_thirds) AS second,
        count(*) FILTER (WHERE at <= two_thirds AND at >= whole) AS third,
        count(*) FILTER (WHERE at < whole) AS stale,
        min(days) AS least, max(days) AS greatest,
        count(*) FILTER (WHERE usage_count = 0 AND NOT shipped) AS unused,
        count(*) FILTER (WHERE expires_at < now() + make_interval(days => $4)) AS expiring,
        count(*) FILTER (WHERE integrity_failed_at IS NOT NULL) AS failed
    FROM aged GROUP BY kind ORDER BY total DESC, kind";

pub fn summary(connection: &mut Conn, limits: &Limits) -> Result<Summary, DbError> {
    let (kinds, days, by_nature) = limits.columns();
    let counts: Vec<Counts> = diesel::sql_query(COUNTS)
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<Integer>, _>(days)
        .bind::<Array<Bool>, _>(by_nature)
        .bind::<Integer, _>(EXPIRING_DAYS)
        .load(connection)?;
    let mut summary = Summary::default();
    for row in counts {
        summary.kinds.push((row.kind, row.total));
        for (sum, part) in summary.ages.iter_mut().zip([row.first, row.second, row.third, row.stale]) {
            *sum += part;
        }
        if let Some((least, greatest)) = row.least.zip(row.greatest) {
            let (low, high) = summary.limits.unwrap_or((least, greatest));
            summary.limits = Some((low.min(least), high.max(greatest)));
        }
        summary.unused += row.unused;
        summary.expiring += row.expiring;
        summary.failed_integrity += row.failed;
    }
    Ok(summary)
}
