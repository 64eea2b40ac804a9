//! Moving every sealed value to the active master key. Only the data keys are unwrapped and wrapped again: no secret is
//! decrypted, and a worker that is killed is simply started again. The states of the keys are in `models::keks`.

use std::time::Duration;

use crate::models::events::Actor;
use crate::models::sealed::{self, Column, Position, SEALED, Value};
use crate::models::{self, Conn, DbError, HeldLock, keks};
use crate::vault::{RewrapError, Vault};
use crate::verification::Failure;

const BATCH: i64 = 200;
/// Held by the one worker.
const LOCK: i64 = 0x5354_524f_4b45;
/// How long a worker waits for the lock: Postgres notices within a moment that another one was killed.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// How often rows that others are writing are tried again, with a pause of 50 ms.
const ROUNDS: u32 = 200;

/// What a re-wrap did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Moved {
    pub count: u64,
    /// Values whose data key does not unwrap; they stay where they are.
    pub failures: Vec<Failure>,
}

#[derive(Debug, thiserror::Error)]
pub enum RewrapFailure {
    #[error("another re-wrap is at work: let it finish, or try again in a moment")]
    Busy,
    #[error("{0} values are being written by others all the time: run `strongroom key rewrap` again")]
    Contended(i64),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Takes the lock of the one worker, with a connection of its own, until it is dropped.
pub fn lock(mut conn: Conn) -> Result<HeldLock, RewrapFailure> {
    let pause = Duration::from_millis(50);
    for _ in 0..LOCK_PATIENCE.as_millis() / pause.as_millis() {
        conn = match models::try_lock(conn, LOCK)? {
            Ok(held) => return Ok(held),
            Err(conn) => conn,
        };
        std::thread::sleep(pause);
    }
    Err(RewrapFailure::Busy)
}

/// Moves all values, batch by batch, each committed. `tell` hears how many have been moved and how many were to be.
pub fn rewrap(conn: &mut Conn, vault: &Vault, mut tell: impl FnMut(u64, u64)) -> Result<Moved, RewrapFailure> {
    let mut moved = Moved::default();
    models::transaction(conn, &|conn: &mut Conn| keks::clear_verified(conn, vault, &Actor::command_line()))?;
    let all = u64::try_from(left(conn, vault)?).unwrap_or(0);
    for _ in 0..ROUNDS {
        moved.failures.clear();
        let before = moved.count;
        for column in SEALED {
            let mut after = Position::default();
            while let Some(last) = move_batch(conn, vault, column, after, &mut moved)? {
                after = last;
                tell(moved.count, all.max(moved.count));
            }
        }
        let rest = left(conn, vault)?;
        if rest <= moved.failures.len() as i64 {
            return Ok(moved);
        }
        if moved.count == before {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Err(RewrapFailure::Contended(left(conn, vault)?))
}

/// How many values are not yet protected by the active key.
fn left(conn: &mut Conn, vault: &Vault) -> Result<i64, DbError> {
    models::read(conn, |conn| {
        let active = keks::active(conn, vault)?;
        sealed::not_wrapped_by(conn, active)
    })
}

/// One batch, one transaction. Returns where the batch ended; `None` at the end of the column.
fn move_batch(
    conn: &mut Conn,
    vault: &Vault,
    column: &Column,
    after: Position,
    moved: &mut Moved,
) -> Result<Option<Position>, DbError> {
    let (last, count, failures) = models::transaction(conn, &|conn: &mut Conn| {
        let active = keks::lock_active(conn, vault)?;
        let page = column.page_to_move(conn, active, after, BATCH)?;
        let last = page.last().map(Value::position);
        let (mut values, mut deks, mut failures) = (Vec::new(), Vec::new(), Vec::new());
        for value in page {
            let position = value.position();
            let (place, sealed) = value.split(column);
            match vault.rewrap(&place.context(), &sealed, active) {
                Ok(dek) => {
                    values.push(position);
                    deks.push(dek);
                }
                Err(RewrapError::MissingKek(missing)) => return Err(DbError::MissingKek(missing)),
                Err(RewrapError::Integrity(_)) => {
                    failures.push(Failure::Value { table: place.table, column: place.column, id: place.id });
                }
            }
        }
        column.set_wrapped(conn, active, &values, &deks)?;
        Ok((last, values.len() as u64, failures))
    })?;
    moved.count += count;
    moved.failures.extend(failures);
    Ok(last)
}
