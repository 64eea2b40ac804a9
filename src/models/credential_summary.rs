//! The credentials in numbers, for the dashboard and for whatever leads to a list: one answer for all. They are summed up
//! from `credential_counts`, so they cost the same however many credentials there are. Rows are the business of
//! `credential_list`.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};

use super::credential_limits::Limits;
use super::credential_query::EXPIRING_DAYS;
use super::{Conn, DbError};

/// Parts in which ages are counted: sixths of the limit below it, then thirds of it above, the last without end.
pub const PARTS: usize = 10;
/// The first part that is over the limit.
pub const OVER: usize = 6;

/// Numbers of credentials. What ships with the product is in `kinds`, and not in `unused` and `untested`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// (kind, how many), most first.
    pub kinds: Vec<(String, i64)>,
    /// Ages of the secrets that have a limit, in [`PARTS`].
    pub ages: [i64; PARTS],
    /// Those over their limit: what the state *stale* lists.
    pub stale: i64,
    /// The least and the greatest of these limits, in days.
    pub limits: Option<(i32, i32)>,
    pub shipped: i64,
    pub unused: i64,
    /// Within [`EXPIRING_DAYS`], or already.
    pub expiring: i64,
    pub failed_tests: i64,
    pub untested: i64,
    pub failed_integrity: i64,
}

impl Summary {
    pub fn total(&self) -> i64 {
        self.kinds.iter().map(|(_, count)| count).sum()
    }
}

/// A sum: of a kind, of a part of the ages, or of all.
#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    part: i32,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    least: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    greatest: Option<i32>,
}

/// Days are counted whole. Of the day on which a bound falls, an index tells how many are past it: `late` of a limit, and
/// those that end within the days of `$4`. A day in no year is as good as one far away.
const SUMS: &str = "
    WITH limits AS MATERIALIZED (SELECT kind, days, by_nature FROM unnest($1, $2, $3) AS l (kind, days, by_nature)),
    counts AS MATERIALIZED (SELECT kind, what, own_limit, day, sum(number)::bigint AS number FROM credential_counts
        GROUP BY kind, what, own_limit, day HAVING sum(number) <> 0),
    own_limits AS MATERIALIZED (SELECT DISTINCT own_limit AS days FROM counts WHERE what = 'own'),
    bounds AS MATERIALIZED (SELECT days, ((now() - make_interval(days => days)) AT TIME ZONE 'UTC')::date AS bound
        FROM (SELECT days FROM limits UNION SELECT days FROM own_limits) d),
    aged AS (SELECT number, b.days, bound, greatest(least(day, bound + 99999), bound - 99999) AS day
        FROM (SELECT c.number, c.day, CASE c.what WHEN 'own' THEN c.own_limit ELSE l.days END AS days
            FROM counts c LEFT JOIN limits l
                ON l.kind = c.kind AND (c.what = 'ages' OR c.what = 'stays' AND NOT l.by_nature)
            WHERE c.what IN ('ages', 'stays', 'own')) c
        JOIN bounds b ON b.days = c.days),
    ending AS (SELECT (now() + make_interval(days => $4)) AS bound)
    SELECT what, kind, 0 AS part, number, NULL::int AS least, NULL::int AS greatest FROM counts
        WHERE what NOT IN ('ages', 'stays', 'own', 'expires')
    UNION ALL
    SELECT 'age', '', part, sum(number)::bigint, min(days), max(days)
        FROM (SELECT number, days, CASE WHEN day > bound THEN greatest(least((days - (day - bound)) * 6 / days, 5), 0)
            WHEN day = bound THEN 5 ELSE least(6 + (bound - day - 1) * 3 / days, 9) END AS part FROM aged) a
        GROUP BY part
    UNION ALL
    SELECT 'late', '', 0, coalesce(sum(number), 0)::bigint, NULL, NULL FROM (
        SELECT count(*) AS number FROM limits l JOIN credentials c ON c.kind = l.kind AND c.stale_after_days IS NULL
            AND NOT c.shipped AND (c.ages OR NOT l.by_nature) AND c.aged_from < now() - make_interval(days => l.days)
            AND c.aged_from >= date_trunc('day', now() - make_interval(days => l.days), 'UTC')
        UNION ALL
        SELECT count(*) FROM own_limits l JOIN credentials c ON c.stale_after_days > 0 AND c.stale_after_days = l.days
            AND c.aged_from < now() - make_interval(days => l.days)
            AND c.aged_from >= date_trunc('day', now() - make_interval(days => l.days), 'UTC')) late
    UNION ALL
    SELECT 'expires', '', 0, coalesce((SELECT sum(number)::bigint FROM counts
            WHERE what = 'expires' AND day < (bound AT TIME ZONE 'UTC')::date), 0)
        + (SELECT count(*) FROM credentials
            WHERE expires_at < bound AND expires_at >= date_trunc('day', bound, 'UTC')), NULL, NULL FROM ending
    ORDER BY number DESC, kind";

pub fn summary(connection: &mut Conn, limits: &Limits) -> Result<Summary, DbError> {
    let (kinds, days, by_nature) = limits.columns();
    let sums: Vec<Sum> = diesel::sql_query(SUMS)
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<Integer>, _>(days)
        .bind::<Array<Bool>, _>(by_nature)
        .bind::<Integer, _>(EXPIRING_DAYS)
        .load(connection)?;
    let (mut summary, mut late) = (Summary::default(), 0);
    for Sum { what, kind, part, number, least, greatest } in sums {
        match what.as_str() {
            "all" => summary.kinds.push((kind, number)),
            "shipped" => summary.shipped += number,
            "unused" => summary.unused += number,
            "failed_test" => summary.failed_tests += number,
            "untested" => summary.untested += number,
            "tampered" => summary.failed_integrity += number,
            "expires" => summary.expiring += number,
            "late" => late += number,
            _ => {
                if let Some(ages) = usize::try_from(part).ok().and_then(|part| summary.ages.get_mut(part)) {
                    *ages += number;
                }
                summary.limits = widened(summary.limits, least.zip(greatest));
            }
        }
    }
    // Of the day on which the limit falls.
    summary.ages[OVER - 1] -= late;
    summary.ages[OVER] += late;
    summary.stale = summary.ages[OVER..].iter().sum();
    Ok(summary)
}

fn widened(known: Option<(i32, i32)>, found: Option<(i32, i32)>) -> Option<(i32, i32)> {
    match (known, found) {
        (Some((least, greatest)), Some((less, more))) => Some((least.min(less), greatest.max(more))),
        (known, found) => known.or(found),
    }
}
