//! Master keys as the database knows them: their state and a value that proves who holds them, never the key.

use chrono::{DateTime, Utc};
use diesel::dsl::AsExprOf;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
pub use super::replicas::heartbeat;
use super::replicas::replicas_without;
use super::schema::keks;
use super::times::{MaybeTime, Time};
use super::trust::{self, Parts, Seen, Signed, Trusted, latest_version, signed_columns};
use super::{Conn, DbError};
use crate::vault::Vault;

#[derive(Clone, Debug, Default, Queryable, Selectable, AsChangeset)]
#[diesel(treat_none_as_null = true)]
pub struct Kek {
    pub id: i32,
    pub state: String,
    pub key_check_value: Vec<u8>,
    #[diesel(deserialize_as = Time)]
    pub created_at: DateTime<Utc>,
    #[diesel(deserialize_as = MaybeTime)]
    pub activated_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = MaybeTime)]
    pub verified_at: Option<DateTime<Utc>>,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
}

impl Kek {
    /// As the audit trail names it.
    pub fn name(&self) -> String {
        format!("master key {}", self.id)
    }
}

/// Ids of master keys as the audit trail records their versions.
pub fn subject(id: i32) -> Uuid {
    Uuid::from_u128(0x6b65_6b00_0000_0000_u128 << 64 | u128::from(id.unsigned_abs()))
}

impl Signed for Kek {
    const TABLE: &'static str = "keks";

    fn subject(&self) -> Uuid {
        subject(self.id)
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        let parts = Parts::default().number(i64::from(self.id)).text(&self.state).bytes(&self.key_check_value);
        parts.time(self.activated_at).time(self.verified_at).number(self.row_version)
    }
}

/// All master keys, for lists. Nothing is decided by them.
pub fn list(connection: &mut Conn) -> Result<Vec<Kek>, DbError> {
    Ok(keks::table.order(keks::id).select(Kek::as_select()).load(connection)?)
}

/// All master keys, judged; locked until the transaction ends.
pub fn seen(connection: &mut Conn, vault: &Vault) -> Result<Vec<Seen<Kek>>, DbError> {
    let rows: Vec<Kek> = keks::table.order(keks::id).select(Kek::as_select()).for_no_key_update().load(connection)?;
    judge(connection, vault, rows)
}

/// The same without locks.
pub fn look(connection: &mut Conn, vault: &Vault) -> Result<Vec<Seen<Kek>>, DbError> {
    let rows = list(connection)?;
    let seen = judge(connection, vault, rows)?;
    if seen.iter().all(|kek| kek.doubt().is_none()) {
        return Ok(seen);
    }
    // A change between the two statements looks like a row that was put back: the second look tells.
    let rows = list(connection)?;
    judge(connection, vault, rows)
}

fn judge(connection: &mut Conn, vault: &Vault, rows: Vec<Kek>) -> Result<Vec<Seen<Kek>>, DbError> {
    let subjects: Vec<Uuid> = rows.iter().map(|kek| subject(kek.id)).collect();
    let latest = events::versions(connection, &subjects)?;
    let judged = rows.into_iter().map(|kek| {
        let version = latest.get(&subject(kek.id)).copied();
        Seen::new(vault, (kek, version), |_| true)
    });
    Ok(judged.collect())
}

/// The keys of a new deployment: the first one is active from the start.
pub fn found(connection: &mut Conn, vault: &Vault) -> Result<(), DbError> {
    for (place, id) in vault.kek_ids().into_iter().enumerate() {
        let kek = insert(connection, vault, id, if place == 0 { "active" } else { "pending" })?;
        record(connection, vault, &Actor::system(), Action::KeyAdded, &kek)?;
    }
    Ok(())
}

fn insert(connection: &mut Conn, vault: &Vault, id: i32, state: &str) -> Result<Trusted<Kek>, DbError> {
    let key_check_value = vault.key_check_value(id).ok_or(DbError::MissingKek(crate::vault::MissingKek(id)))?;
    let now = super::clock(connection)?;
    let activated_at = Some(now).filter(|_| state == "active");
    let state = state.to_owned();
    let kek = Kek { id, state, key_check_value, created_at: now, activated_at, ..Kek::default() };
    let kek = trust::sign(vault, Kek { row_version: 1, ..kek });
    let row = (
        (keks::id.eq(id), keks::wraps.eq(Some(id)), keks::state.eq(&kek.state)),
        (keks::key_check_value.eq(&kek.key_check_value), keks::created_at.eq(now), keks::activated_at.eq(activated_at)),
        (keks::row_version.eq(kek.row_version), keks::row_mac.eq(&kek.row_mac)),
    );
    if diesel::insert_into(keks::table).values(row).on_conflict(keks::id).do_nothing().execute(connection)? == 0 {
        return Err(DbError::Duplicate("keks_pkey".to_owned()));
    }
    Ok(kek)
}

/// Changes a row that is trusted, and records the new version.
fn change(
    connection: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    kek: Trusted<Kek>,
    action: Action,
    change: impl FnOnce(&mut Kek),
) -> Result<(), DbError> {
    let next = kek.next_version();
    let mut kek = kek.into_row();
    change(&mut kek);
    kek.row_version = next;
    let kek = trust::sign(vault, kek);
    let retired = kek.state == "retired";
    let wraps = keks::wraps.eq(Some(kek.id).filter(|_| !retired));
    diesel::update(keks::table.find(kek.id)).set((&*kek, wraps)).execute(connection)?;
    record(connection, vault, actor, action, &kek)
}

fn record(connection: &mut Conn, vault: &Vault, actor: &Actor, action: Action, kek: &Kek) -> Result<(), DbError> {
    let name = kek.name();
    let (subject_kind, subject_id) = ("key", Some(subject(kek.id)));
    let event = NewEvent { action, subject_kind, subject_id, subject_name: &name, detail: String::new() };
    events::open(connection)?.record_version(connection, vault, actor, &event, kek.row_version)
}

/// Makes a key of the ring known to the database, pending. One that is known already stays as it is.
pub fn register(connection: &mut Conn, vault: &Vault, actor: &Actor, id: i32) -> Result<(), DbError> {
    match insert(connection, vault, id, "pending") {
        Ok(kek) => record(connection, vault, actor, Action::KeyAdded, &kek),
        Err(DbError::Duplicate(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Why the active key stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivateError {
    #[error("there is no master key {0}: `strongroom key list` shows them, `strongroom key add` makes one")]
    Unknown(i32),
    #[error("master key {0} is retired: make a new one with `strongroom key add`")]
    Retired(i32),
    #[error("master key {0} is the active one already")]
    Already(i32),
    #[error(
        "{count} of the running consoles do not hold master key {id} yet: copy the key ring file to each, wait ten \
         seconds, and try again"
    )]
    Lacking { id: i32, count: usize },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for ActivateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl super::AsDb for ActivateError {
    fn as_db(&self) -> Option<&DbError> {
        match self {
            Self::Db(error) => Some(error),
            _ => None,
        }
    }
}

/// Makes `id` the key of all new writes, if every replica that runs holds it. Call inside a transaction.
pub fn activate(connection: &mut Conn, vault: &Vault, actor: &Actor, id: i32) -> Result<(), ActivateError> {
    let all = seen(connection, vault)?;
    match all.iter().map(Seen::shown).find(|kek| kek.id == id).map(|kek| kek.state.as_str()) {
        None => return Err(ActivateError::Unknown(id)),
        Some("retired") => return Err(ActivateError::Retired(id)),
        Some("active") => return Err(ActivateError::Already(id)),
        Some(_) => {}
    }
    let lacking = replicas_without(connection, id)?;
    if !lacking.is_empty() {
        return Err(ActivateError::Lacking { id, count: lacking.len() });
    }
    let now = super::clock(connection)?;
    let mut chosen = None;
    for kek in all {
        let kek = kek.trust()?;
        match kek.state.as_str() {
            _ if kek.id == id => chosen = Some(kek),
            "active" => change(connection, vault, actor, kek, Action::KeySuperseded, |kek| {
                (kek.state, kek.verified_at) = ("decrypt_only".to_owned(), None);
            })?,
            _ => {}
        }
    }
    let chosen = chosen.ok_or(ActivateError::Unknown(id))?;
    Ok(change(connection, vault, actor, chosen, Action::KeyActivated, |kek| {
        (kek.state, kek.activated_at, kek.verified_at) = ("active".to_owned(), Some(now), None);
    })?)
}

/// The key that new values are sealed under, as of now. [`DbError::ReadOnly`] when none can be trusted.
pub fn active(connection: &mut Conn, vault: &Vault) -> Result<i32, DbError> {
    trusted_active(vault, |asked| {
        let columns = (Kek::as_select(), latest_version!(asked));
        Ok(keks::table.filter(keks::state.eq("active")).select(columns).first(connection).optional()?)
    })
}

/// The same, kept active until the transaction ends.
pub fn lock_active(connection: &mut Conn, vault: &Vault) -> Result<i32, DbError> {
    trusted_active(vault, |asked| {
        let columns = (Kek::as_select(), latest_version!(asked));
        Ok(keks::table.filter(keks::state.eq("active")).select(columns).for_share().first(connection).optional()?)
    })
}

/// The newest key of the ring, which is usually the active one.
pub(super) fn newest(vault: &Vault) -> i32 {
    vault.kek_ids().into_iter().max().unwrap_or_default()
}

/// The key of an active row that was read with the latest version of the key `asked`, if it is that key and trusted.
pub(super) fn trusted(vault: &Vault, row: (Kek, Option<i64>), asked: i32) -> Option<i32> {
    let seen = Seen::new(vault, row, |kek| kek.state == "active" && kek.id == asked);
    seen.trust().ok().map(|kek| kek.id)
}

/// `read` gets the id of the key that is probably the active one, and returns the active row with the latest version
/// that the audit trail records of *that* key: one statement for nearly all writes.
fn trusted_active(
    vault: &Vault,
    mut read: impl FnMut(AsExprOf<Uuid, SqlUuid>) -> Result<Option<(Kek, Option<i64>)>, DbError>,
) -> Result<i32, DbError> {
    let mut asked = newest(vault);
    // Another may become the active one while its row is waited for.
    for _ in 0..3 {
        let Some((kek, version)) = read(subject(asked).into_sql::<SqlUuid>())? else { continue };
        if kek.id != asked {
            asked = kek.id;
            continue;
        }
        if let Some(key) = trusted(vault, (kek, version), asked) {
            return Ok(key);
        }
        break;
    }
    tracing::error!("no master key can be used for new values: the keys' rows are missing or were tampered with");
    Err(DbError::ReadOnly)
}

/// Values are being wrapped anew: what was verified before says nothing about them. Call inside a transaction.
pub fn clear_verified(connection: &mut Conn, vault: &Vault, actor: &Actor) -> Result<(), DbError> {
    for kek in seen(connection, vault)? {
        if kek.shown().verified_at.is_some() && kek.shown().state != "retired" {
            change(connection, vault, actor, kek.trust()?, Action::KeyRewrapStarted, |kek| kek.verified_at = None)?;
        }
    }
    Ok(())
}

/// Notes that every value opened after the last re-wrap. Call inside a transaction.
pub fn set_verified(connection: &mut Conn, vault: &Vault, actor: &Actor, detail: &str) -> Result<(), DbError> {
    let now = super::clock(connection)?;
    for kek in seen(connection, vault)? {
        if kek.shown().state != "retired" {
            change(connection, vault, actor, kek.trust()?, Action::KeyVerified, |kek| kek.verified_at = Some(now))?;
        }
    }
    let name = format!("master key {}", active(connection, vault)?);
    let (action, subject_kind, detail) = (Action::KeyRewrapped, "key", detail.to_owned());
    let event = NewEvent { action, subject_kind, subject_id: None, subject_name: &name, detail };
    events::record(connection, vault, actor, &event)
}

/// Why a key stays in use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetireError {
    #[error("there is no master key {0}: `strongroom key list` shows them")]
    Unknown(i32),
    #[error("master key {0} is retired already")]
    Already(i32),
    #[error("master key {0} is the active one: activate another first")]
    Active(i32),
    #[error("master key {id} still protects {count} values: run `strongroom key rewrap` first")]
    InUse { id: i32, count: i64 },
    #[error("the values have not all been opened since they were last re-wrapped: run `strongroom key rewrap` first")]
    Unverified,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for RetireError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl super::AsDb for RetireError {
    fn as_db(&self) -> Option<&DbError> {
        match self {
            Self::Db(error) => Some(error),
            _ => None,
        }
    }
}

/// Takes a key out of use for ever. The foreign keys refuse it while a single value is wrapped by it, also one that is
/// being written at this moment. A key that was never active needs no verification. Call inside a transaction.
pub fn retire(connection: &mut Conn, vault: &Vault, actor: &Actor, id: i32) -> Result<(), RetireError> {
    let found = seen(connection, vault)?.into_iter().find(|kek| kek.shown().id == id);
    let kek = found.ok_or(RetireError::Unknown(id))?.trust()?;
    match kek.state.as_str() {
        "retired" => return Err(RetireError::Already(id)),
        "active" => return Err(RetireError::Active(id)),
        _ => {}
    }
    let count = super::sealed::wrapped_by(connection, id)?;
    if count > 0 {
        return Err(RetireError::InUse { id, count });
    }
    if kek.activated_at.is_some() && kek.verified_at.is_none() {
        return Err(RetireError::Unverified);
    }
    match change(connection, vault, actor, kek, Action::KeyRetired, |kek| kek.state = "retired".to_owned()) {
        // Written between the count and now.
        Err(DbError::Reference(_)) => Err(RetireError::InUse { id, count: 1 }),
        result => Ok(result?),
    }
}
