//! The real binary: its commands run to their end, and a console is started. Each test's own directory holds the key
//! ring and, if asked for, the private Postgres. What runs beside a test is in `process`.
#![allow(clippy::disallowed_methods, reason = "running and killing the product is what this is for")]
#![allow(dead_code, reason = "each test uses what it needs")]

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use diesel::pg::PgConnection;
use diesel::{Connection, RunQueryDsl, sql_query};
use strongroom::accounts::Role;
use strongroom::models::events::Actor;
use strongroom::models::{deployment, users};
use strongroom::vault::{KeyRing, Vault};

use super::app::{Visit, founded, keyring, quick_hash};
use super::db::{Database, Scratch};
use super::process::{PATIENCE, Serving, drain, wait};

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

    /// The names of all credentials but the one that the product brings along.
    pub fn names(&self) -> Vec<String> {
        use diesel::{ExpressionMethods, QueryDsl};
        use strongroom::models::schema::credentials::dsl::{credentials, name, shipped};
        credentials.filter(shipped.eq(false)).select(name).load(&mut self.connect()).expect("the names")
    }

    /// Several statements on one connection.
    pub fn sql_all(&self, statements: &str) {
        // One by one, since together they would be one transaction.
        let mut connection = self.connect();
        for statement in statements.split(';') {
            sql_query(statement).execute(&mut connection).expect(statement);
        }
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
        self.try_serve_in(&[], flags)
    }

    /// The same with further environment variables.
    pub fn try_serve_in(&self, environment: &[(&str, String)], flags: &[&str]) -> Result<Serving, Ran> {
        let start = Instant::now();
        let mut arguments = vec!["serve", "--log-format=json"];
        arguments.extend(flags);
        if !flags.iter().any(|flag| flag.starts_with("--metrics-listen")) {
            arguments.push("--metrics-listen=off");
        }
        if !flags.iter().any(|flag| flag.starts_with("--listen")) {
            arguments.push("--listen=127.0.0.1:0");
        }
        let mut command = self.command(&arguments);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
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
        // In a transaction, since the console may write to the trail at the same time.
        let create = |conn: &mut PgConnection| users::create(conn, &vault, &actor, name, role.slug(), quick_hash());
        conn.transaction(create).expect("a user");
        let token = super::app::log_in(&mut conn, &vault, name);
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
