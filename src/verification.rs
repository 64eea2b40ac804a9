//! Is everything still what Strongroom stored? Opens every sealed value, checks every row that steers secrets, and follows
//! the audit trail. With the seam of the runs and the credentials' screens this is a caller of [`Vault::open`]: what it
//! opens is dropped unread, and only tables and ids of what fails leave this module.

use std::fmt;

use uuid::Uuid;

use crate::models::chain::{self, Broken};
use crate::models::sealed::SEALED;
use crate::models::{Conn, DbError, alert_settings, credentials, events, integrations, recipients, users};
use crate::vault::Vault;

/// Values or rows at once; a value has up to 256 KiB.
const BATCH: i64 = 100;

/// What does not hold, without its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A sealed value does not open.
    Value { table: &'static str, column: &'static str, id: Uuid },
    /// A row is not as it was written.
    Row { table: &'static str, id: Uuid },
    /// A row is as it was written once, and older than the audit trail tells of: it was put back.
    Older { table: &'static str, id: Uuid },
    /// The audit trail was altered.
    Trail(Broken),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { table, column, id } => write!(f, "{table} {id}: the sealed {column} does not open"),
            Self::Row { table, id } => write!(f, "{table} {id}: the row is not what was saved"),
            Self::Older { table, id } => {
                write!(
                    f,
                    "{table} {id}: the row is an older one, put back after a change that the audit trail tells of"
                )
            }
            Self::Trail(Broken { lane, seq }) => {
                write!(f, "audit trail: lane {lane} breaks at event {seq}, which was altered or is missing")
            }
        }
    }
}

/// What holds row checks, in the order in which they are walked.
const CHECKED: usize = 5;

/// A row, its version, and whether its check holds.
type Check = (Uuid, i64, bool);

/// A walk through the whole store, in steps that each take a fraction of a second.
#[derive(Debug, Default)]
pub struct Walk {
    /// Sealed values that were opened.
    pub values: u64,
    /// Rows whose check was computed.
    pub rows: u64,
    pub failures: Vec<Failure>,
    pub trail: chain::Walk,
    stage: usize,
    after: Uuid,
}

impl Walk {
    /// One batch further; `true` when all is done.
    pub fn step(&mut self, conn: &mut Conn, vault: &Vault) -> Result<bool, DbError> {
        let last = if let Some(column) = SEALED.get(self.stage) {
            let page = column.page(conn, self.after, BATCH)?;
            let last = page.last().map(|value| value.id);
            for value in page {
                let (place, sealed) = value.split(column);
                if vault.open(&place.context(), &sealed).is_err() {
                    self.failures.push(Failure::Value { table: place.table, column: place.column, id: place.id });
                }
                self.values += 1;
            }
            last
        } else if self.stage < SEALED.len() + CHECKED {
            let (table, rows) = self.checks(conn, vault)?;
            self.rows += rows.len() as u64;
            let told = events::versions(conn, &rows.iter().map(|(id, ..)| *id).collect::<Vec<_>>())?;
            let older = |(id, version, holds): &Check| *holds && told.get(id).is_some_and(|told| version < told);
            // What was changed between the two looks is as new as the trail at a third one.
            let again = if rows.iter().any(older) { self.checks(conn, vault)?.1 } else { Vec::new() };
            let failed = rows.iter().filter(|(.., holds)| !holds);
            self.failures.extend(failed.map(|(id, ..)| Failure::Row { table, id: *id }));
            self.failures
                .extend(again.iter().filter(|row| older(row)).map(|(id, ..)| Failure::Older { table, id: *id }));
            rows.last().map(|(id, ..)| *id)
        } else {
            return Ok(match self.trail.step(conn, vault)? {
                Ok(done) => done,
                Err(broken) => {
                    self.failures.push(Failure::Trail(broken));
                    true
                }
            });
        };
        self.after = last.unwrap_or_default();
        if last.is_none() {
            self.stage += 1;
        }
        Ok(false)
    }

    /// The next rows of a table with row checks.
    fn checks(&self, conn: &mut Conn, vault: &Vault) -> Result<(&'static str, Vec<Check>), DbError> {
        Ok(match self.stage - SEALED.len() {
            0 => {
                let rows = credentials::page(conn, self.after, BATCH)?;
                ("credentials", rows.iter().map(|row| (row.id, row.row_version, row.check(vault).is_ok())).collect())
            }
            1 => {
                let rows = integrations::page(conn, self.after, BATCH)?;
                ("integrations", rows.iter().map(|row| (row.id, row.row_version, row.check(vault).is_ok())).collect())
            }
            2 => {
                let rows = users::page(conn, self.after, BATCH)?;
                ("users", rows.iter().map(|row| (row.id, row.row_version, row.check(vault).is_ok())).collect())
            }
            3 => {
                let rows = recipients::page(conn, self.after, BATCH)?;
                ("recipients", rows.iter().map(|row| (row.id, row.row_version, row.check(vault).is_ok())).collect())
            }
            // One row, and no id to walk by.
            _ if self.after.is_nil() => {
                let holds = alert_settings::intact(conn, vault)?;
                ("alert_settings", holds.map(|holds| (Uuid::max(), 0, holds)).into_iter().collect())
            }
            _ => ("alert_settings", Vec::new()),
        })
    }

    /// In words: what was looked at.
    pub fn summary(&self) -> String {
        format!(
            "{} sealed values opened, {} rows checked, {} audit events followed",
            self.values, self.rows, self.trail.count
        )
    }
}

/// The whole walk at one go, for commands.
pub fn verify(conn: &mut Conn, vault: &Vault) -> Result<Walk, DbError> {
    let mut walk = Walk::default();
    while !walk.step(conn, vault)? {}
    Ok(walk)
}
