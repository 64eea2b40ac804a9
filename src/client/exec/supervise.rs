//! Stays beside the program while it runs: passes signals on, waits for its end, and looks whether a value has changed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::super::cache::jittered;
use super::super::source::Source;
use super::super::trouble::Result;
use super::changes::{self, Timetable};
use super::files::Folder;
use super::placed::Placed;
use super::plan::{Delivery, Plan, Values};
use super::program::{Environment, command, not_started};
use super::signals::{News as Event, Signals, passed_on};
use super::variables;

pub struct Times {
    pub check: Duration,
    pub grace: Duration,
}

pub struct Job {
    pub source: Arc<Source>,
    pub plan: Plan,
    pub files: Option<Folder>,
    pub placed: Option<Placed>,
    pub environment: Environment,
    pub command: Vec<OsString>,
    pub restart: bool,
    pub times: Times,
}

/// Names of rules that have changed.
type News = Receiver<BTreeSet<String>>;

/// A program that is restarted again sooner than this waits, each time twice as long.
const QUIET: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

enum Ended {
    /// Its status, as a shell has it.
    Itself(u8),
    /// For a restart.
    Changed,
}

/// What the program is done to when a value has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reaction {
    Nothing,
    Signal(i32),
    Restart,
}

/// What a rule says: `restart`, `nothing`, or the name of a signal.
fn reaction(said: &str) -> Reaction {
    match said {
        "restart" => Reaction::Restart,
        "HUP" => Reaction::Signal(Signal::HUP.as_raw()),
        "USR1" => Reaction::Signal(Signal::USR1.as_raw()),
        "USR2" => Reaction::Signal(Signal::USR2.as_raw()),
        "INT" => Reaction::Signal(Signal::INT.as_raw()),
        "TERM" => Reaction::Signal(Signal::TERM.as_raw()),
        _ => Reaction::Nothing,
    }
}

impl Job {
    pub async fn run(mut self, mut signals: Signals) -> Result<ExitCode> {
        let mut pause = Duration::from_secs(1);
        let mut news = changes::watch(self.source.clone());
        loop {
            let start = Instant::now();
            let mut environment = self.environment.clone();
            environment.extend(variables::of_fields(&self.plan, self.files.as_ref())?);
            let child = match command(&self.command, &environment).spawn() {
                Ok(child) => Pid::from_child(&child),
                Err(error) => return Ok(not_started(&self.command, &error)),
            };
            drop(environment);
            match self.beside(child, &mut signals, &mut news).await {
                Ended::Itself(status) => return Ok(ExitCode::from(status)),
                Ended::Changed if start.elapsed() > QUIET => pause = Duration::from_secs(1),
                Ended::Changed => tokio::select! {
                    status = signals.end() => return Ok(ExitCode::from(status)),
                    () = sleep(jittered(pause)) => pause = (pause * 2).min(LONGEST_PAUSE),
                },
            }
        }
    }

    async fn beside(&mut self, child: Pid, signals: &mut Signals, news: &mut News) -> Ended {
        let watched = self.watched();
        let mut timetable = Timetable::new(&self.plan, &watched, self.times.check);
        // Tasks of their own: a console that hangs keeps no signal back.
        let mut looks = JoinSet::new();
        loop {
            tokio::select! {
                status = signals.until_end_of(child) => return Ended::Itself(status),
                () = timetable.wait(), if looks.is_empty() => {
                    looks.spawn(look(self.source.clone(), timetable.due()));
                }
                Some(changed) = news.recv(), if looks.is_empty() => {
                    looks.spawn(look(self.source.clone(), &changed & &watched));
                }
                Some(Ok(looked)) = looks.join_next() => match self.take(looked) {
                    Reaction::Restart => return self.stop(child, signals).await,
                    Reaction::Signal(signal) => {
                        if let Some(signal) = Signal::from_named_raw(signal) {
                            eprintln!("strongroom-client: a value has changed: sending signal {}", signal.as_raw());
                            let _ = kill_process(child, signal);
                        }
                    }
                    Reaction::Nothing => {}
                }
            }
        }
    }

    /// The rules whose changes matter: of files, and of what the program is restarted or signalled for.
    fn watched(&self) -> BTreeSet<String> {
        let matters = |one: &&Delivery| one.as_file || self.reaction_to(&one.rule) != Reaction::Nothing;
        let delivered = self.plan.deliveries.iter().filter(matters).map(|one| &one.rule);
        delivered.chain(&self.plan.configured).cloned().collect()
    }

    /// As the rule says, else as the command line does.
    fn reaction_to(&self, rule: &str) -> Reaction {
        let said = self.plan.values[rule].delivery.as_ref().and_then(|said| said.on_change.as_deref());
        match said {
            Some(said) => reaction(said),
            None if self.restart => Reaction::Restart,
            None => Reaction::Nothing,
        }
    }

    /// What the program is done to for the values that have changed. Files are replaced, and of configurations tools read
    /// the new ones.
    fn take(&mut self, looked: Values) -> Reaction {
        let (mut changed, mut reaction) = (false, Reaction::Nothing);
        for (rule, fetched) in looked {
            if !fetched.same_values(&self.plan.values[&rule]) {
                if self.plan.deliveries.iter().any(|one| one.rule == rule) {
                    reaction = reaction.max(self.reaction_to(&rule));
                }
                self.plan.values.insert(rule, fetched);
                changed = true;
            }
        }
        if changed && let Err(trouble) = self.write() {
            eprintln!("strongroom-client: {trouble}");
        }
        reaction
    }

    fn write(&mut self) -> Result<()> {
        if let Some(placed) = &mut self.placed {
            placed.write(&self.plan)?;
        }
        self.files.as_ref().map_or(Ok(()), |files| files.write(&self.plan))
    }

    async fn stop(&self, child: Pid, signals: &mut Signals) -> Ended {
        eprintln!("strongroom-client: a value has changed: restarting the program");
        let _ = kill_process(child, Signal::TERM);
        let ended = async {
            while let Some(event) = signals.next().await {
                let ends = matches!(&event, Event::Signal(signal) if [Signal::TERM, Signal::INT].contains(signal));
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
        match source.get_anew(&rule).await {
            Ok(fetched) => drop(values.insert(rule, fetched)),
            Err(trouble) => eprintln!("strongroom-client: {rule}: {trouble}"),
        }
    }
    values
}
