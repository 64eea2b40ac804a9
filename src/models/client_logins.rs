//! Logins of clients: how a client shows who it is. Of a token or a secret only the hash is kept; of an identity the
//! settings that it is judged by. A login that is gone or over is worth nothing, and nor are its session tokens, which
//! name the version of this row.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::clients::Client;
use super::events::{self, Action, Actor};
use super::schema::{client_logins, clients};
use super::text_enum::text_enum;
use super::times::{MaybeTime, Time};
use super::trust::{self, Parts, Seen, Signed, Trusted, latest_version, signed_columns};
use super::{ClientId, ClientLoginId, Conn, CredentialId, DbError};
use crate::vault::Vault;

text_enum! {
    /// How a client shows who it is.
    pub enum Method {
        /// One bearer token.
        Token => "token",
        /// An id and a secret, as Vault's AppRole.
        AppRole => "app_role",
        /// A token of a Kubernetes service account.
        Kubernetes => "kubernetes",
        /// An identity token of an OpenID Connect issuer.
        Oidc => "oidc",
        /// A signed request for the caller's identity in AWS.
        Aws => "aws",
    }
}

impl Method {
    /// Whether Strongroom makes a secret for it.
    pub fn has_secret(self) -> bool {
        matches!(self, Self::Token | Self::AppRole)
    }

    /// As pages and the audit trail name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Token => "Token",
            Self::AppRole => "ID and secret",
            Self::Kubernetes => "Kubernetes service account",
            Self::Oidc => "OIDC identity",
            Self::Aws => "AWS identity",
        }
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = client_logins, treat_none_as_null = true)]
pub struct ClientLogin {
    pub id: ClientLoginId,
    pub client_id: ClientId,
    pub method: Method,
    /// SHA-256 of the secret; of methods with one.
    pub secret_hash: Option<Vec<u8>>,
    /// JSON of `integrations::identities::Identity`; blank for methods with a secret.
    pub settings: String,
    /// The kubeconfig that a TokenReview is sent with.
    pub credential_id: Option<CredentialId>,
    #[diesel(deserialize_as = Time)]
    pub made_at: DateTime<Utc>,
    pub made_by: String,
    #[diesel(deserialize_as = MaybeTime)]
    pub expires_at: Option<DateTime<Utc>>,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
    /// The login that took its place, for which it is meant to end.
    pub replaced_by: Option<ClientLoginId>,
}

impl Signed for ClientLogin {
    const TABLE: &'static str = "client_logins";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        let parts = Parts::default()
            .id(Some(self.id))
            .id(Some(self.client_id))
            .text(self.method.word())
            .bytes(self.secret_hash.as_deref().unwrap_or_default())
            .text(&self.settings)
            .id(self.credential_id)
            .time(self.made_at)
            .text(&self.made_by)
            .time(self.expires_at)
            .number(self.row_version);
        // Appended only where it is set, so that rows of before stay as they were signed.
        if self.replaced_by.is_some() { parts.id(self.replaced_by) } else { parts }
    }
}

impl ClientLogin {
    /// Compares in constant time. Never true for a login without a secret.
    pub fn opens(&self, secret_hash: &[u8]) -> bool {
        let mine = self.secret_hash.as_deref().unwrap_or_default();
        !mine.is_empty() && bool::from(subtle::ConstantTimeEq::ct_eq(mine, secret_hash))
    }

    /// Whether it is over at this time, by the database's clock.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// In words, as audit and pages name it: *Token …9ca1*.
    pub fn title(&self) -> String {
        format!("{} …{}", self.method.label(), self.tail())
    }

    /// The last characters of its id.
    pub fn tail(&self) -> String {
        let id = self.id.0.simple().to_string();
        id[id.len() - 6..].to_owned()
    }
}

pub struct NewLogin<'a> {
    pub method: Method,
    pub secret_hash: Option<Vec<u8>>,
    pub settings: &'a str,
    pub credential: Option<CredentialId>,
    pub expires_at: Option<DateTime<Utc>>,
}

type Row = (ClientLogin, Option<i64>);
/// A login with its client.
pub type WithClient = (Seen<ClientLogin>, Seen<Client>);

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<ClientLogin>>, DbError> {
    let rows = client_logins::table.filter(client_logins::id.gt(after)).order(client_logins::id).limit(limit);
    let found: Vec<Row> = rows.select((ClientLogin::as_select(), latest_version!(client_logins::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |_| true)).collect())
}

/// A login with its client, in one statement.
pub fn find(conn: &mut Conn, vault: &Vault, id: ClientLoginId) -> Result<Option<WithClient>, DbError> {
    let rows = client_logins::table.inner_join(clients::table).filter(client_logins::id.eq(id)).select((
        ClientLogin::as_select(),
        latest_version!(client_logins::id),
        Client::as_select(),
        latest_version!(clients::id),
    ));
    let found: Option<(ClientLogin, Option<i64>, Client, Option<i64>)> = rows.first(conn).optional()?;
    Ok(found.map(|(login, recorded, client, of_client)| {
        let of = login.client_id;
        let login = Seen::new(vault, (login, recorded), |row: &ClientLogin| row.id == id);
        (login, Seen::new(vault, (client, of_client), |row: &Client| row.id == of))
    }))
}

/// The logins of a client, the oldest first.
pub fn of(conn: &mut Conn, vault: &Vault, client: ClientId) -> Result<Vec<Seen<ClientLogin>>, DbError> {
    let rows = client_logins::table.filter(client_logins::client_id.eq(client));
    let rows = rows.order((client_logins::made_at, client_logins::id));
    let found: Vec<Row> = rows.select((ClientLogin::as_select(), latest_version!(client_logins::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |row: &ClientLogin| row.client_id == client)).collect())
}

/// Adds a login to a client that is trusted. Call inside a transaction.
pub fn make(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    client: &Trusted<Client>,
    new: &NewLogin,
) -> Result<ClientLoginId, DbError> {
    let mut ledger = events::open(conn)?;
    super::clients::lock(conn, vault, client.id)?.trust()?;
    let row = ClientLogin {
        id: ClientLoginId::fresh(),
        client_id: client.id,
        method: new.method,
        secret_hash: new.secret_hash.clone(),
        settings: new.settings.to_owned(),
        credential_id: new.credential,
        made_at: ledger.now,
        made_by: actor.name.clone(),
        expires_at: new.expires_at,
        row_version: 1,
        row_mac: Vec::new(),
        replaced_by: None,
    };
    let row = trust::sign(vault, row);
    diesel::insert_into(client_logins::table).values(&*row).execute(conn)?;
    record(conn, vault, actor, &mut ledger, client, (&row, Action::ClientLoginMade, row.row_version))?;
    Ok(row.id)
}

/// The event of a login names its client and says which login.
fn record(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    ledger: &mut events::Ledger,
    client: &Client,
    (row, action, version): (&ClientLogin, Action, i64),
) -> Result<(), DbError> {
    let until = match row.expires_at {
        Some(at) => format!("until {}", at.format("%Y-%m-%d %H:%M UTC")),
        None => "without an end".to_owned(),
    };
    let detail = match action {
        Action::ClientLoginEnded => row.title(),
        _ => format!("{}, {until}", row.title()),
    };
    let event = events::NewEvent {
        action,
        subject_kind: "client_login",
        subject_id: Some(row.id.0),
        subject_name: &client.name,
        detail,
    };
    ledger.record_version(conn, vault, actor, &event, version)
}

/// Lets the login `by` take the place of one, which ends at a time, unless it ends before. Call inside a transaction.
pub fn replace(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (client, id): (&Trusted<Client>, ClientLoginId),
    (by, at): (ClientLoginId, DateTime<Utc>),
) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let row = lock(conn, vault, client.id, id)?.trust()?;
    let next = row.next_version();
    let mut row = row.into_row();
    row.expires_at = Some(row.expires_at.map_or(at, |before| before.min(at)));
    row.replaced_by = Some(by);
    row.row_version = next;
    let row = trust::sign(vault, row);
    diesel::update(client_logins::table.find(id)).set(&*row).execute(conn)?;
    record(conn, vault, actor, &mut ledger, client, (&row, Action::ClientLoginRotated, next))
}

/// Ends a login at once; its row is gone. Call inside a transaction.
pub fn end(conn: &mut Conn, vault: &Vault, actor: &Actor, client: &Client, id: ClientLoginId) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = lock(conn, vault, client.id, id)?;
    diesel::delete(client_logins::table.find(id)).execute(conn)?;
    let last = seen.next_version();
    record(conn, vault, actor, &mut ledger, client, (seen.shown(), Action::ClientLoginEnded, last))
}

fn lock(conn: &mut Conn, vault: &Vault, client: ClientId, id: ClientLoginId) -> Result<Seen<ClientLogin>, DbError> {
    let rows = client_logins::table.filter(client_logins::id.eq(id).and(client_logins::client_id.eq(client)));
    let rows = rows.select((ClientLogin::as_select(), latest_version!(client_logins::id)));
    let found: Option<Row> = rows.for_no_key_update().first(conn).optional()?;
    let asked = |row: &ClientLogin| row.id == id && row.client_id == client;
    Ok(Seen::new(vault, found.ok_or(DbError::NotFound)?, asked))
}
