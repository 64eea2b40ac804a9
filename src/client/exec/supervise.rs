//! Stays beside the program while it runs: passes signals on, waits for its end, reaps what is left to it as the first
//! process of a container, and looks whether a value has changed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::super::cache::jittered;
use super::super::source::Source;
use super::super::trouble::{Result, Trouble};
use super::files::Folder;
use super::plan::Plan;
use super::program::{Environment, command, not_started};
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

/// What happens to the process.
enum News {
    Signal(Signal),
    Child,
}

impl Job {
    pub async fn run(mut self) -> Result<ExitCode> {
        let mut news = watch()?;
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
            match self.beside(child, &mut news).await {
                Ended::Itself(status) => return Ok(ExitCode::from(status)),
                Ended::Changed if start.elapsed() > QUIET => pause = Duration::from_secs(1),
                Ended::Changed => {
                    sleep(jittered(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn beside(&mut self, child: Pid, news: &mut UnboundedReceiver<News>) -> Ended {
        let mut ticks = interval(self.times.check);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let watched = self.files.is_some() || (self.restart && !self.plan.deliveries.is_empty());
        loop {
            tokio::select! {
                Some(event) = news.recv() => {
                    if let Some(status) = passed_on(event, child) {
                        return Ended::Itself(status);
                    }
                }
                _ = ticks.tick(), if watched => {
                    if self.look().await && self.restart {
                        return self.stop(child, news).await;
                    }
                }
            }
        }
    }

    /// Whether the program has to start again for a value that has changed. Files are replaced, and of configurations
    /// tools read the new ones. While the console is away nothing changes.
    async fn look(&mut self) -> bool {
        let delivered = self.plan.deliveries.iter().map(|one| &one.rule);
        let rules: BTreeSet<String> = delivered.chain(&self.plan.configured).cloned().collect();
        let (mut changed, mut outdated) = (false, false);
        for rule in rules {
            match self.source.get(&rule).await {
                Ok(fetched) if !fetched.same_values(&self.plan.values[&rule]) => {
                    outdated |= self.plan.deliveries.iter().any(|one| one.rule == rule);
                    self.plan.values.insert(rule, fetched);
                    changed = true;
                }
                Ok(_) => {}
                Err(trouble) => eprintln!("strongroom-client: {rule}: {trouble}"),
            }
        }
        if let Some(files) = self.files.as_ref().filter(|_| changed)
            && let Err(trouble) = files.write(&self.plan)
        {
            eprintln!("strongroom-client: {trouble}");
        }
        outdated
    }

    async fn stop(&self, child: Pid, news: &mut UnboundedReceiver<News>) -> Ended {
        eprintln!("strongroom-client: a value has changed: restarting the program");
        let _ = kill_process(child, Signal::TERM);
        let ended = async {
            while let Some(event) = news.recv().await {
                let ends = matches!(&event, News::Signal(signal) if [Signal::TERM, Signal::INT].contains(signal));
                match passed_on(event, child) {
                    // Somebody wants the end of both.
                    Some(status) if ends => return Ended::Itself(status),
                    Some(_) => return Ended::Changed,
                    None if ends => return Ended::Itself(wait_for_end(child, news).await),
                    None => {}
                }
            }
            Ended::Changed
        };
        match timeout(self.times.grace, ended).await {
            Ok(ended) => ended,
            Err(_) => {
                let _ = kill_process(child, Signal::KILL);
                wait_for_end(child, news).await;
                Ended::Changed
            }
        }
    }
}

async fn wait_for_end(child: Pid, news: &mut UnboundedReceiver<News>) -> u8 {
    while let Some(event) = news.recv().await {
        if let Some(status) = passed_on(event, child) {
            return status;
        }
    }
    1
}

/// The status of the child if it has ended.
fn passed_on(event: News, child: Pid) -> Option<u8> {
    match event {
        News::Signal(signal) => {
            if !(is_of_keyboard(signal) && has_terminal()) {
                let _ = kill_process(child, signal);
            }
            None
        }
        News::Child => reap(child),
    }
}

/// Waits for all that have ended: as the first process of a container, also for those that lost their parent.
fn reap(child: Pid) -> Option<u8> {
    let mut ended = None;
    while let Ok(Some((process, status))) = wait(WaitOptions::NOHANG) {
        if process == child {
            let number = status.exit_status().or_else(|| Some(128 + status.terminating_signal()?));
            ended = number.map(|number| u8::try_from(number).unwrap_or(u8::MAX)).or(ended);
        }
    }
    ended
}

fn is_of_keyboard(signal: Signal) -> bool {
    [Signal::INT, Signal::QUIT].contains(&signal)
}

/// A terminal whose foreground we are in sends its signals to the program as well.
fn has_terminal() -> bool {
    let terminal = std::fs::File::open("/dev/tty");
    terminal.is_ok_and(|terminal| rustix::termios::tcgetpgrp(&terminal) == Ok(rustix::process::getpgrp()))
}

fn watch() -> Result<UnboundedReceiver<News>> {
    let passed = [
        (SignalKind::hangup(), Signal::HUP),
        (SignalKind::interrupt(), Signal::INT),
        (SignalKind::quit(), Signal::QUIT),
        (SignalKind::user_defined1(), Signal::USR1),
        (SignalKind::user_defined2(), Signal::USR2),
        (SignalKind::alarm(), Signal::ALARM),
        (SignalKind::terminate(), Signal::TERM),
        (SignalKind::window_change(), Signal::WINCH),
    ];
    let (send, news) = unbounded_channel();
    let failed = |error| Trouble::Local(format!("cannot watch for signals: {error}"));
    for (kind, number) in passed {
        let (mut stream, send) = (signal(kind).map_err(failed)?, send.clone());
        tokio::spawn(async move { while stream.recv().await.is_some() && send.send(News::Signal(number)).is_ok() {} });
    }
    let mut children = signal(SignalKind::child()).map_err(failed)?;
    tokio::spawn(async move { while children.recv().await.is_some() && send.send(News::Child).is_ok() {} });
    Ok(news)
}
