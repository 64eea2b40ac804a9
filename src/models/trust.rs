//! The one way to trust a row. A row that decides something counts only if it is whole (its signature covers every
//! column that decides something), is the row that was asked for, and is as new as the audit trail says. Every reader
//! of such a row gets a [`Seen`] and must choose: show it, or trust it. Only a [`Trusted`] row may decide.
//!
//! A new table: implement [`Signed`], read its rows by [`Seen::new`] with [`latest_version`] in the same statement, and
//! add it to the walk in `verification`.

use std::ops::Deref;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use super::doubt::Doubt;
use super::{DbError, noted};
use crate::vault::Vault;

/// The scheme that this release signs by: the first byte of a signature.
const SCHEME: u8 = 2;
/// Bytes of an HMAC-SHA-256.
const MAC: usize = 32;

/// A row under a keyed check.
pub trait Signed {
    /// Its table; the label of its check.
    const TABLE: &'static str;
    /// Whether each version of a row is recorded in the audit trail under [`Signed::subject`].
    const RECORDED: bool = true;

    /// What the audit trail calls the row.
    fn subject(&self) -> Uuid;
    /// Grows with every change that the audit trail records.
    fn version(&self) -> i64;
    fn signature(&self) -> &[u8];
    fn set_signature(&mut self, signature: Vec<u8>);
    /// Every column that decides something, in an order that never changes within a scheme.
    fn parts(&self) -> Parts;
    /// The columns in the order of the release before, for tables that it signed.
    fn former_parts(&self) -> Option<Parts> {
        None
    }
}

/// The columns that signed tables have, inside `impl Signed`: `signed_columns!()` where each change makes a new version,
/// which the audit trail records; `signed_columns!(unversioned)` where there are no versions.
macro_rules! signed_columns {
    () => {
        signed_columns!(by | row | row.row_version);
    };
    (unversioned) => {
        const RECORDED: bool = false;

        signed_columns!(by | _row | 1);
    };
    (by |$row:ident| $version:expr) => {
        fn version(&self) -> i64 {
            let $row = self;
            $version
        }

        fn signature(&self) -> &[u8] {
            &self.row_mac
        }

        fn set_signature(&mut self, signature: Vec<u8>) {
            self.row_mac = signature;
        }
    };
}
pub(super) use signed_columns;

/// The columns that a signature covers.
#[derive(Default)]
pub struct Parts(Vec<Vec<u8>>);

impl Parts {
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.push(bytes.to_vec());
        self
    }

    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub fn id(self, id: Option<impl Into<Uuid>>) -> Self {
        let id = id.map(Into::into);
        self.bytes(id.as_ref().map_or(&[], |id| id.as_bytes()))
    }

    /// `None` differs from every number.
    pub fn number(self, number: impl Into<Option<i64>>) -> Self {
        match number.into() {
            Some(number) => self.bytes(&number.to_be_bytes()),
            None => self.bytes(&[]),
        }
    }

    pub fn flags(self, flags: &[bool]) -> Self {
        let bytes: Vec<u8> = flags.iter().copied().map(u8::from).collect();
        self.bytes(&bytes)
    }

    /// In the microseconds that the database keeps.
    pub fn time(self, at: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.number(at.into().map(|at| at.timestamp_micros()))
    }

    fn mac(&self, vault: &Vault, label: &str, scheme: Option<u8>) -> Vec<u8> {
        let scheme = scheme.map(|scheme| [scheme]);
        let parts = scheme.iter().map(<[u8; 1]>::as_slice).chain(self.0.iter().map(Vec::as_slice));
        vault.mac(label, &parts.collect::<Vec<_>>())
    }
}

/// The signature of a row that is not there yet, from its parts.
pub(super) fn signature_of_parts<T: Signed>(vault: &Vault, parts: &Parts) -> Vec<u8> {
    let mut signature = vec![SCHEME];
    signature.extend(parts.mac(vault, T::TABLE, Some(SCHEME)));
    signature
}

/// The signature that a row has when Strongroom writes it.
pub fn signature<T: Signed>(vault: &Vault, row: &T) -> Vec<u8> {
    let mut signature = signature_of_parts::<T>(vault, &row.parts());
    // Kept for the way back to the release before.
    if let Some(parts) = row.former_parts() {
        signature.extend(parts.mac(vault, T::TABLE, None));
    }
    signature
}

/// Signs a row that Strongroom is about to write.
pub(super) fn sign<T: Signed>(vault: &Vault, mut row: T) -> Trusted<T> {
    row.set_signature(signature(vault, &row));
    let latest = row.version();
    Trusted { row, latest }
}

/// Whether the signature is the one that the release before made of the row.
pub(super) fn was_signed_before<T: Signed>(vault: &Vault, row: &T) -> bool {
    row.former_parts().is_some_and(|parts| same(&parts.mac(vault, T::TABLE, None), row.signature()))
}

fn same(left: &[u8], right: &[u8]) -> bool {
    bool::from(subtle::ConstantTimeEq::ct_eq(left, right))
}

/// A row as the database returned it, judged.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    row: T,
    /// The latest version that the audit trail records, 0 for none.
    recorded: i64,
    /// The same, also by what this process remembers.
    latest: i64,
    doubt: Option<Doubt>,
}

impl<T: Signed> Seen<T> {
    /// `latest` is the version that [`latest_version`] returned with the row, `asked` whether the row is the one that was
    /// asked for.
    pub(super) fn new(vault: &Vault, (row, latest): (T, Option<i64>), asked: impl FnOnce(&T) -> bool) -> Self {
        let recorded = latest.filter(|_| T::RECORDED).unwrap_or(0);
        let known = if T::RECORDED { vault.trail.latest_version(row.subject(), noted::began()) } else { 0 };
        let latest = recorded.max(known);
        let doubt = match row.signature().split_first() {
            Some((scheme, _)) if *scheme > SCHEME && row.signature().len() > MAC => Some(Doubt::LaterRelease),
            Some((&SCHEME, rest)) if rest.len() >= MAC => {
                let whole = same(&row.parts().mac(vault, T::TABLE, Some(SCHEME)), &rest[..MAC]);
                match (whole, asked(&row)) {
                    (false, _) => Some(Doubt::Tampered),
                    (true, false) => Some(Doubt::NotAsked),
                    (true, true) => (T::RECORDED && latest > row.version()).then_some(Doubt::PutBack),
                }
            }
            _ => Some(Doubt::Tampered),
        };
        if doubt.is_none() && T::RECORDED && recorded == row.version() {
            noted::saw(&vault.trail, row.subject(), recorded);
        }
        Self { row, recorded, latest, doubt }
    }

    pub fn doubt(&self) -> Option<Doubt> {
        self.doubt
    }

    /// Whether the audit trail does not know this version of the row. Rows of before it kept versions have 0 recorded.
    pub(crate) fn is_newer_than_recorded(&self) -> bool {
        T::RECORDED && self.recorded > 0 && self.recorded < self.row.version()
    }

    pub(crate) fn is_unrecorded(&self) -> bool {
        T::RECORDED && self.recorded == 0
    }

    /// For pages, logs and names in the trail. What it holds must decide nothing.
    pub fn shown(&self) -> &T {
        &self.row
    }

    pub fn into_shown(self) -> T {
        self.row
    }

    /// The version of the next change.
    pub(super) fn next_version(&self) -> i64 {
        self.row.version().max(self.latest) + 1
    }

    /// The row, to be used or changed; else why not.
    pub fn judged(self) -> Result<Trusted<T>, (T, Doubt)> {
        match self.doubt {
            None => Ok(Trusted { row: self.row, latest: self.latest }),
            Some(doubt) => Err((self.row, doubt)),
        }
    }

    pub fn trust(self) -> Result<Trusted<T>, DbError> {
        self.judged().map_err(|(_, doubt)| doubt.into())
    }

    /// For the form of such a change.
    pub fn into_replaceable(self) -> Result<T, DbError> {
        self.trust_to_replace().map(|trusted| trusted.row)
    }

    /// For a change that replaces everything that decides: it also heals a row that was put back.
    pub(super) fn trust_to_replace(mut self) -> Result<Trusted<T>, DbError> {
        self.doubt = self.doubt.filter(|doubt| *doubt != Doubt::PutBack);
        self.trust()
    }
}

/// A row that is whole, was asked for, and is as new as the audit trail says. Only this file makes one.
#[derive(Clone, Debug)]
pub struct Trusted<T> {
    row: T,
    latest: i64,
}

impl<T> Deref for Trusted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.row
    }
}

impl<T: Signed> Trusted<T> {
    /// The version of the next change.
    pub(super) fn next_version(&self) -> i64 {
        self.row.version().max(self.latest) + 1
    }

    /// To be changed, and signed again.
    pub(super) fn into_row(self) -> T {
        self.row
    }
}

/// The latest version of a row that the audit trail records, as a column of the statement that reads the row: both are
/// of one moment, so a change between them is not taken for tampering. `$id` is a column of ids. By the order of the
/// index and not by an aggregate, which the superuser of the database can replace.
macro_rules! latest_version {
    ($id:expr) => {{
        use crate::models::schema::events;
        events::table
            .filter(events::subject_id.eq($id.nullable()).and(events::subject_version.is_not_null()))
            .order(events::subject_version.desc())
            .select(events::subject_version)
            .single_value()
    }};
}
pub(super) use latest_version;

#[cfg(test)]
mod tests;
