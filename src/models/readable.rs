//! Rows of which one that cannot be read does not take the others with it. It holds what Strongroom never writes, such as
//! no value where there must be one; `verification` names it.

use diesel::backend::Backend;
use diesel::deserialize::{self, QueryableByName};
use diesel::row::NamedRow;

/// `None` for a row that cannot be read.
#[derive(Debug)]
pub(super) struct Readable<T>(pub Option<T>);

impl<T: QueryableByName<DB>, DB: Backend> QueryableByName<DB> for Readable<T> {
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        Ok(Self(T::build(row).ok()))
    }
}

/// Those that can be read. That others cannot goes to the log.
pub(super) fn kept<T>(rows: Vec<Readable<T>>, table: &'static str) -> Vec<T> {
    let all = rows.len();
    let kept: Vec<T> = rows.into_iter().filter_map(|row| row.0).collect();
    if kept.len() < all {
        tracing::error!(
            table,
            unreadable = all - kept.len(),
            "rows hold values that Strongroom never writes; run verify"
        );
    }
    kept
}
