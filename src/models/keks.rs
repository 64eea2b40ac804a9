//! Master keys as the database knows them: their state and a value that proves who holds them, never the key.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
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

fn event<'a>(action: Action, name: &'a str) -> NewEvent<'a> {
    NewEvent { action, subject_kind: "key", subject_id: None, subject_name: name, detail: String::new() }
}

/// Makes a key of the ring known to the database, pending.
pub fn register(connection: &mut Conn, vault: &Vault, actor: &Actor, id: i32) -> Result<(), DbError> {
    register_as(connection, vault, id, "pending")?;
    events::record(connection, vault, actor, &event(Action::KeyAdded, &format!("master key {id}")))
}

/// Replicas seen in the last 30 seconds that do not hold the key.
pub fn replicas_without(connection: &mut Conn, id: i32) -> Result<Vec<Uuid>, DbError> {
    let recent = diesel::dsl::sql::<diesel::sql_types::Bool>("last_seen_at > now() - interval '30 seconds'");
    let rows: Vec<(Uuid, Vec<i32>)> =
        replicas::table.filter(recent).select((replicas::id, replicas::kek_ids)).load(connection)?;
    Ok(rows.into_iter().filter(|(_, ids)| !ids.contains(&id)).map(|(replica, _)| replica).collect())
}

/// Why the active key stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivateError {
    #[error("there is no master key {0}: `strongroom key list` shows them, `strongroom key add` makes one")]
    Unknown(i32),
    #[error("master key {0} is retired: make a new one with `strongroom key add`")]
    Retired(i32),
    #[error("master key {0} is the active one already")]
    Already(i32),
    #[error(
        "{count} of the running consoles do not hold master key {id} yet: copy the key ring file to each, wait ten \
         seconds, and try again"
    )]
    Lacking { id: i32, count: usize },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for ActivateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl super::AsDb for ActivateError {
    fn as_db(&self) -> Option<&DbError> {
        match self {
            Self::Db(error) => Some(error),
            _ => None,
        }
    }
}

/// Makes `id` the key of all new writes, if every replica that runs holds it. Call inside a transaction.
pub fn activate(connection: &mut Conn, vault: &Vault, actor: &Actor, id: i32) -> Result<(), ActivateError> {
    let states: Vec<(i32, String)> =
        keks::table.order(keks::id).select((keks::id, keks::state)).for_update().load(connection)?;
    match states.iter().find(|(other, _)| *other == id).map(|(_, state)| state.as_str()) {
        None => return Err(ActivateError::Unknown(id)),
        Some("retired") => return Err(ActivateError::Retired(id)),
        Some("active") => return Err(ActivateError::Already(id)),
        Some(_) => {}
    }
    let lacking = replicas_without(connection, id)?;
    if !lacking.is_empty() {
        return Err(ActivateError::Lacking { id, count: lacking.len() });
    }
    let active = keks::table.filter(keks::state.eq("active"));
    diesel::update(active).set(keks::state.eq("decrypt_only")).execute(connection)?;
    diesel::update(keks::table.find(id))
        .set((keks::state.eq("active"), keks::activated_at.eq(super::now())))
        .execute(connection)?;
    clear_verified(connection)?;
    Ok(events::record(connection, vault, actor, &event(Action::KeyActivated, &format!("master key {id}")))?)
}

/// The active key, as of now.
pub fn active(connection: &mut Conn) -> Result<i32, DbError> {
    Ok(keks::table.filter(keks::state.eq("active")).select(keks::id).first(connection)?)
}

/// The active key, kept active until the transaction ends.
pub fn lock_active(connection: &mut Conn) -> Result<i32, DbError> {
    Ok(keks::table.filter(keks::state.eq("active")).select(keks::id).for_share().first(connection)?)
}

/// Values are being wrapped anew: what was verified before says nothing about them.
pub fn clear_verified(connection: &mut Conn) -> Result<(), DbError> {
    let verified = keks::table.filter(keks::verified_at.is_not_null());
    diesel::update(verified).set(keks::verified_at.eq(None::<DateTime<Utc>>)).execute(connection)?;
    Ok(())
}

/// Notes that every value opened after the last re-wrap.
pub fn set_verified(connection: &mut Conn, vault: &Vault, actor: &Actor, detail: String) -> Result<(), DbError> {
    diesel::update(keks::table).set(keks::verified_at.eq(super::now())).execute(connection)?;
    let name = format!("master key {}", active(connection)?);
    events::record(connection, vault, actor, &NewEvent { detail, ..event(Action::KeyRewrapped, &name) })
}

/// Why a key stays in use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetireError {
    #[error("there is no master key {0}: `strongroom key list` shows them")]
    Unknown(i32),
    #[error("master key {0} is retired already")]
    Already(i32),
    #[error("master key {0} is the active one: activate another first")]
    Active(i32),
    #[error("master key {id} still protects {count} values: run `strongroom key rewrap` first")]
    InUse { id: i32, count: i64 },
    #[error("the values have not all been opened since they were last re-wrapped: run `strongroom key rewrap` first")]
    Unverified,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for RetireError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl super::AsDb for RetireError {
    fn as_db(&self) -> Option<&DbError> {
        match self {
            Self::Db(error) => Some(error),
            _ => None,
        }
    }
}

/// Takes a key out of use for ever. The foreign keys refuse it while a single value is wrapped by it, also one that is
/// being written at this moment. A key that was never active needs no verification. Call inside a transaction.
pub fn retire(connection: &mut Conn, vault: &Vault, actor: &Actor, id: i32) -> Result<(), RetireError> {
    let found: Option<Kek> = keks::table.find(id).select(Kek::as_select()).for_update().first(connection).optional()?;
    let kek = found.ok_or(RetireError::Unknown(id))?;
    match kek.state.as_str() {
        "retired" => return Err(RetireError::Already(id)),
        "active" => return Err(RetireError::Active(id)),
        _ => {}
    }
    let count = super::sealed::wrapped_by(connection, id)?;
    if count > 0 {
        return Err(RetireError::InUse { id, count });
    }
    if kek.activated_at.is_some() && kek.verified_at.is_none() {
        return Err(RetireError::Unverified);
    }
    let retired = (keks::state.eq("retired"), keks::wraps.eq(None::<i32>));
    match diesel::update(keks::table.find(id)).set(retired).execute(connection).map_err(DbError::from) {
        // Written between the count and now.
        Err(DbError::Reference(_)) => return Err(RetireError::InUse { id, count: 1 }),
        result => result?,
    };
    Ok(events::record(connection, vault, actor, &event(Action::KeyRetired, &format!("master key {id}")))?)
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
