//! What operators do with a deployment: preview, deploy, undo and remove. Each needs a recently confirmed password,
//! since a deployment runs software on every node. The calls to the cluster are in `integrations::deployments`, the
//! runs that make them in `runs::deploy`.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::{Principal, Refusal, read, write};
use crate::accounts::Role;
use crate::echoes::Echoes;
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::context::{Context, MAIN};
use crate::integrations::deployments::syncs::Entries;
use crate::integrations::deployments::{self as work, DRIFT_CHECK, Deployment, Options, Preview, syncs};
use crate::models::events::Actor;
use crate::models::integrations::{self, Integration};
use crate::models::runs::{self, RunAction};
use crate::models::trust::Seen;
use crate::models::{self, Conn, DbError, IntegrationId, credentials, deployments};
use crate::opening::{self, Opened};
use crate::providers::Failure;
use crate::runs::{deploy, sync_entries};
use crate::services::Services;
use crate::vault::Vault;

/// How long a preview may take: less than a browser waits for a page.
const LIMIT: Duration = Duration::from_secs(25);

const OFF: Refusal = Refusal::Conflict("This integration is switched off. Switch it on first.");
const NEVER: Refusal = Refusal::Conflict("There are no earlier settings to go back to.");
const NO_DEPLOYMENT: Refusal = Refusal::Unacceptable("Only a deployment can do this.");

/// What would change in the cluster. The inner error says in sentences why there is no preview.
pub struct Previewed {
    pub row: Integration,
    pub found: Result<Preview, String>,
}

/// The inputs of a preview.
struct Ready {
    row: Integration,
    spec: &'static Spec,
    way: &'static dyn Deployment,
    settings: Values,
    opened: Vec<(String, Opened)>,
    mark: work::Mark,
}

/// Asks the cluster what a deployment would change there. Changes nothing.
pub async fn preview(services: &Services, principal: &Principal, id: IntegrationId) -> Result<Previewed, Refusal> {
    principal.require_fresh_as(Role::Operator)?;
    services.checkups.take(principal.visitor().user_id, Instant::now())?;
    let loaded = write(services, principal, move |conn, vault, actor| {
        let row = (*integrations::find(conn, vault, id)?.trust()?).clone();
        let Some((spec, way, settings)) = known(&row) else { return Ok(None) };
        match open_all(conn, vault, actor, &row, spec)? {
            Ok(opened) => {
                let mark = deploy::mark(conn, id)?;
                Ok(Some(Ok(Box::new(Ready { row, spec, way, settings, opened, mark }))))
            }
            Err(why) => Ok(Some(Err((row, why)))),
        }
    });
    let ready = match loaded.await?.ok_or(NO_DEPLOYMENT)? {
        Ok(ready) => ready,
        Err((row, why)) => return Ok(Previewed { row, found: Err(why) }),
    };
    let found = ready.ask(services, &principal.actor()).await;
    Ok(Previewed { row: ready.row, found })
}

fn known(row: &Integration) -> Option<(&'static Spec, &'static dyn Deployment, Values)> {
    let spec = Spec::find(&row.version)?;
    Some((spec, spec.cluster()?, Values::from_json(row.settings.as_bytes())?))
}

type OpenedAll = Result<Vec<(String, Opened)>, String>;

/// The inner error says in a sentence which credential cannot be used.
fn open_all(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    row: &Integration,
    spec: &'static Spec,
) -> Result<OpenedAll, DbError> {
    let main = row.credential_id.map(|id| (MAIN.to_owned(), id, row.host.clone()));
    let further = row.further.iter().map(|usage| (usage.role.clone(), usage.credential, usage.host.clone()));
    let mut opened = Vec::new();
    for (role, id, host) in main.into_iter().chain(further) {
        let why = format!("for a preview of {} to {host}", row.name);
        let Some(used) = spec.use_of(&role) else { return Err(DbError::LaterRelease) };
        match opening::open(conn, vault, actor, id, why)? {
            Ok(credential) if used.takes(credential.kind.slug) => opened.push((role, credential)),
            Ok(_) => {
                return Ok(Err(format!("The {} is of a type that cannot be used here.", used.label.to_lowercase())));
            }
            Err(closed) => return Ok(Err(format!("The credential cannot be used: {}", closed.sentence()))),
        }
        credentials::touch(conn, id)?;
    }
    Ok(Ok(opened))
}

impl Ready {
    async fn look(&self, cx: &Context<'_>, entries: &Entries) -> Result<Preview, Failure> {
        match self.spec.is_sync() {
            true => syncs::preview(self.way, cx, &self.mark, entries).await,
            false => work::preview(self.way, cx, &self.mark).await,
        }
    }

    async fn ask(&self, services: &Services, actor: &Actor) -> Result<Preview, String> {
        let about = deploy::About {
            spec: self.spec,
            integration: &self.row,
            settings: &self.settings,
            opened: &self.opened,
            releases: services.settings.releases_values(),
        };
        if about.is_held() {
            return Err(deploy::UNRELEASED.to_owned());
        }
        if !about.is_confirmed() {
            return Err(about.unconfirmed().to_owned());
        }
        let secrets = self.opened.iter().map(|(role, opened)| (role.as_str(), opened.secret())).collect();
        let cx = Context { secrets, ..Context::new(services.outside(), &self.settings, &self.row.name, None) };
        let work = async {
            let entries = match self.spec.is_sync() {
                true => sync_entries::read(services, actor, &self.settings).await,
                false => Entries::default(),
            };
            self.told(self.look(&cx, &entries).await, &entries)
        };
        match tokio::time::timeout(LIMIT, AssertUnwindSafe(work).catch_unwind()).await {
            Ok(Ok(told)) => told,
            Ok(Err(_)) => {
                tracing::error!(integration = %self.row.id, "a preview panicked");
                Err("It failed by a fault of Strongroom itself. It has been logged; please report it.".to_owned())
            }
            Err(_) => {
                let who = if self.spec.is_sync() { "The cluster or a secret store" } else { "The cluster" };
                Err(format!("{who} did not answer within {} seconds.", LIMIT.as_secs()))
            }
        }
    }

    /// What was found, without secrets.
    fn told(&self, found: Result<Preview, Failure>, entries: &Entries) -> Result<Preview, String> {
        let passed_on = entries.values().flatten().map(|(values, _)| values);
        let opened = self.opened.iter().map(|(_, opened)| (opened.kind, &opened.values));
        let echoes = Echoes::of_all(opened, passed_on);
        match found {
            Ok(mut preview) => {
                take_out(&mut preview, &echoes);
                Ok(preview)
            }
            Err(failure) => {
                let mut sentence = failure.to_string();
                echoes.take_out(&mut sentence);
                Err(sentence)
            }
        }
    }
}

/// Removes secrets from texts that come from the cluster.
fn take_out(preview: &mut Preview, echoes: &Echoes) {
    let said = preview.objections.iter_mut().chain(&mut preview.warnings).chain([&mut preview.cluster_version]);
    said.for_each(|text| echoes.take_out(text));
    for change in &mut preview.changes {
        echoes.take_out(&mut change.reason);
        for line in &mut change.lines {
            let values = [&mut line.before, &mut line.after].into_iter().flatten();
            values.chain([&mut line.path]).for_each(|text| echoes.take_out(text));
        }
        for conflict in &mut change.conflicts {
            echoes.take_out(&mut conflict.manager);
            echoes.take_out(&mut conflict.field);
        }
    }
}

/// Queues a run, if the row still has the version that the user has seen. `false` if a run is under way already.
async fn queue(
    services: &Services,
    principal: &Principal,
    (id, seen): (IntegrationId, i64),
    (action, words): (RunAction, Vec<String>),
) -> Result<bool, Refusal> {
    let queued = write(services, principal, move |conn, vault, actor| {
        let row = integrations::find(conn, vault, id)?.trust()?;
        if row.row_version != seen {
            return Err(DbError::Stale);
        }
        if known(&row).is_none() || !row.active {
            return Ok(None);
        }
        let over = runs::over(row.row_version, models::clock(conn)?);
        let words: Vec<String> = words.iter().cloned().chain([over]).collect();
        Ok(Some(runs::queue_action(conn, vault, (id, action), Some(&words), ("asked", &actor.name))?.is_some()))
    });
    let queued = queued.await.map_err(overtaken)?.ok_or(OFF)?;
    services.wake.runs.notify_one();
    Ok(queued)
}

fn overtaken(error: DbError) -> Refusal {
    match error {
        DbError::Stale => Refusal::Overtaken,
        other => other.into(),
    }
}

/// Queues a deployment with the saved settings. `options` are the user's answers to the preview.
pub async fn deploy(
    services: &Services,
    principal: &Principal,
    at: (IntegrationId, i64),
    options: &Options,
) -> Result<bool, Refusal> {
    principal.require_fresh_as(Role::Operator)?;
    queue(services, principal, at, (RunAction::Deploy, options.to_words())).await
}

/// Queues the removal from the cluster. `delete`: also deletes the integration once nothing is left there.
pub async fn remove(
    services: &Services,
    principal: &Principal,
    at: (IntegrationId, i64),
    delete: bool,
) -> Result<bool, Refusal> {
    principal.require_fresh_as(Role::Operator)?;
    let words = if delete { vec![deploy::THEN_DELETE.to_owned()] } else { Vec::new() };
    queue(services, principal, at, (RunAction::Remove, words)).await
}

/// The settings deployed before the current ones, in the form in which they would be saved; `None` if there are none.
pub async fn before(services: &Services, id: IntegrationId) -> Result<Option<(Integration, Values)>, Refusal> {
    let found = read(services, move |conn, vault| {
        let row = (*integrations::find(conn, vault, id)?.trust()?).clone();
        let deployed = deployments::find(conn, vault, id)?.filter(|seen| seen.doubt().is_none()).map(Seen::into_shown);
        Ok::<_, DbError>((row, deployed))
    });
    let (row, deployed) = found.await?;
    // The credentials of a sync's items belong to its present settings alone.
    if Spec::find(&row.version).is_none_or(|spec| spec.deployment().is_none()) {
        return Ok(None);
    }
    let settings =
        deployed.and_then(|found| Values::from_json(found.before.as_bytes()).filter(|_| !found.before.is_empty()));
    let kept = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
    Ok(settings.map(|mut settings| {
        settings.set(DRIFT_CHECK, kept.get(DRIFT_CHECK));
        (row, settings)
    }))
}

/// Saves the settings deployed before the current ones, and queues their deployment. `false`: a run is under way.
pub async fn undo(services: &Services, principal: &Principal, at: (IntegrationId, i64)) -> Result<bool, Refusal> {
    principal.require_fresh_as(Role::Operator)?;
    let (row, settings) = before(services, at.0).await?.ok_or(NEVER)?;
    if row.row_version != at.1 {
        return Err(Refusal::Overtaken);
    }
    if !deploy::keeps_ends(&row, &settings) {
        return Err(Refusal::Conflict(
            "The earlier settings lead to another cluster, or would write a secret to another namespace or image. Edit the \
             integration instead.",
        ));
    }
    let queued = write(services, principal, move |conn, vault, actor| {
        if !row.active {
            return Ok(None);
        }
        if runs::of(conn, row.id, 1)?.iter().any(runs::Run::unfinished) {
            return Ok(Some(false));
        }
        let row_version = deploy::save_settings(conn, vault, actor, &row, &settings)?;
        let words = [runs::over(row_version, models::clock(conn)?)];
        let subject = (row.id, RunAction::Deploy);
        Ok(Some(runs::queue_action(conn, vault, subject, Some(&words), ("asked", &actor.name))?.is_some()))
    });
    let queued = queued.await.map_err(overtaken)?.ok_or(OFF)?;
    services.wake.runs.notify_one();
    Ok(queued)
}
