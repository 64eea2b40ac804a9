//! Statements that are sent as one. Diesel has no WITH, and prepares none of its own UPDATEs; what is here is prepared
//! once a connection, and saves a round trip for each statement that it takes in.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Nullable, SmallInt, Text, Timestamptz, Uuid};

use super::Conn;
use super::events::Event;

/// Moves the head of a lane and writes the event that it then points to, after what the event tells of. Affects one row,
/// or none where the lane is gone or a trigger swallowed the head or the event.
pub(super) struct Append<'a, T = ()> {
    pub event: &'a Event,
    /// Over the new head.
    pub head_mac: &'a [u8],
    /// `()` or [`Both`].
    pub change: T,
}

impl<T: QueryId> QueryId for Append<'_, T> {
    type QueryId = Append<'static, T::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = T::HAS_STATIC_QUERY_ID;
}

impl<T> RunQueryDsl<Conn> for Append<'_, T> {}

impl<T: QueryFragment<Pg>> QueryFragment<Pg> for Append<'_, T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let event = self.event;
        out.push_sql("WITH ");
        self.change.walk_ast(out.reborrow())?;
        out.push_sql("moved AS (UPDATE audit_lanes SET seq = ");
        out.push_bind_param::<BigInt, _>(&event.seq)?;
        out.push_sql(", mac = ");
        out.push_bind_param::<Binary, _>(&event.mac)?;
        out.push_sql(", head_mac = ");
        out.push_bind_param::<Binary, _>(self.head_mac)?;
        out.push_sql(" WHERE lane = ");
        out.push_bind_param::<SmallInt, _>(&event.lane)?;
        out.push_sql(
            " RETURNING lane, seq, mac)
             INSERT INTO events (lane, seq, mac, at, actor, action, subject_kind, subject_id, subject_name, detail,
                 address, subject_version)
             SELECT moved.lane, moved.seq, moved.mac",
        );
        separated::<Timestamptz, _>(&mut out, &event.at)?;
        separated::<Text, _>(&mut out, &event.actor)?;
        separated::<Text, _>(&mut out, &event.action)?;
        separated::<Text, _>(&mut out, &event.subject_kind)?;
        separated::<Nullable<Uuid>, _>(&mut out, &event.subject_id)?;
        separated::<Text, _>(&mut out, &event.subject_name)?;
        separated::<Text, _>(&mut out, &event.detail)?;
        separated::<Text, _>(&mut out, &event.address)?;
        separated::<Nullable<BigInt>, _>(&mut out, &event.subject_version)?;
        out.push_sql(" FROM moved");
        Ok(())
    }
}

/// A comma and a value.
fn separated<'b, T, U>(out: &mut AstPass<'_, 'b, Pg>, value: &'b U) -> QueryResult<()>
where
    Pg: diesel::sql_types::HasSqlType<T>,
    U: diesel::serialize::ToSql<T, Pg>,
{
    out.push_sql(", ");
    out.push_bind_param::<T, U>(value)
}

/// Two statements that write, for [`Append`]. Neither sees what the other writes; foreign keys and triggers do, since they
/// are looked at when both are done.
#[derive(QueryId)]
pub(super) struct Both<F, S>(pub F, pub S);

impl<F: QueryFragment<Pg>, S: QueryFragment<Pg>> QueryFragment<Pg> for Both<F, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("first AS (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql("), second AS (");
        self.1.walk_ast(out.reborrow())?;
        out.push_sql("), ");
        Ok(())
    }
}

/// A query whose row of `audit_lanes` is locked, and no row of another table; passes over lanes that others hold.
#[derive(QueryId)]
pub(super) struct WithFreeLane<Q>(pub Q);

impl<Q: Query> Query for WithFreeLane<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> RunQueryDsl<Conn> for WithFreeLane<Q> {}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for WithFreeLane<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" FOR UPDATE OF audit_lanes SKIP LOCKED");
        Ok(())
    }
}
