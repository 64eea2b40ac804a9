//! The one opener of stored credentials: for an integration, a daily test, an edit that compares, a person's test. The
//! row must be trusted before its values are opened, and the opening is written into the audit trail in the same
//! transaction. What does not open is quarantined; what a later release wrote is left alone, so that a rolling update
//! alerts nobody.

use crate::credentials::{self as kinds, Kind};
use crate::form::Values;
use crate::integrations::context::Secret;
use crate::models::credentials::Credential;
use crate::models::events::Actor;
use crate::models::trust::{Doubt, Trusted};
use crate::models::{Conn, CredentialId, DbError, altered, credentials};
use crate::providers::tokens::Stored;
use crate::vault::Vault;

pub struct Opened {
    pub id: CredentialId,
    /// Of its secret.
    pub version: i32,
    pub kind: &'static Kind,
    pub values: Values,
}

impl Opened {
    /// As a call of an integration gets it.
    pub fn secret(&self) -> Secret<'_> {
        let stored = Stored { credential: self.id.0, secret_version: self.version };
        Secret { kind: self.kind, values: &self.values, stored: Some(stored) }
    }
}

/// Why there is nothing to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is not what Strongroom saved.
    Quarantined,
    /// A later release saved it, or its type.
    LaterRelease,
    /// Somebody else has saved it since it was read.
    Stale,
    /// The audit trail was broken when this console started.
    Held,
}

impl Closed {
    /// Whole sentences for whoever wanted to use it.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Quarantined => {
                "what is stored is not what Strongroom saved (integrity error), so nothing was sent. The credential's page \
                 says what to do."
            }
            Self::LaterRelease => "a later release of Strongroom saved it. Upgrade this console.",
            Self::Stale => "it was changed a moment ago. Try again.",
            Self::Held => {
                "the audit trail was altered before this console started, so no secret is used. The line on every page says \
                 what to do."
            }
        }
    }
}

impl From<Closed> for DbError {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Quarantined => Self::Integrity,
            Closed::LaterRelease => Self::LaterRelease,
            Closed::Stale => Self::Stale,
            Closed::Held => Self::TrailHeld,
        }
    }
}

/// Opens it for `actor`; `why` is what the trail says it was for. Call inside a transaction.
pub fn open(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    id: CredentialId,
    why: String,
) -> Result<Result<Opened, Closed>, DbError> {
    open_at(conn, vault, actor, (id, None), why)
}

/// The same for a row as of a version, if one is given.
pub fn open_at(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    at: (CredentialId, Option<i64>),
    why: String,
) -> Result<Result<Opened, Closed>, DbError> {
    open_noted(conn, vault, actor, at, |conn, row| credentials::record_opening(conn, vault, actor, row, why))
}

/// The same where `note` writes it into the audit trail, in the same transaction, or knows that it stands there.
pub fn open_noted(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (id, row_version): (CredentialId, Option<i64>),
    note: impl FnOnce(&mut Conn, &Trusted<Credential>) -> Result<(), DbError>,
) -> Result<Result<Opened, Closed>, DbError> {
    if vault.trail.is_held() {
        return Ok(Err(Closed::Held));
    }
    let (seen, sealed) = credentials::find_sealed(conn, vault, id)?;
    if row_version.is_some_and(|expected| expected != seen.shown().row_version) {
        return Ok(Err(Closed::Stale));
    }
    let row = match seen.judged() {
        Ok(row) => row,
        Err((_, Doubt::LaterRelease)) => return Ok(Err(Closed::LaterRelease)),
        Err(_) => {
            altered::quarantine(conn, vault, actor, id)?;
            return Ok(Err(Closed::Quarantined));
        }
    };
    let Ok(plaintext) = vault.open(&row.context(), &sealed) else {
        altered::quarantine(conn, vault, actor, id)?;
        return Ok(Err(Closed::Quarantined));
    };
    let (Some(kind), Some(values)) = (kinds::find(&row.kind), Values::from_json(&plaintext)) else {
        return Ok(Err(Closed::LaterRelease));
    };
    note(conn, &row)?;
    Ok(Ok(Opened { id, version: row.secret_version, kind, values }))
}
