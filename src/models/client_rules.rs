//! Rules: what a client may fetch. Each names a credential and the form in which it is issued, and is a usage: the foreign
//! key keeps the credential from being deleted.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::clients::Client;
use super::events::{self, Action, Actor, Ledger, NewEvent};
use super::schema::{client_logins, client_rules, clients, credentials};
use super::times::{MaybeTime, Time};
use super::trust::{self, Parts, Seen, Signed, Trusted, latest_version, signed_columns};
use super::{ClientId, ClientRuleId, Conn, CredentialId, DbError};
use crate::vault::Vault;

/// The form that lets the stored value itself leave.
pub const VALUE: &str = "value";

#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = client_rules, treat_none_as_null = true)]
pub struct ClientRule {
    pub id: ClientRuleId,
    pub client_id: ClientId,
    /// What the client calls it: `^[a-z0-9][a-z0-9._-]{0,62}$`.
    pub name: String,
    pub credential_id: CredentialId,
    /// The slug of `integrations::issue::Form`.
    pub form: String,
    /// Canonical JSON of the form's values.
    pub settings: String,
    /// Who has confirmed that the stored value leaves; of form [`VALUE`] alone.
    pub allowed_by: Option<String>,
    #[diesel(deserialize_as = MaybeTime)]
    pub allowed_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = Time)]
    pub made_at: DateTime<Utc>,
    pub made_by: String,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
}

impl Signed for ClientRule {
    const TABLE: &'static str = "client_rules";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        Parts::default()
            .id(Some(self.id))
            .id(Some(self.client_id))
            .text(&self.name)
            .id(Some(self.credential_id))
            .text(&self.form)
            .text(&self.settings)
            .text(self.allowed_by.as_deref().unwrap_or_default())
            .time(self.allowed_at)
            .time(self.made_at)
            .text(&self.made_by)
            .number(self.row_version)
    }
}

impl ClientRule {
    pub fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        NewEvent { action, subject_kind: "client_rule", subject_id: Some(self.id.0), subject_name: &self.name, detail }
    }

    /// Whether the stored value itself leaves by it.
    pub fn releases_value(&self) -> bool {
        self.form == VALUE
    }
}

/// What a form says of a rule.
pub struct NewRule<'a> {
    pub name: &'a str,
    pub credential: CredentialId,
    pub form: &'a str,
    pub settings: &'a str,
}

type Row = (ClientRule, Option<i64>);

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<ClientRule>>, DbError> {
    let rows = client_rules::table.filter(client_rules::id.gt(after)).order(client_rules::id).limit(limit);
    let found: Vec<Row> = rows.select((ClientRule::as_select(), latest_version!(client_rules::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |_| true)).collect())
}

/// A rule of a client.
pub fn find(
    conn: &mut Conn,
    vault: &Vault,
    (client, id): (ClientId, ClientRuleId),
) -> Result<Seen<ClientRule>, DbError> {
    let rows = client_rules::table.filter(client_rules::id.eq(id).and(client_rules::client_id.eq(client)));
    let found: Row = rows.select((ClientRule::as_select(), latest_version!(client_rules::id))).first(conn)?;
    Ok(Seen::new(vault, found, |row: &ClientRule| row.id == id && row.client_id == client))
}

/// The rule of a client by its name, as the client asks for it.
pub fn named(
    conn: &mut Conn,
    vault: &Vault,
    client: ClientId,
    name: &str,
) -> Result<Option<Seen<ClientRule>>, DbError> {
    let rows = client_rules::table.filter(client_rules::client_id.eq(client).and(client_rules::name.eq(name)));
    let found: Option<Row> =
        rows.select((ClientRule::as_select(), latest_version!(client_rules::id))).first(conn).optional()?;
    Ok(found.map(|row| Seen::new(vault, row, |row: &ClientRule| row.client_id == client && row.name == name)))
}

/// The rules of a client by name.
pub fn of(conn: &mut Conn, vault: &Vault, client: ClientId) -> Result<Vec<Seen<ClientRule>>, DbError> {
    let rows = client_rules::table.filter(client_rules::client_id.eq(client)).order(client_rules::name);
    let found: Vec<Row> = rows.select((ClientRule::as_select(), latest_version!(client_rules::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |row: &ClientRule| row.client_id == client)).collect())
}

/// Whether a stored value leaves by any rule of a client.
pub fn release_values(conn: &mut Conn, client: ClientId) -> Result<bool, DbError> {
    let values = client_rules::table.filter(client_rules::client_id.eq(client).and(client_rules::form.eq(VALUE)));
    Ok(diesel::select(diesel::dsl::exists(values)).get_result(conn)?)
}

/// Whether a client that fetches a stored value has a login that is verified with this credential.
pub fn vouches_for_values(conn: &mut Conn, credential: CredentialId) -> Result<bool, DbError> {
    let verified = client_logins::table.filter(client_logins::credential_id.eq(credential));
    let verified = verified.select(client_logins::client_id);
    let values = client_rules::table.filter(client_rules::form.eq(VALUE).and(client_rules::client_id.eq_any(verified)));
    Ok(diesel::select(diesel::dsl::exists(values)).get_result(conn)?)
}

/// Keeps the clients that log in by this credential as they are until the transaction ends.
pub fn hold_verified(conn: &mut Conn, credential: CredentialId) -> Result<(), DbError> {
    let verified = client_logins::table.filter(client_logins::credential_id.eq(credential));
    let rows = clients::table.filter(clients::id.eq_any(verified.select(client_logins::client_id)));
    let held: Vec<ClientId> = rows.order(clients::id).select(clients::id).for_share().load(conn)?;
    drop(held);
    Ok(())
}

/// A client that uses a credential, as lists show it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Using {
    #[diesel(sql_type = SqlUuid)]
    pub client: ClientId,
    #[diesel(sql_type = Text)]
    pub client_name: String,
    #[diesel(sql_type = Bool)]
    pub active: bool,
    /// The rule that issues from it, or `None` for a login that is verified with it.
    #[diesel(sql_type = Nullable<Text>)]
    pub rule: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub form: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub used_at: Option<DateTime<Utc>>,
}

/// The clients that use a credential, by name: their rules, and the logins that a kubeconfig verifies.
pub fn using(conn: &mut Conn, credential: CredentialId, limit: i64) -> Result<Vec<Using>, DbError> {
    let query = diesel::sql_query(
        "SELECT c.id AS client, c.name AS client_name, c.active, r.name AS rule, r.form,
            (SELECT max(u.used_at) FROM client_uses u WHERE u.rule_id = r.id) AS used_at
         FROM client_rules r JOIN clients c ON c.id = r.client_id WHERE r.credential_id = $1
         UNION ALL
         SELECT c.id, c.name, c.active, NULL, NULL,
            (SELECT max(u.used_at) FROM client_uses u WHERE u.login_id = l.id AND u.rule_id IS NULL)
         FROM client_logins l JOIN clients c ON c.id = l.client_id WHERE l.credential_id = $1
         ORDER BY client_name, rule LIMIT $2",
    );
    Ok(query.bind::<SqlUuid, _>(credential).bind::<BigInt, _>(limit).load(conn)?)
}

fn credential_name(conn: &mut Conn, id: CredentialId) -> Result<String, DbError> {
    Ok(credentials::table.find(id).select(credentials::name).first(conn)?)
}

/// Adds a rule to a client that is trusted. `now` the value leaves if its form says so. Call inside a transaction.
pub fn make(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    client: &Trusted<Client>,
    new: &NewRule,
) -> Result<ClientRuleId, DbError> {
    let mut ledger = events::open(conn)?;
    super::clients::lock(conn, vault, client.id)?.trust()?;
    let allowed = new.form == VALUE;
    let row = ClientRule {
        id: ClientRuleId::fresh(),
        client_id: client.id,
        name: new.name.to_owned(),
        credential_id: new.credential,
        form: new.form.to_owned(),
        settings: new.settings.to_owned(),
        allowed_by: allowed.then(|| actor.name.clone()),
        allowed_at: allowed.then_some(ledger.now),
        made_at: ledger.now,
        made_by: actor.name.clone(),
        row_version: 1,
        row_mac: Vec::new(),
    };
    let row = trust::sign(vault, row);
    diesel::insert_into(client_rules::table).values(&*row).execute(conn)?;
    record(conn, vault, actor, &mut ledger, client, (&row, Action::ClientRuleMade, row.row_version))?;
    Ok(row.id)
}

/// The event of a rule says of which client, from which credential and in which form; a second one, about the credential,
/// that its value leaves.
fn record(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    ledger: &mut Ledger,
    client: &Client,
    (row, action, version): (&ClientRule, Action, i64),
) -> Result<(), DbError> {
    let credential = credential_name(conn, row.credential_id)?;
    let detail = format!("{} from {credential}, for {}", row.form, client.name);
    ledger.record_version(conn, vault, actor, &row.event(action, detail), version)?;
    if action == Action::ClientRuleDeleted || !row.releases_value() {
        return Ok(());
    }
    let event = NewEvent {
        action: Action::ClientValueAllowed,
        subject_kind: "credential",
        subject_id: Some(row.credential_id.0),
        subject_name: &credential,
        detail: format!("by the rule {} of {}", row.name, client.name),
    };
    ledger.record(conn, vault, actor, &event)
}

/// Saves an edit made from `row_version`. Call inside a transaction.
pub fn update(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (client, id, row_version): (&Trusted<Client>, ClientRuleId, i64),
    new: &NewRule,
) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = lock(conn, vault, client.id, id)?;
    if seen.shown().row_version != row_version {
        return Err(DbError::Stale);
    }
    let row = seen.trust()?;
    let next = row.next_version();
    let mut row = row.into_row();
    let allowed = new.form == VALUE;
    row.name = new.name.to_owned();
    row.credential_id = new.credential;
    row.form = new.form.to_owned();
    row.settings = new.settings.to_owned();
    row.allowed_by = allowed.then(|| actor.name.clone());
    row.allowed_at = allowed.then_some(ledger.now);
    row.row_version = next;
    let row = trust::sign(vault, row);
    diesel::update(client_rules::table.find(id)).set(&*row).execute(conn)?;
    record(conn, vault, actor, &mut ledger, client, (&row, Action::ClientRuleEdited, next))
}

/// Call inside a transaction.
pub fn delete(conn: &mut Conn, vault: &Vault, actor: &Actor, client: &Client, id: ClientRuleId) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = lock(conn, vault, client.id, id)?;
    diesel::delete(client_rules::table.find(id)).execute(conn)?;
    let last = seen.next_version();
    record(conn, vault, actor, &mut ledger, client, (seen.shown(), Action::ClientRuleDeleted, last))
}

fn lock(conn: &mut Conn, vault: &Vault, client: ClientId, id: ClientRuleId) -> Result<Seen<ClientRule>, DbError> {
    let rows = client_rules::table.filter(client_rules::id.eq(id).and(client_rules::client_id.eq(client)));
    let rows = rows.select((ClientRule::as_select(), latest_version!(client_rules::id)));
    let found: Option<Row> = rows.for_no_key_update().first(conn).optional()?;
    let asked = |row: &ClientRule| row.id == id && row.client_id == client;
    Ok(Seen::new(vault, found.ok_or(DbError::NotFound)?, asked))
}
