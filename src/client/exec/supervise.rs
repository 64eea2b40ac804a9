//! Stays beside the program while it runs: passes signals on, waits for its end, and looks whether a value has changed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::super::cache::jittered;
use super::super::source::Source;
use super::super::trouble::Result;
use super::files::Folder;
use super::plan::{Plan, Values};
use super::program::{Environment, command, not_started};
use super::signals::{News, Signals, passed_on};
use super::variables;

pub struct Times {
    pub check: Duration,
    pub grace: Duration,
}

pub struct Job {
    pub source: Arc<Source>,
    pub plan: Plan,
    pub files: Option<Folder>,
    pub environment: Environment,
    pub command: Vec<OsString>,
    pub restart: bool,
    pub times: Times,
}

/// A program that is restarted again sooner than this waits, each time twice as long.
const QUIET: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

enum Ended {
    /// Its status, as a shell has it.
    Itself(u8),
    /// For a restart.
    Changed,
}

impl Job {
    pub async fn run(mut self, mut signals: Signals) -> Result<ExitCode> {
        let mut pause = Duration::from_secs(1);
        loop {
            let start = Instant::now();
            let mut environment = self.environment.clone();
            environment.extend(variables::of_fields(&self.plan, self.files.as_ref())?);
            let child = match command(&self.command, &environment).spawn() {
                Ok(child) => Pid::from_child(&child),
                Err(error) => return Ok(not_started(&self.command, &error)),
            };
            drop(environment);
            match self.beside(child, &mut signals).await {
                Ended::Itself(status) => return Ok(ExitCode::from(status)),
                Ended::Changed if start.elapsed() > QUIET => pause = Duration::from_secs(1),
                Ended::Changed => tokio::select! {
                    status = signals.end() => return Ok(ExitCode::from(status)),
                    () = sleep(jittered(pause)) => pause = (pause * 2).min(LONGEST_PAUSE),
                },
            }
        }
    }

    async fn beside(&mut self, child: Pid, signals: &mut Signals) -> Ended {
        let mut ticks = interval(self.times.check);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let watched = self.plan.has_files() || (self.restart && !self.plan.deliveries.is_empty());
        // A task of its own: a console that hangs keeps no signal back.
        let mut looks = JoinSet::new();
        loop {
            tokio::select! {
                status = signals.until_end_of(child) => return Ended::Itself(status),
                _ = ticks.tick(), if watched && looks.is_empty() => {
                    looks.spawn(look(self.source.clone(), self.rules()));
                }
                Some(Ok(looked)) = looks.join_next() => {
                    if self.take(looked) && self.restart {
                        return self.stop(child, signals).await;
                    }
                }
            }
        }
    }

    fn rules(&self) -> BTreeSet<String> {
        let delivered = self.plan.deliveries.iter().map(|one| &one.rule);
        delivered.chain(&self.plan.configured).cloned().collect()
    }

    /// Whether the program has to start again for a value that has changed. Files are replaced, and of configurations
    /// tools read the new ones.
    fn take(&mut self, looked: Values) -> bool {
        let (mut changed, mut outdated) = (false, false);
        for (rule, fetched) in looked {
            if !fetched.same_values(&self.plan.values[&rule]) {
                outdated |= self.plan.deliveries.iter().any(|one| one.rule == rule);
                self.plan.values.insert(rule, fetched);
                changed = true;
            }
        }
        if let Some(files) = self.files.as_ref().filter(|_| changed)
            && let Err(trouble) = files.write(&self.plan)
        {
            eprintln!("strongroom-client: {trouble}");
        }
        outdated
    }

    async fn stop(&self, child: Pid, signals: &mut Signals) -> Ended {
        eprintln!("strongroom-client: a value has changed: restarting the program");
        let _ = kill_process(child, Signal::TERM);
        let ended = async {
            while let Some(event) = signals.next().await {
                let ends = matches!(&event, News::Signal(signal) if [Signal::TERM, Signal::INT].contains(signal));
                match passed_on(event, child) {
                    // Somebody wants the end of both.
                    Some(status) if ends => return Ended::Itself(status),
                    Some(_) => return Ended::Changed,
                    None if ends => return Ended::Itself(signals.until_end_of(child).await),
                    None => {}
                }
            }
            Ended::Changed
        };
        match timeout(self.times.grace, ended).await {
            Ok(ended) => ended,
            Err(_) => {
                let _ = kill_process(child, Signal::KILL);
                signals.until_end_of(child).await;
                Ended::Changed
            }
        }
    }
}

/// What the rules give now. While the console is away nothing changes.
async fn look(source: Arc<Source>, rules: BTreeSet<String>) -> Values {
    let mut values = Values::new();
    for rule in rules {
        match source.get(&rule).await {
            Ok(fetched) => drop(values.insert(rule, fetched)),
            Err(trouble) => eprintln!("strongroom-client: {rule}: {trouble}"),
        }
    }
    values
}
