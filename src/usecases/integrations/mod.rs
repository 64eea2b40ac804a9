//! What operators do with integrations: add, change, switch, delete and scan them. What a form may hold is in `draft`,
//! the question before a secret goes to a new host in `destination`, trying without saving in `trial`.

use std::sync::Arc;

use super::{Principal, Refusal, confirm, read, write};
use crate::accounts::Role;
use crate::form::{Errors, Values};
use crate::integrations::{Family, Spec};
use crate::models::events::{self, Action, Actor};
use crate::models::integrations::{self, Integration};
use crate::models::runs::{self, RunAction};
use crate::models::{Conn, DbError, IntegrationId, integration_list, relabel, stores};
use crate::runs::deploy;
use crate::services::Services;
use crate::vault::Vault;

pub mod bulk;
mod clusters;
pub mod deployments;
pub(super) mod destination;
pub mod draft;
pub(super) mod for_accounts;
pub mod listed;
pub(super) mod passed_on;
pub mod syncs;
mod trial;

pub use clusters::clusters;
pub use destination::Answer;
use destination::{Destination, Found};
use draft::{Draft, Purpose};
pub use trial::{TestAlert, Trial, Tried, send_test, try_out};

/// An integration as somebody entered it.
pub struct Entered<'a> {
    /// The fields of [`draft::fields`].
    pub values: &'a Values,
    pub answer: Answer<'a>,
    /// A store is added although its connection does not work.
    pub anyway: bool,
}

/// What was entered, after all checks.
struct Checked {
    draft: Arc<Draft>,
    /// The new destinations of secrets, which the user has confirmed, and the usages other than the main one.
    found: Found,
}

/// Checks what was entered, also against the row that is edited, and confirms the destination of the secret.
async fn check(
    services: &Services,
    principal: &Principal,
    entered: &Entered<'_>,
    edited: Option<Arc<Integration>>,
) -> Result<Checked, Refusal> {
    if let Some(row) = &edited {
        stays(row, entered.values.get("version")).map_err(Refusal::Invalid)?;
    }
    let purpose = if edited.is_some() { Purpose::Saved } else { Purpose::New };
    let mut draft = Draft::check(services, entered.values, purpose).map_err(Refusal::Invalid)?;
    if let Some(row) = &edited {
        draft.keep_items(row);
    }
    let draft = Arc::new(draft);
    for_accounts::check(services, principal, &draft, edited.as_deref()).await?;
    if let Some(row) = &edited {
        destination::check_login(principal, &draft, row).map_err(Refusal::Invalid)?;
    }
    let name = edited.as_ref().map_or(&draft.name, |row| &row.name).clone();
    let looked = draft.clone();
    let find = move |conn: &mut _, vault: &_| destination::find(conn, vault, &looked, edited.as_deref());
    let found = read(services, find).await?.map_err(Refusal::Invalid)?;
    destination::check_role(principal, &found.destinations).map_err(Refusal::Invalid)?;
    let asked: Vec<(&Destination, &str)> = found.destinations.iter().map(|one| (one, name.as_str())).collect();
    destination::confirm_all(services, principal, &asked, &entered.answer).await?;
    Ok(Checked { draft, found })
}

/// A scan may speak to its registry in another way. A channel has recipients and messages that were meant for it.
pub fn stays(row: &Integration, version: &str) -> Result<(), Errors> {
    let family = Spec::find(version).map(Spec::family);
    if family.map(Family::slug) != Some(row.family.as_str()) {
        return Err(Errors::one("version", "An integration's type can't be changed. Add another integration instead."));
    }
    if family == Some(Family::AlertProfile) && version != row.version {
        let text = "A channel's type can't be changed, since its recipients and waiting messages belong to it. Add another channel instead.";
        return Err(Errors::one("version", text));
    }
    Ok(())
}

/// A row that was put back may be edited: a whole form replaces everything that decides. One that was changed may not.
pub async fn editable(services: &Services, id: IntegrationId) -> Result<Integration, Refusal> {
    let row = read(services, move |conn, vault| integrations::find(conn, vault, id)).await?.into_replaceable()?;
    match Spec::find(&row.version) {
        Some(_) => Ok(row),
        None => Err(Refusal::Conflict("This release of Strongroom does not know this kind of integration.")),
    }
}

/// The row to be edited, as of the version that the principal has seen.
async fn seen_row(services: &Services, (id, seen): (IntegrationId, i64)) -> Result<Arc<Integration>, Refusal> {
    let row = editable(services, id).await?;
    if row.row_version == seen { Ok(Arc::new(row)) } else { Err(Refusal::Overtaken) }
}

/// An integration that was added.
pub struct Added {
    pub id: IntegrationId,
    /// Whether its first scan waits to begin.
    pub queued: bool,
}

/// Adds an integration; one that scans does so at once. A channel asks for the password; a secret store is connected to
/// first.
pub async fn create(services: &Services, principal: &Principal, entered: &Entered<'_>) -> Result<Added, Refusal> {
    principal.require(Role::Operator)?;
    let Checked { draft, found } = check(services, principal, entered, None).await?;
    let family = draft.provider.family();
    // A deployment starts with a preview, so no run is queued yet.
    let scans = !matches!(family, Family::AlertProfile | Family::DaemonSet | Family::SecretSync);
    if family == Family::AlertProfile && found.destinations.is_empty() {
        confirm(services, principal.visitor(), &entered.answer.confirmation).await?;
    }
    if family == Family::SecretStore
        && !entered.anyway
        && let Tried::NotConnected(why) = trial::connect(services, principal, &draft, &found).await?
    {
        return Err(Refusal::NotConnected(why));
    }
    let added = write(services, principal, move |conn, vault, actor| {
        let free = if draft.proposed { Some(integration_list::free_name(conn, &draft.name)?) } else { None };
        let name = free.as_deref().unwrap_or(&draft.name);
        let id = integrations::create(conn, vault, actor, &draft.row(name, &found.further))?;
        if !draft.labels.is_blank() {
            relabel::integration(conn, vault, actor, (id, None), &draft.labels)?;
        }
        for destination in &found.destinations {
            events::record(conn, vault, actor, &destination.allowed(Some(id), name))?;
        }
        if scans {
            runs::queue(conn, vault, id, "added", &actor.name)?;
        }
        Ok(id)
    });
    let id = added.await.map_err(draft::refused)?;
    services.wake.runs.notify_one();
    Ok(Added { id, queued: scans })
}

/// Saves what was entered over the version of an integration that the principal has seen. A channel that would send
/// something else, or elsewhere, asks for the password, and so does a store of which something passes on an entry.
pub async fn update(
    services: &Services,
    principal: &Principal,
    at: (IntegrationId, i64),
    entered: &Entered<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let row = seen_row(services, at).await?;
    let Checked { draft, found } = check(services, principal, entered, Some(row.clone())).await?;
    if found.destinations.is_empty() && draft.redirects_alerts(&row) {
        confirm(services, principal.visitor(), &entered.answer.confirmation).await?;
    }
    let asked = (!found.destinations.is_empty(), &entered.answer.confirmation);
    passed_on::check_store(services, principal, (&draft, &row), asked).await?;
    let held = principal.clone();
    let saved = write(services, principal, move |conn, vault, actor| {
        match passed_on::held_store(conn, &held, (&draft, &row))? {
            Ok(()) => save(conn, vault, actor, (&draft, &found), (at, &row)).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    });
    saved.await.map_err(draft::refused)?
}

fn save(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (draft, found): (&Draft, &Found),
    (at, row): ((IntegrationId, i64), &Integration),
) -> Result<(), DbError> {
    // Owner and tags alone are one change of their own. A row that was put back is saved whole.
    if draft.is_saved_as(row) {
        match relabel::integration(conn, vault, actor, (at.0, Some(at.1)), &draft.labels) {
            Ok(true) => return Ok(()),
            Ok(false) | Err(DbError::Integrity) => {}
            Err(error) => return Err(error),
        }
    }
    integrations::update(conn, vault, actor, at, &draft.row(&draft.name, &found.further))?;
    relabel::integration(conn, vault, actor, (at.0, None), &draft.labels)?;
    // How often it is looked at may be another.
    deploy::look_again(conn, at.0, draft.settings())?;
    let mut allowed = found.destinations.iter().map(|one| one.allowed(None, &draft.name));
    allowed.try_for_each(|event| events::record(conn, vault, actor, &event))
}

/// Deletes an integration with its runs and what it found; `seen` is the version that the principal looked at. A store
/// of which something passes on an entry stays.
pub async fn delete(
    services: &Services,
    principal: &Principal,
    id: IntegrationId,
    seen: Option<i64>,
) -> Result<(), Refusal> {
    principal.require_fresh_as(Role::Operator)?;
    remove(services, principal, id, seen).await
}

/// The same for who may.
async fn remove(
    services: &Services,
    principal: &Principal,
    id: IntegrationId,
    seen: Option<i64>,
) -> Result<(), Refusal> {
    let deleted = write(services, principal, move |conn, vault, actor| {
        let row = integrations::find(conn, vault, id)?.into_shown();
        if seen.is_some_and(|seen| seen != row.row_version) {
            return Err(DbError::Stale);
        }
        if !stores::using(conn, id)?.is_empty() {
            return Err(DbError::Reference(stores::IN_USE.to_owned()));
        }
        integrations::delete(conn, vault, actor, id)
    });
    deleted.await.map_err(|error| match error {
        // Something began to use it a moment ago: the foreign key has the last word.
        DbError::Reference(_) => Refusal::InUse,
        error => error.into(),
    })
}

/// Switches an integration on or off. A channel that is off tells nobody anything, so that asks for the password.
pub async fn set_active(
    services: &Services,
    principal: &Principal,
    id: IntegrationId,
    active: bool,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let row = read(services, move |conn, vault| integrations::find(conn, vault, id)).await?.trust()?;
    if !active && row.family == Family::AlertProfile.slug() {
        principal.require_fresh()?;
    }
    switch(services, principal, id, active).await
}

/// The same without asking for the password.
async fn switch(services: &Services, principal: &Principal, id: IntegrationId, active: bool) -> Result<(), Refusal> {
    let set = move |conn: &mut _, vault: &_, actor: &_| integrations::set_active(conn, vault, actor, id, active);
    Ok(write(services, principal, set).await?)
}

/// Queues a scan or, for a deployment, a check. `false` if a run is under way already.
pub async fn scan(services: &Services, principal: &Principal, id: IntegrationId) -> Result<bool, Refusal> {
    principal.require(Role::Operator)?;
    let queued = write(services, principal, move |conn, vault, actor| {
        // A run of a row that does not count fails at once, and says so in its history and in the audit trail.
        let seen = integrations::find(conn, vault, id)?;
        let row = seen.shown();
        if !row.active {
            return Ok(None);
        }
        let is_of_cluster = Spec::find(&row.version).is_some_and(|spec| spec.cluster().is_some());
        let action = if is_of_cluster { RunAction::Observe } else { RunAction::Scan };
        Ok(Some(runs::queue_action(conn, vault, (id, action), None, ("asked", &actor.name))?.is_some()))
    });
    let off = Refusal::Conflict("This integration is switched off. Switch it on first.");
    let queued = queued.await?.ok_or(off)?;
    if queued {
        services.wake.runs.notify_one();
    }
    Ok(queued)
}

/// Asks the scan that is under way to stop. `false`: there is none.
pub async fn stop(services: &Services, principal: &Principal, id: IntegrationId) -> Result<bool, Refusal> {
    principal.require(Role::Operator)?;
    let stopping = write(services, principal, move |conn, vault, actor| {
        let row = integrations::find(conn, vault, id)?.into_shown();
        let stopping = runs::request_stop(conn, id)?;
        if stopping {
            events::record(conn, vault, actor, &row.event(Action::ScanStopRequested, String::new()))?;
        }
        Ok(stopping)
    });
    Ok(stopping.await?)
}
