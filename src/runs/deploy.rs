//! Runs of deployments. The settings are recorded before anything is sent to the cluster; afterwards the state of the
//! cluster is saved, together with the nodes.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};

use super::{alarms, sync_entries};
use crate::credentials::kubeconfig;
use crate::echoes::Echoes;
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::context::{Context, MAIN};
use crate::integrations::deployments::syncs::Entries;
use crate::integrations::deployments::{
    self as work, DRIFT_CHECK, Deployment, Made, Mark, Options, Outcome, State, syncs,
};
use crate::integrations::scan::Gap;
use crate::integrations::spec::Host;
use crate::models::deployments::{self, Deployed, Look};
use crate::models::events::Actor;
use crate::models::integrations::{self, Integration, NewIntegration};
use crate::models::runs::{self, Run, RunAction};
use crate::models::usages::Usage;
use crate::models::{self, Conn, DbError, IntegrationId};
use crate::opening::Opened;
use crate::services::Services;
use crate::vault::Vault;

/// Word of a run that removes a deployment: delete the integration too, once nothing is left in the cluster.
pub const THEN_DELETE: &str = "delete";
/// Why the other credentials are not written into the cluster.
pub const UNCONFIRMED: &str = "the pull secret or agent secret was confirmed for another cluster, namespace or image. Edit \
    the integration, and confirm where they go.";
/// The same of a sync.
pub const UNCONFIRMED_ITEM: &str = "a Secret was confirmed for another cluster, login, namespace or name. Edit the \
    Secret, and confirm where its value goes.";
/// Why a sync writes no stored value.
pub const UNRELEASED: &str = "this console releases no stored values. Its operator can allow it with \
    STRONGROOM_RELEASE_VALUES.";
const ELSEWHERE: &str = "it is still deployed in another cluster. Remove it there first; if its kubeconfig was replaced by \
    one of another cluster, put the former one back for that.";
const PENDING: &str = "the settings have changed since they were deployed. Preview and deploy them.";
const CHANGED: &str = "the settings have changed since this was asked for. Preview them again.";
const UNSEEN: &str = "the settings have changed since they were deployed, and nobody has previewed them. Preview and deploy \
    them.";
const LATE: &str = "this was asked for more than a day ago. Preview it again.";
const UNKNOWN: &str = "this release of Strongroom does not know what was agreed to. Preview it again.";
/// A run that waited for longer is not carried out.
const LONGEST_WAIT: chrono::Duration = chrono::Duration::hours(24);

/// The work of a deployment's run.
pub struct Order {
    way: &'static dyn Deployment,
    /// It keeps Secrets, and deploys no agent.
    is_sync: bool,
    action: RunAction,
    mark: Mark,
    options: Options,
    /// Those of a sync's items, once they are read.
    entries: OnceLock<Entries>,
}

/// The integration of a run, with its settings and opened credentials.
pub struct About<'a> {
    pub spec: &'static Spec,
    pub integration: &'a Integration,
    pub settings: &'a Values,
    pub opened: &'a [(String, Opened)],
    /// This console releases stored values.
    pub releases: bool,
}

/// The settings as they are compared and kept for *Undo*: without those that do not affect the cluster.
pub fn as_deployed(settings: &Values) -> String {
    let mut settings: Values = settings.names().map(|name| (name, settings.get(name))).collect();
    settings.set(DRIFT_CHECK, "");
    String::from_utf8_lossy(&settings.to_json()).into_owned()
}

/// The settings for a run. Checks and removals use the settings that were deployed, not later edits.
pub(super) fn settings(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    (id, present): (IntegrationId, Values),
) -> Result<Values, DbError> {
    if run.action == RunAction::Deploy {
        return Ok(present);
    }
    let row = deployments::find(conn, vault, id)?.and_then(|seen| seen.trust().ok());
    let applied = row.filter(|row| !row.applied.is_empty()).and_then(|row| Values::from_json(row.applied.as_bytes()));
    Ok(applied.unwrap_or(present))
}

/// Checks that the run does what the user saw and writes credentials only to confirmed places; records what it will deploy.
///
/// The inner error says in sentences why it cannot be done.
pub(super) fn prepare(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    way: &'static dyn Deployment,
    about: &About<'_>,
) -> Result<Result<Order, &'static str>, DbError> {
    let id = about.integration.id;
    let former = deployments::find(conn, vault, id)?.and_then(|seen| seen.trust().ok());
    if let Some(why) = about.objection(run, former.as_deref(), models::clock(conn)?) {
        return Ok(Err(why));
    }
    let words = run.agreed().filter(|_| run.action == RunAction::Deploy);
    let words: Vec<String> = words.map(str::to_owned).collect();
    let Some(options) = Options::from_words(&words) else { return Ok(Err(UNKNOWN)) };
    let mut mark = mark(conn, id)?;
    match run.action {
        RunAction::Deploy => {
            let further = about.opened.iter().filter(|(role, _)| *role != MAIN);
            let handed_on: Vec<_> = further.map(|(role, opened)| (role.as_str(), opened.id, opened.version)).collect();
            let cluster = about.leads_to();
            deployments::begin(conn, vault, id, (&as_deployed(about.settings), &cluster), &handed_on)?;
            // A run that is interrupted may have created any of these.
            mark.made = about.may_make(&mark);
            deployments::set_made(conn, id, &serde_json::to_value(&mark.made).unwrap_or_default())?;
        }
        RunAction::Remove => deployments::leave(conn, id)?,
        _ => {}
    }
    Ok(Ok(Order { way, is_sync: about.spec.is_sync(), action: run.action, mark, options, entries: OnceLock::new() }))
}

/// The mark of the deployment, with the objects that are known to have been created.
pub fn mark(conn: &mut Conn, id: IntegrationId) -> Result<Mark, DbError> {
    let state: State = serde_json::from_value(deployments::state(conn, id)?).unwrap_or_default();
    Ok(Mark { id: id.0, made: state.made, restarted: state.restarted })
}

impl About<'_> {
    /// The cluster that settings and credential lead to.
    pub fn leads_to(&self) -> String {
        let main = self.opened.iter().find(|(role, _)| *role == MAIN).map(|(_, opened)| opened);
        match self.spec.host {
            Host::OfCredential => main.map(|main| server(&main.values)).unwrap_or_default(),
            Host::Chosen(_) | Host::Vendor(_) => self.spec.host(self.settings).unwrap_or_default(),
        }
    }

    /// Whether the other credentials are written to where a user has confirmed them. An item of a sync that was added
    /// since the settings were applied writes nothing yet.
    pub fn is_confirmed(&self) -> bool {
        let leads_to = self.leads_to();
        let goes = |usage: &Usage| {
            let end = self.spec.end(&usage.role, self.settings, &leads_to);
            usage.host == end || (end.is_empty() && self.spec.is_sync())
        };
        let saved = || Values::from_json(self.integration.settings.as_bytes()).unwrap_or_default();
        let is_sync = self.spec.is_sync();
        let entries = !is_sync || syncs::entries_are_confirmed(self.settings, &saved(), &leads_to);
        entries && self.integration.further.iter().all(goes)
    }

    /// Whether a sync would release stored values which this console does not.
    pub fn is_held(&self) -> bool {
        self.spec.is_sync() && !self.releases && !self.integration.further.is_empty()
    }

    /// What to do where they are not.
    pub fn unconfirmed(&self) -> &'static str {
        if self.spec.is_sync() { UNCONFIRMED_ITEM } else { UNCONFIRMED }
    }

    /// Everything that a run may create.
    fn may_make(&self, mark: &Mark) -> Vec<Made> {
        if self.spec.is_sync() { syncs::may_make(self.settings, mark) } else { work::may_make(self.settings, mark) }
    }

    /// Why the run is refused. `former`: what is deployed now.
    fn objection(&self, run: &Run, former: Option<&Deployed>, now: DateTime<Utc>) -> Option<&'static str> {
        let there = former.filter(|row| !row.removed && !row.cluster.is_empty());
        if there.is_some_and(|row| row.cluster != self.leads_to()) {
            return Some(ELSEWHERE);
        }
        if run.action != RunAction::Remove && self.is_held() {
            return Some(UNRELEASED);
        }
        if run.action == RunAction::Deploy && !self.is_confirmed() {
            return Some(self.unconfirmed());
        }
        if run.action == RunAction::Observe {
            return (!self.is_confirmed()).then_some(PENDING);
        }
        match run.asked_over() {
            None => Some(UNKNOWN),
            Some((_, at)) if now - at > LONGEST_WAIT => Some(LATE),
            Some((version, _)) if version != self.integration.row_version => Some(CHANGED),
            // No user asked for this run.
            Some(_) if run.cause == "secret" => {
                former.is_none_or(|row| row.applied != as_deployed(self.settings)).then_some(UNSEEN)
            }
            Some(_) => None,
        }
    }
}

fn server(values: &Values) -> String {
    let facts = (kubeconfig::KIND.examine)(values).ok();
    let server = facts.and_then(|facts| facts.lines.into_iter().find(|(label, _)| *label == kubeconfig::SERVER));
    server.map(|(_, server)| kubeconfig::address(&server)).unwrap_or_default()
}

/// Whether new settings of a saved integration keep the cluster and the confirmed destinations of its other credentials.
pub fn keeps_ends(row: &Integration, settings: &Values) -> bool {
    let (spec, now) = (Spec::find(&row.version), Values::from_json(row.settings.as_bytes()));
    let (Some(spec), Some(now)) = (spec, now) else { return false };
    let same = |role: &str| spec.end(role, &now, "") == spec.end(role, settings, "");
    spec.host(&now) == spec.host(settings) && row.further.iter().all(|usage| same(&usage.role))
}

/// Saves new settings of an integration, if they differ. Returns the row's version afterwards.
pub fn save_settings(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    row: &Integration,
    settings: &Values,
) -> Result<i64, DbError> {
    let settings = String::from_utf8_lossy(&settings.to_json()).into_owned();
    if settings == row.settings {
        return Ok(row.row_version);
    }
    let new = NewIntegration {
        family: &row.family,
        version: &row.version,
        name: &row.name,
        credential_id: row.credential_id,
        host: &row.host,
        further: &row.further,
        settings: &settings,
        every_hours: row.every_hours,
    };
    integrations::update(conn, vault, actor, (row.id, row.row_version), &new)?;
    Ok(integrations::find(conn, vault, row.id)?.trust()?.row_version)
}

impl Order {
    /// Reads the entries that it passes on from their stores.
    pub async fn read(&self, services: &Services, actor: &Actor, settings: &Values) {
        if self.is_sync && self.action != RunAction::Remove {
            let read = sync_entries::read(services, actor, settings).await;
            self.entries.get_or_init(|| read);
        }
    }

    /// The values that it passes on beside those of credentials.
    pub fn passed_on(&self) -> impl Iterator<Item = &Values> {
        self.entries.get().into_iter().flat_map(Entries::values).flatten().map(|(values, _)| values)
    }

    pub async fn carry_out(&self, cx: &Context<'_>) -> Result<Outcome, Gap> {
        let none = Entries::default();
        let entries = self.entries.get().unwrap_or(&none);
        let (way, mark) = (self.way, &self.mark);
        match (self.action, self.is_sync) {
            (RunAction::Deploy, false) => work::apply(way, cx, mark, &self.options).await,
            (RunAction::Deploy, true) => syncs::apply(way, cx, mark, (&self.options, entries)).await,
            (RunAction::Remove, false) => work::remove(way, cx, mark).await,
            (RunAction::Remove, true) => syncs::remove(way, cx, mark).await,
            (_, false) => work::observe(way, cx, mark).await,
            (_, true) => syncs::observe(way, cx, mark, entries).await,
        }
    }
}

/// Saves the state of the cluster. Call in the transaction that ends the run.
pub fn save(conn: &mut Conn, run: &Run, integration: &Integration, state: &State) -> Result<(), DbError> {
    let deployed = run.action == RunAction::Deploy;
    // A deployment that is being removed is not checked.
    let minutes = minutes(&integration.settings).filter(|_| run.action != RunAction::Remove);
    deployments::saw(conn, integration.id, &look(state), minutes, deployed)?;
    alarms::settle_deployment(conn, integration, state)
}

/// Queues an apply where a check found new values in the stores of a sync. Call after its run has ended.
pub fn renew(conn: &mut Conn, vault: &Vault, run: &Run, row: &Integration, state: &State) -> Result<(), DbError> {
    let applied = deployments::find(conn, vault, row.id)?.and_then(|seen| seen.trust().ok());
    let settings = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
    let same = applied.is_some_and(|applied| applied.applied == as_deployed(&settings));
    if run.action != RunAction::Observe || !state.renew || !same {
        return Ok(());
    }
    let words = [runs::over(row.row_version, models::clock(conn)?)];
    runs::queue_action(conn, vault, (row.id, RunAction::Deploy), Some(&words), ("secret", &Actor::system().name))?;
    Ok(())
}

/// Whether the integration is to be deleted now, after its run has ended: not where something has stayed in the cluster.
pub fn ends_with_deletion(run: &Run, state: &State) -> bool {
    let asked = run.agreed().any(|word| word == THEN_DELETE);
    run.action == RunAction::Remove && state.removed && state.trouble.is_empty() && asked
}

/// Schedules the next check, also after a run that failed.
pub fn look_again(conn: &mut Conn, id: IntegrationId, settings: &str) -> Result<(), DbError> {
    deployments::look_again(conn, id, minutes(settings))
}

/// Minutes between two checks; `None`: never.
fn minutes(settings: &str) -> Option<i32> {
    let settings = Values::from_json(settings.as_bytes()).unwrap_or_default();
    match settings.get(DRIFT_CHECK) {
        "" => Some(15),
        minutes => minutes.parse().ok(),
    }
}

/// Removes secrets from texts that come from the cluster.
pub(super) fn clean(state: &mut State, echoes: &Echoes) {
    for text in state.trouble.iter_mut().chain([&mut state.cluster_version, &mut state.image]) {
        echoes.take_out(text);
    }
    state.made.iter_mut().for_each(|made| echoes.take_out(&mut made.uid));
    for difference in &mut state.drift {
        let values = [&mut difference.before, &mut difference.after].into_iter().flatten();
        values.chain([&mut difference.path]).for_each(|text| echoes.take_out(text));
    }
}

/// A sentence about what is wrong with a deployment; `None` if nothing is, or if it was removed.
pub(super) fn amiss(state: &State) -> Option<String> {
    match (state.drift.first(), state.trouble.first()) {
        _ if state.removed => None,
        (Some(first), _) => Some(alarms::differs(first, state.drift.len() - 1)),
        (None, Some(trouble)) => Some(trouble.clone()),
        (None, None) if state.finished => None,
        (None, None) => Some(format!("{} of {} nodes are ready.", state.ready, state.desired)),
    }
}

fn look(state: &State) -> Look {
    let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    Look {
        state: serde_json::to_value(state).unwrap_or_default(),
        cluster_version: state.cluster_version.clone(),
        image: state.image.clone(),
        desired: number(state.desired),
        ready: number(state.ready),
        finished: state.finished,
        drifted: !state.drift.is_empty(),
        removed: state.removed,
    }
}
