//! The real binary as a process: its commands run to their end, and a console that can be killed. Each test's own
//! directory holds the key ring and, if asked for, the private Postgres.
#![allow(clippy::disallowed_methods, reason = "running and killing the product is what this is for")]
#![allow(dead_code, reason = "each test uses what it needs")]

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use diesel::pg::PgConnection;
use diesel::{Connection, RunQueryDsl, sql_query};
use strongroom::accounts::Role;
use strongroom::models::events::Actor;
use strongroom::models::{deployment, sessions, users};
use strongroom::vault::{KeyRing, Vault};
use strongroom::web::session;

use super::app::{Visit, founded, keyring, quick_hash};
use super::db::{Database, Scratch};

/// Longest that a command or a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An installation: a database and a directory.
pub struct Strongroom {
    /// What DATABASE_URL is; `None`: the private Postgres.
    pub url: Option<String>,
    pub database: Option<Arc<Database>>,
    pub directory: Scratch,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Strongroom {
    /// As after a first start, with a key ring of its own.
    pub fn founded() -> Self {
        let new = Self::on(founded());
        fs::copy(keyring(), new.keyring()).expect("the key ring of the template");
        new
    }

    /// An empty database and no key ring.
    pub fn empty() -> Self {
        Self::on(Database::empty())
    }

    /// Nothing but a directory: Postgres is private.
    pub fn private() -> Self {
        Self { url: None, database: None, directory: Scratch::new() }
    }

    fn on(database: Database) -> Self {
        Self { url: Some(database.url().to_owned()), database: Some(Arc::new(database)), directory: Scratch::new() }
    }

    pub fn keyring(&self) -> PathBuf {
        self.directory.path.join("keyring")
    }

    pub fn connect(&self) -> PgConnection {
        match (&self.database, &self.url) {
            (Some(database), _) => database.connect(),
            (None, Some(url)) => PgConnection::establish(url).expect("the database answers"),
            (None, None) => panic!("the private Postgres is the console's"),
        }
    }

    pub fn sql(&self, statement: &str) {
        sql_query(statement).execute(&mut self.connect()).expect(statement);
    }

    pub fn vault(&self) -> Vault {
        let id = deployment::id(&mut self.connect()).expect("it answers").expect("a deployment");
        Vault::new(id, KeyRing::read(&self.keyring()).expect("a key ring"), Some(self.keyring()))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command.args(arguments).env_clear().current_dir(&self.directory.path).stdin(Stdio::null());
        for name in ["PATH", "HOME"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("STRONGROOM_DATA_DIR", &self.directory.path).envs(self.url.iter().map(|url| ("DATABASE_URL", url)));
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    pub fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let start = Instant::now();
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        // A command that reads nothing may have ended.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let status = wait(&mut child).code().unwrap_or(-1);
        let took = start.elapsed();
        Ran { status, out: out.recv().expect("read"), err: err.recv().expect("read"), took }
    }

    /// Runs a command that must succeed; returns its standard output.
    pub fn done(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, 0, "{arguments:?}: {ran:?}");
        ran.out
    }

    pub fn serve(&self) -> Serving {
        self.try_serve(&[]).unwrap_or_else(|ran| panic!("the console does not start: {ran:?}"))
    }

    /// Starts a console on a free port; what it said if it ends instead.
    pub fn try_serve(&self, flags: &[&str]) -> Result<Serving, Ran> {
        let start = Instant::now();
        let mut arguments = vec!["serve", "--metrics-listen=off", "--log-format=json"];
        arguments.extend(flags);
        if !flags.iter().any(|flag| flag.starts_with("--listen")) {
            arguments.push("--listen=127.0.0.1:0");
        }
        let mut child =
            self.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let out = drain(child.stdout.take());
        let (said, saying) = channel();
        let log = child.stderr.take().expect("a pipe");
        std::thread::spawn(move || {
            BufReader::new(log).lines().map_while(Result::ok).all(|line| said.send(line).is_ok())
        });
        let mut log = String::new();
        loop {
            let Ok(line) = saying.recv_timeout(PATIENCE) else {
                let status = wait(&mut child).code().unwrap_or(-1);
                return Err(Ran { status, out: out.recv().unwrap_or_default(), err: log, took: start.elapsed() });
            };
            log.push_str(&line);
            log.push('\n');
            if let Some(address) = line.split("\"address\":\"").nth(1).and_then(|rest| rest.split('"').next()) {
                let url = format!("http://{address}");
                return Ok(Serving { child, url, log, saying, out });
            }
        }
    }

    /// A visitor who is logged in as a new user; knows no console yet: set `url`.
    pub fn visit(&self, name: &str, role: Role) -> Visit {
        let (mut conn, vault) = (self.connect(), self.vault());
        let actor = Actor::command_line();
        let id = users::create(&mut conn, &vault, &actor, name, role.slug(), quick_hash()).expect("a user");
        let token = hex::encode(strongroom::vault::random::<32>());
        sessions::create(&mut conn, &session::hash(&token), id, false, "127.0.0.1", "test").expect("a session");
        let mut visit = Visit::to("");
        visit.cookie = Some(format!("session={token}"));
        visit
    }

    /// `pg_dump` of the database, without the lines that differ each time.
    pub fn dump(&self) -> String {
        let url = self.url.as_ref().expect("a database");
        let output = Command::new("pg_dump").arg(url).output().expect("pg_dump runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let lines = text.lines().filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
        lines.collect::<Vec<_>>().join("\n")
    }

    pub fn write_keyring(&self, text: &str) {
        let mut file = File::create(self.keyring()).expect("the key ring");
        file.write_all(text.as_bytes()).expect("written");
        fs::set_permissions(self.keyring(), Permissions::from_mode(0o600)).expect("its mode");
    }
}

/// A console that runs. Killed when dropped.
pub struct Serving {
    child: Child,
    pub url: String,
    /// What it logged until it listened.
    pub log: String,
    saying: Receiver<String>,
    out: Receiver<String>,
}

impl Serving {
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("it lives");
    }

    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Sends SIGTERM and waits for the end.
    pub fn stop(self) -> Ran {
        self.signal(rustix::process::Signal::TERM);
        self.ended()
    }

    pub fn ended(mut self) -> Ran {
        let start = Instant::now();
        let status = wait(&mut self.child).code().unwrap_or(-1);
        let mut err = std::mem::take(&mut self.log);
        while let Ok(line) = self.saying.recv_timeout(PATIENCE) {
            err.push_str(&line);
            err.push('\n');
        }
        Ran { status, out: self.out.recv().unwrap_or_default(), err, took: start.elapsed() }
    }

    /// Waits until it has logged a line with these words.
    pub fn wait_for_line(&mut self, words: &str) {
        while !self.log.contains(words) {
            let line = self.saying.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {words:?} in {}", self.log));
            self.log.push_str(&line);
            self.log.push('\n');
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `/readyz` says so.
    pub async fn ready(&self) {
        wait_for("the console is ready", PATIENCE, async || self.status("/readyz").await == Some(200)).await;
    }

    /// The status of a page; `None` when nobody answers.
    pub async fn status(&self, path: &str) -> Option<u16> {
        let request = Visit::to(&self.url).request(reqwest::Method::GET, path);
        Some(request.send().await.ok()?.status().as_u16())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again, up to `patience`; returns how long it took.
pub async fn wait_for(what: &str, patience: Duration, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < patience, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("our child") {
            return status;
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("the binary did not end within {PATIENCE:?}");
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (read, reading) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.expect("a pipe").read_to_end(&mut bytes);
        // A test that is over does not listen.
        let _ = read.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    reading
}

/// A command that runs beside the test. Killed when dropped.
pub struct Running(Child);

pub trait Spawn {
    fn spawn_quiet(&mut self) -> Running;
}

impl Spawn for Command {
    fn spawn_quiet(&mut self) -> Running {
        Running(self.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs"))
    }
}

impl Running {
    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("our child").is_none()
    }

    pub fn kill(self) {}
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Numbers from a printed seed (xorshift64*, Vigna 2016).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }
}
