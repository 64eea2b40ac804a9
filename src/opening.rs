//! Opening a stored credential for an integration or its daily test: its row is checked, its values are opened, and the
//! opening is written into the trail, all in the caller's transaction. What does not open is quarantined. The few other
//! places that open secrets are listed in `tests/console/house_rules.rs`.

use uuid::Uuid;

use crate::credentials::{self as kinds, Kind};
use crate::form::Values;
use crate::models::events::Actor;
use crate::models::{Conn, DbError, altered, credentials};
use crate::vault::Vault;

pub struct Opened {
    pub id: Uuid,
    /// Of its secret.
    pub version: i32,
    pub kind: &'static Kind,
    pub values: Values,
}

/// Why there is nothing to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is not what Strongroom saved.
    Quarantined,
    /// Only another release knows its type.
    Unknown,
}

impl Closed {
    /// Whole sentences for whoever wanted to use it.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Quarantined => {
                "what is stored is not what Strongroom saved (integrity error), so nothing was sent. The credential's page \
                 says what to do."
            }
            Self::Unknown => "this release of Strongroom does not know its type.",
        }
    }
}

/// Opens it for `actor`; `why` is what the trail says it was for. Call inside a transaction.
pub fn open(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    id: Uuid,
    why: String,
) -> Result<Result<Opened, Closed>, DbError> {
    let (row, sealed) = credentials::find_sealed(conn, id)?;
    // The row check comes first: under an altered kind or version there is nothing worth opening.
    let Ok(plaintext) = row.check(vault).and_then(|()| vault.open(&row.context(), &sealed)) else {
        altered::quarantine(conn, vault, &Actor::system(), &row)?;
        return Ok(Err(Closed::Quarantined));
    };
    if row.integrity_failed_at.is_some() {
        return Ok(Err(Closed::Quarantined));
    }
    let (Some(kind), Some(values)) = (kinds::find(&row.kind), Values::from_json(&plaintext)) else {
        return Ok(Err(Closed::Unknown));
    };
    credentials::record_opening(conn, vault, actor, &row, why)?;
    Ok(Ok(Opened { id, version: row.secret_version, kind, values }))
}
