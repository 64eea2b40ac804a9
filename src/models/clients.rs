//! Clients: programs that fetch credentials. How a client logs in is in `client_logins`, what it may fetch in
//! `client_rules`, when it last did in `client_uses`. A session token names the version of this row, so every change here
//! ends the tokens of before.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
use super::schema::{client_rules, clients};
use super::times::Time;
use super::trust::{self, Parts, Seen, Signed, latest_version, signed_columns};
use super::{ClientId, Conn, DbError, alerts};
use crate::vault::Vault;

#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
pub struct Client {
    pub id: ClientId,
    pub name: String,
    pub name_key: String,
    pub description: String,
    pub active: bool,
    /// CIDR; none: from anywhere.
    pub networks: Vec<String>,
    /// How long a session token holds.
    pub token_minutes: i32,
    /// Session tokens hold only for the address that logged in.
    pub bound_to_address: bool,
    #[diesel(deserialize_as = Time)]
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    #[diesel(deserialize_as = Time)]
    pub edited_at: DateTime<Utc>,
    pub edited_by: String,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
}

impl Signed for Client {
    const TABLE: &'static str = "clients";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        Parts::default()
            .id(Some(self.id))
            .text(&self.name)
            .text(&self.description)
            .flags(&[self.active, self.bound_to_address])
            .text(&self.networks.join(","))
            .number(i64::from(self.token_minutes))
            .time(self.created_at)
            .text(&self.created_by)
            .time(self.edited_at)
            .text(&self.edited_by)
            .number(self.row_version)
    }
}

impl Client {
    pub fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        NewEvent { action, subject_kind: "client", subject_id: Some(self.id.0), subject_name: &self.name, detail }
    }
}

/// What a form says of a client.
#[derive(Clone, Debug, Default)]
pub struct NewClient<'a> {
    pub name: &'a str,
    pub description: &'a str,
    /// In their canonical form.
    pub networks: Vec<String>,
    pub token_minutes: i32,
    pub bound_to_address: bool,
}

type Row = (Client, Option<i64>);

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<Client>>, DbError> {
    let rows = clients::table.filter(clients::id.gt(after)).order(clients::id).limit(limit);
    let found: Vec<Row> = rows.select((Client::as_select(), latest_version!(clients::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |_| true)).collect())
}

pub fn find(conn: &mut Conn, vault: &Vault, id: ClientId) -> Result<Seen<Client>, DbError> {
    let rows = clients::table.find(id).select((Client::as_select(), latest_version!(clients::id)));
    Ok(Seen::new(vault, rows.first(conn)?, |row: &Client| row.id == id))
}

/// By its name as people write it: for identities, which say whom they want to be.
pub fn find_by_name(conn: &mut Conn, vault: &Vault, name: &str) -> Result<Option<Seen<Client>>, DbError> {
    let key = crate::names::key(name);
    let rows = clients::table.filter(clients::name_key.eq(&key));
    let found: Option<Row> = rows.select((Client::as_select(), latest_version!(clients::id))).first(conn).optional()?;
    // The key is not signed, the name is.
    Ok(found.map(|row| Seen::new(vault, row, |row: &Client| crate::names::key(&row.name) == key)))
}

/// Locked until the transaction ends, for a change of it, of its logins or of its rules.
pub fn lock(conn: &mut Conn, vault: &Vault, id: ClientId) -> Result<Seen<Client>, DbError> {
    let rows = clients::table.find(id).select((Client::as_select(), latest_version!(clients::id)));
    let found: Option<Row> = rows.for_no_key_update().first(conn).optional()?;
    Ok(Seen::new(vault, found.ok_or(DbError::NotFound)?, |row: &Client| row.id == id))
}

/// Call inside a transaction.
pub fn create(conn: &mut Conn, vault: &Vault, actor: &Actor, new: &NewClient) -> Result<ClientId, DbError> {
    let mut ledger = events::open(conn)?;
    let row = Client {
        id: ClientId::fresh(),
        name: new.name.to_owned(),
        name_key: crate::names::key(new.name),
        description: new.description.to_owned(),
        active: true,
        networks: new.networks.clone(),
        token_minutes: new.token_minutes,
        bound_to_address: new.bound_to_address,
        created_at: ledger.now,
        created_by: actor.name.clone(),
        edited_at: ledger.now,
        edited_by: actor.name.clone(),
        row_version: 1,
        row_mac: Vec::new(),
    };
    let row = trust::sign(vault, row);
    diesel::insert_into(clients::table).values(&*row).execute(conn)?;
    ledger.record_version(conn, vault, actor, &row.event(Action::ClientCreated, from_where(&row)), row.row_version)?;
    Ok(row.id)
}

fn from_where(row: &Client) -> String {
    match row.networks.is_empty() {
        true => "from any address".to_owned(),
        false => format!("from {}", row.networks.join(", ")),
    }
}

/// Applies `change` to the row as of `row_version`, signs and audits it. Call inside a transaction.
fn change(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (id, row_version): (ClientId, Option<i64>),
    action: Action,
    change: impl Fn(&mut Client) -> String,
) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = lock(conn, vault, id)?;
    if row_version.is_some_and(|expected| expected != seen.shown().row_version) {
        return Err(DbError::Stale);
    }
    let row = seen.trust()?;
    let next = row.next_version();
    let mut row = row.into_row();
    let detail = change(&mut row);
    (row.edited_at, row.edited_by, row.row_version) = (ledger.now, actor.name.clone(), next);
    let row = trust::sign(vault, row);
    diesel::update(clients::table.find(id)).set(&*row).execute(conn)?;
    ledger.record_version(conn, vault, actor, &row.event(action, detail), row.row_version)
}

/// Saves an edit made from `row_version`.
pub fn update(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    at: (ClientId, i64),
    new: &NewClient,
) -> Result<(), DbError> {
    change(conn, vault, actor, (at.0, Some(at.1)), Action::ClientEdited, |row| {
        let detail = what_changed(row, new);
        (row.name, row.name_key) = (new.name.to_owned(), crate::names::key(new.name));
        row.description = new.description.to_owned();
        row.networks = new.networks.clone();
        (row.token_minutes, row.bound_to_address) = (new.token_minutes, new.bound_to_address);
        detail
    })
}

fn what_changed(row: &Client, new: &NewClient) -> String {
    let from = if new.networks.is_empty() { "any address".to_owned() } else { new.networks.join(", ") };
    let changes = [
        (row.name != new.name, format!("renamed from {}", row.name)),
        (row.description != new.description, "description".to_owned()),
        (row.networks != new.networks, format!("from {from}")),
        (row.token_minutes != new.token_minutes, format!("session tokens of {} minutes", new.token_minutes)),
        (row.bound_to_address != new.bound_to_address, "binding to the address".to_owned()),
    ];
    let changed: Vec<String> = changes.into_iter().filter(|(changed, _)| *changed).map(|(_, what)| what).collect();
    if changed.is_empty() { "nothing changed".to_owned() } else { changed.join(", ") }
}

/// Disabled, it logs in nowhere and fetches nothing; its rules stay usages.
pub fn set_active(conn: &mut Conn, vault: &Vault, actor: &Actor, id: ClientId, active: bool) -> Result<(), DbError> {
    let action = if active { Action::ClientEnabled } else { Action::ClientDisabled };
    change(conn, vault, actor, (id, None), action, |row| {
        row.active = active;
        String::new()
    })
}

/// Deletes a client with its logins and rules. Those are worth nothing without it: the audit trail says that its row
/// ended. Call inside a transaction.
pub fn delete(conn: &mut Conn, vault: &Vault, actor: &Actor, id: ClientId) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = lock(conn, vault, id)?;
    let rules = client_rules::table.filter(client_rules::client_id.eq(id)).order(client_rules::name);
    let names: Vec<String> = rules.select(client_rules::name).load(conn)?;
    alerts::close(conn, &["expiring", "integrity"], id.0, "it was deleted")?;
    diesel::delete(clients::table.find(id)).execute(conn)?;
    let detail = if names.is_empty() { String::new() } else { format!("with the rules {}", names.join(", ")) };
    let (last, row) = (seen.next_version(), seen.shown());
    ledger.record_version(conn, vault, actor, &row.event(Action::ClientDeleted, detail), last)
}
