//! The deployment: its id, made once, and the checks that must hold before the port is opened.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use uuid::Uuid;

use super::schema::{audit_lanes, deployment};
use super::{Conn, DbError, events, keks};
use crate::vault::Vault;

/// Label of the value that proves possession of the ring's `mac` key.
const CHECK: &str = "check";
/// Held while a replica looks whether the nightly check is due.
const VERIFICATION_LOCK: i64 = 0x5354_524f_5646;

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
    let row = (deployment::id.eq(vault.deployment()), deployment::mac_check_value.eq(vault.mac(CHECK, &[])));
    diesel::insert_into(deployment::table).values(row).execute(connection)?;
    keks::found(connection, vault)?;
    for lane in 0..events::LANES {
        let mac = events::first_link(vault, lane);
        let head_mac = events::head_mac(vault, lane, 0, &mac);
        let row = (audit_lanes::lane.eq(lane), audit_lanes::mac.eq(mac), audit_lanes::head_mac.eq(head_mac));
        diesel::insert_into(audit_lanes::table).values(row).execute(connection)?;
    }
    Ok(())
}

/// Whether the nightly check is due and nobody else is at it; the caller then records `started`. A check that ended with
/// one of the actions `ended` holds for a day, one that only started for an hour, and a new deployment needs none. Call
/// inside a transaction.
pub fn claim_verification(connection: &mut Conn, started: &str, ended: &[&str]) -> Result<bool, DbError> {
    // Locked in a statement of its own: the next one sees what the holder before us committed.
    let lock = format!("SELECT pg_advisory_xact_lock({VERIFICATION_LOCK})");
    diesel::sql_query(lock).execute(connection)?;
    let due = "SELECT EXISTS (SELECT FROM deployment WHERE created_at < now() - interval '1 day')
        AND NOT EXISTS (SELECT FROM events WHERE action = ANY ($1) AND at > now() - interval '1 day')
        AND NOT EXISTS (SELECT FROM events WHERE action = $2 AND at > now() - interval '1 hour') AS due";
    let due: Due =
        diesel::sql_query(due).bind::<Array<Text>, _>(ended).bind::<Text, _>(started).get_result(connection)?;
    Ok(due.due)
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = Bool)]
    due: bool,
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
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for BootError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Every master key that is not retired is in the ring and proves to be the same key.
pub fn check_keys(connection: &mut Conn, vault: &Vault) -> Result<(), BootError> {
    let expected: Vec<u8> = deployment::table.select(deployment::mac_check_value).first(connection)?;
    let keks = keks::list(connection)?;
    for kek in keks.iter().filter(|kek| kek.state != "retired") {
        match vault.key_check_value(kek.id) {
            None => return Err(BootError::MissingKey(kek.id)),
            Some(value) if value != kek.key_check_value => return Err(BootError::WrongKey(kek.id)),
            Some(_) => {}
        }
    }
    vault.check_mac(CHECK, &[], &expected).map_err(|_| BootError::WrongMacKey)?;
    if !keks.iter().any(|kek| kek.state == "active") {
        return Err(BootError::NoActiveKey);
    }
    Ok(())
}
