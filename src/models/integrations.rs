//! Integrations: the consumers of credentials. The usages of a row, in `usages`, belong to it: they are read with it, and
//! its signature covers them. The lines that pages list are in `integration_list`.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Timestamptz};
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
use super::schema::{credentials, integrations};
use super::times::{MaybeTime, Time};
use super::trust::{self, Parts, Seen, Signed, latest_version, signed_columns};
use super::usages::{self, Further, Usage};
use super::{Conn, CredentialId, DbError, IntegrationId, alerts, channels, coverage, labels};
use crate::vault::Vault;

#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(treat_none_as_null = true)]
pub struct Integration {
    pub id: IntegrationId,
    pub family: String,
    pub version: String,
    pub name: String,
    /// Of the usage of role `main`.
    #[diesel(select_expression = usages::MainCredential, select_expression_type = usages::MainCredential)]
    #[diesel(skip_insertion, skip_update)]
    pub credential_id: Option<CredentialId>,
    /// The host that gets the credential, as `host:port`.
    #[diesel(select_expression = usages::MainHost, select_expression_type = usages::MainHost)]
    #[diesel(skip_insertion, skip_update)]
    pub host: String,
    /// The usages of other roles.
    #[diesel(select_expression = usages::OtherUsages, select_expression_type = usages::OtherUsages)]
    #[diesel(skip_insertion, skip_update)]
    pub further: Further,
    /// Canonical JSON of the form's values.
    pub settings: String,
    pub active: bool,
    pub every_hours: Option<i32>,
    #[diesel(deserialize_as = MaybeTime)]
    pub next_run_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = Time)]
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    #[diesel(deserialize_as = Time)]
    pub edited_at: DateTime<Utc>,
    pub edited_by: String,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
    /// A team or a person; may be empty.
    pub owner: String,
    pub tags: Vec<String>,
}

/// What a form gives.
#[derive(Clone, Debug)]
pub struct NewIntegration<'a> {
    pub family: &'a str,
    pub version: &'a str,
    pub name: &'a str,
    pub credential_id: Option<CredentialId>,
    pub host: &'a str,
    /// What is used in other roles than `main`.
    pub further: &'a [Usage],
    pub settings: &'a str,
    pub every_hours: Option<i32>,
}

impl Signed for Integration {
    const TABLE: &'static str = "integrations";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        let parts = Parts::default()
            .id(Some(self.id))
            .text(&self.family)
            .text(&self.version)
            .text(&self.name)
            .id(self.credential_id)
            .text(&self.host)
            .text(&self.settings)
            .flags(&[self.active])
            .number(self.every_hours.map(i64::from))
            .number(self.row_version);
        self.further.sign(labels::sign(parts, &self.owner, &self.tags))
    }

    fn former_parts(&self) -> Option<Parts> {
        let parts = Parts::default().id(Some(self.id)).text(&self.family).text(&self.version).text(&self.name);
        let parts = parts.id(self.credential_id).text(&self.host).text(&self.settings).flags(&[self.active]);
        let every_hours = self.every_hours.unwrap_or(0);
        Some(parts.bytes(&every_hours.to_be_bytes()).number(self.row_version))
    }
}

impl Integration {
    /// Whether it uses the credential in any role; with a host, whether it sends it there.
    pub fn uses(&self, credential: CredentialId, host: Option<&str>) -> bool {
        let main = self.credential_id.map(|main| (main, self.host.as_str()));
        let further = self.further.iter().map(|usage| (usage.credential, usage.host.as_str()));
        main.into_iter().chain(further).any(|(id, to)| id == credential && host.is_none_or(|host| host == to))
    }

    pub fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        NewEvent { action, subject_kind: "integration", subject_id: Some(self.id.0), subject_name: &self.name, detail }
    }
}

/// Saves a new integration and returns its id. Call inside a transaction.
pub fn create(conn: &mut Conn, vault: &Vault, actor: &Actor, new: &NewIntegration) -> Result<IntegrationId, DbError> {
    let mut ledger = events::open(conn)?;
    let row = Integration {
        id: IntegrationId::fresh(),
        family: new.family.to_owned(),
        version: new.version.to_owned(),
        name: new.name.to_owned(),
        credential_id: new.credential_id,
        host: new.host.to_owned(),
        further: new.further.into(),
        settings: new.settings.to_owned(),
        active: true,
        every_hours: new.every_hours,
        next_run_at: next_run(new.every_hours, ledger.now),
        created_at: ledger.now,
        created_by: actor.name.clone(),
        edited_at: ledger.now,
        edited_by: actor.name.clone(),
        row_version: 1,
        row_mac: Vec::new(),
        owner: String::new(),
        tags: Vec::new(),
    };
    let row = trust::sign(vault, row);
    diesel::insert_into(integrations::table)
        .values((&*row, integrations::name_key.eq(crate::names::key(&row.name))))
        .execute(conn)?;
    usages::save(conn, row.id, (row.credential_id, &row.host), &row.further)?;
    let detail = match credential_name(conn, row.credential_id)? {
        Some(name) => format!("{} with {name}", row.host),
        None => format!("{} without a credential", row.host),
    };
    ledger.record_version(conn, vault, actor, &row.event(Action::IntegrationCreated, detail), row.row_version)?;
    Ok(row.id)
}

fn next_run(every_hours: Option<i32>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    every_hours.map(|hours| now + chrono::Duration::hours(hours.into()))
}

fn credential_name(conn: &mut Conn, id: Option<CredentialId>) -> Result<Option<String>, DbError> {
    match id {
        Some(id) => Ok(Some(credentials::table.find(id).select(credentials::name).first(conn)?)),
        None => Ok(None),
    }
}

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<Integration>>, DbError> {
    let rows = integrations::table.filter(integrations::id.gt(after)).order(integrations::id).limit(limit);
    let found: Vec<(Integration, Option<i64>)> =
        rows.select((Integration::as_select(), latest_version!(integrations::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |_| true)).collect())
}

/// All of a family.
pub fn of_family(conn: &mut Conn, vault: &Vault, family: &str) -> Result<Vec<Seen<Integration>>, DbError> {
    let rows = integrations::table.filter(integrations::family.eq(family)).order(integrations::id);
    let found: Vec<(Integration, Option<i64>)> =
        rows.select((Integration::as_select(), latest_version!(integrations::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |row: &Integration| row.family == family)).collect())
}

pub fn find(conn: &mut Conn, vault: &Vault, id: IntegrationId) -> Result<Seen<Integration>, DbError> {
    let rows = integrations::table.find(id).select((Integration::as_select(), latest_version!(integrations::id)));
    Ok(Seen::new(vault, rows.first(conn)?, |row: &Integration| row.id == id))
}

/// Locked until the transaction ends, for a change.
pub(super) fn lock(conn: &mut Conn, vault: &Vault, id: IntegrationId) -> Result<Seen<Integration>, DbError> {
    let row = integrations::table.find(id).select(integrations::id).for_no_key_update();
    row.first::<IntegrationId>(conn).optional()?.ok_or(DbError::NotFound)?;
    // In a statement of its own: it sees the usages that whoever held the lock before has saved.
    find(conn, vault, id)
}

/// Applies `change` to the row as of `row_version`, checks and audits it. Call inside a transaction.
pub(super) fn change(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (id, row_version): (IntegrationId, Option<i64>),
    action: Action,
    change: impl Fn(&mut Integration, DateTime<Utc>) -> String,
) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = lock(conn, vault, id)?;
    if row_version.is_some_and(|expected| expected != seen.shown().row_version) {
        return Err(DbError::Stale);
    }
    // A whole form replaces all that was put back; a switch does not.
    let row = if row_version.is_some() { seen.trust_to_replace()? } else { seen.trust()? };
    let next = row.next_version();
    let mut row = row.into_row();
    let former = (row.settings.clone(), row.credential_id);
    let detail = change(&mut row, ledger.now);
    row.edited_at = ledger.now;
    row.edited_by = actor.name.clone();
    row.row_version = next;
    let row = trust::sign(vault, row);
    diesel::update(integrations::table.find(id))
        .set((&*row, integrations::name_key.eq(crate::names::key(&row.name))))
        .execute(conn)?;
    usages::save(conn, row.id, (row.credential_id, &row.host), &row.further)?;
    channels::start_anew(conn, vault, id)?;
    if (&former.0, former.1) != (&row.settings, row.credential_id) {
        coverage::forget(conn, id)?;
    }
    ledger.record_version(conn, vault, actor, &row.event(action, detail), row.row_version)
}

/// Saves an edit made from `row_version`.
pub fn update(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    at: (IntegrationId, i64),
    new: &NewIntegration,
) -> Result<(), DbError> {
    change(conn, vault, actor, (at.0, Some(at.1)), Action::IntegrationEdited, |row, now| {
        let detail = what_changed(row, new);
        row.version = new.version.to_owned();
        row.name = new.name.to_owned();
        row.credential_id = new.credential_id;
        row.host = new.host.to_owned();
        row.further = new.further.into();
        row.settings = new.settings.to_owned();
        row.every_hours = new.every_hours;
        row.next_run_at = next_run(new.every_hours, now).filter(|_| row.active);
        detail
    })?;
    alerts::rename(conn, at.0.0, new.name)
}

fn what_changed(row: &Integration, new: &NewIntegration) -> String {
    let changes = [
        (row.name != new.name, format!("renamed from {}", row.name)),
        (row.host != new.host, format!("address {} instead of {}", new.host, row.host)),
        (row.credential_id != new.credential_id, "another credential".to_owned()),
        (row.further != Further::from(new.further), "further credentials".to_owned()),
        (row.settings != new.settings, "settings".to_owned()),
        (row.every_hours != new.every_hours, "schedule".to_owned()),
    ];
    let changed: Vec<String> = changes.into_iter().filter(|(changed, _)| *changed).map(|(_, what)| what).collect();
    if changed.is_empty() { "nothing changed".to_owned() } else { changed.join(", ") }
}

/// Switches the schedule and *Scan now* on or off; the usage stays either way.
pub fn set_active(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    id: IntegrationId,
    active: bool,
) -> Result<(), DbError> {
    let action = if active { Action::IntegrationActivated } else { Action::IntegrationDeactivated };
    change(conn, vault, actor, (id, None), action, |row, now| {
        row.active = active;
        row.next_run_at = next_run(row.every_hours, now).filter(|_| active);
        String::new()
    })
}

pub fn delete(conn: &mut Conn, vault: &Vault, actor: &Actor, id: IntegrationId) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = find(conn, vault, id)?;
    diesel::delete(integrations::table.find(id)).execute(conn)?;
    let (last, row) = (seen.next_version(), seen.shown());
    ledger.record_version(conn, vault, actor, &row.event(Action::IntegrationDeleted, row.host.clone()), last)
}

/// A time further away than the schedule allows was not set by Strongroom.
const DUE: &str =
    "(next_run_at <= now() OR next_run_at > now() + make_interval(hours => every_hours) + interval '1 minute')";

/// Integrations whose time has come; their next time is set at once, so that replicas do not queue twice.
pub fn take_due(conn: &mut Conn) -> Result<Vec<IntegrationId>, DbError> {
    let due = integrations::table
        .filter(integrations::active.and(sql::<Bool>(DUE)))
        .select(integrations::id)
        .limit(100)
        .for_no_key_update()
        .skip_locked();
    let ids: Vec<IntegrationId> = due.load(conn)?;
    diesel::update(integrations::table.filter(integrations::id.eq_any(&ids)))
        .set(integrations::next_run_at.eq(sql::<Nullable<Timestamptz>>("now() + make_interval(hours => every_hours)")))
        .execute(conn)?;
    Ok(ids)
}
