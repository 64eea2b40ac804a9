//! Who gets the mail of an e-mail profile. An address that its owner has not confirmed gets the confirmation and nothing
//! else; one that has unsubscribed gets nothing. Rows are checked before use: whoever writes the database must not be able
//! to send what Strongroom knows to an address of theirs.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
use super::schema::recipients;
use super::{Conn, DbError, deliveries};
use crate::vault::{IntegrityError, Vault};

/// Days that a confirmation link holds.
pub const LINK_DAYS: i64 = 7;

#[derive(Clone, Debug, Queryable, Selectable, Identifiable)]
pub struct Recipient {
    pub id: Uuid,
    pub integration_id: Uuid,
    pub address: String,
    /// Slugs, separated by commas.
    pub triggers: String,
    pub invited_at: DateTime<Utc>,
    pub invited_by: String,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub unsubscribed_at: Option<DateTime<Utc>>,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
}

/// The links that a recipient gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Confirm,
    Unsubscribe,
}

impl Recipient {
    fn mac_parts<T>(&self, f: impl FnOnce(&[&[u8]]) -> T) -> T {
        let micros = |at: Option<DateTime<Utc>>| at.map_or(i64::MIN, |at| at.timestamp_micros()).to_be_bytes();
        f(&[
            self.id.as_bytes(),
            self.integration_id.as_bytes(),
            self.address.as_bytes(),
            self.triggers.as_bytes(),
            &micros(Some(self.invited_at)),
            &micros(self.confirmed_at),
            &micros(self.unsubscribed_at),
            &self.row_version.to_be_bytes(),
        ])
    }

    /// Makes the row what [`Recipient::check`] takes for Strongroom's own.
    pub fn seal(&mut self, vault: &Vault) {
        self.row_mac = self.mac_parts(|parts| vault.mac("recipients", parts));
    }

    /// Holds when the row is as Strongroom wrote it.
    pub fn check(&self, vault: &Vault) -> Result<(), IntegrityError> {
        self.mac_parts(|parts| vault.check_mac("recipients", parts, &self.row_mac))
    }

    /// What the link of the confirmation ends with: the same until the address is invited anew, so that a used link can
    /// say that it was used.
    pub fn confirm_key(&self, vault: &Vault) -> String {
        self.key(vault, "recipients/confirm", self.invitation())
    }

    /// The version of the row that was invited: confirming and unsubscribing count it up, once each.
    fn invitation(&self) -> i64 {
        self.row_version - i64::from(self.confirmed_at.is_some()) - i64::from(self.unsubscribed_at.is_some())
    }

    /// What the link that unsubscribes ends with: the same for as long as the recipient is there.
    pub fn unsubscribe_key(&self, vault: &Vault) -> String {
        self.key(vault, "recipients/unsubscribe", 0)
    }

    fn key(&self, vault: &Vault, label: &str, version: i64) -> String {
        hex::encode(vault.mac(label, &[self.id.as_bytes(), &version.to_be_bytes()]))
    }

    /// Compares in constant time.
    pub fn opens(&self, vault: &Vault, label: Link, key: &str) -> bool {
        let (label, version) = match label {
            Link::Confirm => ("recipients/confirm", self.invitation()),
            Link::Unsubscribe => ("recipients/unsubscribe", 0),
        };
        let parts: &[&[u8]] = &[self.id.as_bytes(), &version.to_be_bytes()];
        hex::decode(key).is_ok_and(|key| vault.check_mac(label, parts, &key).is_ok())
    }

    /// Whether digests may go there.
    pub fn wants_mail(&self) -> bool {
        self.confirmed_at.is_some() && self.unsubscribed_at.is_none()
    }

    fn event(&self, action: Action) -> NewEvent<'_> {
        let detail = self.triggers.clone();
        NewEvent { action, subject_kind: "recipient", subject_id: Some(self.id), subject_name: &self.address, detail }
    }
}

/// Adds an address and puts its confirmation into the outbox. One that has unsubscribed, or has not confirmed yet, is asked
/// anew, and its older links of that kind end; [`DbError::Duplicate`] for one that gets mail. Call inside a transaction.
pub fn create(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    integration: Uuid,
    address: &str,
    triggers: &str,
) -> Result<Uuid, DbError> {
    let mut ledger = events::open(conn)?;
    let key = address.to_lowercase();
    let same = recipients::integration_id.eq(integration).and(recipients::address_key.eq(&key));
    let of_old = recipients::table.filter(same).select(Recipient::as_select()).for_no_key_update();
    let old: Option<Recipient> = of_old.first(conn).optional()?;
    // An altered row stays as it is until somebody removes it.
    if old.as_ref().is_some_and(|old| old.wants_mail() || old.check(vault).is_err()) {
        return Err(DbError::Duplicate("recipients_integration_id_address_key_key".to_owned()));
    }
    let mut row = Recipient {
        id: old.as_ref().map_or_else(Uuid::now_v7, |old| old.id),
        integration_id: integration,
        address: address.to_owned(),
        triggers: triggers.to_owned(),
        invited_at: ledger.now,
        invited_by: actor.name.clone(),
        confirmed_at: None,
        unsubscribed_at: None,
        row_version: old.as_ref().map_or(1, |old| old.row_version + 1),
        row_mac: Vec::new(),
    };
    row.seal(vault);
    let values = (
        recipients::id.eq(row.id),
        recipients::integration_id.eq(row.integration_id),
        recipients::address.eq(&row.address),
        recipients::address_key.eq(&key),
        recipients::triggers.eq(&row.triggers),
        recipients::invited_at.eq(row.invited_at),
        recipients::invited_by.eq(&row.invited_by),
        recipients::confirmed_at.eq(row.confirmed_at),
        recipients::unsubscribed_at.eq(row.unsubscribed_at),
        recipients::row_version.eq(row.row_version),
        recipients::row_mac.eq(&row.row_mac),
    );
    if old.is_some() {
        diesel::update(recipients::table.find(row.id)).set(values).execute(conn)?;
        deliveries::drop_for(conn, row.id)?;
    } else {
        diesel::insert_into(recipients::table).values(values).execute(conn)?;
    }
    deliveries::queue(conn, "confirmation", integration, Some(row.id))?;
    ledger.record_version(conn, vault, actor, &row.event(Action::RecipientAdded), row.row_version)?;
    Ok(row.id)
}

pub fn find(conn: &mut Conn, id: Uuid) -> Result<Recipient, DbError> {
    Ok(recipients::table.find(id).select(Recipient::as_select()).first(conn)?)
}

pub fn find_all(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<Recipient>, DbError> {
    Ok(recipients::table.filter(recipients::id.eq_any(ids)).select(Recipient::as_select()).load(conn)?)
}

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, after: Uuid, limit: i64) -> Result<Vec<Recipient>, DbError> {
    let rows = recipients::table.filter(recipients::id.gt(after)).order(recipients::id).limit(limit);
    Ok(rows.select(Recipient::as_select()).load(conn)?)
}

/// Of one profile, by address.
pub fn of(conn: &mut Conn, integration: Uuid) -> Result<Vec<Recipient>, DbError> {
    let rows = recipients::table.filter(recipients::integration_id.eq(integration)).order(recipients::address_key);
    Ok(rows.select(Recipient::as_select()).load(conn)?)
}

/// Everybody who gets digests.
pub fn confirmed(conn: &mut Conn) -> Result<Vec<Recipient>, DbError> {
    let wanted = recipients::confirmed_at.is_not_null().and(recipients::unsubscribed_at.is_null());
    Ok(recipients::table.filter(wanted).select(Recipient::as_select()).load(conn)?)
}

/// Applies a change to a row that is checked first; whether there was anything to change. Call inside a transaction.
fn change(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    id: Uuid,
    action: Action,
    change: impl Fn(&mut Recipient, DateTime<Utc>) -> bool,
) -> Result<bool, DbError> {
    let mut ledger = events::open(conn)?;
    let found = recipients::table.find(id).select(Recipient::as_select()).for_no_key_update().first(conn).optional()?;
    let mut row: Recipient = found.ok_or(DbError::NotFound)?;
    row.check(vault)?;
    if !change(&mut row, ledger.now) {
        return Ok(false);
    }
    row.row_version += 1;
    row.seal(vault);
    diesel::update(recipients::table.find(id))
        .set((
            recipients::triggers.eq(&row.triggers),
            recipients::confirmed_at.eq(row.confirmed_at),
            recipients::unsubscribed_at.eq(row.unsubscribed_at),
            recipients::row_version.eq(row.row_version),
            recipients::row_mac.eq(&row.row_mac),
        ))
        .execute(conn)?;
    ledger.record_version(conn, vault, actor, &row.event(action), row.row_version)?;
    Ok(true)
}

/// The owner of the address has followed the link of this version of the row. [`DbError::Stale`] when it is another now.
pub fn confirm(conn: &mut Conn, vault: &Vault, actor: &Actor, (id, seen): (Uuid, i64)) -> Result<(), DbError> {
    let confirmed = change(conn, vault, actor, id, Action::RecipientConfirmed, |row, now| {
        let fresh = row.confirmed_at.is_none() && row.row_version == seen;
        row.confirmed_at = if fresh { Some(now) } else { row.confirmed_at };
        fresh
    })?;
    if !confirmed {
        return Err(DbError::Stale);
    }
    // Another confirmation may be on its way.
    deliveries::drop_for(conn, id)
}

/// The owner of the address wants no more. Twice is as good as once.
pub fn unsubscribe(conn: &mut Conn, vault: &Vault, actor: &Actor, id: Uuid) -> Result<(), DbError> {
    change(conn, vault, actor, id, Action::RecipientUnsubscribed, |row, now| {
        let fresh = row.unsubscribed_at.is_none();
        row.unsubscribed_at.get_or_insert(now);
        fresh
    })?;
    deliveries::drop_for(conn, id)
}

pub fn delete(conn: &mut Conn, vault: &Vault, actor: &Actor, id: Uuid) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let row = find(conn, id)?;
    diesel::delete(recipients::table.find(id)).execute(conn)?;
    ledger.record_deletion(conn, vault, actor, &row.event(Action::RecipientRemoved), row.row_version)
}
