//! The private Postgres that `serve` runs when no DATABASE_URL is set: one cluster under the data directory, reached
//! over a unix socket only, as an unprivileged user. What is *in* the database belongs to `models`; where the
//! cluster's files lie belongs to [`place`], how it is set to [`settings`], and how PostgreSQL's programs are found and
//! run to [`programs`], the only part of the product that starts processes. Everything here blocks: call it before the
//! runtime starts or on a blocking thread.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tracing::info;

mod error;
mod owner;
mod place;
mod programs;
mod settings;
mod watch;

use error::io;
use place::Place;
use programs::Programs;

pub use error::PostgresError;
pub use watch::Watch;

/// How long a server may take to start, to stop, or to recover after a crash. One whose files are removed under it
/// notices that within a minute.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running private Postgres. Dropping it stops the server, so that an early error leaves none behind; a console
/// that is killed leaves it running, and the next start adopts it.
pub struct Private {
    place: Place,
    programs: Programs,
    url: String,
    /// Held for as long as we answer for the server; `None` when it is shared with the console that does.
    lock: Option<File>,
}

impl Private {
    /// Starts the cluster under `data_dir`, making it first if there is none, or adopts the one that a killed console
    /// left running. Refused with [`PostgresError::Taken`] while another process answers for it.
    pub fn start(data_dir: &Path, programs: Option<&Path>) -> Result<Self, PostgresError> {
        let data_dir = place::open(data_dir)?;
        match place::lock(&data_dir)? {
            (_, Err(TryLockError::WouldBlock)) => Err(Self::taken(data_dir)),
            (_, Err(TryLockError::Error(source))) => Err(io("lock", &data_dir)(source)),
            (lock, Ok(())) => Self::run(&data_dir, programs, lock),
        }
    }

    /// As [`Private::start`], but shares the server of a console that is running: for subcommands, which stop the
    /// server at their end only if they started it.
    pub fn join(data_dir: &Path, programs: Option<&Path>) -> Result<Self, PostgresError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Self::start(data_dir, programs) {
                Err(PostgresError::Taken { data_dir, pid }) => {
                    // While it makes its cluster there is no place yet.
                    if let Ok(place) = Place::find(&data_dir)
                        && let Some(url) = place.ready()
                    {
                        let programs = Programs::find(programs, Some(&place))?;
                        return Ok(Self { place, programs, url, lock: None });
                    }
                    if Instant::now() > deadline {
                        return Err(PostgresError::Taken { data_dir, pid });
                    }
                }
                other => return other,
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// A libpq URL: unix socket, user and database `strongroom`, peer authentication. Holds no secret.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Stops the server in fast mode (open transactions are rolled back, everything committed is flushed) and waits
    /// until it is gone. Does nothing to a server that is shared with a running console.
    pub fn stop(mut self) -> Result<(), PostgresError> {
        self.halt()
    }

    /// Starts the server again if it has died; `true` if it had. Does nothing to one that is shared.
    fn revive(&self) -> Result<bool, PostgresError> {
        if self.lock.is_none() || self.place.lives() {
            return Ok(false);
        }
        tracing::error!("the private Postgres has died: starting it again");
        Self::bring_up(&self.place, &self.programs).map(|_| true)
    }

    fn taken(data_dir: PathBuf) -> PostgresError {
        let pid = fs::read_to_string(data_dir.join(place::LOCK)).unwrap_or_default();
        let pid = pid.trim();
        PostgresError::Taken { pid: if pid.is_empty() { "unknown" } else { pid }.to_owned(), data_dir }
    }

    fn run(data_dir: &Path, programs: Option<&Path>, lock: File) -> Result<Self, PostgresError> {
        place::sign(&lock, data_dir)?;
        // Looked for before anything is made, so that a machine without them keeps a clean data directory.
        Programs::find(programs, None)?;
        let place = Place::prepare(data_dir)?;
        let programs = Programs::find(programs, Some(&place))?;
        if place.version().is_none() {
            info!(cluster = %place.cluster.display(), user = place.owner.name, "making the private Postgres");
            Self::make(&place, &programs)?;
        }
        let url = Self::bring_up(&place, &programs)?;
        Ok(Self { place, programs, url, lock: Some(lock) })
    }

    /// Makes the cluster and its database beside its place and moves it there when complete, so that a start that is
    /// killed half-way is simply repeated.
    fn make(place: &Place, programs: &Programs) -> Result<(), PostgresError> {
        let unfinished = place.home.join("cluster.new");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(io("remove", &unfinished))?;
        }
        let initdb = [
            "--username=strongroom",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=peer",
            "--data-checksums",
            "--no-instructions",
            "--pgdata=cluster.new",
        ];
        programs.run("initdb", &initdb, place, "")?;
        let single = ["--single", "-D", "cluster.new", "postgres"];
        programs.run("postgres", &single, place, "CREATE DATABASE strongroom\n")?;
        place.include_settings(&unfinished)?;
        fs::rename(&unfinished, &place.cluster).map_err(io("move into place", &unfinished))
    }

    /// Adopts the server that runs in `place`, waiting while it starts, recovers or stops, or else starts one.
    fn bring_up(place: &Place, programs: &Programs) -> Result<String, PostgresError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let processes = place.processes();
            if processes.is_empty() {
                break;
            }
            if let Some(url) = place.ready() {
                info!("adopted the private Postgres that was left running");
                return Ok(url);
            }
            if Instant::now() > deadline {
                return Err(place.stuck());
            }
            thread::sleep(Duration::from_millis(50));
        }
        place.forget_postmaster()?;
        place.configure()?;
        // The name marks the processes as ours. pg_ctl goes through a shell, so it gets no path that might surprise
        // one.
        let name = format!("-c cluster_name={}", place.name());
        let start = ["start", "--wait", "--timeout=60", "-D", "cluster", "-l", "start.log", "-o", &name];
        programs.run("pg_ctl", &start, place, "")?;
        info!(cluster = %place.cluster.display(), user = place.owner.name, "started the private Postgres");
        place.ready().ok_or_else(|| place.stuck())
    }

    fn halt(&mut self) -> Result<(), PostgresError> {
        // The lock is let go only after the server is gone. By word, not by closing it: a process that is being started
        // at this moment may still hold a copy of it.
        let Some(lock) = self.lock.take() else { return Ok(()) };
        let halted = self.stop_server();
        drop(lock.unlock());
        halted
    }

    fn stop_server(&self) -> Result<(), PostgresError> {
        if self.place.processes().is_empty() {
            return Ok(());
        }
        let stop = ["stop", "--mode=fast", "--wait", "--timeout=60", "-D", "cluster"];
        self.programs.run("pg_ctl", &stop, &self.place, "")?;
        self.place.tidy();
        info!("stopped the private Postgres");
        Ok(())
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Err(error) = self.halt() {
            tracing::warn!(%error, "the private Postgres could not be stopped; the next start adopts it");
        }
    }
}
