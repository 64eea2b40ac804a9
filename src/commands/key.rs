//! `strongroom key …`: the rotation of the master keys, while the console runs. The order of the steps is enforced by
//! `models::keks`; moving the values is `rewrap`.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::{Store, Wants, fail, misconfigured, open, refused, say};
use crate::cli::{KeyAction, KeyArgs};
use crate::config::StoreSettings;
use crate::models::events::Actor;
use crate::models::{self, DbError, keks, sealed};
use crate::rewrap::{self, RewrapFailure};
use crate::vault::KeyRing;
use crate::verification;

/// Between two log lines about the progress.
const LINE_EVERY: Duration = Duration::from_secs(5);

pub fn run(args: &KeyArgs) -> ExitCode {
    let wants = if matches!(args.action, KeyAction::Sign) { Wants::Returned } else { Wants::Existing };
    let mut store = match open(&args.store, wants) {
        Ok(store) => store,
        Err(status) => return status,
    };
    let done = match args.action {
        KeyAction::Add => add(&mut store, &args.store),
        KeyAction::Activate { id } => activate(&mut store, id),
        KeyAction::Rewrap => rewrap(&mut store),
        KeyAction::Retire { id } => retire(&mut store, id),
        KeyAction::Sign => {
            say(&"the rows of this store are signed; next: strongroom verify");
            Ok(())
        }
        KeyAction::List => list(&mut store),
    };
    done.err().unwrap_or(ExitCode::SUCCESS)
}

fn said(error: impl Display) -> ExitCode {
    fail(&error)
}

/// An id as the database counts them; one beyond is unknown like any other.
fn number(id: u32) -> i32 {
    i32::try_from(id).unwrap_or(i32::MAX)
}

fn add(store: &mut Store, settings: &StoreSettings) -> Result<(), ExitCode> {
    let path = settings.keyring_file();
    let known: Vec<i32> =
        models::read(&mut store.conn, keks::list).map_err(said)?.into_iter().map(|kek| kek.id).collect();
    // A key that is in the ring only: an earlier `key add` was interrupted.
    let waiting = store.vault.kek_ids().into_iter().find(|id| !known.contains(id));
    let id = match waiting {
        Some(id) => id,
        None => KeyRing::add(&path, known.into_iter().max().unwrap_or(0)).map_err(|error| misconfigured(&error))?,
    };
    let Store { conn, vault, .. } = store;
    let register = |conn: &mut _| keks::register(conn, vault, &Actor::command_line(), id);
    models::transaction(conn, &register).map_err(|error: DbError| fail(&error))?;
    say(&format_args!("master key {id} is in the key ring {} and known to the database", path.display()));
    say(&format_args!("copy that file to every other replica and to your escrow, then: strongroom key activate {id}"));
    Ok(())
}

fn activate(store: &mut Store, id: u32) -> Result<(), ExitCode> {
    let Store { conn, vault, .. } = store;
    let activate = |conn: &mut _| keks::activate(conn, vault, &Actor::command_line(), number(id));
    models::transaction(conn, &activate).map_err(said)?;
    say(&format_args!("new values are protected by master key {id}; next: strongroom key rewrap"));
    Ok(())
}

fn rewrap(store: &mut Store) -> Result<(), ExitCode> {
    let lock = models::connect(&store.url).map_err(|error| refused(&error.into()))?;
    let _lock = rewrap::lock(lock).map_err(said)?;
    let Store { conn, vault, .. } = store;
    let start = Instant::now();
    let mut progress = Progress { terminal: std::io::stderr().is_terminal(), told: start };
    let moved = rewrap::rewrap(conn, vault, |done, all| progress.tell(done, all)).map_err(said)?;
    progress.end();
    say(&format_args!("{} values moved in {:.1} s; opening every one", moved.count, start.elapsed().as_secs_f64()));
    let walk = verification::verify(conn, vault).map_err(|error| said(RewrapFailure::from(error)))?;
    for failure in &walk.failures {
        say(failure);
    }
    say(&walk.summary());
    if !walk.failures.is_empty() {
        return Err(fail(&format!(
            "{} failures, named above: no key can be retired before they are mended or deleted",
            walk.failures.len()
        )));
    }
    let detail = format!("{} values moved; {}", moved.count, walk.summary());
    let verified = |conn: &mut _| keks::set_verified(conn, vault, &Actor::command_line(), &detail);
    models::transaction(conn, &verified).map_err(|error: DbError| fail(&error))?;
    say(&"all is well; the keys before can be retired: strongroom key list");
    Ok(())
}

/// A line that is written over at a terminal, a log line now and then elsewhere.
struct Progress {
    terminal: bool,
    told: Instant,
}

impl Progress {
    fn tell(&mut self, done: u64, all: u64) {
        if self.terminal {
            // Progress that cannot be shown is no reason to stop.
            let _ = write!(std::io::stderr(), "\r{done} of {all} values moved");
        } else if self.told.elapsed() >= LINE_EVERY {
            self.told = Instant::now();
            tracing::info!(done, all, "values are being moved to the active master key");
        }
    }

    fn end(&self) {
        if self.terminal {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn retire(store: &mut Store, id: u32) -> Result<(), ExitCode> {
    let Store { conn, vault, .. } = store;
    let retire = |conn: &mut _| keks::retire(conn, vault, &Actor::command_line(), number(id));
    models::transaction(conn, &retire).map_err(said)?;
    say(&format_args!("master key {id} is retired; keep it in your escrow for as long as a backup needs it"));
    Ok(())
}

fn list(store: &mut Store) -> Result<(), ExitCode> {
    let in_ring = store.vault.kek_ids();
    let date = |at: Option<chrono::DateTime<chrono::Utc>>| {
        at.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%d %H:%M").to_string())
    };
    say(&format_args!(
        "{:>4}  {:<12}  {:<16}  {:<16}  {:<16}  {:>9}  IN RING",
        "ID", "STATE", "CREATED", "ACTIVATED", "VERIFIED", "VALUES"
    ));
    let known = models::read(&mut store.conn, keks::list).map_err(said)?;
    for kek in &known {
        let values = models::read(&mut store.conn, |conn| sealed::wrapped_by(conn, kek.id)).map_err(said)?;
        let (created, activated, verified) =
            (date(Some(kek.created_at)), date(kek.activated_at), date(kek.verified_at));
        let ring = if in_ring.contains(&kek.id) { "yes" } else { "no" };
        let (id, state) = (kek.id, &kek.state);
        say(&format_args!("{id:>4}  {state:<12}  {created:<16}  {activated:<16}  {verified:<16}  {values:>9}  {ring}"));
    }
    for id in in_ring {
        if !known.iter().any(|kek| kek.id == id) {
            say(&format_args!("{id:>4}  in the key ring only: strongroom key add makes it known to the database"));
        }
    }
    Ok(())
}
