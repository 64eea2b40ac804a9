//! The program that `exec` starts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

/// What the child's environment becomes: set, or removed.
pub type Environment = BTreeMap<String, Option<OsString>>;

pub fn command(words: &[OsString], environment: &Environment) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// As shells have it.
pub fn not_started(words: &[OsString], error: &std::io::Error) -> ExitCode {
    eprintln!("strongroom-client: cannot run {}: {error}", words[0].to_string_lossy());
    ExitCode::from(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 })
}
