//! Users: who may come in and as what. The password's hash and the one-time-code secret are sealed; they are opened
//! by `accounts` only.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use uuid::Uuid;

use super::events::{Action, Actor, NewEvent};
use super::schema::users;
use super::times::{MaybeTime, Time};
use super::trust::{self, Parts, Seen, Signed, Trusted, latest_version, signed_columns};
pub use super::user_changes::{Change, Proof, change, end_api_sessions, log_in, rehash};
use super::{Conn, DbError, UserId, sealing};
use crate::vault::{Context, Sealed, Vault};

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(treat_none_as_null = true)]
pub struct User {
    pub id: UserId,
    pub name: String,
    pub name_key: String,
    pub role: String,
    pub disabled: bool,
    pub password_kek_id: i32,
    pub password_wrapped_dek: Vec<u8>,
    pub password_payload: Vec<u8>,
    pub password_version: i32,
    #[diesel(deserialize_as = Time)]
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
    #[diesel(deserialize_as = Time)]
    pub created_at: DateTime<Utc>,
    #[diesel(deserialize_as = MaybeTime)]
    pub last_login_at: Option<DateTime<Utc>>,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
    /// Somebody else has set the password, and so knows it.
    pub password_temporary: bool,
    /// Keyed hashes of the recovery codes that are left.
    pub recovery_codes: Vec<Vec<u8>>,
    /// Where they are written to: of one user alone, without regard to case.
    pub email: Option<String>,
    /// Of a deleted user the row stays, so that nobody else gets the name that the audit trail knows.
    #[diesel(deserialize_as = MaybeTime)]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// Covers what decides who comes in as what; not the looks of the console.
impl Signed for User {
    const TABLE: &'static str = "users";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        let parts = Parts::default()
            .id(Some(self.id))
            .text(&self.name)
            .text(&self.name_key)
            .text(&self.role)
            .flags(&[self.disabled, self.totp_confirmed, self.totp_required, self.password_temporary])
            .number(i64::from(self.password_version))
            .time(self.password_set_at)
            .number(i64::from(self.totp_version))
            .number(self.totp_last_step)
            .bytes(&self.recovery_codes.concat())
            .number(self.row_version);
        match (&self.email, self.deleted_at) {
            // As it was before there were addresses.
            (None, None) => parts,
            (email, deleted_at) => {
                let deleted = deleted_at.map(|at| at.timestamp_micros());
                parts.text(&serde_json::json!([email, deleted]).to_string())
            }
        }
    }

    fn former_parts(&self) -> Option<Parts> {
        let flags = [self.disabled, self.totp_confirmed, self.totp_required, true];
        // Rows from before there were temporary passwords have three flags.
        let flags = if self.password_temporary { &flags[..] } else { &flags[..3] };
        let parts = Parts::default().id(Some(self.id)).text(&self.name_key).text(&self.role).flags(flags);
        let parts = parts.bytes(&self.password_version.to_be_bytes()).bytes(&self.totp_version.to_be_bytes());
        Some(parts.number(self.row_version))
    }
}

impl User {
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

    /// Whether the password alone lets a program in: nothing else is asked for, and nobody else knows it.
    pub fn is_open_by_password(&self) -> bool {
        !self.totp_confirmed && !self.totp_required && !self.password_temporary
    }

    /// Whether the second step that is required has still to be set up.
    pub fn must_enrol(&self) -> bool {
        self.totp_required && !self.totp_confirmed
    }

    /// Whether a mail may open the account again: it replaces no password that somebody else has set.
    pub fn may_reset(&self) -> bool {
        !self.disabled && self.deleted_at.is_none() && !self.password_temporary
    }

    pub fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        NewEvent { action, subject_kind: "user", subject_id: Some(self.id.0), subject_name: &self.name, detail }
    }
}

fn context(row: UserId, column: &'static str, version: i32) -> Context<'static> {
    Context { table: "users", column, row: row.0, kind: "", version }
}

/// A user to be saved.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// Has passed `names::label`.
    pub name: &'a str,
    pub role: &'a str,
    /// In its canonical form.
    pub email: Option<&'a str>,
    /// A PHC string.
    pub hash: &'a str,
    /// Its owner must replace the password at the first login.
    pub temporary: bool,
}

/// Saves a new user with a password of their own. Call inside a transaction, as [`add`].
pub fn create(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    name: &str,
    role: &str,
    hash: &str,
) -> Result<UserId, DbError> {
    add(conn, vault, actor, &NewUser { name, role, email: None, hash, temporary: false })
}

/// Saves a new user.
pub fn add(conn: &mut Conn, vault: &Vault, actor: &Actor, new: &NewUser) -> Result<UserId, DbError> {
    let (mut ledger, key) = sealing::open(conn, vault)?;
    let id = UserId::fresh();
    let sealed = vault.seal(key, &context(id, "password", 1), new.hash.as_bytes())?;
    let user = User {
        id,
        name: new.name.to_owned(),
        name_key: crate::names::key(new.name),
        role: new.role.to_owned(),
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
        password_temporary: new.temporary,
        recovery_codes: Vec::new(),
        email: new.email.map(str::to_owned),
        deleted_at: None,
    };
    let user = trust::sign(vault, user);
    diesel::insert_into(users::table).values(&*user).execute(conn)?;
    ledger.record_version(conn, vault, actor, &user.event(Action::UserCreated, created(new)), user.row_version)?;
    Ok(id)
}

fn created(new: &NewUser) -> String {
    let NewUser { role, email, .. } = new;
    email.map_or_else(|| format!("as {role}"), |email| format!("as {role}, {email}"))
}

pub fn any(conn: &mut Conn) -> Result<bool, DbError> {
    Ok(diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(conn)?)
}

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<User>>, DbError> {
    let rows = users::table.filter(users::id.gt(after)).order(users::id).limit(limit);
    let found: Vec<(User, Option<i64>)> = rows.select((User::as_select(), latest_version!(users::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |_| true)).collect())
}

pub fn find(conn: &mut Conn, vault: &Vault, id: UserId) -> Result<Seen<User>, DbError> {
    let row = users::table.find(id).select((User::as_select(), latest_version!(users::id))).first(conn)?;
    Ok(Seen::new(vault, row, |user: &User| user.id == id))
}

pub fn find_by_key(conn: &mut Conn, vault: &Vault, key: &str) -> Result<Option<Seen<User>>, DbError> {
    let named = users::table.filter(users::name_key.eq(key));
    let row = named.select((User::as_select(), latest_version!(users::id))).first(conn).optional()?;
    Ok(row.map(|row| Seen::new(vault, row, |user: &User| user.name_key == key)))
}

/// The user of an e-mail address, in whatever case it is written.
pub fn find_by_email(conn: &mut Conn, vault: &Vault, address: &str) -> Result<Option<Seen<User>>, DbError> {
    let key = address.to_ascii_lowercase();
    // As the unique index has it.
    let theirs = users::table.filter(sql::<Bool>("lower(users.email COLLATE \"C\") = ").bind::<Text, _>(&key));
    let row = theirs.select((User::as_select(), latest_version!(users::id))).first(conn).optional()?;
    let is_theirs = |user: &User| user.email.as_ref().is_some_and(|email| email.to_ascii_lowercase() == key);
    Ok(row.map(|row| Seen::new(vault, row, is_theirs)))
}

/// The administrators who can log in, without those whose rows do not count.
pub fn administrators(conn: &mut Conn, vault: &Vault) -> Result<Vec<Trusted<User>>, DbError> {
    let may = users::role.eq("administrator").and(users::disabled.eq(false)).and(users::deleted_at.is_null());
    let rows = users::table.filter(may).order(users::name_key);
    let found: Vec<(User, Option<i64>)> = rows.select((User::as_select(), latest_version!(users::id))).load(conn)?;
    let is_one = |row: &User| row.role == "administrator" && !row.disabled && row.deleted_at.is_none();
    Ok(found.into_iter().filter_map(|row| Seen::new(vault, row, is_one).judged().ok()).collect())
}

pub fn find_all(conn: &mut Conn, vault: &Vault, ids: &[UserId]) -> Result<Vec<Seen<User>>, DbError> {
    let rows = users::table.filter(users::id.eq_any(ids)).select((User::as_select(), latest_version!(users::id)));
    let found: Vec<(User, Option<i64>)> = rows.load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |user: &User| ids.contains(&user.id))).collect())
}

/// Locked until the transaction ends, for a change.
pub(super) fn lock(conn: &mut Conn, vault: &Vault, id: UserId) -> Result<Seen<User>, DbError> {
    let rows = users::table.find(id).select((User::as_select(), latest_version!(users::id)));
    let row = rows.for_update().first(conn).optional()?.ok_or(DbError::NotFound)?;
    Ok(Seen::new(vault, row, |user: &User| user.id == id))
}

/// Writes the row over the version that was read; [`DbError::Stale`] when somebody else was first.
pub(super) fn write(conn: &mut Conn, user: &Trusted<User>, read: i64) -> Result<(), DbError> {
    let same = users::table.find(user.id).filter(users::row_version.eq(read));
    if diesel::update(same).set(&**user).execute(conn)? == 1 { Ok(()) } else { Err(DbError::Stale) }
}

/// How the console looks to this user; needs neither check nor audit.
pub fn set_preferences(conn: &mut Conn, id: UserId, theme: &str, shortcuts: bool) -> Result<(), DbError> {
    diesel::update(users::table.find(id))
        .set((users::theme.eq(theme), users::shortcuts.eq(shortcuts)))
        .execute(conn)?;
    Ok(())
}

/// Locks the row, and fails with [`DbError::Stale`] if the user was changed since the password was checked.
pub fn lock_unchanged(conn: &mut Conn, user: &User) -> Result<(), DbError> {
    let same = users::table.find(user.id).filter(users::row_version.eq(user.row_version));
    same.select(users::id).for_share().first::<UserId>(conn).optional()?.map(drop).ok_or(DbError::Stale)
}

/// The database's clock in whole seconds since 1970, for one-time codes.
pub fn seconds(conn: &mut Conn) -> Result<i64, DbError> {
    let now = diesel::dsl::sql::<diesel::sql_types::BigInt>("SELECT extract(epoch FROM now())::bigint");
    Ok(now.get_result(conn)?)
}
