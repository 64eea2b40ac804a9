//! The five figures of the dashboard, one row a day: written by a job from the counts that are kept, read for the lines
//! beside the figures. There is no row for a day on which no console ran.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::Date;

use super::credential_limits::Limits;
use super::credential_summary::{self, Summary};
use super::discovery::{self, Counts};
use super::schema::daily_figures as table;
use super::unwell::{self, Cause};
use super::{Conn, DbError};

/// Days that are kept.
const KEEP: i32 = 366;

/// What the dashboard counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = table)]
pub struct Figures {
    pub credentials: i64,
    pub stale: i64,
    pub failing: i64,
    pub expiring: i64,
    pub not_covered: i64,
}

impl Figures {
    pub fn of(summary: &Summary, unwell: &[Cause], discovered: Counts) -> Self {
        Self {
            credentials: summary.total(),
            stale: summary.stale,
            failing: unwell::failing(unwell) + summary.failed_tests,
            expiring: summary.expiring,
            not_covered: discovered.open_registries + discovered.open_functions,
        }
    }
}

/// The figures of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = table)]
pub struct Day {
    pub day: NaiveDate,
    #[diesel(embed)]
    pub figures: Figures,
}

/// Counts now.
pub fn now(conn: &mut Conn, limits: &Limits) -> Result<Figures, DbError> {
    let (summary, unwell) = (credential_summary::summary(conn, limits)?, unwell::causes(conn, 1)?);
    Ok(Figures::of(&summary, &unwell, discovery::counts(conn)?))
}

fn today() -> diesel::expression::SqlLiteral<Date> {
    diesel::dsl::sql::<Date>("(now() AT TIME ZONE 'UTC')::date")
}

/// Keeps the figures of today, over those that an earlier hour of it left, and forgets those of more than a year ago.
pub fn keep(conn: &mut Conn, figures: &Figures) -> Result<(), DbError> {
    diesel::insert_into(table::table)
        .values((table::day.eq(today()), figures))
        .on_conflict(table::day)
        .do_update()
        .set(figures)
        .execute(conn)?;
    let old = diesel::dsl::sql::<Date>(&format!("((now() AT TIME ZONE 'UTC')::date - {KEEP})"));
    diesel::delete(table::table.filter(table::day.lt(old))).execute(conn)?;
    Ok(())
}

/// The last days before today, the oldest first.
pub fn before_today(conn: &mut Conn, days: i32) -> Result<Vec<Day>, DbError> {
    let first = diesel::dsl::sql::<Date>(&format!("((now() AT TIME ZONE 'UTC')::date - {days})"));
    let rows = table::table.filter(table::day.ge(first).and(table::day.lt(today())));
    Ok(rows.order(table::day).select(Day::as_select()).load(conn)?)
}
