//! The seam between what is stored and what is done with it: claim a run, load its integration and credential, check
//! both rows, open the secret, act, record. No connection is held while a provider is called. What acts is in
//! `integrations`, what is stored in `models`; what comes before and after is in the two files beside this one.

use std::cell::Cell;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::echoes::Echoes;
use crate::integrations::context::Context;
use crate::integrations::cover::{Cover, Extent};
use crate::integrations::deployments::{Outcome, State};
use crate::integrations::progress::Report;
use crate::integrations::scan::{Gap, Item, Scan};
use crate::integrations::spec::Selects;
use crate::models::events::Actor;
use crate::models::runs::{self, Run, RunAction};
use crate::models::{DbError, IntegrationId, coverage, items};
use crate::providers::ProviderError;
use crate::providers::oci_registry::SentTo;
use crate::services::Services;
use crate::vault::Vault;

pub mod alarms;
pub mod deploy;
mod elsewhere;
mod prepare;
mod record;
pub mod rollouts;
pub mod sync_entries;
mod words;

use prepare::{Ready, Work, prepare};
use record::{Done, Watch, save};

/// Between two renewals of the lease; also how soon *Stop* is seen and how fresh the shown progress is.
const HEARTBEAT: Duration = Duration::from_secs(1);

const RUNNING: &str = "Running";

/// Claims the next run of these actions for this replica, if there is one.
pub async fn claim(services: &Services, actions: &'static [RunAction]) -> Result<Option<Run>, DbError> {
    let replica = services.replica;
    services.db.transaction(move |conn| runs::claim(conn, replica, actions)).await
}

/// Gives what this replica has not finished back to the queue.
pub async fn give_back(services: &Services) -> Result<usize, DbError> {
    let replica = services.replica;
    services.db.transaction(move |conn| runs::give_back(conn, replica)).await
}

/// Performs a claimed run to its end. When `cancel` is cancelled it stops and stays claimed, to be given back.
pub async fn perform(services: Arc<Services>, run: Run, cancel: CancellationToken) {
    let id = run.id;
    let Some(integration) = run.integration_id else {
        tracing::error!(run = %id, "a run without an integration was claimed, which this release has no action for");
        return;
    };
    tracing::info!(run = %id, %integration, attempt = run.attempts, "a run starts");
    match attempt(&services, &run, integration, &cancel).await {
        Ok(Some(outcome)) => {
            metrics::counter!("strongroom_runs_total", "outcome" => outcome).increment(1);
            tracing::info!(run = %id, %integration, outcome, "a run ended");
        }
        Ok(None) => tracing::info!(run = %id, %integration, "a run is left to others"),
        // Its lease ends by itself, and then it is tried again.
        Err(error) => tracing::warn!(run = %id, %integration, %error, "a run could not be recorded"),
    }
}

/// How a run went, to be recorded.
enum Verdict {
    Found(Found),
    Failed { step: &'static str, error: String },
    Stopped,
}

/// An inventory to be saved. [`Done::take_out_echoes`] puts it in order.
struct Found {
    items: Vec<items::Found>,
    /// What could not be read.
    gaps: Vec<Gap>,
    covers: Vec<coverage::Place>,
    /// What the settings selected.
    selects: Selects,
    /// The state of a deployment.
    state: Option<Box<State>>,
}

impl Found {
    fn new(scan: Scan, selects: Selects) -> Self {
        let covers = scan.covers.into_iter().map(place).collect();
        Self { items: scan.items.into_iter().map(item).collect(), gaps: scan.gaps, covers, selects, state: None }
    }

    fn deployed(outcome: Outcome) -> Self {
        Self { state: Some(Box::new(outcome.state)), ..Self::new(outcome.scan, Box::new(|_, _| true)) }
    }

    /// Whether an item that an earlier scan found, and this one did not, may still be there.
    fn may_still_have(&self, place: &str, name: &str) -> bool {
        (self.selects)(place, name) && self.gaps.iter().any(|gap| gap.hides.may_be(place, name))
    }
}

impl Verdict {
    fn failed(step: &'static str, error: impl Into<String>) -> Self {
        Self::Failed { step, error: error.into() }
    }
}

/// The claim on a run while it is worked on. [`keep_alive`] renews it.
struct Lease {
    watch: Watch,
    /// Somebody pressed *Stop*.
    asked: Cell<bool>,
    /// Another replica has the run.
    lost: Cell<bool>,
}

impl Lease {
    /// Ends with `cancel`.
    fn new(cancel: &CancellationToken) -> Self {
        let watch = Watch { progress: Arc::default(), stop: cancel.child_token() };
        Self { watch, asked: Cell::new(false), lost: Cell::new(false) }
    }
}

/// The outcome's word; `None` when the run is no longer this replica's or goes back to the queue.
async fn attempt(
    services: &Services,
    run: &Run,
    integration: IntegrationId,
    cancel: &CancellationToken,
) -> Result<Option<&'static str>, DbError> {
    let prepared = {
        let (vault, run, releases) = (services.vault.clone(), run.clone(), services.settings.releases_values());
        services.db.transaction(move |conn| prepare(conn, &vault, &run, (integration, releases))).await?
    };
    let (lease, sent_to) = (Lease::new(cancel), SentTo::default());
    let (integration, used, verdict, echoes) = match prepared {
        Err(refusal) => (refusal.integration, Vec::new(), refusal.verdict, Echoes::default()),
        Ok(ready) => {
            let verdict = act(services, run, &ready, &lease, &sent_to).await;
            let Some(verdict) = verdict else { return Ok(None) };
            let opened = ready.opened.iter().map(|(_, opened)| opened);
            let of_opened = opened.clone().map(|opened| (opened.kind, &opened.values));
            let echoes = Echoes::of_all(of_opened, ready.work.passed_on());
            let used = opened.map(|opened| opened.id).collect();
            ((*ready.integration).clone(), used, verdict, echoes)
        }
    };
    let limit_days = alarms::limit_days(services);
    let mut done = Done {
        integration: integration.clone(),
        used: used.clone(),
        verdict,
        sent_to: sent_to.hosts(),
        echoes,
        limit_days,
    };
    done.take_out_echoes();
    let (sent_to, echoes) = (done.sent_to.clone(), done.echoes.clone());
    let saved = tokio::select! {
        saved = save(services, run, done, &lease.watch) => saved?,
        never = keep_alive(services, run, &lease) => match never {},
    };
    if saved.is_none() && lease.asked.get() && !lease.lost.get() {
        // Stopped while the inventory was saved, so none of it was.
        let done = Done { integration, used, verdict: Verdict::Stopped, sent_to, echoes, limit_days };
        return save(services, run, done, &lease.watch).await;
    }
    Ok(saved)
}

/// Whoever asked for the run, as the trail names them; "somebody" where its record is not what Strongroom saved.
fn actor(vault: &Vault, run: &Run) -> Actor {
    let name = match runs::judge(vault, run) {
        None => run.requested_by.clone(),
        Some(_) => "somebody".to_owned(),
    };
    Actor { name, address: String::new() }
}

/// Scans under a lease that is kept alive meanwhile. `None` when there is nothing to record.
async fn act(services: &Services, run: &Run, ready: &Ready, lease: &Lease, sent_to: &SentTo) -> Option<Verdict> {
    let progress = Arc::clone(&lease.watch.progress);
    let cx = Context {
        secrets: ready.opened.iter().map(|(role, opened)| (role.as_str(), opened.secret())).collect(),
        report: Report::to(move |now| *progress.lock().unwrap_or_else(PoisonError::into_inner) = now),
        stop: lease.watch.stop.clone(),
        sent_to: sent_to.clone(),
        places: run.places.clone(),
        ..Context::new(services.outside(), &ready.settings, &ready.integration.name, None)
    };
    let whole = async {
        if let Work::Deploy(order) = &ready.work {
            order.read(services, &actor(&services.vault, run), cx.settings).await;
        }
        work(&ready.work, &cx).await
    };
    let result = tokio::select! {
        result = whole => result,
        never = keep_alive(services, run, lease) => match never {},
    };
    if lease.lost.get() {
        return None;
    }
    match result {
        Ok(Brought::Deployment(outcome)) => Some(Verdict::Found(Found::deployed(outcome))),
        Ok(Brought::Scan(mut found, selects)) => {
            // What else was read would stand beside what is kept of other places.
            found.items.retain(|item| run.places.as_ref().is_none_or(|places| places.contains(&item.place)));
            Some(Verdict::Found(Found::new(found, selects)))
        }
        Err(End::Failed(gap)) if gap.cause == ProviderError::Stopped => lease.asked.get().then_some(Verdict::Stopped),
        Err(End::Failed(gap)) => Some(Verdict::failed(gap.step.label, gap.to_string())),
        Err(End::Panicked) => {
            tracing::error!(run = %run.id, "a run panicked");
            let error = "It failed by a fault of Strongroom itself. It has been logged; please report it.";
            Some(Verdict::failed(RUNNING, error))
        }
    }
}

/// The result of a run.
enum Brought {
    Scan(Scan, Selects),
    Deployment(Outcome),
}

/// The end of a run that produced no inventory.
enum End {
    Failed(Box<Gap>),
    Panicked,
}

/// A panic in a provider fails the run, not the worker.
async fn work(work: &Work, cx: &Context<'_>) -> Result<Brought, End> {
    // Made inside, since a provider may also panic before its future is polled.
    let work = async move {
        match work {
            Work::Scan(scanner) => scanner.scan(cx).await.map(|scan| Brought::Scan(scan, scanner.selects(cx.settings))),
            Work::Deploy(order) => order.carry_out(cx).await.map(Brought::Deployment),
        }
    };
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result.map_err(|gap| End::Failed(Box::new(gap))),
        Err(_) => Err(End::Panicked),
    }
}

/// Renews the lease, saves the progress, and cancels the work when somebody asked for it or another replica has it.
async fn keep_alive(services: &Services, run: &Run, lease: &Lease) -> Infallible {
    let Lease { watch: Watch { progress, stop }, asked, lost } = lease;
    let mut beat = tokio::time::interval(HEARTBEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let now = serde_json::to_value(&*progress.lock().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default();
        let (id, replica) = (run.id, services.replica);
        match services.db.transaction(move |conn| runs::heartbeat(conn, id, replica, &now)).await {
            Ok(Some(false)) => {}
            Ok(Some(true)) => {
                asked.set(true);
                stop.cancel();
            }
            Ok(None) => {
                lost.set(true);
                stop.cancel();
            }
            Err(error) => tracing::warn!(run = %id, %error, "a lease could not be renewed"),
        }
    }
}

fn item(item: Item) -> items::Found {
    let Item { place, name, fingerprint, facts } = item;
    items::Found { place, name, fingerprint, facts }
}

fn place(cover: Cover) -> coverage::Place {
    let whole = match cover.extent {
        Extent::Whole => Some(true),
        Extent::Part => Some(false),
        Extent::Unread => None,
    };
    coverage::Place { scope: cover.scope, whole }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;
    use crate::form::Values;
    use crate::integrations::Family;
    use crate::integrations::alerts::email::Connections;
    use crate::integrations::context::Outside;
    use crate::integrations::progress::Step;
    use crate::integrations::scan::Hides;
    use crate::integrations::spec::Scanner;
    use crate::providers::aws;
    use crate::providers::egress::Egress;
    use crate::providers::endpoints::Endpoints;
    use crate::providers::tokens::Tokens;

    struct Broken;

    #[test]
    fn what_the_settings_no_longer_select_is_not_kept_for_a_gap() {
        let gap = Gap::new(Step::SIGNING_IN, "", ProviderError::BadAnswer, String::new());
        let found = |hides| Found::new(Scan::gap(gap.clone().hiding(hides)), Box::new(|_, name| name != "dev"));
        let all = found(Hides::All);
        assert!(all.may_still_have("a", "1") && !all.may_still_have("a", "dev"));
        let place = found(Hides::Place("a".to_owned()));
        assert!(place.may_still_have("a", "1") && !place.may_still_have("b", "1"));
    }

    impl Scanner for Broken {
        fn family(&self) -> Family {
            Family::RegistryScan
        }

        fn scan<'a>(&'a self, _: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
            panic!("on purpose")
        }
    }

    #[tokio::test]
    async fn a_panic_in_a_scan_is_a_failure_of_that_scan() {
        let (settings, egress) = (Values::default(), Egress::new(Vec::new()));
        let (aws, endpoints) = (aws::Sessions::new(egress.clone(), aws::Endpoints::default()), Endpoints::default());
        let (tokens, smtp) = (Tokens::new(egress.clone(), endpoints.clone()), Connections::default());
        let outside = Outside { egress: &egress, endpoints: &endpoints, aws: &aws, tokens: &tokens, smtp: &smtp };
        let cx = Context::new(outside, &settings, "", None);
        assert!(matches!(work(&Work::Scan(&Broken), &cx).await, Err(End::Panicked)));
    }
}
