//! Applies a sync: every Secret is dry-run first, then those that can be are written, then workloads are restarted and
//! Secrets that no item asks for any more are deleted. One that fails does not cost the others; an apply that was cut off
//! can simply be run again.

use std::collections::BTreeMap;

use super::facts::{FAILED, IN_SYNC};
use super::item::Entries;
use super::observe::finished;
use super::plan::{Plan, Wanted};
use super::restart::Restarts;
use super::survey::{self, Seen, item};
use crate::integrations::context::Context;
use crate::integrations::deployments::apply::{Writer, settled};
use crate::integrations::deployments::deployment::Deployment;
use crate::integrations::deployments::faults::{Fault, not_open, stopped};
use crate::integrations::deployments::mark::{Made, Mark, Options};
use crate::integrations::deployments::remove::{Doomed, End};
use crate::integrations::deployments::state::{Outcome, State};
use crate::integrations::deployments::survey::version;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Item};
use crate::providers::kubernetes::Cluster;

const STEP: Step = Step::APPLYING;

/// Applies. Stops soon after `cx.stop` is cancelled.
pub async fn apply(
    way: &dyn Deployment,
    cx: &Context<'_>,
    mark: &Mark,
    (options, entries): (&Options, &Entries),
) -> Result<Outcome, Gap> {
    let work = run(way, cx, mark, (options, entries));
    cx.stop.run_until_cancelled(work).await.unwrap_or_else(|| Err(stopped(STEP)))
}

async fn run(
    way: &dyn Deployment,
    cx: &Context<'_>,
    mark: &Mark,
    (options, entries): (&Options, &Entries),
) -> Result<Outcome, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let cluster = way.open(cx).await.map_err(not_open)?;
    let plan = Plan::of(cx, mark, entries);
    let version = version(&cluster, STEP).await.map_err(Fault::gap)?;
    cx.report.parts(STEP, plan.wanted.len(), 0);
    let seen = survey::judge(&cluster, &plan, mark, STEP).await.map_err(Fault::gap)?;
    let state = State { cluster_version: version, trouble: plan.trouble(), ..State::default() };
    let mut work = Work { cluster: &cluster, cx, mark, options, state, items: Vec::new() };
    let written = work.write_all(seen).await?;
    work.restart(&written).await;
    work.clear(&plan).await?;
    let Work { state, items, .. } = work;
    Ok(finished(state, &plan, items))
}

struct Work<'a> {
    cluster: &'a Cluster,
    cx: &'a Context<'a>,
    mark: &'a Mark,
    options: &'a Options,
    state: State,
    items: Vec<Item>,
}

impl Work<'_> {
    /// Writes what can be written, and returns that. An error when nothing could.
    async fn write_all(&mut self, seen: Vec<Seen>) -> Result<Vec<Wanted>, Gap> {
        let (mut written, mut first) = (Vec::new(), None);
        for one in seen {
            let (wanted, recorded) = (one.wanted.clone(), self.recorded(&one));
            match self.write(one).await {
                Ok((made, stands)) => {
                    self.state.made.push(made);
                    self.state.ready += u32::from(stands.0 == IN_SYNC);
                    self.items.push(item(&wanted, stands));
                    written.push(wanted);
                }
                Err(gap) => {
                    self.state.made.extend(recorded);
                    self.items.push(item(&wanted, (FAILED, gap.reason())));
                    self.state.trouble.push(gap.to_string());
                    first.get_or_insert(gap);
                }
            }
            self.cx.report.part(STEP, 0, 0);
        }
        match first {
            Some(gap) if written.is_empty() => Err(gap),
            _ => Ok(written),
        }
    }

    /// What is recorded of a Secret that could not be written.
    fn recorded(&self, one: &Seen) -> Option<Made> {
        one.made().or_else(|| self.mark.recorded(&one.object()).cloned())
    }

    /// Writes one Secret. Fields of other managers that nobody agreed to take over stay, and it differs then.
    async fn write(&mut self, one: Seen) -> Result<(Made, (&'static str, String)), Gap> {
        settled(&one.judged, self.options)?;
        let object = one.object();
        let kept: Vec<_> =
            one.judged.conflicts.iter().filter(|owned| !self.options.takes(&object, &owned.field)).collect();
        let stands = if kept.is_empty() { (IN_SYNC, String::new()) } else { one.state() };
        if !kept.is_empty() {
            self.state.drift.extend(one.judged.drift());
        }
        let writer = Writer { cluster: self.cluster, cx: self.cx, mark: self.mark, options: self.options };
        let made = writer.write(one.judged).await.map_err(Fault::gap)?;
        Ok((made, stands))
    }

    async fn restart(&mut self, written: &[Wanted]) {
        let mut restarts = Restarts::new(self.cluster, self.mark);
        let mut done = BTreeMap::new();
        for wanted in written.iter().filter(|wanted| wanted.item.restart) {
            match restarts.carry_out(wanted).await {
                Ok(()) => drop(done.insert(Restarts::key(wanted), wanted.version.clone())),
                Err(fault) => {
                    // It is tried again with the next apply.
                    done.extend(self.mark.restarted.get_key_value(&Restarts::key(wanted)).map(owned));
                    self.state.trouble.push(fault.sentence());
                }
            }
        }
        self.state.restarted = done;
    }

    /// Deletes the Secrets that no item asks for any more.
    async fn clear(&mut self, plan: &Plan) -> Result<(), Gap> {
        let doomed = Doomed { cluster: self.cluster, cx: self.cx, mark: self.mark };
        for object in plan.leftovers(self.mark) {
            let end = doomed.remove(&object).await;
            if !matches!(end, Ok(End::Gone | End::Stays(_))) {
                self.state.made.extend(doomed.recorded(&object));
            }
            match end {
                Ok(end) => self.state.trouble.extend(end.sentence()),
                Err(fault) => self.state.trouble.push(fault.sentence()),
            }
        }
        Ok(())
    }
}

fn owned((key, version): (&String, &String)) -> (String, String) {
    (key.clone(), version.clone())
}
