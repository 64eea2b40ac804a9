//! The program as it is installed: how fast it starts on a database that exists, and how much memory it takes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use strongroom::models::events::{self, Action, Actor, NewEvent};
use strongroom::models::{self, DbError};
use uuid::Uuid;

use crate::Line;
use crate::load::{self, Asker};
use crate::pages::median;
use crate::store::{Server, Store};

/// A running `strongroom serve`.
pub struct Running {
    child: Child,
    address: SocketAddr,
    /// Seconds from the start of the process to its first page.
    first_page: f64,
}

impl Running {
    fn start(store: &Store) -> Self {
        Self::with(store, &[])
    }

    /// The same with further settings, as flags.
    pub fn with(store: &Store, flags: &[&str]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let started = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_strongroom"))
            .args(["serve", "--metrics-listen=off", &format!("--listen={port}")])
            .args([format!("--database-url={}", store.url), format!("--keyring-file={}", store.keyring().display())])
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = BufReader::new(child.stderr.take().expect("a log"));
        std::thread::spawn(move || log.lines().for_each(drop));
        while TcpStream::connect(port).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "it does not listen");
            std::thread::sleep(Duration::from_millis(1));
        }
        while !is_ready(port) {
            assert!(started.elapsed() < Duration::from_secs(60), "it does not become ready");
            std::thread::sleep(Duration::from_millis(1));
        }
        Asker::new(port, &load::request(port, "/login", "")).ask();
        Self { child, address: port, first_page: started.elapsed().as_secs_f64() }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Open file descriptors.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("its files").count()
    }

    /// Resident memory in MiB.
    pub fn resident(&self) -> f64 {
        self.memory("VmRSS:")
    }

    /// The most resident memory in MiB that it ever had.
    pub fn most_resident(&self) -> f64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, which: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix(which)).expect("its memory");
        line.trim().trim_end_matches(" kB").trim().parse::<f64>().expect("a number") / 1024.0
    }
}

fn is_ready(at: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(at).expect("it listens");
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.starts_with("HTTP/1.1 200")
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub fn process(server: &Server) -> Vec<Line> {
    let store = server.store("process");
    store.fill(10_000);
    let cookie = store.login();
    let starts = (0..5).map(|_| Running::start(&store).first_page).collect();
    let running = Running::start(&store);
    std::thread::sleep(Duration::from_secs(2));
    let idle = running.resident();
    let request = load::request(running.address, "/credentials", &cookie);
    let loading = std::thread::spawn({
        let (at, request) = (running.address, request);
        move || load::rate(at, &request, 16, Duration::from_secs(5))
    });
    let logins: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn({
                let at = running.address;
                move || wrong_logins(at, 5)
            })
        })
        .collect();
    let mut most = idle;
    while !loading.is_finished() {
        most = most.max(running.resident());
        std::thread::sleep(Duration::from_millis(10));
    }
    logins.into_iter().for_each(|login| login.join().expect("a visitor"));
    let line = |what: &str, ours: String, bar| Line {
        what: what.to_owned(),
        ours,
        theirs: String::new(),
        ratio: String::new(),
        bar,
    };
    vec![
        line("Start to first page, existing database", format!("{:.0} ms", 1000.0 * median(starts)), "< 1 s"),
        line("Resident memory, idle", format!("{idle:.0} MiB"), "< 60 MB"),
        line("Resident memory, 16 readers and 4 logins at once", format!("{most:.0} MiB"), "< 150 MB"),
    ]
}

/// A start on a long trail: it is read to its end before the first page.
pub fn reading(server: &Server) -> Vec<Line> {
    const EVENTS: i64 = 100_000;
    let store = server.store("reading");
    for _ in 0..EVENTS / 5_000 {
        let write = |conn: &mut _| {
            let mut ledger = events::open(conn)?;
            for number in 0..5_000_i64 {
                let new = NewEvent {
                    action: Action::CredentialEdited,
                    subject_kind: "credential",
                    subject_id: Some(Uuid::from_u128(u128::from(number.unsigned_abs() % 500))),
                    subject_name: "key of team 1",
                    detail: "the secret".to_owned(),
                };
                ledger.record_version(conn, &store.vault, &Actor::system(), &new, number / 500 + 1)?;
            }
            Ok::<_, DbError>(())
        };
        models::transaction(&mut store.connect(), &write).expect("events");
    }
    let starts = (0..5).map(|_| Running::start(&store).first_page).collect();
    let ours = format!("{:.0} ms", 1000.0 * median(starts));
    let what = format!("Start to first page, existing database with {EVENTS} audit events");
    vec![Line { what, ours, theirs: String::new(), ratio: String::new(), bar: "" }]
}

/// Logins are the hungriest requests: each hashes with 64 MiB, two at a time.
fn wrong_logins(at: SocketAddr, times: usize) {
    for n in 0..times {
        let body = format!("username=nobody{n}&password=wrong&next=/");
        let mut stream = TcpStream::connect(at).expect("it listens");
        let head = format!(
            "POST /login HTTP/1.1\r\nHost: {at}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        stream.read_to_end(&mut Vec::new()).expect("it answers");
    }
}
