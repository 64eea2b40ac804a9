//! Rows that are not trusted: what follows when one is about to be used. The use is refused, counted, written into the
//! audit trail, and alerted about. What is found by looking through the whole store is in `store_health`.

use diesel::prelude::*;
use uuid::Uuid;

use super::alerts::{self, Subject};
use super::clients::Client;
use super::events::{self, Action, Actor, NewEvent};
use super::integrations::Integration;
use super::schema::credentials;
use super::trust::{Doubt, Signed, Trusted};
use super::users::User;
use super::{Conn, CredentialId, DbError};
use crate::vault::Vault;

fn count() {
    metrics::counter!("strongroom_integrity_failures_total").increment(1);
}

/// Refuses a credential for good: the audit trail records a version that no row has, so that the credential stays
/// refused whatever is done to its row by SQL, until its secret is entered again. Noted once. Call inside a
/// transaction.
pub fn quarantine(conn: &mut Conn, vault: &Vault, actor: &Actor, id: CredentialId) -> Result<(), DbError> {
    count();
    let mut ledger = events::open(conn)?;
    let seen = super::credentials::lock(conn, vault, id)?;
    let (next, row) = (seen.next_version(), seen.shown());
    alerts::raise_integrity(conn, vault, Subject { kind: "credential", id: id.0, name: &row.name }, "")?;
    if row.integrity_failed_at.is_some() && seen.doubt() == Some(Doubt::PutBack) {
        return Ok(());
    }
    let at = credentials::integrity_failed_at;
    diesel::update(credentials::table.find(id).filter(at.is_null())).set(at.eq(ledger.now)).execute(conn)?;
    let words = seen.doubt().map_or("its secret does not open", Doubt::words);
    let event = row.event(Action::CredentialIntegrityFailure, format!("use refused: {words}"));
    ledger.record_version(conn, vault, actor, &event, next)
}

/// A use was refused: that is counted, written down and alerted about. Call inside a transaction.
pub fn refuse(conn: &mut Conn, vault: &Vault, row: &Integration, doubt: Doubt) -> Result<(), DbError> {
    count();
    let event = row.event(Action::IntegrationIntegrityFailure, format!("use refused: {}", doubt.words()));
    events::record(conn, vault, &Actor::system(), &event)?;
    alert(conn, vault, row, "")
}

/// The alert alone, for whoever only looks at rows. `words` is a sentence; without one the row itself is refused.
pub fn alert(conn: &mut Conn, vault: &Vault, row: &Integration, words: &str) -> Result<(), DbError> {
    alerts::raise_integrity(conn, vault, Subject { kind: "integration", id: row.id.0, name: &row.name }, words)
}

/// The row that says how long everything for a channel waits does not count.
pub fn alert_pauses(conn: &mut Conn, vault: &Vault, channel: &Integration) -> Result<(), DbError> {
    alert(conn, vault, channel, &pauses_sentence(channel))
}

pub(super) fn pauses_sentence(channel: &Integration) -> String {
    let name = &channel.name;
    format!("How long messages through “{name}” are paused was tampered with, so they are not paused.")
}

/// Somebody was kept from coming in as a user whose row, password or session does not count; `what` was done about it.
/// Call inside a transaction.
pub fn refuse_user(conn: &mut Conn, vault: &Vault, actor: &Actor, user: &User, what: &str) -> Result<(), DbError> {
    count();
    events::record(conn, vault, actor, &user.event(Action::UserIntegrityFailure, what.to_owned()))?;
    alert_user(conn, vault, user)
}

/// A client was kept from coming in, or from fetching, whose row or that of its login or rule does not count. Call inside
/// a transaction.
pub fn refuse_client(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    client: &Client,
    what: &str,
) -> Result<(), DbError> {
    count();
    events::record(conn, vault, actor, &client.event(Action::ClientIntegrityFailure, what.to_owned()))?;
    alerts::raise_integrity(conn, vault, Subject { kind: "client", id: client.id.0, name: &client.name }, "")
}

/// A session was refused whose row does not count. Call inside a transaction.
pub fn refuse_session(conn: &mut Conn, vault: &Vault, doubt: Doubt) -> Result<(), DbError> {
    count();
    let event = NewEvent {
        action: Action::SessionIntegrityFailure,
        subject_kind: "session",
        subject_id: None,
        subject_name: "a session",
        detail: format!("refused: {}", doubt.words()),
    };
    events::record(conn, vault, &Actor::system(), &event)?;
    alert_store(conn, vault, Part::Sessions, "A session was put into the database, or put back, and was refused.")
}

pub fn alert_user(conn: &mut Conn, vault: &Vault, row: &User) -> Result<(), DbError> {
    alerts::raise_integrity(conn, vault, Subject { kind: "user", id: row.id.0, name: &row.name }, "")
}

/// The row is trusted: an open alert that says otherwise is closed.
pub fn settle<T: Signed>(conn: &mut Conn, row: &Trusted<T>) -> Result<(), DbError> {
    if !alerts::is_open(conn, "integrity", row.subject())? {
        return Ok(());
    }
    alerts::close(conn, &["integrity"], row.subject(), "it is as it was saved again")
}

/// A part of the store that has no row of its own to be alerted about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Trail,
    Deployment,
    Keys,
    Settings,
    Sessions,
    Users,
    /// The verification of the whole store, which is late.
    Verification,
    /// Rows of a kind that is not listed here.
    Rows,
}

impl Part {
    pub const ALL: [Self; 8] = [
        Self::Trail,
        Self::Deployment,
        Self::Keys,
        Self::Settings,
        Self::Sessions,
        Self::Users,
        Self::Verification,
        Self::Rows,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Trail => "the audit trail",
            Self::Deployment => "the deployment",
            Self::Keys => "the master keys",
            Self::Settings => "the alert settings",
            Self::Sessions => "the sessions",
            Self::Users => "the users",
            Self::Verification => "the verification of the store",
            Self::Rows => "the store",
        }
    }

    fn id(self) -> Uuid {
        Uuid::from_u128(0x5702_e000 + self as u128)
    }

    fn subject(self) -> Subject<'static> {
        Subject { kind: "store", id: self.id(), name: self.name() }
    }
}

/// Raises the alert about a part of the store. `words` is a sentence.
pub fn alert_store(conn: &mut Conn, vault: &Vault, part: Part, words: &str) -> Result<(), DbError> {
    alerts::raise_integrity(conn, vault, part.subject(), words)
}

/// Nothing is wrong with a part of the store any more. `why` ends a sentence.
pub fn settle_store(conn: &mut Conn, part: Part, why: &str) -> Result<(), DbError> {
    if !alerts::is_open(conn, "integrity", part.id())? {
        return Ok(());
    }
    alerts::close(conn, &["integrity"], part.id(), why)
}
