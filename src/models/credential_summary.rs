//! The credentials in numbers, for the dashboard: one pass over the table. Rows are the business of `credential_list`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use super::credential_list::EXPIRING_DAYS;
use super::{Conn, DbError};

/// Numbers for the dashboard.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// (kind, how many), most first.
    pub kinds: Vec<(String, i64)>,
    /// Ages of the secrets that age, by thirds of the limit: under a third, under two, under the limit, over it.
    pub ages: [i64; 4],
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
    #[diesel(sql_type = BigInt)]
    unused: i64,
    #[diesel(sql_type = BigInt)]
    expiring: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
}

pub fn summary(connection: &mut Conn, stale_days: i32) -> Result<Summary, DbError> {
    let counts: Vec<Counts> = diesel::sql_query(
        "SELECT kind, count(*) AS total,
            count(*) FILTER (WHERE ages AND now() - secret_set_at < make_interval(days => $1) / 3) AS first,
            count(*) FILTER (WHERE ages AND now() - secret_set_at >= make_interval(days => $1) / 3
                AND now() - secret_set_at < make_interval(days => $1) * 2 / 3) AS second,
            count(*) FILTER (WHERE ages AND now() - secret_set_at >= make_interval(days => $1) * 2 / 3
                AND now() - secret_set_at <= make_interval(days => $1)) AS third,
            count(*) FILTER (WHERE ages AND now() - secret_set_at > make_interval(days => $1)) AS stale,
            count(*) FILTER (WHERE usage_count = 0 AND NOT shipped) AS unused,
            count(*) FILTER (WHERE expires_at < now() + make_interval(days => $2)) AS expiring,
            count(*) FILTER (WHERE integrity_failed_at IS NOT NULL) AS failed
         FROM credentials GROUP BY kind ORDER BY total DESC, kind",
    )
    .bind::<Integer, _>(stale_days)
    .bind::<Integer, _>(EXPIRING_DAYS)
    .load(connection)?;
    let mut summary = Summary::default();
    for row in counts {
        summary.kinds.push((row.kind, row.total));
        for (sum, part) in summary.ages.iter_mut().zip([row.first, row.second, row.third, row.stale]) {
            *sum += part;
        }
        summary.unused += row.unused;
        summary.expiring += row.expiring;
        summary.failed_integrity += row.failed;
    }
    Ok(summary)
}
