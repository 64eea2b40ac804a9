//! Leases. A replica claims a row that waits, works on it, and renews the claim meanwhile; when the replica is gone the
//! lease ends, and another takes the row over. Runs and messages are claimed alike. Times are the database's, since the
//! clocks of replicas differ.

use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};

use super::{Conn, DbError, DeliveryId, ReplicaId};

/// How the rows of a table are claimed. Its parts are SQL in which `$1` is the replica.
pub(super) struct Lease {
    pub table: &'static str,
    /// The state of a row that waits, and of one that is worked on.
    pub waiting: &'static str,
    pub working: &'static str,
    /// How long a claim holds unless it is renewed.
    pub seconds: u32,
}

impl Lease {
    /// What a claim sets. Each counts as an attempt.
    pub fn claimed(&self) -> String {
        let (working, until) = (self.working, self.until());
        format!("state = '{working}', replica_id = $1, attempts = least(attempts, 999999) + 1, lease_until = {until}")
    }

    /// When a lease that begins now ends.
    pub fn until(&self) -> String {
        format!("now() + interval '{} seconds'", self.seconds)
    }

    /// Whether the replica holds the row.
    pub fn is_mine(&self) -> String {
        format!("state = '{}' AND replica_id = $1", self.working)
    }

    /// Whether the lease ended before the work did.
    pub fn has_ended(&self) -> String {
        format!("state = '{}' AND lease_until < now()", self.working)
    }

    /// Puts back what the replica has claimed and did not try: all of it, or these rows.
    pub fn give_back(&self, conn: &mut Conn, replica: ReplicaId, ids: Option<&[DeliveryId]>) -> Result<usize, DbError> {
        let (table, waiting, mine) = (self.table, self.waiting, self.is_mine());
        Ok(diesel::sql_query(format!(
            "UPDATE {table} SET state = '{waiting}', lease_until = NULL, attempts = greatest(attempts - 1, 0)
             WHERE {mine} AND ($2 IS NULL OR id = ANY($2))"
        ))
        .bind::<SqlUuid, _>(replica)
        .bind::<diesel::sql_types::Nullable<Array<SqlUuid>>, _>(ids)
        .execute(conn)?)
    }
}
