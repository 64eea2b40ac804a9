//! Somebody who uses the client: a home, a runtime folder, and nothing else in the environment.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::stand_in::{StandIn, TOKEN};

pub const CLIENT: &str = env!("CARGO_BIN_EXE_strongroom-client");

pub struct User {
    pub home: TempDir,
}

pub struct Did {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl User {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("run")).unwrap();
        fs::create_dir(home.path().join("bin")).unwrap();
        for name in ["strongroom-client", "docker-credential-strongroom", "git-credential-strongroom"] {
            symlink(CLIENT, home.path().join("bin").join(name)).unwrap();
        }
        Self { home }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    }

    /// A program with this user's environment, that finds the client and its helpers.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.home.path()).env("XDG_RUNTIME_DIR", self.path("run"));
        command.env("PATH", format!("{}:{path}", self.path("bin").display())).env("LANG", "C.UTF-8");
        command.current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    /// The client, which knows no console.
    pub fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(CLIENT);
        command.args(arguments);
        command
    }

    /// The client with the token of the stand-in's client.
    pub fn client(&self, console: &StandIn, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        knowing(&mut command, console);
        command
    }

    pub fn run(&self, console: &StandIn, arguments: &[&str]) -> Did {
        did(&mut self.client(console, arguments))
    }
}

/// Adds where the console is and the token for it.
pub fn knowing<'a>(command: &'a mut Command, console: &StandIn) -> &'a mut Command {
    command.env("STRONGROOM_URL", console.peer.url()).env("STRONGROOM_TOKEN", TOKEN)
}

pub fn did(command: &mut Command) -> Did {
    told(command, "")
}

/// With that on standard input.
pub fn told(command: &mut Command, input: &str) -> Did {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // What reads nothing may have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let status = status.code().unwrap_or_else(|| -std::os::unix::process::ExitStatusExt::signal(&status).unwrap());
    Did { status, out: text(stdout), err: text(stderr) }
}

impl Did {
    /// Its standard output, if it went well.
    pub fn well(self) -> String {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
        self.out
    }

    pub fn badly(self, words: &str) -> Self {
        assert_ne!(self.status, 0, "{}", self.out);
        assert!(self.err.contains(words) || self.out.contains(words), "no {words:?}: {}{}", self.out, self.err);
        self
    }
}

/// Something that runs beside the test. Killed when dropped.
pub struct Beside(pub Child);

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until a file holds something, and returns it.
pub fn text_of(path: &Path) -> String {
    until("a file", || fs::read_to_string(path).ok().filter(|text| text.ends_with('\n')))
}

pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "no {what} within 30 seconds");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
