//! Is everything still what Strongroom stored? Opens every sealed value, judges every row that decides something, and
//! follows the audit trail. What it opens is dropped unread, and only tables and ids of what fails leave this module.

use std::fmt;

use uuid::Uuid;

use crate::models::chain;
use crate::models::logins::{self, Setup};
use crate::models::missing::Gap;
use crate::models::sealed::{SEALED, Value};
use crate::models::trust::{Doubt, Seen, Signed};
use crate::models::{
    self, Conn, DbError, SessionId, account_letters, alert_settings, api_tokens, channels, client_logins, client_rules,
    clients, credentials, deployment, deployments, events, hooks, integrations, keks, recipients, rollouts, sessions,
    users,
};
use crate::trail::Break;
use crate::vault::Vault;

/// Values or rows at once; a value has up to 256 KiB.
const BATCH: i64 = 100;

/// What does not hold, without its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A sealed value does not open.
    Value { table: &'static str, column: &'static str, id: Uuid },
    /// A row is not trusted.
    Row { table: &'static str, id: Uuid, doubt: Doubt },
    /// A row is newer than the latest version that the audit trail records.
    Newer { table: &'static str, id: Uuid },
    /// The audit trail has no event about a row.
    Unrecorded { table: &'static str, id: Uuid },
    /// All rows of a table that the audit trail knows of are gone.
    Missing { table: &'static str },
    /// A row that the audit trail knows of is gone, without an event that says so.
    Gone { table: &'static str, id: Uuid },
    /// A row cannot be read at all: a column holds what Strongroom never writes.
    Unreadable { table: &'static str, id: Uuid },
    /// Nor can any further row of a table: its columns are not those that Strongroom made.
    Changed { table: &'static str },
    /// A lane of the audit trail breaks.
    Trail(Break),
    /// The trail has no event about a version of a row, and one about a later version.
    Gap(Gap),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { table, column, id } => write!(f, "{table} {id}: the sealed {column} does not open"),
            Self::Row { table, id, doubt: Doubt::Tampered } => write!(f, "{table} {id}: the row is not what was saved"),
            Self::Row { table, id, doubt: Doubt::PutBack } => {
                write!(f, "{table} {id}: the row is an older one, put back after a change that the audit trail records")
            }
            Self::Row { table, id, doubt } => write!(f, "{table} {id}: {}", doubt.words()),
            Self::Newer { table, id } => {
                write!(f, "{table} {id}: the row is newer than the audit trail records: the trail was cut")
            }
            Self::Unrecorded { table, id } => {
                write!(f, "{table} {id}: the audit trail has no event about the row: the trail was cut")
            }
            Self::Missing { table } => write!(f, "{table}: rows that the audit trail records are gone"),
            Self::Gone { table, id } => write!(f, "{table} {id}: the row is gone, and no event says who deleted it"),
            Self::Unreadable { table, id } => {
                write!(f, "{table} {id}: the row cannot be read: it holds a value that Strongroom never writes")
            }
            Self::Changed { table } => {
                write!(f, "{table}: rows cannot be read: the table is not as Strongroom made it")
            }
            Self::Trail(Break { lane, seq, .. }) => {
                write!(f, "audit trail: lane {lane} breaks at event {seq}, which was altered or is missing")
            }
            Self::Gap(Gap { kind, id, version }) => {
                write!(f, "audit trail: the event about version {version} of {kind} {id} was taken out")
            }
        }
    }
}

/// A batch of rows: how many, what is wrong with them, and the last id.
#[derive(Default)]
struct Looked {
    rows: u64,
    failures: Vec<Failure>,
    last: Option<Uuid>,
}

type Page<T> = fn(&mut Conn, &Vault, Uuid, i64) -> Result<Vec<Seen<T>>, DbError>;

type Look = fn(&mut Conn, &Vault, Uuid, i64) -> Result<Looked, DbError>;

/// A table with signed rows, the column that it is walked by, and what is done with so many rows after one.
struct Table {
    name: &'static str,
    key: &'static str,
    look: Look,
}

/// Every one, in the order in which they are walked.
const TABLES: &[Table] = &[
    Table {
        name: "credentials",
        key: "id",
        look: |conn, vault, after, n| recorded(conn, vault, after, n, credentials::page),
    },
    Table {
        name: "integrations",
        key: "id",
        look: |conn, vault, after, n| recorded(conn, vault, after, n, integrations::page),
    },
    Table { name: "users", key: "id", look: |conn, vault, after, n| recorded(conn, vault, after, n, users::page) },
    Table {
        name: "recipients",
        key: "id",
        look: |conn, vault, after, n| recorded(conn, vault, after, n, recipients::page),
    },
    Table { name: "hooks", key: "id", look: |conn, vault, after, n| recorded(conn, vault, after, n, hooks::page) },
    Table { name: "clients", key: "id", look: |conn, vault, after, n| recorded(conn, vault, after, n, clients::page) },
    Table {
        name: "client_logins",
        key: "id",
        look: |conn, vault, after, n| recorded(conn, vault, after, n, client_logins::page),
    },
    Table {
        name: "client_rules",
        key: "id",
        look: |conn, vault, after, n| recorded(conn, vault, after, n, client_rules::page),
    },
    Table {
        name: "api_tokens",
        key: "id",
        look: |conn, vault, after, n| recorded(conn, vault, after, n, api_tokens::page),
    },
    Table {
        name: "account_letters",
        key: "id",
        look: |conn, vault, after, n| Ok(judged(account_letters::page(conn, vault, after, n)?)),
    },
    Table { name: "sessions", key: "id", look: of_sessions },
    Table {
        name: "channels",
        key: "integration_id",
        look: |conn, vault, after, n| Ok(judged(channels::page(conn, vault, after, n)?)),
    },
    Table {
        name: "deployments",
        key: "integration_id",
        look: |conn, vault, after, n| Ok(judged(deployments::page(conn, vault, after, n)?)),
    },
    Table {
        name: "rollouts",
        key: "id",
        look: |conn, vault, after, n| Ok(judged(rollouts::page(conn, vault, after, n)?)),
    },
    Table { name: "settings", key: "", look: few },
];

fn judged<T: Signed>(rows: Vec<Seen<T>>) -> Looked {
    let (table, last) = (T::TABLE, rows.last().map(|row| row.shown().subject()));
    let mut looked = Looked { rows: rows.len() as u64, last, ..Looked::default() };
    for row in rows {
        let id = row.shown().subject();
        match row.doubt() {
            Some(doubt) => looked.failures.push(Failure::Row { table, id, doubt }),
            None if row.is_newer_than_recorded() => looked.failures.push(Failure::Newer { table, id }),
            None => {}
        }
    }
    looked
}

/// The same for tables whose rows each have an event from the start.
fn recorded<T: Signed>(conn: &mut Conn, vault: &Vault, after: Uuid, n: i64, page: Page<T>) -> Result<Looked, DbError> {
    let rows = page(conn, vault, after, n)?;
    let unrecorded: Vec<Uuid> =
        rows.iter().filter(|row| row.is_unrecorded()).map(|row| row.shown().subject()).collect();
    let mut looked = judged(rows);
    if !unrecorded.is_empty() {
        // Events of the first releases have no version.
        let known = events::mentioned(conn, &unrecorded)?;
        let unknown = unrecorded.into_iter().filter(|id| !known.contains(id));
        looked.failures.extend(unknown.map(|id| Failure::Unrecorded { table: T::TABLE, id }));
    }
    Ok(looked)
}

fn of_sessions(conn: &mut Conn, vault: &Vault, after: Uuid, n: i64) -> Result<Looked, DbError> {
    let rows = sessions::page(conn, vault, after, n)?;
    let whole = rows.iter().filter(|row| row.doubt().is_none());
    let ids: Vec<SessionId> = whole.map(|row| row.shown().id).collect();
    let mut looked = judged(rows);
    let without = sessions::without_login(conn, &ids)?.into_iter();
    looked.failures.extend(without.map(|id| Failure::Unrecorded { table: "sessions", id: id.0 }));
    Ok(looked)
}

/// The tables of a row or two, which have no ids to walk by.
fn few(conn: &mut Conn, vault: &Vault, after: Uuid, _: i64) -> Result<Looked, DbError> {
    if !after.is_nil() {
        return Ok(Looked::default());
    }
    let mut looked = judged(keks::look(conn, vault)?);
    let mut add = |other: Looked| {
        looked.rows += other.rows;
        looked.failures.extend(other.failures);
    };
    let settings = alert_settings::load(conn, vault)?;
    let (table, id) = ("alert_settings", alert_settings::SUBJECT);
    let failure = settings.doubt.map(|doubt| Failure::Row { table, id, doubt });
    add(Looked { rows: u64::from(settings.row_version > 0), failures: failure.into_iter().collect(), last: None });
    match deployment::seen(conn, vault)? {
        Some(row) => add(judged(vec![row])),
        None => add(Looked { failures: vec![Failure::Missing { table: "deployment" }], ..Looked::default() }),
    }
    if logins::setup(conn)? == Setup::UsersGone {
        add(Looked { failures: vec![Failure::Missing { table: "users" }], ..Looked::default() });
    }
    looked.last = Some(Uuid::max());
    Ok(looked)
}

/// A walk through the whole store, in steps that each take a fraction of a second.
#[derive(Debug, Default)]
pub struct Walk {
    /// Sealed values that were opened.
    pub values: u64,
    /// Rows that were judged.
    pub rows: u64,
    pub failures: Vec<Failure>,
    pub trail: chain::Walk,
    stage: usize,
    after: Uuid,
    /// How often the batch was halved, to find the row that cannot be read.
    halved: u32,
    /// Of the last value, while values are opened: one credential may have several.
    version: i32,
}

impl Walk {
    /// One batch further; `true` when all is done.
    pub fn step(&mut self, conn: &mut Conn, vault: &Vault) -> Result<bool, DbError> {
        let last = if let Some(column) = SEALED.get(self.stage) {
            let read = column.page(conn, (self.after, self.version), self.batch());
            let Some(page) = self.readable(conn, column.table, column.id, read)? else { return Ok(false) };
            let last = page.last().map(Value::position);
            self.version = last.map_or(0, |(_, version)| version);
            for value in page {
                let (place, sealed) = value.split(column);
                if vault.open(&place.context(), &sealed).is_err() {
                    self.failures.push(Failure::Value { table: place.table, column: place.column, id: place.id });
                }
                self.values += 1;
            }
            last.map(|(id, _)| id)
        } else if let Some(Table { name, key, look }) = TABLES.get(self.stage - SEALED.len()) {
            let read = look(conn, vault, self.after, self.batch());
            let Some(looked) = self.readable(conn, name, key, read)? else { return Ok(false) };
            self.rows += looked.rows;
            self.failures.extend(looked.failures);
            looked.last
        } else {
            let done = self.trail.step(conn, vault)?;
            if done {
                self.failures.extend(self.trail.broken.iter().cloned().map(Failure::Trail));
                self.failures.extend(self.trail.gaps.iter().cloned().map(Failure::Gap));
                let gone = self.trail.missing.iter();
                self.failures.extend(gone.map(|&(table, id)| Failure::Gone { table, id }));
            }
            return Ok(done);
        };
        self.after = last.unwrap_or_default();
        if last.is_none() {
            self.stage += 1;
        }
        Ok(false)
    }

    fn batch(&self) -> i64 {
        (BATCH >> self.halved.min(62)).max(1)
    }

    /// `None` when the batch cannot be read. It is halved until it is the one row that cannot be read; that row is named
    /// and passed over. A table none of whose rows can be read is left: the others are still to be looked at.
    fn readable<T>(
        &mut self,
        conn: &mut Conn,
        table: &'static str,
        key: &str,
        read: Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        match read {
            Err(DbError::Unreadable) if !key.is_empty() && self.batch() > 1 => self.halved += 1,
            Err(DbError::Unreadable | DbError::Other) => {
                let row = if read.is_err_and(|error| error == DbError::Unreadable) && !key.is_empty() {
                    models::next_key(conn, table, key, self.after)?
                } else {
                    None
                };
                self.halved = 0;
                match row {
                    Some(id) => {
                        self.failures.push(Failure::Unreadable { table, id });
                        (self.after, self.version) = (id, i32::MAX);
                    }
                    None => {
                        self.failures.push(Failure::Changed { table });
                        (self.stage, self.after, self.version) = (self.stage + 1, Uuid::nil(), 0);
                    }
                }
            }
            read => return read.map(Some),
        }
        Ok(None)
    }

    /// In words: what was looked at.
    pub fn summary(&self) -> String {
        let accepted = match self.trail.accepted {
            0 => String::new(),
            count => format!(", {count} accepted breaks of the trail passed"),
        };
        format!(
            "{} sealed values opened, {} rows checked, {} audit events followed{accepted}",
            self.values, self.rows, self.trail.count
        )
    }
}

/// The whole walk at one go, for commands.
pub fn verify(conn: &mut Conn, vault: &Vault) -> Result<Walk, DbError> {
    let mut walk = Walk::default();
    while !models::read(conn, |conn| walk.step(conn, vault))? {}
    Ok(walk)
}
