//! API tokens: what a user's program shows in place of the password. Only a hash of the secret is kept. A token that is
//! gone or over is worth nothing, and nor are the sessions that it began, which name its row.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action, Actor, Ledger, NewEvent};
use super::schema::{api_tokens, users};
use super::text_enum::text_enum;
use super::times::Time;
use super::trust::{self, Parts, Seen, Signed, latest_version, signed_columns};
use super::users::User;
use super::{ApiTokenId, Conn, DbError, UserId};
use crate::vault::Vault;

text_enum! {
    /// What a token may do, within the role of its user. Each may do all that the ones before it may.
    pub enum Scope {
        /// Reads.
        Read => "read",
        /// Changes credentials and integrations. Stored secrets stay where they are sent.
        Write => "write",
        /// Also sends stored secrets to new hosts.
        Destinations => "destinations",
    }
}

impl Scope {
    /// The scope of that word; `None` for a word that is none.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.word() == word)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Write => "Read and write",
            Self::Destinations => "Read, write and new destinations",
        }
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = api_tokens)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub user_id: UserId,
    /// One of its own among the tokens of the user.
    pub name: String,
    pub scope: Scope,
    /// SHA-256.
    pub secret_hash: Vec<u8>,
    #[diesel(deserialize_as = Time)]
    pub made_at: DateTime<Utc>,
    #[diesel(deserialize_as = Time)]
    pub expires_at: DateTime<Utc>,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
    /// Not signed; the epoch: never.
    #[diesel(deserialize_as = Time)]
    pub last_used_at: DateTime<Utc>,
    /// Not signed.
    pub last_address: String,
}

impl Signed for ApiToken {
    const TABLE: &'static str = "api_tokens";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        Parts::default()
            .id(Some(self.id))
            .id(Some(self.user_id))
            .text(&self.name)
            .text(self.scope.word())
            .bytes(&self.secret_hash)
            .time(self.made_at)
            .time(self.expires_at)
            .number(self.row_version)
    }
}

impl ApiToken {
    /// Compares in constant time.
    pub fn opens(&self, secret_hash: &[u8]) -> bool {
        bool::from(subtle::ConstantTimeEq::ct_eq(self.secret_hash.as_slice(), secret_hash))
    }

    /// Whether it is over at this time, by the database's clock.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires_at <= now
    }

    fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        NewEvent { action, subject_kind: "api_token", subject_id: Some(self.id.0), subject_name: &self.name, detail }
    }
}

pub struct NewApiToken<'a> {
    pub name: &'a str,
    pub scope: Scope,
    pub secret_hash: Vec<u8>,
    pub expires_at: DateTime<Utc>,
}

type Row = (ApiToken, Option<i64>);
/// A token, and whose it is.
pub type WithUser = (Seen<ApiToken>, Seen<User>);

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<ApiToken>>, DbError> {
    let rows = api_tokens::table.filter(api_tokens::id.gt(after)).order(api_tokens::id).limit(limit);
    let found: Vec<Row> = rows.select((ApiToken::as_select(), latest_version!(api_tokens::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |_| true)).collect())
}

/// A token with its user, in one statement.
pub fn find(conn: &mut Conn, vault: &Vault, id: ApiTokenId) -> Result<Option<WithUser>, DbError> {
    let rows = api_tokens::table.inner_join(users::table).filter(api_tokens::id.eq(id)).select((
        ApiToken::as_select(),
        latest_version!(api_tokens::id),
        User::as_select(),
        latest_version!(users::id),
    ));
    let found: Option<(ApiToken, Option<i64>, User, Option<i64>)> = rows.first(conn).optional()?;
    Ok(found.map(|(token, recorded, user, of_user)| {
        let of = token.user_id;
        let token = Seen::new(vault, (token, recorded), |row: &ApiToken| row.id == id);
        (token, Seen::new(vault, (user, of_user), |row: &User| row.id == of))
    }))
}

/// The tokens of a user, the oldest first.
pub fn of(conn: &mut Conn, vault: &Vault, user: UserId) -> Result<Vec<Seen<ApiToken>>, DbError> {
    let rows = api_tokens::table.filter(api_tokens::user_id.eq(user)).order((api_tokens::made_at, api_tokens::id));
    let found: Vec<Row> = rows.select((ApiToken::as_select(), latest_version!(api_tokens::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |row: &ApiToken| row.user_id == user)).collect())
}

/// Adds a token to a user who is locked. Call inside a transaction.
pub fn make(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    user: &User,
    new: &NewApiToken,
) -> Result<ApiTokenId, DbError> {
    let mut ledger = events::open(conn)?;
    super::users::lock_unchanged(conn, user)?;
    let row = ApiToken {
        id: ApiTokenId::fresh(),
        user_id: user.id,
        name: new.name.to_owned(),
        scope: new.scope,
        secret_hash: new.secret_hash.clone(),
        made_at: ledger.now,
        expires_at: new.expires_at,
        row_version: 1,
        row_mac: Vec::new(),
        last_used_at: DateTime::UNIX_EPOCH,
        last_address: String::new(),
    };
    let row = trust::sign(vault, row);
    diesel::insert_into(api_tokens::table).values(&*row).execute(conn)?;
    let until = row.expires_at.format("%Y-%m-%d %H:%M UTC");
    let detail = format!("of {}, {}, until {until}", user.name, row.scope.label());
    ledger.record_version(conn, vault, actor, &row.event(Action::ApiTokenMade, detail), row.row_version)?;
    Ok(row.id)
}

/// Ends a token of a user at once. Call inside a transaction.
pub fn end(conn: &mut Conn, vault: &Vault, actor: &Actor, user: &User, id: ApiTokenId) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let mine = api_tokens::table.filter(api_tokens::id.eq(id).and(api_tokens::user_id.eq(user.id)));
    let row: Option<Row> =
        mine.select((ApiToken::as_select(), latest_version!(api_tokens::id))).for_update().first(conn).optional()?;
    end_seen(conn, vault, actor, &mut ledger, user, row.ok_or(DbError::NotFound)?)
}

/// Ends all tokens of a user whose row is locked. Call inside a transaction.
pub(super) fn end_all(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    ledger: &mut Ledger,
    user: &User,
) -> Result<(), DbError> {
    let mine = api_tokens::table.filter(api_tokens::user_id.eq(user.id)).order(api_tokens::id);
    let rows: Vec<Row> =
        mine.select((ApiToken::as_select(), latest_version!(api_tokens::id))).for_update().load(conn)?;
    rows.into_iter().try_for_each(|row| end_seen(conn, vault, actor, ledger, user, row))
}

fn end_seen(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    ledger: &mut Ledger,
    user: &User,
    row: Row,
) -> Result<(), DbError> {
    let seen = Seen::new(vault, row, |row: &ApiToken| row.user_id == user.id);
    diesel::delete(api_tokens::table.find(seen.shown().id)).execute(conn)?;
    let event = seen.shown().event(Action::ApiTokenEnded, format!("of {}", user.name));
    ledger.record_version(conn, vault, actor, &event, seen.next_version())
}

/// Notes a use, at most once a minute. Nothing is decided by it.
pub fn note_use(conn: &mut Conn, id: ApiTokenId, address: &str) -> Result<(), DbError> {
    let before = diesel::dsl::sql::<diesel::sql_types::Bool>("last_used_at < now() - interval '1 minute'");
    diesel::update(api_tokens::table.find(id).filter(before))
        .set((api_tokens::last_used_at.eq(diesel::dsl::now), api_tokens::last_address.eq(address)))
        .execute(conn)?;
    Ok(())
}
