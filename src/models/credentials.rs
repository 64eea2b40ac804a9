//! Credentials: the row, and every change of one. Values are sealed here, inside the transaction that knows the active
//! master key; they are opened nowhere in this module.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::alerts;
pub use super::credential_row::Credential;
use super::credential_row::context;
use super::events::{self, Action, Actor};
use super::schema::{credentials, secrets};
use super::secrets::{NewSecret, Versions};
use super::together::Both;
use super::trust::{self, Seen, Trusted, latest_version};
use super::{Conn, CredentialId, DbError, cloud_keys, keks, provider_facts, sealing};
use crate::vault::{Sealed, Vault};

type SealedColumns = (Option<i32>, Option<Vec<u8>>, Option<Vec<u8>>);

/// What a form gives: what may be shown, and the values that are sealed.
pub struct NewCredential<'a> {
    pub kind: &'a str,
    pub name: &'a str,
    pub note: &'a str,
    pub identity: &'a str,
    pub facts: &'a str,
    pub ages: bool,
    pub expires_at: Option<DateTime<Utc>>,
    /// What scans of its account call the key, see `cloud_keys`.
    pub key_id: Option<&'a str>,
    /// Canonical JSON of the form's values.
    pub plaintext: &'a [u8],
}

/// What an edit leaves alone when the values did not change, or what it does to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    Kept,
    /// New values around the same key: a note, a level.
    Resealed,
    /// A new key: the clock of its age starts again.
    Replaced,
}

/// Saves a new credential, sealed and audited, and returns its id. Call inside a transaction.
pub fn create(conn: &mut Conn, vault: &Vault, actor: &Actor, new: &NewCredential) -> Result<CredentialId, DbError> {
    insert(conn, vault, actor, new, false)
}

fn insert(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    new: &NewCredential,
    shipped: bool,
) -> Result<CredentialId, DbError> {
    let (mut ledger, key) = sealing::open(conn, vault)?;
    let id = CredentialId::fresh();
    let sealed = vault.seal(key, &context(id, new.kind, 1), new.plaintext)?;
    let row = Credential {
        id,
        kind: new.kind.to_owned(),
        name: new.name.to_owned(),
        note: new.note.to_owned(),
        identity: new.identity.to_owned(),
        facts: new.facts.to_owned(),
        ages: new.ages,
        expires_at: new.expires_at,
        shipped,
        secret_version: 1,
        secrets: Versions::only(1),
        secret_set_at: ledger.now,
        usage_count: 0,
        last_used_at: DateTime::UNIX_EPOCH,
        integrity_failed_at: None,
        created_at: ledger.now,
        created_by: actor.name.clone(),
        edited_at: ledger.now,
        edited_by: actor.name.clone(),
        row_version: 1,
        row_mac: Vec::new(),
        stale_after_days: None,
        owner: String::new(),
        tags: Vec::new(),
    };
    let row = trust::sign(vault, row);
    let inserted = diesel::insert_into(credentials::table).values((
        (
            credentials::id.eq(row.id),
            credentials::kind.eq(&row.kind),
            credentials::name.eq(&row.name),
            credentials::name_key.eq(crate::names::key(&row.name)),
            credentials::note.eq(&row.note),
            credentials::identity.eq(&row.identity),
            credentials::facts.eq(&row.facts),
            credentials::ages.eq(row.ages),
            credentials::expires_at.eq(row.expires_at),
            credentials::shipped.eq(row.shipped),
        ),
        (
            credentials::secret_set_at.eq(row.secret_set_at),
            credentials::created_at.eq(row.created_at),
            credentials::created_by.eq(&row.created_by),
            credentials::edited_at.eq(row.edited_at),
            credentials::edited_by.eq(&row.edited_by),
            credentials::row_mac.eq(&row.row_mac),
            credentials::key_id.eq(new.key_id),
        ),
    ));
    let secret = NewSecret::active(id, 1, &sealed, ledger.now);
    let change = Both(inserted, diesel::insert_into(secrets::table).values(&secret));
    let event = row.event(Action::CredentialCreated, format!("type {}", row.kind));
    ledger.record_with(conn, vault, actor, (&event, row.row_version), change)?;
    if new.key_id.is_some() {
        cloud_keys::tell_one(conn, id)?;
    }
    Ok(id)
}

/// The credential that the product comes with. Made once; later calls find it and do nothing.
pub fn ship(conn: &mut Conn, vault: &Vault, new: &NewCredential) -> Result<(), DbError> {
    let there: i64 = credentials::table.filter(credentials::shipped).count().get_result(conn)?;
    if there == 0 {
        insert(conn, vault, &Actor::system(), new, true)?;
    }
    Ok(())
}

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<Credential>>, DbError> {
    let rows = credentials::table.filter(credentials::id.gt(after)).order(credentials::id).limit(limit);
    let found: Vec<(Credential, Option<i64>)> =
        rows.select((Credential::as_select(), latest_version!(credentials::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |_| true)).collect())
}

pub fn find(conn: &mut Conn, vault: &Vault, id: CredentialId) -> Result<Seen<Credential>, DbError> {
    let rows = credentials::table.find(id).select((Credential::as_select(), latest_version!(credentials::id)));
    Ok(Seen::new(vault, rows.first(conn)?, |row: &Credential| row.id == id))
}

/// Locked until the transaction ends, for a change.
pub(super) fn lock(conn: &mut Conn, vault: &Vault, id: CredentialId) -> Result<Seen<Credential>, DbError> {
    let row = credentials::table.find(id).select(credentials::id).for_no_key_update();
    row.first::<CredentialId>(conn).optional()?.ok_or(DbError::NotFound)?;
    // In a statement of its own: it sees the secrets that whoever held the lock before has saved.
    find(conn, vault, id)
}

/// The row with its envelope, for those who may open it: only under a row that is trusted.
pub fn find_sealed(conn: &mut Conn, vault: &Vault, id: CredentialId) -> Result<(Seen<Credential>, Sealed), DbError> {
    let columns = (secrets::kek_id.nullable(), secrets::wrapped_dek.nullable(), secrets::payload.nullable());
    // By the row's own version, which is signed.
    let own = secrets::credential_id.eq(credentials::id).and(secrets::version.eq(credentials::secret_version));
    let rows = credentials::table.left_join(secrets::table.on(own)).filter(credentials::id.eq(id));
    let (row, latest, sealed): (Credential, Option<i64>, SealedColumns) =
        rows.select((Credential::as_select(), latest_version!(credentials::id), columns)).first(conn)?;
    // Where it is gone, the row is not trusted, and nothing opens.
    let (kek_id, wrapped_dek, payload) = sealed;
    let (wrapped_dek, payload) = (wrapped_dek.unwrap_or_default(), payload.unwrap_or_default());
    let seen = Seen::new(vault, (row, latest), |row: &Credential| row.id == id);
    Ok((seen, Sealed { kek_id: kek_id.unwrap_or_default(), wrapped_dek, payload }))
}

/// Saves an edit made from `row_version`; [`DbError::Stale`] when somebody else was first. Call inside a transaction.
pub fn update(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (id, row_version): (CredentialId, i64),
    new: &NewCredential,
    secret: Secret,
) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = lock(conn, vault, id)?;
    if seen.shown().row_version != row_version {
        return Err(DbError::Stale);
    }
    if seen.shown().shipped {
        return Err(DbError::Check("credentials_shipped".to_owned()));
    }
    // A secret that is entered replaces all that was put back; a note does not.
    let row = if secret == Secret::Replaced { seen.trust_to_replace()? } else { seen.trust()? };
    let next = row.next_version();
    let mut row = row.into_row();
    let detail = what_changed(&row, new, secret);
    row.name = new.name.to_owned();
    row.note = new.note.to_owned();
    row.edited_at = ledger.now;
    row.edited_by = actor.name.clone();
    row.row_version = next;
    if secret != Secret::Kept {
        row.identity = new.identity.to_owned();
        row.facts = new.facts.to_owned();
        row.ages = new.ages;
        // What a test was told about the same secret stays.
        row.expires_at = new.expires_at.or(row.expires_at.filter(|_| secret == Secret::Resealed));
        row.secret_version += 1;
        row.secrets.replace_active(row.secret_version);
    }
    if secret == Secret::Replaced {
        row.secret_set_at = ledger.now;
    }
    let row = trust::sign(vault, row);
    let healed = (credentials::integrity_failed_at.eq(None::<DateTime<Utc>>), super::credential_row::untested());
    diesel::update(credentials::table.find(id))
        .set((
            (secret != Secret::Kept).then_some(healed),
            // What a test was told about the same secret stays.
            (secret == Secret::Replaced || new.key_id.is_some()).then_some(credentials::key_id.eq(new.key_id)),
            credentials::name.eq(&row.name),
            credentials::name_key.eq(crate::names::key(&row.name)),
            credentials::note.eq(&row.note),
            credentials::identity.eq(&row.identity),
            credentials::facts.eq(&row.facts),
            credentials::ages.eq(row.ages),
            credentials::expires_at.eq(row.expires_at),
            credentials::secret_version.eq(row.secret_version),
            credentials::secret_set_at.eq(row.secret_set_at),
            credentials::edited_at.eq(row.edited_at),
            credentials::edited_by.eq(&row.edited_by),
            credentials::row_version.eq(row.row_version),
            credentials::row_mac.eq(&row.row_mac),
        ))
        .execute(conn)?;
    alerts::rename(conn, id.0, &row.name)?;
    if secret != Secret::Kept {
        let sealed = vault.seal(keks::active(conn, vault)?, &row.context(), new.plaintext)?;
        super::secrets::retire_active(conn, id)?;
        provider_facts::after_edit(conn, id, row.secret_version, secret == Secret::Replaced)?;
        if new.key_id.is_some() {
            cloud_keys::tell_one(conn, id)?;
        }
        NewSecret::active(id, row.secret_version, &sealed, ledger.now).replace(conn)?;
        let ends = row.expires_at.filter(|at| *at < ledger.now + chrono::Duration::days(30));
        alerts::after_edit(conn, row.id, secret == Secret::Replaced, ends.is_some())?;
    }
    ledger.record_version(conn, vault, actor, &row.event(Action::CredentialEdited, detail), row.row_version)
}

fn what_changed(row: &Credential, new: &NewCredential, secret: Secret) -> String {
    let mut parts = Vec::new();
    if row.name != new.name {
        parts.push(format!("renamed from {}", row.name));
    }
    if row.note != new.note {
        parts.push("description".to_owned());
    }
    match secret {
        Secret::Kept => {}
        Secret::Resealed => parts.push("settings".to_owned()),
        Secret::Replaced => parts.push("secret replaced".to_owned()),
    }
    if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") }
}

/// Deletes an unused credential. A usage makes the foreign key refuse it: [`DbError::Reference`].
pub fn delete(conn: &mut Conn, vault: &Vault, actor: &Actor, id: CredentialId) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = find(conn, vault, id)?;
    if seen.shown().shipped {
        return Err(DbError::Check("credentials_shipped".to_owned()));
    }
    diesel::delete(credentials::table.find(id)).execute(conn)?;
    let (last, row) = (seen.next_version(), seen.shown());
    let event = row.event(Action::CredentialDeleted, format!("type {}", row.kind));
    ledger.record_version(conn, vault, actor, &event, last)
}

/// Writes down that a deletion was refused, after the transaction that tried it has been rolled back.
pub fn record_refused_deletion(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    row: &Credential,
    why: String,
) -> Result<(), DbError> {
    events::record(conn, vault, actor, &row.event(Action::CredentialDeleteRefused, why))
}

/// Writes down that the secret was opened, by whom and for what.
pub fn record_opening(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    row: &Trusted<Credential>,
    why: String,
) -> Result<(), DbError> {
    events::record(conn, vault, actor, &row.event(Action::CredentialOpened, why))
}

/// Writes into the audit trail what a client did with it. Call inside a transaction.
pub fn record_fetch(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    row: &Credential,
    (action, detail): (Action, String),
) -> Result<(), DbError> {
    events::record(conn, vault, actor, &row.event(action, detail))?;
    // Not more often, or clients that share a credential would wait for each other.
    let before = diesel::dsl::sql::<diesel::sql_types::Bool>("last_used_at < now() - interval '1 minute'");
    let stale = credentials::table.find(row.id).filter(before);
    diesel::update(stale).set(credentials::last_used_at.eq(diesel::dsl::now)).execute(conn)?;
    Ok(())
}

/// Which version its secret has now.
pub fn secret_version(conn: &mut Conn, id: CredentialId) -> Result<i32, DbError> {
    Ok(credentials::table.find(id).select(credentials::secret_version).first(conn)?)
}

/// Writes down that an integration used the credential just now.
pub fn touch(conn: &mut Conn, id: CredentialId) -> Result<(), DbError> {
    diesel::update(credentials::table.find(id)).set(credentials::last_used_at.eq(diesel::dsl::now)).execute(conn)?;
    Ok(())
}
