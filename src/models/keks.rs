//! Master keys as the database knows them: their state and a value that proves who holds them, never the key.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use uuid::Uuid;

use super::events::{self, Actor, NewEvent};
use super::schema::{keks, replicas};
use super::{Conn, DbError};
use crate::vault::Vault;

#[derive(Clone, Debug, Queryable, Selectable)]
pub struct Kek {
    pub id: i32,
    pub state: String,
    pub key_check_value: Vec<u8>,
    pub created_at: DateTime<Utc>,
    pub activated_at: Option<DateTime<Utc>>,
    pub verified_at: Option<DateTime<Utc>>,
}

pub fn list(connection: &mut Conn) -> Result<Vec<Kek>, DbError> {
    Ok(keks::table.order(keks::id).select(Kek::as_select()).load(connection)?)
}

/// Every column group that is sealed: (table, prefix of its three columns). Checked against the schema by a test, so
/// that a re-wrap cannot forget one.
pub const SEALED: &[(&str, &str)] = &[("credentials", ""), ("users", "password_"), ("users", "totp_")];

/// How many values are wrapped by each master key.
pub fn wrapped_by(connection: &mut Conn, id: i32) -> Result<i64, DbError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let count: Count = diesel::sql_query(
        "SELECT (SELECT count(*) FROM credentials WHERE kek_id = $1)
              + (SELECT count(*) FROM users WHERE password_kek_id = $1)
              + (SELECT count(*) FROM users WHERE totp_kek_id = $1) AS count",
    )
    .bind::<Integer, _>(id)
    .get_result(connection)?;
    Ok(count.count)
}

/// The first key of a new deployment, active from the start.
pub fn found(connection: &mut Conn, vault: &Vault) -> Result<(), DbError> {
    for (place, id) in vault.kek_ids().into_iter().enumerate() {
        register_as(connection, vault, id, if place == 0 { "active" } else { "pending" })?;
    }
    Ok(())
}

fn register_as(connection: &mut Conn, vault: &Vault, id: i32, state: &str) -> Result<(), DbError> {
    let value = vault.key_check_value(id).ok_or(DbError::MissingKek(crate::vault::MissingKek(id)))?;
    let activated_at = if state == "active" { Some(super::clock(connection)?) } else { None };
    let row = (
        keks::id.eq(id),
        keks::wraps.eq(Some(id)),
        keks::state.eq(state),
        keks::key_check_value.eq(value),
        keks::activated_at.eq(activated_at),
    );
    diesel::insert_into(keks::table).values(row).on_conflict(keks::id).do_nothing().execute(connection)?;
    Ok(())
}

fn event<'a>(action: &'static str, name: &'a str) -> NewEvent<'a> {
    NewEvent { action, subject_kind: "key", subject_id: None, subject_name: name, detail: String::new() }
}

/// Makes a key of the ring known to the database, pending.
pub fn register(connection: &mut Conn, vault: &Vault, actor: &Actor, id: i32) -> Result<(), DbError> {
    register_as(connection, vault, id, "pending")?;
    events::record(connection, vault, actor, &event("key.added", &format!("master key {id}")))
}

/// Replicas seen in the last 30 seconds that do not hold the key.
pub fn replicas_without(connection: &mut Conn, id: i32) -> Result<Vec<Uuid>, DbError> {
    let recent = diesel::dsl::sql::<diesel::sql_types::Bool>("last_seen_at > now() - interval '30 seconds'");
    let rows: Vec<(Uuid, Vec<i32>)> =
        replicas::table.filter(recent).select((replicas::id, replicas::kek_ids)).load(connection)?;
    Ok(rows.into_iter().filter(|(_, ids)| !ids.contains(&id)).map(|(replica, _)| replica).collect())
}

/// Makes `id` the key of all new writes.
pub fn activate(connection: &mut Conn, vault: &Vault, actor: &Actor, id: i32) -> Result<(), DbError> {
    let states: Vec<(i32, String)> =
        keks::table.order(keks::id).select((keks::id, keks::state)).for_update().load(connection)?;
    if !states.iter().any(|(other, state)| *other == id && state != "retired") {
        return Err(DbError::NotFound);
    }
    let active = keks::table.filter(keks::state.eq("active"));
    diesel::update(active).set(keks::state.eq("decrypt_only")).execute(connection)?;
    diesel::update(keks::table.find(id))
        .set((keks::state.eq("active"), keks::activated_at.eq(diesel::dsl::now)))
        .execute(connection)?;
    events::record(connection, vault, actor, &event("key.activated", &format!("master key {id}")))
}

/// Notes that every value opened after the last re-wrap.
pub fn set_verified(connection: &mut Conn) -> Result<(), DbError> {
    diesel::update(keks::table).set(keks::verified_at.eq(diesel::dsl::now)).execute(connection)?;
    Ok(())
}

/// Takes a key out of use for ever. The foreign keys refuse it while a single value is wrapped by it.
pub fn retire(connection: &mut Conn, vault: &Vault, actor: &Actor, id: i32) -> Result<(), DbError> {
    let done = diesel::update(keks::table.find(id).filter(keks::state.eq("decrypt_only")))
        .set((keks::state.eq("retired"), keks::wraps.eq(None::<i32>)))
        .execute(connection)?;
    if done == 0 {
        return Err(DbError::NotFound);
    }
    events::record(connection, vault, actor, &event("key.retired", &format!("master key {id}")))
}

/// Tells the others that this replica lives and which keys it holds; forgets those that do not.
pub fn heartbeat(connection: &mut Conn, replica: Uuid, kek_ids: &[i32]) -> Result<(), DbError> {
    let row = (
        replicas::id.eq(replica),
        replicas::kek_ids.eq(kek_ids),
        replicas::version.eq(env!("CARGO_PKG_VERSION")),
        replicas::last_seen_at.eq(diesel::dsl::now),
    );
    diesel::insert_into(replicas::table)
        .values(row)
        .on_conflict(replicas::id)
        .do_update()
        .set(row)
        .execute(connection)?;
    let gone = diesel::dsl::sql::<diesel::sql_types::Bool>("last_seen_at < now() - interval '1 day'");
    diesel::delete(replicas::table.filter(gone)).execute(connection)?;
    Ok(())
}
