//! A database a test: one private cluster for the whole run, a template made once, and a clone of it for each test
//! that asks. The cluster is the product's own private Postgres, made fast and forgetful. It goes away with the test
//! process, however that ends.
#![allow(clippy::disallowed_methods, reason = "the watchdog is a process")]

use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;

use diesel::pg::PgConnection;
use diesel::{Connection, RunQueryDsl, sql_query};
use strongroom::postgres::Private;

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
/// Its server writes its messages in German.
static GERMAN: OnceLock<Cluster> = OnceLock::new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

struct Cluster {
    /// For creating and dropping databases, one at a time.
    administrator: Mutex<PgConnection>,
    /// libpq URL with `/strongroom` as its database.
    url: String,
    /// The database that [`Database::migrated`] clones.
    template: OnceLock<String>,
    _watchdog: Watchdog,
    /// Never dropped, since statics are not: the watchdog ends the server.
    _server: Private,
}

/// A test's own database, dropped with it.
pub struct Database {
    name: String,
    url: String,
    cluster: &'static Cluster,
}

impl Database {
    /// A clone of the template, which `migrate` fills when the first test of the run asks.
    pub fn migrated(migrate: impl FnOnce(&str)) -> Self {
        Self::clone_of_template(CLUSTER.get_or_init(|| Cluster::start(&[])), migrate)
    }

    /// The same on a server whose messages are German.
    pub fn german(migrate: impl FnOnce(&str)) -> Self {
        Self::clone_of_template(GERMAN.get_or_init(|| Cluster::start(&["lc_messages = 'de_DE.UTF-8'"])), migrate)
    }

    fn clone_of_template(cluster: &'static Cluster, migrate: impl FnOnce(&str)) -> Self {
        let template = cluster.template.get_or_init(|| {
            let template = Self::create(cluster, "template1", "migrated");
            migrate(&template.url);
            let name = template.name.clone();
            std::mem::forget(template);
            name
        });
        Self::create(cluster, template, "test")
    }

    /// A database with nothing in it, for tests about migrations and first starts.
    pub fn empty() -> Self {
        Self::create(CLUSTER.get_or_init(|| Cluster::start(&[])), "template1", "empty")
    }

    /// Its libpq URL, over a unix socket.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.url).expect("the test's database answers")
    }

    /// As the server's superuser on another database, so whatever is set for this one.
    pub fn administer(&self, statement: &str) {
        self.cluster.administer(statement);
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    fn create(cluster: &'static Cluster, template: &str, what: &str) -> Self {
        let name = format!("{what}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        cluster.administer(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Self { url: cluster.url.replace("/strongroom?", &format!("/{name}?")), name, cluster }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.cluster.administer(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

impl Cluster {
    fn start(settings: &[&str]) -> Self {
        let directory = tempfile::Builder::new().prefix("strongroom-tests-").tempdir().expect("a temporary directory");
        let directory = directory.keep();
        let watchdog = Watchdog::over(&directory);
        // As the console's own setting: the suite runs on another version of PostgreSQL by it.
        let programs = std::env::var_os("STRONGROOM_POSTGRES_PROGRAMS").map(PathBuf::from);
        let server = Private::start(&directory, programs.as_deref()).expect("the tests' Postgres starts");
        let url = server.url();
        let mut administrator = PgConnection::establish(&url).expect("the tests' Postgres answers");
        let fast = ["fsync = off", "synchronous_commit = off", "full_page_writes = off"];
        for setting in fast.iter().chain(settings) {
            sql_query(format!("ALTER SYSTEM SET {setting}")).execute(&mut administrator).expect("a setting");
        }
        sql_query("SELECT pg_reload_conf()").execute(&mut administrator).expect("a reload");
        let (administrator, template) = (Mutex::new(administrator), OnceLock::new());
        Self { administrator, url, template, _watchdog: watchdog, _server: server }
    }

    fn administer(&self, statement: &str) {
        let mut connection = self.administrator.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Err(error) = sql_query(statement).execute(&mut *connection) {
            // Dropping happens while a failed test unwinds: a second panic would hide the first.
            assert!(thread::panicking(), "{statement}: {error}");
        }
    }
}

/// A process that waits for the end of this one (libtest runs nothing at its end, and may be killed), then ends the
/// cluster in a directory, and the processes that its file `pids` lists, and removes the directory.
pub struct Watchdog {
    _pipe: ChildStdin,
}

impl Watchdog {
    pub fn over(directory: &Path) -> Self {
        use std::os::unix::process::CommandExt;
        let script = "read _; exec 0<&-
            pid=$(head -n 1 \"$1/postgres/cluster/postmaster.pid\" 2>/dev/null)
            if [ -n \"$pid\" ]; then
                kill -QUIT \"$pid\"; kill -CONT \"$pid\"
                for _ in $(seq 200); do grep -q . \"/proc/$pid/cmdline\" || break; sleep 0.05; done
            fi
            for pid in $(cat \"$1/pids\" 2>/dev/null); do kill -KILL \"$pid\"; done
            home=$(readlink -f \"$1/postgres\"); rm -rf \"$home\" \"$1\"";
        #[expect(clippy::zombie_processes, reason = "it outlives us")]
        let mut child = Command::new("sh")
            .args(["-c", script, "watchdog"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Not reached by a Ctrl-C at the terminal.
            .process_group(0)
            .spawn()
            .expect("sh runs");
        Self { _pipe: child.stdin.take().expect("its input is a pipe") }
    }
}

/// The directory of a cluster that a test starts itself, with its watchdog.
pub struct Scratch {
    pub path: PathBuf,
    _watchdog: Watchdog,
}

impl Scratch {
    pub fn new() -> Self {
        let path = tempfile::Builder::new().prefix("strongroom-tests-").tempdir().expect("a directory").keep();
        Self { _watchdog: Watchdog::over(&path), path }
    }
}
