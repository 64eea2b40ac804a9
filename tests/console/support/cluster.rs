//! A Postgres of a test's own, which may be stopped, killed, frozen, filled up, and given another clock. The product's
//! own private one is made and then run by hand, since nobody but the test may start it again.
#![allow(clippy::disallowed_methods, reason = "pg_ctl is run as an operator runs it")]
#![allow(dead_code, reason = "each test uses what it needs")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use diesel::pg::PgConnection;
use diesel::{Connection, RunQueryDsl, sql_query};
use rustix::process::{Pid, Signal, kill_process};
use strongroom::postgres::Private;

use super::binary::Strongroom;
use super::db::Scratch;
use super::peers::certificates::Authority;
use super::peers::free_port;
use super::process::Serving;
use super::sql::count_on;
use super::wait::wait_for;

/// Where Debian keeps libfaketime.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// A console whose own clock is so far from the truth.
pub fn console_at(strongroom: &Strongroom, offset: &str) -> Serving {
    let clock = strongroom.directory.path.join(format!("clock{offset}"));
    fs::write(&clock, format!("{offset}\n")).expect("a clock");
    strongroom
        .try_serve_in(&clock_of(&clock), &["--egress-allow=127.0.0.0/8", "--test-credentials=off"])
        .expect("the console starts")
}

pub struct Cluster {
    url: String,
    /// Beside the cluster: its log, its clock.
    home: PathBuf,
    programs: PathBuf,
    clock: bool,
    _directory: Scratch,
}

/// The variables that give a process the clock in a file.
pub fn clock_of(file: &Path) -> [(&'static str, String); 5] {
    [
        ("LD_PRELOAD", faketime().to_string_lossy().into_owned()),
        ("FAKETIME_TIMESTAMP_FILE", file.to_string_lossy().into_owned()),
        // Waits and time-outs go on as they are.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("FAKETIME_CACHE_DURATION", "1".to_owned()),
        ("FAKETIME_DONT_RESET", "1".to_owned()),
    ]
}

fn faketime() -> PathBuf {
    let usual = PathBuf::from(FAKETIME);
    let found = usual.exists().then_some(usual).or_else(|| {
        let places = fs::read_dir("/usr/lib").ok()?.flatten();
        places.map(|place| place.path().join("faketime/libfaketime.so.1")).find(|path| path.exists())
    });
    found.expect("libfaketime is installed by script/test")
}

impl Cluster {
    pub fn start() -> Self {
        Self::in_directory(Scratch::new())
    }

    /// On a file system that the caller has mounted over the directory.
    pub fn in_directory(directory: Scratch) -> Self {
        let chosen = std::env::var_os("STRONGROOM_POSTGRES_PROGRAMS").map(PathBuf::from);
        let server = Private::start(&directory.path, chosen.as_deref()).expect("the test's Postgres starts");
        let url = server.url();
        // Dropping it would stop the server; from here on pg_ctl does.
        std::mem::forget(server);
        let home = directory.path.join("postgres").canonicalize().expect("a place");
        let running = fs::read_to_string(home.join("cluster/postmaster.opts")).expect("how it was started");
        let program = running.split_whitespace().next().expect("a program").trim_matches('"').to_owned();
        let programs = Path::new(&program).parent().expect("a directory").to_owned();
        Self { url, home, programs, clock: false, _directory: directory }
    }

    /// With a clock that [`Cluster::set_clock`] moves: "+0", "-90d", "+2h".
    pub fn with_clock(offset: &str) -> Self {
        let mut new = Self::start();
        new.stop();
        new.clock = true;
        new.set_clock(offset);
        new.start_again();
        new
    }

    /// Lets roles in by their passwords over TCP, with TLS for those who ask; the role `tls_only` must. Returns the
    /// address and the authority of its certificate, which is for `localhost`.
    pub fn with_passwords() -> (Self, String, Authority) {
        let (mut new, authority, port) = (Self::start(), Authority::new(), free_port());
        let cluster = new.home.join("cluster");
        let (certificate, key) = authority.server("localhost");
        let owner = fs::metadata(&cluster).expect("a cluster");
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = cluster.join(name);
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
            std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).expect("its owner");
        }
        for setting in ["listen_addresses = '127.0.0.1'", "ssl = on", &format!("port = {port}")] {
            new.sql(&format!("ALTER SYSTEM SET {setting}"));
        }
        new.stop();
        let rules = "hostnossl all tls_only 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n";
        let hba = cluster.join("pg_hba.conf");
        let peers = fs::read_to_string(&hba).expect("its rules");
        fs::write(&hba, format!("{peers}{rules}")).expect("written");
        new.start_again();
        new.url = new.url.replace("port=5432", &format!("port={port}"));
        (new, format!("127.0.0.1:{port}"), authority)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// An installation on it that nobody has started yet.
    pub fn strongroom(&self) -> Strongroom {
        Strongroom { url: Some(self.url.clone()), database: None, directory: Scratch::new() }
    }

    pub fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.url).expect("the test's Postgres answers")
    }

    pub fn sql(&self, statement: &str) {
        sql_query(statement).execute(&mut self.connect()).expect(statement);
    }

    /// What the server has written down so far.
    pub fn log(&self) -> String {
        let files = fs::read_dir(self.home.join("cluster/log")).expect("its log").flatten();
        files.map(|file| fs::read_to_string(file.path()).expect("readable")).collect()
    }

    pub fn accepts(&self) -> bool {
        PgConnection::establish(&self.url).is_ok()
    }

    /// Seen within two seconds, by the whole cluster.
    pub fn set_clock(&self, offset: &str) {
        let (new, place) = (self.home.join("clock.new"), self.home.join("clock"));
        fs::write(&new, format!("{offset}\n")).expect("a clock");
        fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("its mode");
        fs::rename(new, place).expect("a clock");
    }

    /// Sets the clock and waits until the server goes by it: "-20d", "+16m", "-600s".
    pub async fn move_clock(&self, offset: &str) {
        let (number, unit) = offset.split_at(offset.len() - 1);
        let seconds = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            _ => 1.0,
        } * number.parse::<f64>().expect("a number");
        self.set_clock(offset);
        wait_for("the clock is set", Duration::from_secs(20), async || {
            let real = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64();
            let near = format!("(SELECT 1 WHERE abs(extract(epoch FROM now()) - {}) < 20) AS near", real + seconds);
            count_on(&mut self.connect(), &near) == 1
        })
        .await;
        // Who asked a moment ago keeps the answer for a second.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
    }

    fn pg_ctl(&self, arguments: &[&str]) -> bool {
        let owner = fs::metadata(self.home.join("cluster")).expect("a cluster");
        let mut command = Command::new(self.programs.join("pg_ctl"));
        command.args(arguments).args(["-D", "cluster", "-w", "-t", "30"]).current_dir(&self.home).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        if self.clock {
            command.envs(clock_of(&self.home.join("clock")));
        }
        if rustix::process::geteuid().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command.status().expect("pg_ctl runs").success()
    }

    pub fn stop(&self) {
        assert!(self.pg_ctl(&["stop", "-m", "fast"]), "it stops");
    }

    /// Retry and again, since what a killed server left behind takes a moment to go.
    pub fn start_again(&self) {
        let until = Instant::now() + Duration::from_secs(30);
        while !self.pg_ctl(&["start", "-l", "start.log"]) {
            assert!(Instant::now() < until, "{}", fs::read_to_string(self.home.join("start.log")).unwrap_or_default());
        }
    }

    fn postmaster(&self) -> i32 {
        let text = fs::read_to_string(self.home.join("cluster/postmaster.pid")).expect("it runs");
        text.lines().next().and_then(|line| line.parse().ok()).expect("a pid")
    }

    /// `kill -9` of the postmaster: its children go when they notice.
    pub fn kill(&self) {
        self.signal(self.postmaster(), Signal::KILL);
    }

    fn signal(&self, pid: i32, signal: Signal) {
        // One that has gone meanwhile needs none.
        let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, signal));
    }

    /// SIGSTOP of every process, or SIGCONT.
    pub fn freeze(&self, frozen: bool) {
        let postmaster = self.postmaster();
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        self.signal(postmaster, signal);
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        for pid in fs::read_to_string(children).unwrap_or_default().split_whitespace() {
            self.signal(pid.parse().expect("a pid"), signal);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if fs::metadata(self.home.join("cluster/postmaster.pid")).is_ok() {
            self.freeze(false);
            self.pg_ctl(&["stop", "-m", "immediate"]);
        }
    }
}
