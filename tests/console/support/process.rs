//! Processes of the product that run beside the test: a console, a command. They end with the test.
#![allow(clippy::disallowed_methods, reason = "running and killing the product is what this is for")]
#![allow(dead_code, reason = "each test uses what it needs")]

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

pub use super::wait::wait_for;

use super::app::Visit;
use super::binary::Ran;

/// Longest that a command or a start may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A console that runs. Killed when dropped.
pub struct Serving {
    pub(super) child: Child,
    pub url: String,
    /// What it logged until it listened.
    pub log: String,
    pub(super) saying: Receiver<String>,
    pub(super) out: Receiver<String>,
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

    /// Resident memory in MiB.
    pub fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").trim().parse::<f64>().expect("a number") / 1024.0
    }

    pub fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("its threads").count()
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

pub fn wait(child: &mut Child) -> ExitStatus {
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

pub fn drain(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
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
