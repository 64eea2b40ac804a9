//! Carries out the steps of rollouts: records the deployments that have ended, and starts the next ones. Each gets the
//! new image in its settings, and a run of its own. A turn is one transaction: if a replica dies, nothing is left half
//! done, and another replica carries on.

use super::deploy;
use crate::form::Values;
use crate::models::events::Actor;
use crate::models::integrations::{self, Integration};
use crate::models::rollouts::{self, Rollout, RolloutState, Step, StepState};
use crate::models::runs::{self, RunAction, RunState};
use crate::models::{self, Conn, DbError, RunId, deployments};
use crate::services::Services;
use crate::vault::Vault;

/// The setting that a rollout changes.
const IMAGE: &str = "image";

/// One turn. `true` if it queued a deployment.
pub async fn advance(services: &Services) -> Result<bool, DbError> {
    let vault = services.vault.clone();
    let turn = move |conn: &mut Conn| {
        let mut queued = false;
        for (id, seen) in rollouts::lock_running(conn, &vault)? {
            let Ok(row) = seen.trust() else {
                tracing::error!(rollout = %id, "a rollout has been tampered with and is not carried out");
                rollouts::end(conn, &vault, &Actor::system(), (id, "tampered with"), RolloutState::Failed)?;
                continue;
            };
            let row = (*row).clone();
            let turn =
                Turn { vault: &vault, actor: Actor { name: row.requested_by.clone(), address: String::new() }, row };
            queued |= turn.take(conn)?;
        }
        Ok::<_, DbError>(queued)
    };
    services.db.transaction(turn).await
}

struct Turn<'a> {
    vault: &'a Vault,
    row: Rollout,
    /// The user who started the rollout.
    actor: Actor,
}

/// The outcome of starting a step.
enum Begun {
    Run(RunId),
    /// Another run of the integration is under way: try again later.
    Busy,
    Refused(&'static str),
}

impl Turn<'_> {
    fn end(&self, conn: &mut Conn, state: RolloutState) -> Result<(), DbError> {
        rollouts::end(conn, self.vault, &self.actor, (self.row.id, &self.row.image), state)?;
        Ok(())
    }

    fn take(&self, conn: &mut Conn) -> Result<bool, DbError> {
        let mut steps = rollouts::steps(conn, self.row.id)?;
        for step in steps.iter_mut().filter(|step| step.state == StepState::Deploying) {
            self.note(conn, step)?;
        }
        if self.row.state != RolloutState::Running {
            return Ok(false);
        }
        let count = |steps: &[Step], state| steps.iter().filter(|step| step.state == state).count();
        let mut under_way = count(&steps, StepState::Deploying);
        if count(&steps, StepState::Failed) > 0 {
            if under_way == 0 {
                self.end(conn, RolloutState::Failed)?;
            }
            return Ok(false);
        }
        let (mut queued, most) = (false, usize::try_from(self.row.at_once).unwrap_or(1));
        for step in steps.iter_mut().filter(|step| step.state == StepState::Waiting) {
            if under_way >= most {
                break;
            }
            match self.begin(conn, step)? {
                Begun::Run(run) => {
                    self.set(conn, step, (StepState::Deploying, Some(run), ""))?;
                    (under_way, queued) = (under_way + 1, true);
                }
                Begun::Busy => under_way += 1,
                Begun::Refused(why) => {
                    self.set(conn, step, (StepState::Failed, None, why))?;
                    // The next turn ends the rollout, once the deployments under way have ended.
                    break;
                }
            }
        }
        if steps.iter().all(|step| step.state == StepState::Done) {
            self.end(conn, RolloutState::Finished)?;
        }
        Ok(queued)
    }

    fn set(
        &self,
        conn: &mut Conn,
        step: &mut Step,
        (state, run, detail): (StepState, Option<RunId>, &str),
    ) -> Result<(), DbError> {
        step.state = state;
        rollouts::set_step(conn, self.row.id, step.position, (state, run, detail))
    }

    /// Records the result of a step's run, if it has ended.
    fn note(&self, conn: &mut Conn, step: &mut Step) -> Result<(), DbError> {
        let run = step.run_id.map(|id| runs::find(conn, id)).transpose();
        let run = match run {
            Ok(run) => run,
            Err(DbError::NotFound) => None,
            Err(error) => return Err(error),
        };
        let Some(run) = run else {
            return self.set(conn, step, (StepState::Failed, None, "Its run no longer exists."));
        };
        match run.state {
            RunState::Queued | RunState::Running => Ok(()),
            RunState::Succeeded => self.set(conn, step, (StepState::Done, Some(run.id), "")),
            RunState::Stopped => self.set(conn, step, (StepState::Failed, Some(run.id), "It was stopped.")),
            RunState::Partly | RunState::Failed => {
                let why = run.error.clone().unwrap_or_else(|| "Not every node is ready.".to_owned());
                self.set(conn, step, (StepState::Failed, Some(run.id), &why))
            }
        }
    }

    /// Saves the settings with the new image, and queues the run that deploys them.
    fn begin(&self, conn: &mut Conn, step: &Step) -> Result<Begun, DbError> {
        let seen = integrations::find(conn, self.vault, step.integration_id)?;
        let Ok(row) = seen.trust() else { return Ok(Begun::Refused("Its stored record has been tampered with.")) };
        if !row.active {
            return Ok(Begun::Refused("It is switched off."));
        }
        if runs::of(conn, row.id, 1)?.iter().any(runs::Run::unfinished) {
            return Ok(Begun::Busy);
        }
        let Some(mut settings) = Values::from_json(row.settings.as_bytes()) else {
            return Ok(Begun::Refused("This release of Strongroom does not know its settings."));
        };
        if let Some(why) = self.objection(conn, &row, &settings)? {
            return Ok(Begun::Refused(why));
        }
        settings.set(IMAGE, &self.row.image);
        if !deploy::keeps_ends(&row, &settings) {
            return Ok(Begun::Refused(
                "The image is of another registry or repository than its pull secret or agent secret is for.",
            ));
        }
        let row_version = deploy::save_settings(conn, self.vault, &self.actor, &row, &settings)?;
        let words = [runs::over(row_version, models::clock(conn)?)];
        let cause = ("rollout", self.actor.name.as_str());
        let queued = runs::queue_action(conn, self.vault, (row.id, RunAction::Deploy), Some(&words), cause)?;
        Ok(queued.map_or(Begun::Busy, Begun::Run))
    }

    /// Only what is deployed is upgraded, and only as it was deployed but for the image: nobody has previewed the rest.
    fn objection(
        &self,
        conn: &mut Conn,
        row: &Integration,
        settings: &Values,
    ) -> Result<Option<&'static str>, DbError> {
        let there = deployments::find(conn, self.vault, row.id)?.and_then(|seen| seen.trust().ok());
        let Some(there) = there.filter(|there| !there.removed) else { return Ok(Some("Nothing is deployed there.")) };
        let same = Values::from_json(there.applied.as_bytes()).is_some_and(|mut applied| {
            applied.set(IMAGE, settings.get(IMAGE));
            deploy::as_deployed(&applied) == deploy::as_deployed(settings)
        });
        Ok((!same).then_some("Its settings have changed since they were deployed. Preview and deploy them first."))
    }
}
