//! Who gets the mail of an e-mail profile. An address that its owner has not confirmed gets the confirmation and
//! nothing else; one that has unsubscribed gets nothing. Rows are checked before use: whoever writes the database must
//! not be able to send what Strongroom knows to an address of theirs.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
use super::schema::{events as trail, recipients};
use super::times::{MaybeTime, Time};
use super::trust::{self, Parts, Seen, Signed, latest_version, signed_columns};
use super::{Conn, DbError, IntegrationId, RecipientId, deliveries};
use crate::vault::Vault;

/// Days that a confirmation link holds.
pub const LINK_DAYS: i64 = 7;
/// Confirmations that an address gets in 24 hours, over all channels, as long as its owner has confirmed none.
pub const MOST_A_DAY: usize = 3;
/// The check that refuses more of them.
pub const TOO_MANY: &str = "recipients_asked_often";

#[derive(Clone, Debug, Queryable, Selectable, Identifiable)]
pub struct Recipient {
    pub id: RecipientId,
    pub integration_id: IntegrationId,
    pub address: String,
    /// Slugs, separated by commas.
    pub triggers: String,
    #[diesel(deserialize_as = Time)]
    pub invited_at: DateTime<Utc>,
    pub invited_by: String,
    #[diesel(deserialize_as = MaybeTime)]
    pub confirmed_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = MaybeTime)]
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

impl Signed for Recipient {
    const TABLE: &'static str = "recipients";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        Parts::default()
            .id(Some(self.id))
            .id(Some(self.integration_id))
            .text(&self.address)
            .text(&self.triggers)
            .time(self.invited_at)
            .text(&self.invited_by)
            .time(self.confirmed_at)
            .time(self.unsubscribed_at)
            .number(self.row_version)
    }

    fn former_parts(&self) -> Option<Parts> {
        let micros = |at: Option<DateTime<Utc>>| at.map_or(i64::MIN, |at| at.timestamp_micros());
        let parts = Parts::default().id(Some(self.id)).id(Some(self.integration_id)).text(&self.address);
        let parts = parts.text(&self.triggers).time(self.invited_at).number(micros(self.confirmed_at));
        Some(parts.number(micros(self.unsubscribed_at)).number(self.row_version))
    }
}

impl Recipient {
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
        hex::encode(vault.mac(label, &[self.id.0.as_bytes(), &version.to_be_bytes()]))
    }

    /// Compares in constant time.
    pub fn opens(&self, vault: &Vault, label: Link, key: &str) -> bool {
        let (label, version) = match label {
            Link::Confirm => ("recipients/confirm", self.invitation()),
            Link::Unsubscribe => ("recipients/unsubscribe", 0),
        };
        let parts: &[&[u8]] = &[self.id.0.as_bytes(), &version.to_be_bytes()];
        hex::decode(key).is_ok_and(|key| vault.check_mac(label, parts, &key).is_ok())
    }

    /// Whether digests may go there.
    pub fn wants_mail(&self) -> bool {
        self.confirmed_at.is_some() && self.unsubscribed_at.is_none()
    }

    fn event(&self, action: Action) -> NewEvent<'_> {
        let detail = self.triggers.clone();
        NewEvent { action, subject_kind: "recipient", subject_id: Some(self.id.0), subject_name: &self.address, detail }
    }
}

/// Adds an address and puts its confirmation into the outbox. One that has unsubscribed, or has not confirmed yet, is
/// asked anew, and its older links of that kind end; [`DbError::Duplicate`] for one that gets mail, and
/// [`DbError::Check`] of [`TOO_MANY`] for one that was asked too often. Call inside a transaction.
pub fn create(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    integration: IntegrationId,
    address: &str,
    triggers: &str,
) -> Result<RecipientId, DbError> {
    let mut ledger = events::open(conn)?;
    let key = address.to_lowercase();
    let same = recipients::integration_id.eq(integration).and(recipients::address_key.eq(&key));
    let of_old = recipients::table.filter(same).select((Recipient::as_select(), latest_version!(recipients::id)));
    let old: Option<(Recipient, Option<i64>)> = of_old.for_no_key_update().first(conn).optional()?;
    let old = match old.map(|row| Seen::new(vault, row, |row: &Recipient| row.integration_id == integration)) {
        None => None,
        Some(old) => match old.judged() {
            Ok(old) if !old.wants_mail() => Some(old),
            // A row that was tampered with stays as it is until somebody removes it.
            _ => return Err(DbError::Duplicate("recipients_integration_id_address_key_key".to_owned())),
        },
    };
    if asked_often(conn, &key, ledger.now)? {
        return Err(DbError::Check(TOO_MANY.to_owned()));
    }
    let row = Recipient {
        id: old.as_ref().map_or_else(RecipientId::fresh, |old| old.id),
        integration_id: integration,
        address: address.to_owned(),
        triggers: triggers.to_owned(),
        invited_at: ledger.now,
        invited_by: actor.name.clone(),
        confirmed_at: None,
        unsubscribed_at: None,
        row_version: old.as_ref().map_or(1, |old| old.next_version()),
        row_mac: Vec::new(),
    };
    let row = trust::sign(vault, row);
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

/// Whether an address that has confirmed nothing was asked so often today that it is not asked again. Counted by the
/// trail, so that removing a recipient and adding it again counts too.
fn asked_often(conn: &mut Conn, key: &str, now: DateTime<Utc>) -> Result<bool, DbError> {
    let wants = recipients::confirmed_at.is_not_null().and(recipients::unsubscribed_at.is_null());
    let same = recipients::table.filter(recipients::address_key.eq(key).and(wants));
    if diesel::select(exists(same)).get_result(conn)? {
        return Ok(false);
    }
    let added = trail::action.eq(Action::RecipientAdded.name()).and(trail::at.gt(now - TimeDelta::days(1)));
    let asked: Vec<String> = trail::table.filter(added).select(trail::subject_name).load(conn)?;
    Ok(asked.iter().filter(|address| address.to_lowercase() == key).count() >= MOST_A_DAY)
}

type Row = (Recipient, Option<i64>);

fn seen(vault: &Vault, rows: Vec<Row>, asked: impl Fn(&Recipient) -> bool) -> Vec<Seen<Recipient>> {
    rows.into_iter().map(|row| Seen::new(vault, row, &asked)).collect()
}

pub fn find(conn: &mut Conn, vault: &Vault, id: RecipientId) -> Result<Seen<Recipient>, DbError> {
    let rows = recipients::table.find(id).select((Recipient::as_select(), latest_version!(recipients::id)));
    Ok(Seen::new(vault, rows.first(conn)?, |row: &Recipient| row.id == id))
}

pub fn find_all(conn: &mut Conn, vault: &Vault, ids: &[RecipientId]) -> Result<Vec<Seen<Recipient>>, DbError> {
    let rows = recipients::table.filter(recipients::id.eq_any(ids));
    let found = rows.select((Recipient::as_select(), latest_version!(recipients::id))).load(conn)?;
    Ok(seen(vault, found, |row| ids.contains(&row.id)))
}

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<Recipient>>, DbError> {
    let rows = recipients::table.filter(recipients::id.gt(after)).order(recipients::id).limit(limit);
    let found = rows.select((Recipient::as_select(), latest_version!(recipients::id))).load(conn)?;
    Ok(seen(vault, found, |_| true))
}

/// Of one profile, by address.
pub fn of(conn: &mut Conn, vault: &Vault, integration: IntegrationId) -> Result<Vec<Seen<Recipient>>, DbError> {
    let rows = recipients::table.filter(recipients::integration_id.eq(integration)).order(recipients::address_key);
    let found = rows.select((Recipient::as_select(), latest_version!(recipients::id))).load(conn)?;
    Ok(seen(vault, found, |row| row.integration_id == integration))
}

/// Everybody who gets digests.
pub fn confirmed(conn: &mut Conn, vault: &Vault) -> Result<Vec<Seen<Recipient>>, DbError> {
    let wanted = recipients::confirmed_at.is_not_null().and(recipients::unsubscribed_at.is_null());
    let rows = recipients::table.filter(wanted);
    let found = rows.select((Recipient::as_select(), latest_version!(recipients::id))).load(conn)?;
    Ok(seen(vault, found, Recipient::wants_mail))
}

/// Applies a change to a row that is checked first; whether there was anything to change. Call inside a transaction.
fn change(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    id: RecipientId,
    action: Action,
    change: impl Fn(&mut Recipient, DateTime<Utc>) -> bool,
) -> Result<bool, DbError> {
    let mut ledger = events::open(conn)?;
    let rows = recipients::table.find(id).select((Recipient::as_select(), latest_version!(recipients::id)));
    let found: Row = rows.for_no_key_update().first(conn).optional()?.ok_or(DbError::NotFound)?;
    let row = Seen::new(vault, found, |row: &Recipient| row.id == id).trust()?;
    let next = row.next_version();
    let mut row = row.into_row();
    if !change(&mut row, ledger.now) {
        return Ok(false);
    }
    row.row_version = next;
    let row = trust::sign(vault, row);
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

/// The owner of the address has followed the link of this version of the row. [`DbError::Stale`] when it is another
/// now.
pub fn confirm(conn: &mut Conn, vault: &Vault, actor: &Actor, (id, seen): (RecipientId, i64)) -> Result<(), DbError> {
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
pub fn unsubscribe(conn: &mut Conn, vault: &Vault, actor: &Actor, id: RecipientId) -> Result<(), DbError> {
    change(conn, vault, actor, id, Action::RecipientUnsubscribed, |row, now| {
        let fresh = row.unsubscribed_at.is_none();
        row.unsubscribed_at.get_or_insert(now);
        fresh
    })?;
    deliveries::drop_for(conn, id)
}

pub fn delete(conn: &mut Conn, vault: &Vault, actor: &Actor, id: RecipientId) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = find(conn, vault, id)?;
    diesel::delete(recipients::table.find(id)).execute(conn)?;
    ledger.record_version(conn, vault, actor, &seen.shown().event(Action::RecipientRemoved), seen.next_version())
}
