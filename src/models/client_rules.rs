//! Rules: what a client may fetch. Each names a credential and the form in which it is issued, or a secret store of which
//! it gives an entry. It is a usage: the foreign key keeps the credential, or the store, from being deleted.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::clients::Client;
use super::events::{self, Action, Actor, Ledger, NewEvent};
use super::schema::{client_logins, client_rules, clients, credentials, integrations};
use super::times::{MaybeTime, Time};
use super::trust::{self, Parts, Seen, Signed, Trusted, latest_version, signed_columns};
use super::{ClientId, ClientRuleId, Conn, CredentialId, DbError, IntegrationId};
use crate::vault::Vault;

/// The form that lets the stored value itself leave.
pub const VALUE: &str = "value";
/// The form that gives an entry of a secret store.
pub const ENTRY: &str = "entry";
/// The forms by which something leaves that stays valid: administrators alone allow them.
const LASTING: [&str; 2] = [VALUE, ENTRY];

#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = client_rules, treat_none_as_null = true)]
pub struct ClientRule {
    pub id: ClientRuleId,
    pub client_id: ClientId,
    /// What the client calls it: `^[a-z0-9][a-z0-9._-]{0,62}$`.
    pub name: String,
    /// What it issues from; `None` for an entry of a store.
    pub credential_id: Option<CredentialId>,
    /// The slug of `integrations::issue::Form`.
    pub form: String,
    /// Canonical JSON of the form's values.
    pub settings: String,
    /// Who has confirmed that a value leaves which stays valid: of [`VALUE`] and [`ENTRY`] alone.
    pub allowed_by: Option<String>,
    #[diesel(deserialize_as = MaybeTime)]
    pub allowed_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = Time)]
    pub made_at: DateTime<Utc>,
    pub made_by: String,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
    /// The secret store of which it gives an entry.
    pub store_id: Option<IntegrationId>,
}

impl Signed for ClientRule {
    const TABLE: &'static str = "client_rules";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        let parts = Parts::default()
            .id(Some(self.id))
            .id(Some(self.client_id))
            .text(&self.name)
            .id(self.credential_id)
            .text(&self.form)
            .text(&self.settings)
            .text(self.allowed_by.as_deref().unwrap_or_default())
            .time(self.allowed_at)
            .time(self.made_at)
            .text(&self.made_by)
            .number(self.row_version);
        // Appended only where it is set, so that rows of before stay as they were signed.
        if self.store_id.is_some() { parts.id(self.store_id) } else { parts }
    }
}

/// What a rule gives from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Credential(CredentialId),
    Store(IntegrationId),
}

impl Source {
    fn credential(self) -> Option<CredentialId> {
        match self {
            Self::Credential(id) => Some(id),
            Self::Store(_) => None,
        }
    }

    fn store(self) -> Option<IntegrationId> {
        match self {
            Self::Credential(_) => None,
            Self::Store(id) => Some(id),
        }
    }
}

impl ClientRule {
    /// `None` never happens: the table has one of both.
    pub fn source(&self) -> Option<Source> {
        self.credential_id.map(Source::Credential).or(self.store_id.map(Source::Store))
    }

    pub fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        NewEvent { action, subject_kind: "client_rule", subject_id: Some(self.id.0), subject_name: &self.name, detail }
    }

    /// Whether the stored value itself leaves by it.
    pub fn releases_value(&self) -> bool {
        self.form == VALUE
    }

    /// Whether what leaves by it stays valid.
    pub fn is_lasting(&self) -> bool {
        LASTING.contains(&self.form.as_str())
    }
}

/// What a form says of a rule.
pub struct NewRule<'a> {
    pub name: &'a str,
    pub source: Source,
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

/// Whether anything leaves by a rule of a client that stays valid.
pub fn give_lasting(conn: &mut Conn, client: ClientId) -> Result<bool, DbError> {
    let values = client_rules::table.filter(client_rules::client_id.eq(client).and(client_rules::form.eq_any(LASTING)));
    Ok(diesel::select(diesel::dsl::exists(values)).get_result(conn)?)
}

/// Whether a client that fetches what stays valid has a login that is verified with this credential.
pub fn vouches_for_lasting(conn: &mut Conn, credential: CredentialId) -> Result<bool, DbError> {
    let verified = client_logins::table.filter(client_logins::credential_id.eq(credential));
    let verified = verified.select(client_logins::client_id);
    let lasting = client_rules::form.eq_any(LASTING);
    let values = client_rules::table.filter(lasting.and(client_rules::client_id.eq_any(verified)));
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

fn name_of(conn: &mut Conn, source: Source) -> Result<String, DbError> {
    Ok(match source {
        Source::Credential(id) => credentials::table.find(id).select(credentials::name).first(conn)?,
        Source::Store(id) => integrations::table.find(id).select(integrations::name).first(conn)?,
    })
}

/// When somebody last asked for a rule's value to be read anew.
pub fn refreshed_at(conn: &mut Conn, id: ClientRuleId) -> Result<DateTime<Utc>, DbError> {
    let at: Time = client_rules::table.find(id).select(client_rules::refreshed_at).first(conn)?;
    Ok(at.into())
}

/// The names of a client's rules, each with what is another when the rule has changed, or what it gives from.
pub fn stamps(conn: &mut Conn, client: ClientId) -> Result<Vec<(String, String)>, DbError> {
    let rows = client_rules::table
        .left_join(credentials::table)
        .left_join(integrations::table)
        .filter(client_rules::client_id.eq(client));
    let versions =
        (client_rules::row_version, credentials::secret_version.nullable(), integrations::row_version.nullable());
    type Row = (String, Time, (i64, Option<i32>, Option<i64>));
    let found: Vec<Row> = rows.select((client_rules::name, client_rules::refreshed_at, versions)).load(conn)?;
    let stamp = |(name, asked, (rule, secret, store)): Row| {
        let asked = DateTime::<Utc>::from(asked).timestamp_micros();
        (name, format!("{rule}-{}-{}-{asked}", secret.unwrap_or_default(), store.unwrap_or_default()))
    };
    Ok(found.into_iter().map(stamp).collect())
}

/// Asks for the value of a rule to be read anew, by everybody who runs with it. Call inside a transaction.
pub fn refresh(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    client: &Client,
    id: ClientRuleId,
) -> Result<(), DbError> {
    let seen = lock(conn, vault, client.id, id)?;
    diesel::update(client_rules::table.find(id)).set(client_rules::refreshed_at.eq(diesel::dsl::now)).execute(conn)?;
    let detail = format!("for {}", client.name);
    events::record(conn, vault, actor, &seen.shown().event(Action::ClientRuleRefreshed, detail))
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
    let allowed = LASTING.contains(&new.form);
    let row = ClientRule {
        id: ClientRuleId::fresh(),
        client_id: client.id,
        name: new.name.to_owned(),
        credential_id: new.source.credential(),
        form: new.form.to_owned(),
        settings: new.settings.to_owned(),
        allowed_by: allowed.then(|| actor.name.clone()),
        allowed_at: allowed.then_some(ledger.now),
        made_at: ledger.now,
        made_by: actor.name.clone(),
        row_version: 1,
        row_mac: Vec::new(),
        store_id: new.source.store(),
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
    let source = row.source().ok_or(DbError::Other)?;
    let from = name_of(conn, source)?;
    let detail = format!("{} from {from}, for {}", row.form, client.name);
    ledger.record_version(conn, vault, actor, &row.event(action, detail), version)?;
    let Source::Credential(credential) = source else { return Ok(()) };
    if action == Action::ClientRuleDeleted || !row.releases_value() {
        return Ok(());
    }
    let event = NewEvent {
        action: Action::ClientValueAllowed,
        subject_kind: "credential",
        subject_id: Some(credential.0),
        subject_name: &from,
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
    let allowed = LASTING.contains(&new.form);
    row.name = new.name.to_owned();
    (row.credential_id, row.store_id) = (new.source.credential(), new.source.store());
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
