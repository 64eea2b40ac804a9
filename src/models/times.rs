//! Times as the database keeps them. PostgreSQL has `infinity` and years that chrono has not. Such a value, or none where
//! there must be one, was put there by hand: it is read as a far time, so that one row does not take a whole page or
//! queue with it. A signed row is refused as before, since its signature is over another time.
//!
//! A row that has a time names one of these types: `#[diesel(deserialize_as = Time)]`.

use chrono::{DateTime, Datelike, Utc};
use diesel::data_types::PgTimestamp;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Nullable, Timestamptz};

/// Of a column that always has one.
#[derive(Clone, Copy, Debug, FromSqlRow)]
pub struct Time(DateTime<Utc>);

/// Of a column that may be empty.
#[derive(Clone, Copy, Debug, FromSqlRow)]
pub struct MaybeTime(Option<DateTime<Utc>>);

impl From<Time> for DateTime<Utc> {
    fn from(Time(at): Time) -> Self {
        at
    }
}

impl From<MaybeTime> for Option<DateTime<Utc>> {
    fn from(MaybeTime(at): MaybeTime) -> Self {
        at
    }
}

/// Microseconds from 1970, from where chrono counts, to 2000, from where PostgreSQL does.
const BETWEEN_EPOCHS: i64 = 946_684_800_000_000;
/// Leaves room to add and take days without leaving the years that chrono has.
const YEARS: i32 = 200_000;
/// The last second of the year 9999, and the first of the year 1.
const FARTHEST: i64 = 253_402_300_799;
const EARLIEST: i64 = -62_135_596_800;

/// `micros`: since 2000; the least and the greatest stand for `-infinity` and `infinity`.
fn time(micros: i64) -> DateTime<Utc> {
    let exact = micros.checked_add(BETWEEN_EPOCHS).and_then(DateTime::from_timestamp_micros);
    let far = || DateTime::from_timestamp(if micros < 0 { EARLIEST } else { FARTHEST }, 0);
    exact.filter(|at| at.year().abs() < YEARS).or_else(far).unwrap_or_default()
}

const DAY_SECONDS: i64 = 86_400;

/// Whole days since a moment: the age of a key in every list, alert and chart. 0 for a moment that has not come.
pub fn days_since(at: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    now.signed_duration_since(at).num_days().max(0)
}

/// Days until a moment, a part of one being one: 1 in the last 24 hours, 0 or less once it has come. So is what alerts
/// say at their stages.
pub fn days_left(at: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    -(now.signed_duration_since(at).num_seconds().div_euclid(DAY_SECONDS))
}

impl FromSql<Timestamptz, Pg> for Time {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let PgTimestamp(micros) = FromSql::<Timestamptz, Pg>::from_sql(bytes)?;
        Ok(Self(time(micros)))
    }

    fn from_nullable_sql(bytes: Option<PgValue<'_>>) -> deserialize::Result<Self> {
        bytes.map_or(Ok(Self(time(i64::MAX))), FromSql::<Timestamptz, Pg>::from_sql)
    }
}

impl FromSql<Nullable<Timestamptz>, Pg> for MaybeTime {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let Time(at) = FromSql::<Timestamptz, Pg>::from_sql(bytes)?;
        Ok(Self(Some(at)))
    }

    fn from_nullable_sql(bytes: Option<PgValue<'_>>) -> deserialize::Result<Self> {
        bytes.map_or(Ok(Self(None)), FromSql::<Nullable<Timestamptz>, Pg>::from_sql)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_day_is_no_day_of_age_and_one_that_is_left() {
        let now = DateTime::<Utc>::from_timestamp(1_800_000_000, 0).unwrap();
        let at = |seconds: i64| now + chrono::Duration::seconds(seconds);
        assert_eq!([-1, -86_399, -86_400, 5].map(|seconds| days_since(at(seconds), now)), [0, 0, 1, 0]);
        assert_eq!([1, 86_400, 86_401, 0, -1, -86_401].map(|seconds| days_left(at(seconds), now)), [1, 1, 2, 0, 0, -1]);
    }

    #[test]
    fn times_that_chrono_does_not_have_are_far_away() {
        assert_eq!(time(0).to_rfc3339(), "2000-01-01T00:00:00+00:00");
        assert_eq!(time(i64::MAX).year(), 9999);
        assert_eq!(time(i64::MIN).year(), 1);
        // The last moment that PostgreSQL has.
        assert_eq!(time(9_223_371_331_199_999_999).year(), 9999);
    }
}
