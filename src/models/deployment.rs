//! The deployment: its id, made once, and the checks that must hold before the port is opened.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action};
use super::schema::{audit_lanes, deployment, keks as keks_table};
use super::times::Time;
use super::trust::{self, Parts, Seen, Signed, signed_columns};
use super::{Conn, DbError, keks};
use crate::vault::Vault;

/// Label of the value that proves possession of the ring's `mac` key.
const CHECK: &str = "check";
/// Held while a replica looks whether the nightly check is due.
const VERIFICATION_LOCK: i64 = 0x5354_524f_5646;

/// The one row.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = deployment)]
pub struct Deployment {
    pub id: Uuid,
    pub mac_check_value: Vec<u8>,
    #[diesel(deserialize_as = Time)]
    pub created_at: DateTime<Utc>,
    pub row_mac: Vec<u8>,
}

impl Signed for Deployment {
    const TABLE: &'static str = "deployment";

    fn subject(&self) -> Uuid {
        self.id
    }

    signed_columns!(unversioned);

    fn parts(&self) -> Parts {
        Parts::default().id(Some(self.id)).bytes(&self.mac_check_value).time(self.created_at)
    }
}

/// The row as it stands; `None` when it is gone.
pub fn seen(connection: &mut Conn, vault: &Vault) -> Result<Option<Seen<Deployment>>, DbError> {
    let row = deployment::table.select(Deployment::as_select()).first(connection).optional()?;
    Ok(row.map(|row: Deployment| Seen::new(vault, (row, None), |row| row.id == vault.deployment())))
}

/// The id of this deployment; `None` before the first start.
pub fn id(connection: &mut Conn) -> Result<Option<Uuid>, DbError> {
    Ok(deployment::table.select(deployment::id).first(connection).optional()?)
}

/// Makes the deployment, its first master key and its audit lanes, unless another replica was first.
pub fn found(connection: &mut Conn, vault: &Vault) -> Result<(), DbError> {
    // Held until the end of the transaction: replicas that start together found one deployment.
    connection.batch_execute("LOCK TABLE deployment IN EXCLUSIVE MODE")?;
    if id(connection)?.is_some() {
        return Ok(());
    }
    let created_at = super::clock(connection)?;
    let (id, mac_check_value) = (vault.deployment(), vault.mac(CHECK, &[]));
    let row = trust::sign(vault, Deployment { id, mac_check_value, created_at, row_mac: Vec::new() });
    diesel::insert_into(deployment::table)
        .values((
            deployment::id.eq(row.id),
            deployment::mac_check_value.eq(&row.mac_check_value),
            deployment::created_at.eq(row.created_at),
            deployment::row_mac.eq(&row.row_mac),
        ))
        .execute(connection)?;
    for lane in 0..events::LANES {
        let mac = events::first_link(vault, lane);
        let head_mac = events::head_mac(vault, lane, 0, &mac);
        let row = (audit_lanes::lane.eq(lane), audit_lanes::mac.eq(mac), audit_lanes::head_mac.eq(head_mac));
        diesel::insert_into(audit_lanes::table).values(row).execute(connection)?;
    }
    keks::found(connection, vault)
}

/// Whether the nightly check is due and nobody else is at it; the caller then records that it has started. A check that
/// ended holds for a day, one that only started for an hour, and a new deployment needs none. Only what is signed or
/// chained counts: nobody can put the check off by SQL. Call inside a transaction.
pub fn claim_verification(connection: &mut Conn, vault: &Vault) -> Result<bool, DbError> {
    // Locked in a statement of its own: the next one sees what the holder before us committed.
    let lock = format!("SELECT pg_advisory_xact_lock({VERIFICATION_LOCK})");
    diesel::sql_query(lock).execute(connection)?;
    let now = super::clock(connection)?;
    let within = |at: Option<DateTime<Utc>>, limit| at.is_some_and(|at| now - at < limit);
    let created = seen(connection, vault)?.and_then(|row| row.trust().ok()).map(|row| row.created_at);
    if within(created, TimeDelta::days(1)) || within(verified_at(connection, vault)?, TimeDelta::days(1)) {
        return Ok(false);
    }
    let started = events::latest_at(connection, vault, &[Action::StoreVerificationStarted])?;
    Ok(!within(started, TimeDelta::hours(1)))
}

/// When the whole store was last verified, whatever was found; `None`: never.
pub fn verified_at(connection: &mut Conn, vault: &Vault) -> Result<Option<DateTime<Utc>>, DbError> {
    events::latest_at(connection, vault, &[Action::StoreVerified, Action::StoreVerificationFailed])
}

/// Why this key ring must not be used with this database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BootError {
    #[error(
        "the key ring lacks master key {0}, which this database uses: restore the key ring file that belongs to it"
    )]
    MissingKey(i32),
    #[error(
        "master key {0} of the key ring is not the one this database was sealed with: restore the key ring file that belongs to it"
    )]
    WrongKey(i32),
    #[error(
        "the `mac` key of the key ring is not the one of this database: restore the key ring file that belongs to it"
    )]
    WrongMacKey,
    #[error("the database has no active master key: restore it from a backup")]
    NoActiveKey,
    #[error("the database's record of {0} has been tampered with: restore the database from a backup")]
    Tampered(String),
    #[error(
        "the rows of this store were signed before and are not any more, or its audit trail is not what was written: \
         if you went back to the release before and come again, run `strongroom key sign`; if not, the store has been \
         tampered with: restore it from a backup"
    )]
    Unsigned,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl super::AsDb for BootError {
    fn as_db(&self) -> Option<&DbError> {
        match self {
            Self::Db(error) => Some(error),
            _ => None,
        }
    }
}

impl From<diesel::result::Error> for BootError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Every master key that is not retired is in the ring and proves to be the same key.
pub fn check_keys(connection: &mut Conn, vault: &Vault) -> Result<(), BootError> {
    let expected: Vec<u8> = deployment::table.select(deployment::mac_check_value).first(connection)?;
    // Before the migrations, so only columns of the first release.
    let columns = (keks_table::id, keks_table::state, keks_table::key_check_value);
    let keks: Vec<(i32, String, Vec<u8>)> = keks_table::table.order(keks_table::id).select(columns).load(connection)?;
    for (id, _, check_value) in keks.iter().filter(|(_, state, _)| state != "retired") {
        match vault.key_check_value(*id) {
            None => return Err(BootError::MissingKey(*id)),
            Some(value) if value != *check_value => return Err(BootError::WrongKey(*id)),
            Some(_) => {}
        }
    }
    vault.check_mac(CHECK, &[], &expected).map_err(|_| BootError::WrongMacKey)?;
    if !keks.iter().any(|(_, state, _)| state == "active") {
        return Err(BootError::NoActiveKey);
    }
    Ok(())
}

/// The signed rows without which nothing can be trusted: the deployment's and those of the master keys. Call after
/// [`super::resign`].
pub fn check_rows(connection: &mut Conn, vault: &Vault) -> Result<(), BootError> {
    if seen(connection, vault)?.is_none_or(|row| row.doubt().is_some()) {
        return Err(BootError::Tampered("this deployment".to_owned()));
    }
    match keks::look(connection, vault)?.iter().find(|kek| kek.doubt().is_some()) {
        Some(kek) => Err(BootError::Tampered(format!("master key {}", kek.shown().id))),
        None => Ok(()),
    }
}
