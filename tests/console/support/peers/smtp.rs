//! Mail servers: aiosmtpd (STARTTLS, AUTH, a Maildir, faults on demand) and maildev (implicit TLS, AUTH). What they
//! took is read back by Python's own email package: somebody else's reading of RFC 5322 and RFC 2045. `script/test`
//! installs both and names them in `STRONGROOM_TEST_AIOSMTPD` (a Python with the package) and
//! `STRONGROOM_TEST_MAILDEV`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use strongroom::form::Values;
use tempfile::TempDir;

use super::super::wait::wait_for;
use super::certificates::Authority;
use super::free_port;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/support/peers/smtp_sink.py");

pub const USER: &str = "strongroom";
pub const PASSWORD: &str = "mail-Password-1 ü";

pub struct MailServer {
    process: Child,
    directory: TempDir,
    pub address: SocketAddr,
    /// Who issued its certificate, if it has one.
    pub authority: Option<Authority>,
    encryption: &'static str,
}

/// A mail as Python's email package reads it.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    /// Decoded.
    pub headers: Vec<(String, String)>,
    pub parts: Vec<Part>,
    /// What is wrong with its headers.
    pub defects: Vec<String>,
    /// Bytes of the longest line.
    pub longest: usize,
    pub ascii: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    #[serde(rename = "type")]
    pub kind: String,
    pub charset: Option<String>,
    pub body: Option<String>,
    pub defects: Vec<String>,
}

impl Mail {
    /// The one header of that name.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found: Vec<_> = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).collect();
        assert_eq!(found.len(), 1, "{name} in {:?}", self.headers);
        &found[0].1
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    #[track_caller]
    pub fn body(&self, kind: &str) -> &str {
        let found: Vec<_> = self.parts.iter().filter(|part| part.kind == kind).collect();
        assert_eq!(found.len(), 1, "{kind} in {:?}", self.parts);
        found[0].body.as_deref().unwrap_or_default()
    }
}

fn python() -> String {
    std::env::var("STRONGROOM_TEST_AIOSMTPD").expect("STRONGROOM_TEST_AIOSMTPD is set by script/test")
}

/// Messages in files, in that order.
pub fn parsed(files: &[PathBuf]) -> Vec<Mail> {
    if files.is_empty() {
        return Vec::new();
    }
    let read = Command::new(python()).args([SCRIPT, "read"]).args(files).output().expect("Python runs");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).expect("what the script prints")
}

impl MailServer {
    /// STARTTLS and a login, both demanded.
    pub fn starttls() -> Self {
        Self::aiosmtpd(true, json!({"user": USER, "password": PASSWORD}))
    }

    /// STARTTLS and no login, with further options of the script.
    pub fn open(options: Value) -> Self {
        Self::aiosmtpd(true, options)
    }

    /// Neither encryption nor login.
    pub fn clear(options: Value) -> Self {
        Self::aiosmtpd(false, options)
    }

    /// STARTTLS with a certificate and key of one's own, with further options. Its settings name no authority.
    pub fn starttls_as(pair: (String, String), options: Value) -> Self {
        Self::aiosmtpd_as(Some(pair), None, options)
    }

    fn aiosmtpd(encrypted: bool, options: Value) -> Self {
        let authority = encrypted.then(Authority::new);
        Self::aiosmtpd_as(authority.as_ref().map(|authority| authority.server("127.0.0.1")), authority, options)
    }

    fn aiosmtpd_as(pair: Option<(String, String)>, authority: Option<Authority>, mut options: Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
        let encryption = if pair.is_some() { "starttls" } else { "none" };
        if let Some((certificate, key)) = pair {
            fs::write(place("certificate"), certificate).unwrap();
            fs::write(place("key"), key).unwrap();
            options["certificate"] = json!(place("certificate"));
            options["key"] = json!(place("key"));
        }
        fs::write(place("options.json"), options.to_string()).unwrap();
        fs::write(place("faults.json"), "{}").unwrap();
        let (mut process, address) = spawn(directory.path());
        assert!(process.try_wait().unwrap().is_none());
        Self { process, directory, address, authority, encryption }
    }

    /// Implicit TLS and a login, demanded.
    pub async fn maildev() -> Self {
        let program = std::env::var("STRONGROOM_TEST_MAILDEV").expect("STRONGROOM_TEST_MAILDEV is set by script/test");
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
        let authority = Authority::new();
        let (certificate, key) = authority.server("127.0.0.1");
        fs::write(place("certificate"), certificate).unwrap();
        fs::write(place("key"), key).unwrap();
        let port = free_port();
        let process = Command::new("node")
            .args([&program, "--smtp", &port.to_string(), "--ip", "127.0.0.1", "--disable-web", "--silent"])
            .args(["--incoming-secure", "--incoming-cert", &place("certificate"), "--incoming-key", &place("key")])
            .args(["--incoming-user", USER, "--incoming-pass", PASSWORD, "--mail-directory", &place("box")])
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        wait_for("maildev listens", Duration::from_secs(60), async || {
            tokio::net::TcpStream::connect(address).await.is_ok()
        })
        .await;
        Self { process, directory, address, authority: Some(authority), encryption: "implicit" }
    }

    /// The settings of a profile that sends to it.
    pub fn settings(&self) -> Values {
        let port = self.address.port().to_string();
        let mut values: Values = [
            ("host", "127.0.0.1"),
            ("port", port.as_str()),
            ("tls", self.encryption),
            ("from", "strongroom@console.example.com"),
            ("from_name", "Strongroom"),
        ]
        .into_iter()
        .collect();
        if let Some(authority) = &self.authority {
            values.set("ca_certificate", authority.pem.as_str());
        }
        values
    }

    /// From the next step on.
    pub fn faults(&self, faults: &Value) {
        let (new, place) = (self.directory.path().join("new"), self.directory.path().join("faults.json"));
        fs::write(&new, faults.to_string()).unwrap();
        fs::rename(new, place).unwrap();
    }

    /// Ends at once, with all its connections.
    pub fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts again on the same port.
    pub fn start_again(&mut self) {
        let options = self.directory.path().join("options.json");
        let mut known: Value = serde_json::from_slice(&fs::read(&options).unwrap()).unwrap();
        known["port"] = json!(self.address.port());
        fs::write(&options, known.to_string()).unwrap();
        self.process = spawn(self.directory.path()).0;
    }

    /// Every step of that name so far, as the script notes it.
    pub fn steps(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.directory.path().join("steps")).unwrap_or_default();
        let all = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        all.filter(|step| step["step"] == name).collect()
    }

    /// Every mail so far, with repetitions, in the order of arrival.
    pub fn mails(&self) -> Vec<Mail> {
        let place = self.directory.path().join("box/new");
        parsed(&self.steps("mail").iter().map(|step| place.join(step["key"].as_str().unwrap())).collect::<Vec<_>>())
    }

    /// The recipients of all mails so far, in the order of arrival.
    pub fn recipients(&self) -> Vec<String> {
        let steps = self.steps("mail");
        steps.iter().flat_map(|step| step["to"].as_array().unwrap()).map(|to| to.as_str().unwrap().to_owned()).collect()
    }

    /// Waits for that many mails in maildev's folder.
    pub async fn files(&self, number: usize) -> Vec<Mail> {
        let place = self.directory.path().join("box");
        let mut found = Vec::new();
        wait_for("the mails are there", Duration::from_secs(20), async || {
            found =
                fs::read_dir(&place).map(|all| all.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
            found.retain(|path: &PathBuf| path.extension().is_some_and(|ending| ending == "eml"));
            found.len() >= number
        })
        .await;
        found.sort();
        parsed(&found)
    }
}

fn spawn(directory: &Path) -> (Child, SocketAddr) {
    let mut process = Command::new(python())
        .args([SCRIPT, "serve"])
        .arg(directory)
        .stdout(Stdio::piped())
        .stderr(fs::File::create(directory.join("log")).unwrap())
        .spawn()
        .expect("Python runs");
    let mut port = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let log = || fs::read_to_string(directory.join("log")).unwrap_or_default();
    let port: u16 = port.trim().parse().unwrap_or_else(|_| panic!("aiosmtpd did not start: {}", log()));
    (process, SocketAddr::from(([127, 0, 0, 1], port)))
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop();
    }
}
