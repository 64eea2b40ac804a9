//! PostgreSQL's own programs: where they are, and how they are run: as the cluster's owner, from the cluster's
//! directory, with an empty environment (what the operator put into Strongroom's is no business of theirs). This file
//! and `owner` are the only ones of the product that may start a process.
#![expect(clippy::disallowed_methods, reason = "the one place that starts processes: the private Postgres")]

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use super::error::{PostgresError, io};
use super::place::Place;

const NEEDED: [&str; 3] = ["initdb", "postgres", "pg_ctl"];

/// A directory that holds all programs that we need.
#[derive(Debug)]
pub(super) struct Programs {
    directory: PathBuf,
}

impl Programs {
    /// Looks in `given`, or else along PATH and then where distributions put them, newest first. An existing cluster
    /// runs only with its own major version.
    pub fn find(given: Option<&Path>, place: Option<&Place>) -> Result<Self, PostgresError> {
        let places = given.map_or_else(usual_places, |given| vec![given.to_owned()]);
        let complete: Vec<PathBuf> =
            places.into_iter().filter(|place| NEEDED.iter().all(|name| place.join(name).is_file())).collect();
        let Some(newest) = complete.first() else { return Err(PostgresError::NoPrograms) };
        let Some((place, made_by)) = place.and_then(|place| Some((place, place.version()?))) else {
            return Ok(Self { directory: newest.clone() });
        };
        match complete.into_iter().find(|directory| version(directory).as_ref() == Some(&made_by)) {
            Some(directory) => Ok(Self { directory }),
            None => Err(PostgresError::WrongVersion { cluster: place.cluster.clone(), made_by }),
        }
    }

    /// Runs one program from the cluster's home to its end, with `input` on its standard input. Its last words become
    /// the error.
    pub fn run(
        &self,
        program: &'static str,
        arguments: &[&str],
        place: &Place,
        input: &str,
    ) -> Result<(), PostgresError> {
        let path = self.directory.join(program);
        let mut command = Command::new(&path);
        command.args(arguments).current_dir(&place.home).env_clear();
        command.env(
            "PATH",
            env::join_paths([self.directory.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap_or_default(),
        );
        command.env("LC_ALL", "C").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if place.owner.foreign {
            // Setting the user id as root also drops root's supplementary groups.
            command.uid(place.owner.uid).gid(place.owner.gid);
        }
        let mut child = command.spawn().map_err(io("run", &path))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends before it reads tells why by its exit status.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(io("wait for", &path))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        let last =
            if program == "pg_ctl" { place.last_words() } else { None }.unwrap_or_else(|| last.trim().to_owned());
        Err(PostgresError::Program { program, said: last, log: place.log.clone() })
    }
}

fn usual_places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let mut installed: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, prefix) in [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")] {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if let Some(major) = name.to_str().and_then(|n| n.strip_prefix(prefix)).and_then(|n| n.parse().ok()) {
                installed.push((major, entry.path().join("bin")));
            }
        }
    }
    installed.sort();
    places.extend(installed.into_iter().rev().map(|(_, path)| path));
    places
}

/// The major version of the programs in a directory: `15` of "postgres (PostgreSQL) 15.18 (Debian 15.18-0)".
fn version(directory: &Path) -> Option<String> {
    let output = Command::new(directory.join("postgres")).arg("--version").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let number = said.split_whitespace().nth(2)?;
    Some(number.split(|c: char| !c.is_ascii_digit()).next()?.to_owned())
}
