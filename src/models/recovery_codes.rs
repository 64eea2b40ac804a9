//! The codes that let a user in who has lost the authenticator: each once. Only their MACs are stored.

use diesel::prelude::*;
use uuid::Uuid;

use super::schema::recovery_codes;
use super::{Conn, DbError};

/// Replaces the recovery codes by new ones, given as MACs.
pub fn replace(conn: &mut Conn, id: Uuid, macs: &[Vec<u8>]) -> Result<(), DbError> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(id))).execute(conn)?;
    let rows: Vec<_> =
        macs.iter().map(|mac| (recovery_codes::user_id.eq(id), recovery_codes::code_mac.eq(mac))).collect();
    diesel::insert_into(recovery_codes::table).values(rows).execute(conn)?;
    Ok(())
}

/// Uses a recovery code up; `false` when there is no such unused code.
pub fn take(conn: &mut Conn, id: Uuid, mac: &[u8]) -> Result<bool, DbError> {
    let unused = recovery_codes::table.find((id, mac)).filter(recovery_codes::used_at.is_null());
    Ok(diesel::update(unused).set(recovery_codes::used_at.eq(super::now())).execute(conn)? == 1)
}

pub fn unused(conn: &mut Conn, id: Uuid) -> Result<i64, DbError> {
    let unused = recovery_codes::table.filter(recovery_codes::user_id.eq(id).and(recovery_codes::used_at.is_null()));
    Ok(unused.count().get_result(conn)?)
}
