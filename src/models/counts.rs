//! The counts that stand beside the rows: triggers of the migrations add to them in the transaction of each change. What is
//! done here keeps them small and right. Those of credentials are read by `credential_summary`, those of integrations at
//! the end of this file.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, SmallInt, Text};

use super::due_alerts::PATIENCE;
use super::{Conn, DbError};

/// Held by the replica that folds or recounts, until its transaction ends.
const LOCK: i64 = 0x0043_4f55_4e54;

/// A table of counts: a sort is all of its `columns`, and its number the sum of its rows.
struct Kept {
    table: &'static str,
    columns: &'static str,
    /// The function that mends the sums.
    recount: &'static str,
}

const KEPT: [Kept; 2] = [
    Kept { table: "credential_counts", columns: "kind, what, own_limit, day", recount: "recount_credentials" },
    Kept { table: "integration_counts", columns: "family, rank", recount: "recount_integrations" },
];

#[derive(QueryableByName)]
struct Wrong {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Makes one row of each sort that has several; their sum stays, whoever adds one at the same time. How many rows are
/// gone; 0 also where another replica is at it. Call inside a transaction.
pub fn fold(conn: &mut Conn) -> Result<usize, DbError> {
    if !claim(conn)? {
        return Ok(0);
    }
    let mut gone = 0;
    for Kept { table, columns, .. } in KEPT {
        let kept = diesel::sql_query(format!(
            "WITH several AS MATERIALIZED (SELECT {columns} FROM {table} GROUP BY {columns} HAVING count(*) > 1),
                 taken AS (DELETE FROM {table} WHERE ({columns}) IN (SELECT {columns} FROM several)
                     RETURNING {columns}, number)
             INSERT INTO {table} ({columns}, number)
             SELECT {columns}, sum(number) FROM taken GROUP BY {columns} HAVING sum(number) <> 0"
        ));
        gone += kept.execute(conn)?;
    }
    Ok(gone)
}

/// Counts all rows again and mends the sums that are wrong; how many were. 0 also where another replica is at it. Nobody
/// who saves waits for it. Call inside a transaction.
pub fn recount(conn: &mut Conn) -> Result<i64, DbError> {
    if !claim(conn)? {
        return Ok(0);
    }
    let mut wrong = 0;
    for Kept { recount, .. } in KEPT {
        let found: Wrong = diesel::sql_query(format!("SELECT {recount}() AS number")).get_result(conn)?;
        wrong += found.number;
    }
    Ok(wrong)
}

/// One at a time: two recounts at once would both add what is missing. The next statement sees what the one before did.
fn claim(conn: &mut Conn) -> Result<bool, DbError> {
    let claimed = diesel::dsl::sql::<Bool>(&format!("SELECT pg_try_advisory_xact_lock({LOCK})")).get_result(conn)?;
    if claimed {
        conn.batch_execute(PATIENCE)?;
    }
    Ok(claimed)
}

/// How many integrations of a family have a rank; see `integration_query`.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct OfFamily {
    #[diesel(sql_type = Text)]
    pub family: String,
    #[diesel(sql_type = SmallInt)]
    pub rank: i16,
    #[diesel(sql_type = BigInt)]
    pub number: i64,
}

/// The integrations by family and rank.
pub fn of_integrations(conn: &mut Conn) -> Result<Vec<OfFamily>, DbError> {
    Ok(diesel::sql_query(
        "SELECT family, rank, sum(number)::bigint AS number FROM integration_counts GROUP BY family, rank
         HAVING sum(number) > 0",
    )
    .load(conn)?)
}
