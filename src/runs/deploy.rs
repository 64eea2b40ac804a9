//! Runs of deployments. The settings are recorded before anything is sent to the cluster; afterwards the state of the
//! cluster is saved, together with the nodes.

use super::alarms;
use crate::echoes::Echoes;
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::context::{Context, MAIN};
use crate::integrations::deployments::{self as work, DRIFT_CHECK, Deployment, Mark, Options, Outcome, State};
use crate::integrations::scan::Gap;
use crate::integrations::spec::Host;
use crate::models::deployments::{self, Look};
use crate::models::integrations::Integration;
use crate::models::runs::{Run, RunAction};
use crate::models::{Conn, DbError, IntegrationId};
use crate::opening::Opened;
use crate::vault::Vault;

/// Word of a run that removes a deployment: delete the integration too, once nothing is left in the cluster.
pub const THEN_DELETE: &str = "delete";
/// Why the other credentials are not written into the cluster.
pub const UNCONFIRMED: &str = "its credential now leads to a cluster for which the pull or agent secret was not \
    confirmed. Edit the integration and confirm where they go.";

/// The work of a deployment's run.
pub struct Order {
    deployment: &'static dyn Deployment,
    action: RunAction,
    mark: Mark,
    options: Options,
}

/// The integration of a run, with its settings and opened credentials.
pub struct About<'a> {
    pub spec: &'static Spec,
    pub integration: &'a Integration,
    pub settings: &'a Values,
    pub opened: &'a [(&'static str, Opened)],
}

/// The settings as they are compared and kept for *Undo*: without those that do not affect the cluster.
pub fn as_deployed(settings: &Values) -> String {
    let mut settings: Values = settings.names().map(|name| (name, settings.get(name))).collect();
    settings.set(DRIFT_CHECK, "");
    String::from_utf8_lossy(&settings.to_json()).into_owned()
}

/// Checks that credentials are written only to the confirmed cluster and namespace, and records what will be deployed.
///
/// The inner error says in sentences why it cannot be done.
pub(super) fn prepare(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    deployment: &'static dyn Deployment,
    about: &About<'_>,
) -> Result<Result<Order, &'static str>, DbError> {
    if run.action != RunAction::Remove && !about.is_confirmed() {
        return Ok(Err(UNCONFIRMED));
    }
    let words = run.places.as_deref().filter(|_| run.action == RunAction::Deploy).unwrap_or_default();
    let Some(options) = Options::from_words(words) else {
        return Ok(Err("this release of Strongroom does not understand the answers to the preview. Preview it again."));
    };
    let id = about.integration.id;
    if run.action == RunAction::Deploy {
        let further = about.opened.iter().filter(|(role, _)| *role != MAIN);
        let handed_on: Vec<_> = further.map(|(role, opened)| (*role, opened.id, opened.version)).collect();
        deployments::begin(conn, vault, id, &as_deployed(about.settings), &handed_on)?;
    }
    let mark = mark(conn, id)?;
    Ok(Ok(Order { deployment, action: run.action, mark, options }))
}

/// The mark of the deployment, with the objects that are known to have been created.
pub fn mark(conn: &mut Conn, id: IntegrationId) -> Result<Mark, DbError> {
    let state: State = serde_json::from_value(deployments::state(conn, id)?).unwrap_or_default();
    Ok(Mark { id: id.0, made: state.made })
}

impl About<'_> {
    /// Whether the other credentials are written to where a user has confirmed them.
    pub fn is_confirmed(&self) -> bool {
        let main = self.opened.iter().find(|(role, _)| *role == MAIN).map(|(_, opened)| opened);
        let identity = main.and_then(|main| (main.kind.examine)(&main.values).ok()).map(|facts| facts.identity);
        let leads_to = match self.spec.host {
            Host::OfCredential => identity.unwrap_or_default(),
            Host::Chosen(_) | Host::Vendor(_) => self.integration.host.clone(),
        };
        let end = self.spec.end(self.settings, &leads_to);
        self.integration.further.iter().all(|usage| usage.host == end)
    }
}

impl Order {
    pub async fn carry_out(&self, cx: &Context<'_>) -> Result<Outcome, Gap> {
        match self.action {
            RunAction::Deploy => work::apply(self.deployment, cx, &self.mark, &self.options).await,
            RunAction::Remove => work::remove(self.deployment, cx, &self.mark).await,
            _ => work::observe(self.deployment, cx, &self.mark).await,
        }
    }
}

/// Saves the state of the cluster. Call in the transaction that ends the run.
pub fn save(conn: &mut Conn, run: &Run, integration: &Integration, state: &State) -> Result<(), DbError> {
    let deployed = run.action == RunAction::Deploy;
    deployments::saw(conn, integration.id, &look(state), minutes(integration), deployed)?;
    alarms::settle_deployment(conn, integration, state)
}

/// Whether the integration is to be deleted now, after its run has ended.
pub fn ends_with_deletion(run: &Run, state: &State) -> bool {
    let asked = run.places.iter().flatten().any(|word| word == THEN_DELETE);
    run.action == RunAction::Remove && state.removed && asked
}

/// Schedules the next check after a run that failed.
pub fn look_again(conn: &mut Conn, integration: &Integration) -> Result<(), DbError> {
    deployments::look_again(conn, integration.id, minutes(integration))
}

/// Minutes between two checks; `None`: never.
fn minutes(integration: &Integration) -> Option<i32> {
    let settings = Values::from_json(integration.settings.as_bytes()).unwrap_or_default();
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
