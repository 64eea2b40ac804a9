//! Reverse proxies in front of a console, with TLS on a free port of loopback: nginx and HAProxy of Debian, and Caddy.
//! Each runs the configuration that it is given, with nothing changed but where it listens and what its certificate is.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::certificates::Authority;

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Front {
    process: Child,
    directory: TempDir,
    pub address: SocketAddr,
}

impl Front {
    /// A site's configuration that listens on `port`.
    pub fn nginx(port: u16, site: &str) -> Self {
        let directory = prepared();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let site = site
            .replace(&format!("listen {port} "), &format!("listen 127.0.0.1:{port} "))
            .replace("/etc/ssl/strongroom.pem", &path("server.pem"))
            .replace("/etc/ssl/strongroom.key", &path("server.key"));
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {};\n", path(name)))
            .concat();
        let main = format!(
            "daemon off; master_process off; pid {}; error_log {};\nevents {{}}\nhttp {{ access_log off;\n{temporary}{site}}}\n",
            path("pid"),
            path("log")
        );
        fs::write(path("nginx.conf"), main).expect("a file");
        let mut command = Command::new("/usr/sbin/nginx");
        command.args(["-p", &path(""), "-c", &path("nginx.conf")]);
        Self::start(directory, port, command)
    }

    /// The same; the sections global and defaults are the machine's.
    pub fn haproxy(port: u16, site: &str) -> Self {
        let directory = prepared();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let both = ["server.pem", "server.key"].map(|name| fs::read_to_string(path(name)).expect("a file")).concat();
        fs::write(path("both.pem"), both).expect("a file");
        let site = site
            .replace(&format!("bind :{port} "), &format!("bind 127.0.0.1:{port} "))
            .replace("/etc/haproxy/strongroom.pem", &path("both.pem"));
        fs::write(path("haproxy.cfg"), format!("global\n    log stderr format raw local0 warning\n{site}\n"))
            .expect("a file");
        let mut command = Command::new("/usr/sbin/haproxy");
        command.args(["-db", "-f", &path("haproxy.cfg")]);
        Self::start(directory, port, command)
    }

    /// The same; Caddy makes its certificate itself.
    pub fn caddy(port: u16, site: &str) -> Self {
        let directory = prepared();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let global =
            "{\nadmin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\ndefault_bind 127.0.0.1\n}\n";
        fs::write(path("Caddyfile"), format!("{global}{site}\n")).expect("a file");
        let program = std::env::var("STRONGROOM_TEST_CADDY").expect("run script/test, which installs Caddy");
        let mut command = Command::new(program);
        command.args(["run", "--adapter", "caddyfile", "--config", &path("Caddyfile")]);
        command.env("XDG_DATA_HOME", path("data")).env("XDG_CONFIG_HOME", path("config")).env("HOME", path("home"));
        Self::start(directory, port, command)
    }

    fn start(directory: TempDir, port: u16, mut command: Command) -> Self {
        let out = directory.path().join("out");
        let output = fs::File::create(&out).expect("a file");
        let process = command.stdout(Stdio::null()).stderr(output).stdin(Stdio::null()).spawn();
        let process = process.expect("script/test installs it");
        let mut front = Self { process, directory, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let started = Instant::now();
        while TcpStream::connect(front.address).is_err() {
            let ended = front.process.try_wait().expect("our child").is_some();
            assert!(!ended && started.elapsed() < PATIENCE, "it does not listen: {}", front.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        front
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        let read = |name: &str| fs::read_to_string(PathBuf::from(self.directory.path()).join(name)).unwrap_or_default();
        read("out") + &read("log")
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder with a certificate for `strongroom.test`.
fn prepared() -> TempDir {
    let directory = tempfile::tempdir().expect("a folder");
    let (certificate, key) = Authority::new().server("strongroom.test");
    fs::write(directory.path().join("server.pem"), certificate).expect("a file");
    fs::write(directory.path().join("server.key"), key).expect("a file");
    directory
}
