//! Users: who may come in and as what. The password's hash and the one-time-code secret are sealed; they are opened
//! by `accounts` only.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
use super::schema::users;
pub use super::user_changes::{Change, change};
use super::{Conn, DbError};
use crate::vault::{Context, IntegrityError, Sealed, Vault};

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(treat_none_as_null = true)]
pub struct User {
    pub id: Uuid,
    pub name: String,
    pub name_key: String,
    pub role: String,
    pub disabled: bool,
    pub password_kek_id: i32,
    pub password_wrapped_dek: Vec<u8>,
    pub password_payload: Vec<u8>,
    pub password_version: i32,
    pub password_set_at: DateTime<Utc>,
    pub totp_kek_id: Option<i32>,
    pub totp_wrapped_dek: Option<Vec<u8>>,
    pub totp_payload: Option<Vec<u8>>,
    pub totp_version: i32,
    pub totp_confirmed: bool,
    pub totp_required: bool,
    pub totp_last_step: i64,
    pub theme: String,
    pub shortcuts: bool,
    pub created_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
    /// Somebody else has set the password, and so knows it.
    pub password_temporary: bool,
}

impl User {
    /// What decides who comes in as what; not what changes at every login.
    pub(super) fn mac_parts<T>(&self, f: impl FnOnce(&[&[u8]]) -> T) -> T {
        let flags = [self.disabled, self.totp_confirmed, self.totp_required, true].map(u8::from);
        // Rows from before there were temporary passwords have three flags.
        let flags = if self.password_temporary { &flags[..] } else { &flags[..3] };
        f(&[
            self.id.as_bytes(),
            self.name_key.as_bytes(),
            self.role.as_bytes(),
            flags,
            &self.password_version.to_be_bytes(),
            &self.totp_version.to_be_bytes(),
            &self.row_version.to_be_bytes(),
        ])
    }

    /// Holds when the row is as Strongroom wrote it: a role given in the database lets nobody in.
    pub fn check(&self, vault: &Vault) -> Result<(), IntegrityError> {
        self.mac_parts(|parts| vault.check_mac("users", parts, &self.row_mac))
    }

    pub fn password_context(&self) -> Context<'static> {
        context(self.id, "password", self.password_version)
    }

    pub fn totp_context(&self) -> Context<'static> {
        context(self.id, "totp", self.totp_version)
    }

    /// The sealed PHC string of the password.
    pub fn sealed_password(&self) -> Sealed {
        Sealed {
            kek_id: self.password_kek_id,
            wrapped_dek: self.password_wrapped_dek.clone(),
            payload: self.password_payload.clone(),
        }
    }

    /// The sealed secret of the authenticator, confirmed or not.
    pub fn sealed_totp(&self) -> Option<Sealed> {
        Some(Sealed {
            kek_id: self.totp_kek_id?,
            wrapped_dek: self.totp_wrapped_dek.clone()?,
            payload: self.totp_payload.clone()?,
        })
    }

    pub(super) fn seal_password(&mut self, vault: &Vault, kek: i32, hash: &str) -> Result<(), DbError> {
        self.password_version += 1;
        let sealed = vault.seal(kek, &self.password_context(), hash.as_bytes())?;
        self.password_kek_id = sealed.kek_id;
        self.password_wrapped_dek = sealed.wrapped_dek;
        self.password_payload = sealed.payload;
        Ok(())
    }

    pub fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        NewEvent { action, subject_kind: "user", subject_id: Some(self.id), subject_name: &self.name, detail }
    }
}

fn context(row: Uuid, column: &'static str, version: i32) -> Context<'static> {
    Context { table: "users", column, row, kind: "", version }
}

/// Saves a new user. `name` has passed `names::label`, `hash` is a PHC string. Call inside a transaction.
pub fn create(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    name: &str,
    role: &str,
    hash: &str,
) -> Result<Uuid, DbError> {
    insert(conn, vault, actor, (name, role), hash, false)
}

/// The same with a password that its owner must replace at the first login.
pub fn invite(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    name: &str,
    role: &str,
    hash: &str,
) -> Result<Uuid, DbError> {
    insert(conn, vault, actor, (name, role), hash, true)
}

fn insert(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (name, role): (&str, &str),
    hash: &str,
    temporary: bool,
) -> Result<Uuid, DbError> {
    let mut ledger = events::open(conn)?;
    let id = Uuid::now_v7();
    let sealed = vault.seal(ledger.active_kek, &context(id, "password", 1), hash.as_bytes())?;
    let mut user = User {
        id,
        name: name.to_owned(),
        name_key: crate::names::key(name),
        role: role.to_owned(),
        disabled: false,
        password_kek_id: sealed.kek_id,
        password_wrapped_dek: sealed.wrapped_dek,
        password_payload: sealed.payload,
        password_version: 1,
        password_set_at: ledger.now,
        totp_kek_id: None,
        totp_wrapped_dek: None,
        totp_payload: None,
        totp_version: 0,
        totp_confirmed: false,
        totp_required: false,
        totp_last_step: 0,
        theme: "system".to_owned(),
        shortcuts: true,
        created_at: ledger.now,
        last_login_at: None,
        row_version: 1,
        row_mac: Vec::new(),
        password_temporary: temporary,
    };
    user.row_mac = user.mac_parts(|parts| vault.mac("users", parts));
    diesel::insert_into(users::table).values(&user).execute(conn)?;
    ledger.record_version(
        conn,
        vault,
        actor,
        &user.event(Action::UserCreated, format!("as {role}")),
        user.row_version,
    )?;
    Ok(id)
}

pub fn count(conn: &mut Conn) -> Result<i64, DbError> {
    Ok(users::table.count().get_result(conn)?)
}

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, after: Uuid, limit: i64) -> Result<Vec<User>, DbError> {
    let rows = users::table.filter(users::id.gt(after)).order(users::id).limit(limit);
    Ok(rows.select(User::as_select()).load(conn)?)
}

pub fn find(conn: &mut Conn, id: Uuid) -> Result<User, DbError> {
    Ok(users::table.find(id).select(User::as_select()).first(conn)?)
}

pub fn find_by_key(conn: &mut Conn, key: &str) -> Result<Option<User>, DbError> {
    Ok(users::table.filter(users::name_key.eq(key)).select(User::as_select()).first(conn).optional()?)
}

pub fn list(conn: &mut Conn) -> Result<Vec<User>, DbError> {
    Ok(users::table.order(users::name_key).select(User::as_select()).load(conn)?)
}

/// Seals another PHC string of the same password, and ends no session. Returns the user as stored now;
/// [`DbError::Stale`] when somebody changed the user since the password was checked.
pub fn rehash(conn: &mut Conn, vault: &Vault, actor: &Actor, user: &User, hash: &str) -> Result<User, DbError> {
    let mut ledger = events::open(conn)?;
    let mut user = user.clone();
    let same = users::table.find(user.id).filter(users::row_version.eq(user.row_version));
    user.seal_password(vault, ledger.active_kek, hash)?;
    user.row_version += 1;
    user.row_mac = user.mac_parts(|parts| vault.mac("users", parts));
    let changed = diesel::update(same)
        .set((
            users::password_version.eq(user.password_version),
            users::password_kek_id.eq(user.password_kek_id),
            users::password_wrapped_dek.eq(&user.password_wrapped_dek),
            users::password_payload.eq(&user.password_payload),
            users::row_version.eq(user.row_version),
            users::row_mac.eq(&user.row_mac),
        ))
        .execute(conn)?;
    if changed != 1 {
        return Err(DbError::Stale);
    }
    ledger.record_version(
        conn,
        vault,
        actor,
        &user.event(Action::UserPasswordRehashed, String::new()),
        user.row_version,
    )?;
    Ok(user)
}

/// How the console looks to this user; needs neither check nor audit.
pub fn set_preferences(conn: &mut Conn, id: Uuid, theme: &str, shortcuts: bool) -> Result<(), DbError> {
    diesel::update(users::table.find(id))
        .set((users::theme.eq(theme), users::shortcuts.eq(shortcuts)))
        .execute(conn)?;
    Ok(())
}

/// Takes a time step for a one-time code; `false` when it or a later one was used already (RFC 6238, 5.2).
pub fn take_totp_step(conn: &mut Conn, id: Uuid, step: i64) -> Result<bool, DbError> {
    let fresh = users::table.find(id).filter(users::totp_last_step.lt(step));
    Ok(diesel::update(fresh).set(users::totp_last_step.eq(step)).execute(conn)? == 1)
}

/// Notes a login. [`DbError::Stale`] when the user was changed or disabled since their password was checked: a login
/// that began before the change must not outlive it.
pub fn logged_in(conn: &mut Conn, user: &User) -> Result<(), DbError> {
    let same = users::table.find(user.id).filter(users::row_version.eq(user.row_version));
    match diesel::update(same).set(users::last_login_at.eq(super::now())).execute(conn)? {
        1 => Ok(()),
        _ => Err(DbError::Stale),
    }
}

/// The same for a login that still needs its code: holds the row until the transaction ends.
pub fn still(conn: &mut Conn, user: &User) -> Result<(), DbError> {
    let same = users::table.find(user.id).filter(users::row_version.eq(user.row_version));
    same.select(users::id).for_share().first::<Uuid>(conn).optional()?.map(drop).ok_or(DbError::Stale)
}

/// The database's clock in whole seconds since 1970, for one-time codes.
pub fn seconds(conn: &mut Conn) -> Result<i64, DbError> {
    let now = diesel::dsl::sql::<diesel::sql_types::BigInt>("SELECT extract(epoch FROM now())::bigint");
    Ok(now.get_result(conn)?)
}
