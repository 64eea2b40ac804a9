//! What the sidebar counts, whichever page it stands beside: each number bounded or from the counts that are kept.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::cloud_keys::{self, Count, Filter};
use super::{Conn, DbError};

/// `None`: not read yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub credentials: Option<Count>,
    pub integrations: Option<Count>,
    pub cloud_keys: Option<Count>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    credentials: i64,
    #[diesel(sql_type = BigInt)]
    integrations: i64,
}

pub fn read(conn: &mut Conn) -> Result<Totals, DbError> {
    let Row { credentials, integrations } = diesel::sql_query(
        "SELECT (SELECT coalesce(sum(number), 0)::bigint FROM credential_counts WHERE what = 'all') AS credentials,
            (SELECT coalesce(sum(number), 0)::bigint FROM integration_counts) AS integrations",
    )
    .get_result(conn)?;
    let [cloud_keys] = cloud_keys::counts(conn, [Filter::All], 0)?;
    Ok(Totals {
        credentials: Some(Count { number: credentials, more: false }),
        integrations: Some(Count { number: integrations, more: false }),
        cloud_keys: Some(cloud_keys).filter(|count| count.number > 0),
    })
}
