//! The counts of the credentials beside the credentials: triggers of the migration add to them in the transaction of each
//! change. What is done here keeps them small and right; they are read by `credential_summary`.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::due_alerts::PATIENCE;
use super::{Conn, DbError};

/// Held by the replica that folds or recounts, until its transaction ends.
const LOCK: i64 = 0x0043_4f55_4e54;

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
    let several = "SELECT kind, what, own_limit, day FROM credential_counts GROUP BY kind, what, own_limit, day
        HAVING count(*) > 1";
    let kept = diesel::sql_query(format!(
        "WITH several AS MATERIALIZED ({several}),
             taken AS (DELETE FROM credential_counts c USING several s
                 WHERE (c.kind, c.what, c.own_limit, c.day) = (s.kind, s.what, s.own_limit, s.day) RETURNING c.*)
         INSERT INTO credential_counts (kind, what, own_limit, day, number)
         SELECT kind, what, own_limit, day, sum(number) FROM taken GROUP BY kind, what, own_limit, day
         HAVING sum(number) <> 0"
    ));
    Ok(kept.execute(conn)?)
}

/// Counts all credentials again and mends the sums that are wrong; how many were. 0 also where another replica is at it.
/// Nobody who saves waits for it. Call inside a transaction.
pub fn recount(conn: &mut Conn) -> Result<i64, DbError> {
    if !claim(conn)? {
        return Ok(0);
    }
    let found: Wrong = diesel::sql_query("SELECT recount_credentials() AS number").get_result(conn)?;
    Ok(found.number)
}

/// One at a time: two recounts at once would both add what is missing. The next statement sees what the one before did.
fn claim(conn: &mut Conn) -> Result<bool, DbError> {
    let claimed = diesel::dsl::sql::<Bool>(&format!("SELECT pg_try_advisory_xact_lock({LOCK})")).get_result(conn)?;
    if claimed {
        conn.batch_execute(PATIENCE)?;
    }
    Ok(claimed)
}
