//! Signing the rows of the release before anew, once, when a console of this release first starts. A row whose former
//! check does not hold stays as it is, and so is not trusted. The audit trail remembers that it was done, so that
//! nobody can have rows with a former check signed again by taking the deployment's signature away.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Uuid as SqlUuid};
use uuid::Uuid;

use super::chain::{self, Walk};
use super::channels::Health;
use super::deployment::{BootError, Deployment};
use super::events::{self, Action, Actor, NewEvent};
use super::keks::{self, Kek};
use super::runs::{Run, RunState};
use super::schema;
use super::trust::{self, Seen, Signed};
use super::{Conn, DbError, alert_settings, credentials, integrations, recipients, users};
use crate::vault::Vault;

const BATCH: i64 = 1_000;

/// Whether rows may be signed that the audit trail says were signed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    No,
    /// The operator says that the store was back with the release before.
    Yes,
}

/// Signs what the release before left, unless that was done. Call inside a transaction, after the migrations.
pub fn once(conn: &mut Conn, vault: &Vault, again: Again) -> Result<(), BootError> {
    // Replicas that start together do it once.
    conn.batch_execute("LOCK TABLE deployment IN EXCLUSIVE MODE")?;
    let table = schema::deployment::table;
    let found: Option<Deployment> = table.select(Deployment::as_select()).first(conn).optional()?;
    let Some(row) = found.filter(|row| row.row_mac.is_empty()) else { return Ok(()) };
    let (walk, keys) = (chain::verify(conn, vault)?, keks::list(conn)?);
    // A trail that somebody changed may have said that it was done. The release before had no second version of a key.
    let done = walk.signed || !walk.broken.is_empty() || keys.iter().any(|kek| kek.row_version > 1);
    if again == Again::No && done {
        return Err(BootError::Unsigned);
    }
    check_keys(&keys, &walk)?;
    tracing::warn!("the rows of this store are signed again, as those of the release before");
    let signed = sign_all(conn, vault)?;
    let row = trust::sign(vault, row);
    diesel::update(table).set(schema::deployment::row_mac.eq(&row.row_mac)).execute(conn)?;
    let event = NewEvent {
        action: Action::StoreSigned,
        subject_kind: "store",
        subject_id: None,
        subject_name: "the whole store",
        detail: format!("{signed} rows of the release before"),
    };
    events::record(conn, vault, &Actor::system(), &event)?;
    Ok(())
}

/// Rows of master keys have no former check, so what the audit trail says of them must be so.
fn check_keys(keys: &[Kek], walk: &Walk) -> Result<(), BootError> {
    for kek in keys {
        let name = kek.name();
        let retired = walk.retired.contains(&name) && kek.state != "retired";
        let other = walk.activated.as_ref().is_some_and(|(_, active)| *active != name) && kek.state == "active";
        if retired || other {
            return Err(BootError::Tampered(name));
        }
    }
    Ok(())
}

fn sign_all(conn: &mut Conn, vault: &Vault) -> Result<usize, DbError> {
    let mut signed = walk(conn, vault, "users", users::page)?;
    signed += walk(conn, vault, "credentials", credentials::page)?;
    keep_refused(conn, vault)?;
    signed += walk(conn, vault, "integrations", integrations::page)?;
    signed += walk(conn, vault, "recipients", recipients::page)?;
    if let (Some(seen), _) = alert_settings::seen(conn, vault)?
        && trust::was_signed_before(vault, seen.shown())
    {
        let row = trust::sign(vault, seen.into_shown());
        let signature = schema::alert_settings::row_mac.eq(row.signature().to_vec());
        diesel::update(schema::alert_settings::table).set(signature).execute(conn)?;
        remember(conn, vault, alert_settings::SUBJECT, "the alert settings", row.version())?;
        signed += 1;
    }
    Ok(signed + sign_unsigned(conn, vault)?)
}

/// Credentials that the release before refused stay refused: the audit trail records a version that they do not have.
fn keep_refused(conn: &mut Conn, vault: &Vault) -> Result<(), DbError> {
    use schema::credentials::{id, integrity_failed_at, name, row_version, table};
    let refused = table.filter(integrity_failed_at.is_not_null()).select((id, name, row_version));
    for (subject, called, version) in refused.load::<(Uuid, String, i64)>(conn)? {
        remember(conn, vault, subject, &called, version + 1)?;
    }
    Ok(())
}

/// Rows that the release before did not sign are taken as they are.
fn sign_unsigned(conn: &mut Conn, vault: &Vault) -> Result<usize, DbError> {
    let keys: Vec<Kek> = schema::keks::table.select(Kek::as_select()).load(conn)?;
    let channels: Vec<Health> = schema::channels::table.select(Health::as_select()).load(conn)?;
    let waiting = schema::runs::state.eq_any([RunState::Queued, RunState::Running]);
    let runs: Vec<Run> = schema::runs::table.filter(waiting).select(Run::as_select()).load(conn)?;
    let count = keys.len() + channels.len() + runs.len();
    let subjects: Vec<Uuid> = keys.iter().map(Signed::subject).collect();
    let latest = events::versions(conn, &subjects)?;
    for mut kek in keys {
        // Newer than what was recorded before a return to the release before.
        kek.row_version = latest.get(&kek.subject()).map_or(kek.row_version, |version| version + 1);
        let kek = trust::sign(vault, kek);
        diesel::update(schema::keks::table.find(kek.id)).set(&*kek).execute(conn)?;
        remember(conn, vault, keks::subject(kek.id), &kek.name(), kek.row_version)?;
    }
    for health in channels {
        let health = trust::sign(vault, health);
        let signature = schema::channels::row_mac.eq(&health.row_mac);
        diesel::update(schema::channels::table.find(health.integration_id)).set(signature).execute(conn)?;
    }
    for run in runs {
        let run = trust::sign(vault, run);
        diesel::update(schema::runs::table.find(run.id)).set(schema::runs::row_mac.eq(&run.row_mac)).execute(conn)?;
    }
    Ok(count)
}

/// Records the version of a row of which the audit trail has none.
fn remember(conn: &mut Conn, vault: &Vault, subject: Uuid, name: &str, version: i64) -> Result<(), DbError> {
    let event = NewEvent {
        action: Action::StoreSigned,
        subject_kind: "store",
        subject_id: Some(subject),
        subject_name: name,
        detail: String::new(),
    };
    events::open(conn)?.record_version(conn, vault, &Actor::system(), &event, version)
}

type Page<T> = fn(&mut Conn, &Vault, Uuid, i64) -> Result<Vec<Seen<T>>, DbError>;

fn walk<T: Signed>(conn: &mut Conn, vault: &Vault, table: &str, page: Page<T>) -> Result<usize, DbError> {
    let (mut after, mut signed) = (Uuid::nil(), 0);
    loop {
        let rows = page(conn, vault, after, BATCH)?;
        let Some(last) = rows.last() else { return Ok(signed) };
        after = last.shown().subject();
        let whole = rows.into_iter().map(Seen::into_shown).filter(|row| trust::was_signed_before(vault, row));
        let (mut ids, mut signatures) = (Vec::new(), Vec::new());
        for row in whole {
            let row = trust::sign(vault, row);
            ids.push(row.subject());
            signatures.push(row.signature().to_vec());
        }
        signed += diesel::sql_query(format!(
            "UPDATE {table} AS row SET row_mac = signed.mac FROM unnest($1, $2) AS signed (id, mac) WHERE row.id = signed.id"
        ))
        .bind::<Array<SqlUuid>, _>(&ids)
        .bind::<Array<Binary>, _>(&signatures)
        .execute(conn)?;
    }
}
