//! The one statement that appends an event to its lane. Diesel prepares an UPDATE of its own anew each time; this one
//! is prepared once a connection, and saves a round trip in every change.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Nullable, SmallInt, Text, Timestamptz, Uuid};

use super::Conn;
use super::events::Event;

/// Moves the head of a lane and writes the event that it then points to. Affects one row, or none where the lane is gone
/// or a trigger swallowed one of the two.
pub(super) struct Append<'a> {
    pub event: &'a Event,
    /// Over the new head.
    pub head_mac: &'a [u8],
}

impl QueryId for Append<'_> {
    type QueryId = Append<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<Conn> for Append<'_> {}

impl QueryFragment<Pg> for Append<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let event = self.event;
        out.push_sql("WITH moved AS (UPDATE audit_lanes SET seq = ");
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
