//! PgBouncer in transaction mode between a console and its database: each transaction may run on another of its few
//! connections to the server. <https://www.pgbouncer.org/config.html>
#![allow(clippy::disallowed_methods, reason = "a peer is a process")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::peers::free_port;

pub struct PgBouncer {
    process: Child,
    directory: TempDir,
    port: u16,
}

impl PgBouncer {
    /// Before the server of a libpq URL over a unix socket, with these lines more in its settings.
    pub fn before(url: &str, more: &str) -> Self {
        let value = |name: &str| {
            let after = url.split(&format!("{name}=")).nth(1).and_then(|rest| rest.split('&').next());
            after.unwrap_or_else(|| panic!("no {name} in {url}")).to_owned()
        };
        let (socket, port, own_port) = (value("host"), value("port"), free_port());
        let directory = tempfile::Builder::new().prefix("strongroom-tests-").tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let settings = format!(
            "[databases]\n* = host={socket} port={port} user=strongroom\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {own_port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = 4\nmax_client_conn = 200\nadmin_users = strongroom\nlogfile = {}\npidfile = {}\n{more}\n",
            path("log").display(),
            path("pid").display(),
        );
        fs::write(path("pgbouncer.ini"), settings).expect("its settings");
        let mut command = Command::new("/usr/sbin/pgbouncer");
        command.arg(path("pgbouncer.ini")).stdout(Stdio::null()).stderr(Stdio::null());
        if rustix::process::geteuid().is_root() {
            // As the server's own user: it knows its clients by that.
            let owner = fs::metadata(Path::new(&socket)).expect("the server's socket");
            chown(directory.path(), Some(owner.uid()), Some(owner.gid())).expect("its directory");
            fs::set_permissions(path("pgbouncer.ini"), Permissions::from_mode(0o644)).expect("its mode");
            command.uid(owner.uid()).gid(owner.gid());
        }
        let mut process = command.spawn().expect("pgbouncer is installed by script/test");
        let until = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", own_port)).is_err() {
            let log = || fs::read_to_string(path("log")).unwrap_or_default();
            assert!(process.try_wait().expect("our child").is_none(), "{}", log());
            assert!(Instant::now() < until, "{}", log());
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Self { process, directory, port: own_port }
    }

    /// The same database through it.
    pub fn url(&self, url: &str) -> String {
        let name = url.split('?').next().and_then(|url| url.rsplit('/').next()).expect("a database");
        format!("postgresql://strongroom@127.0.0.1:{}/{name}", self.port)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
