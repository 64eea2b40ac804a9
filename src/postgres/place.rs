//! Where the private cluster lies, whose it is, and what can be read off its files: `<data>/postgres/cluster` with the
//! socket and the log beside it, all 0700 and owned by the cluster's user. When root keeps the data in a directory
//! that this user cannot reach, `<data>/postgres` is a link into /var/lib/strongroom. Starts no process.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use sha2::{Digest, Sha256};
use tracing::warn;

use super::error::{PostgresError, io};
use super::owner::{self, Owner};

pub(super) const LOCK: &str = "lock";
/// Where the cluster of an unreachable data directory goes.
const ELSEWHERE: &str = "/var/lib/strongroom";
pub(super) const PORT: u16 = 5432;
/// `sockaddr_un` holds 107 bytes and a NUL; the socket's own name takes some of them.
const LONGEST_DIRECTORY: usize = 107 - "/.s.PGSQL.5432".len();

#[derive(Debug)]
pub(super) struct Place {
    pub owner: Owner,
    pub home: PathBuf,
    pub cluster: PathBuf,
    pub log: PathBuf,
}

/// Makes the data directory if needed (0700) and returns its absolute path.
pub(super) fn open(data_dir: &Path) -> Result<PathBuf, PostgresError> {
    if let Some(parent) = data_dir.parent() {
        fs::create_dir_all(parent).map_err(io("make", parent))?;
    }
    match DirBuilder::new().mode(0o700).create(data_dir) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(io("make", data_dir)(error)),
        _ => {}
    }
    fs::canonicalize(data_dir).map_err(io("open", data_dir))
}

/// Tries for the advisory lock that one process on a data directory holds; the kernel frees it when that one dies.
pub(super) fn lock(data_dir: &Path) -> Result<(File, Result<(), TryLockError>), PostgresError> {
    let path = data_dir.join(LOCK);
    let mut options = OpenOptions::new();
    let file = options.create(true).write(true).truncate(false).mode(0o600).open(&path).map_err(io("open", &path))?;
    let taken = file.try_lock();
    Ok((file, taken))
}

/// Writes our process id into the lock, for the message that somebody else will get.
pub(super) fn sign(mut lock: &File, data_dir: &Path) -> Result<(), PostgresError> {
    lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(io("write the lock in", data_dir))
}

impl Place {
    /// The place of an existing cluster.
    pub fn find(data_dir: &Path) -> Result<Self, PostgresError> {
        let link = data_dir.join("postgres");
        let home = fs::canonicalize(&link).map_err(io("open", &link))?;
        let metadata = fs::metadata(&home).map_err(io("open", &home))?;
        let me = geteuid().as_raw();
        let foreign = metadata.uid() != me;
        let uid = metadata.uid();
        if uid == 0 || (foreign && me != 0) {
            return Err(PostgresError::Foreign { directory: home });
        }
        let name = owner::user_name(uid).ok_or(PostgresError::Nameless { uid })?;
        let owner = Owner { uid, gid: metadata.gid(), name, foreign };
        Ok(Self { owner, cluster: home.join("cluster"), log: home.join("start.log"), home })
    }

    /// As [`Place::find`], making the directories first where there are none.
    pub fn prepare(data_dir: &Path) -> Result<Self, PostgresError> {
        let home = data_dir.join("postgres");
        // A link that leads nowhere is an error of `find`, not an empty place.
        if fs::symlink_metadata(&home).is_err() {
            if geteuid().is_root() {
                let owner = owner::unprivileged().ok_or(PostgresError::NoUser)?;
                match closed_to(&owner, data_dir)? {
                    None => make_directory(&home, &owner)?,
                    Some(closed) => make_elsewhere(&home, &owner, closed)?,
                }
            } else {
                // Asked first, so that nothing is left behind.
                let uid = geteuid().as_raw();
                owner::user_name(uid).ok_or(PostgresError::Nameless { uid })?;
                DirBuilder::new().mode(0o700).create(&home).map_err(io("make", &home))?;
            }
        }
        let place = Self::find(data_dir)?;
        if place.owner.foreign
            && let Some(parent) = place.home.parent()
            && let Some(directory) = closed_to(&place.owner, parent)?
        {
            return Err(PostgresError::Unreachable { directory, user: place.owner.name });
        }
        Ok(place)
    }

    /// The major version that the cluster was made by; `None` while there is no complete cluster.
    pub fn version(&self) -> Option<String> {
        Some(fs::read_to_string(self.cluster.join("PG_VERSION")).ok()?.trim().to_owned())
    }

    /// The URL of the server if it says that it accepts connections, from its postmaster.pid (documented in
    /// PostgreSQL's "Database File Layout"): pid, data directory, start time, port, socket directory, …, status.
    pub fn ready(&self) -> Option<String> {
        let text = fs::read_to_string(self.cluster.join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let (pid, port, socket) = (lines.first()?.parse().ok()?, lines.get(3)?, lines.get(4)?);
        if lines.get(7) != Some(&"ready") || !self.processes().contains(&pid) {
            return None;
        }
        Some(format!("postgresql://strongroom@/strongroom?host={}&port={port}", escaped(socket)))
    }

    /// The processes of this cluster: the server, and what may outlive it for a moment when it is killed. Told by their
    /// command lines, which everybody may read; pids alone may be another program's by now.
    pub fn processes(&self) -> Vec<u32> {
        let name = self.name();
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid: &u32| is_of_cluster(&name, *pid))
            .collect()
    }

    /// Whether the server's first process lives, be it ready or not. Cheap: looks at no other process.
    pub fn lives(&self) -> bool {
        let text = fs::read_to_string(self.cluster.join("postmaster.pid")).unwrap_or_default();
        let pid = text.lines().next().and_then(|pid| pid.trim().parse().ok());
        pid.is_some_and(|pid| is_of_cluster(&self.name(), pid))
    }

    /// Removes the pid files of a server that is gone. Their pid may be another program's by now, or a zombie's where
    /// nobody reaps; Postgres would take either for a server and refuse to start.
    pub fn forget_postmaster(&self) -> Result<(), PostgresError> {
        for path in [self.cluster.join("postmaster.pid"), self.socket().join(format!(".s.PGSQL.{PORT}.lock"))] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(io("remove", &path)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    pub fn stuck(&self) -> PostgresError {
        let processes = self.processes().iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        PostgresError::Stuck { cluster: self.cluster.clone(), processes }
    }

    /// What the server said last when it could not start.
    pub fn last_words(&self) -> Option<String> {
        let written = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
        let logs = fs::read_dir(self.cluster.join("log")).into_iter().flatten().flatten().map(|entry| entry.path());
        let newest = logs.chain([self.log.clone()]).max_by_key(written)?;
        let text = fs::read(newest).ok()?;
        let text = String::from_utf8_lossy(&text);
        Some(text.lines().rev().find_map(|line| line.split_once("FATAL:  "))?.1.to_owned())
    }

    /// What marks the processes of this cluster.
    pub fn name(&self) -> String {
        format!("strongroom-{}", short_hash(&self.cluster))
    }

    /// Beside the cluster, or in a short runtime directory if that path is too long for a socket.
    fn socket(&self) -> PathBuf {
        let beside = self.home.join("socket");
        if beside.as_os_str().len() <= LONGEST_DIRECTORY {
            return beside;
        }
        Path::new(if geteuid().is_root() { "/run" } else { "/tmp" }).join(self.name())
    }

    pub fn make_socket(&self) -> Result<PathBuf, PostgresError> {
        let path = self.socket();
        match fs::symlink_metadata(&path) {
            // In a directory that all may write to, the name may have been taken by somebody else, or be a link.
            Ok(found) if found.is_dir() && found.uid() == self.owner.uid && found.mode() & 0o077 == 0 => {}
            Ok(_) => return Err(PostgresError::Foreign { directory: path }),
            Err(_) => make_directory(&path, &self.owner)?,
        }
        Ok(path)
    }

    /// After the server is gone: removes a directory for the socket that is not beside the cluster.
    pub fn tidy(&self) {
        let socket = self.socket();
        if !socket.starts_with(&self.home) {
            // Left behind, it is found and used again.
            let _ = fs::remove_dir(socket);
        }
    }
}

/// Whether a process is the server of the cluster of that name, or a child of it.
fn is_of_cluster(name: &str, pid: u32) -> bool {
    let (child, server) = (format!("postgres: {name}: "), format!("cluster_name={name}"));
    let is_server = |line: &[u8]| line.split(|byte| *byte == 0).any(|argument| argument == server.as_bytes());
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(child.as_bytes()) || is_server(&line))
}

/// The outermost directory on the way to `path` that the user cannot pass. Our own data directory is opened to the
/// user's group (to pass, not to list) if that is all that is missing.
fn closed_to(owner: &Owner, path: &Path) -> Result<Option<PathBuf>, PostgresError> {
    let mut ancestors: Vec<&Path> = path.ancestors().collect();
    ancestors.reverse();
    for directory in ancestors {
        let metadata = fs::metadata(directory).map_err(io("look at", directory))?;
        if owner.may_pass(&metadata) {
            continue;
        }
        if directory != path || metadata.uid() != geteuid().as_raw() {
            return Ok(Some(directory.to_owned()));
        }
        let mode = Permissions::from_mode(metadata.mode() & 0o7777 | 0o010);
        chown(directory, None, Some(owner.gid))
            .and_then(|()| fs::set_permissions(directory, mode))
            .map_err(io("open to the group of the private Postgres", directory))?;
    }
    Ok(None)
}

fn make_directory(path: &Path, owner: &Owner) -> Result<(), PostgresError> {
    DirBuilder::new().mode(0o700).create(path).map_err(io("make", path))?;
    chown(path, Some(owner.uid), Some(owner.gid)).map_err(io("give away", path))
}

/// Makes the cluster's home in /var/lib/strongroom and links to it, under a random name: only the link leads to it, so
/// that a data directory that is removed and made again starts empty.
fn make_elsewhere(link: &Path, owner: &Owner, closed: PathBuf) -> Result<(), PostgresError> {
    let parent = Path::new(ELSEWHERE);
    DirBuilder::new().recursive(true).mode(0o711).create(parent).map_err(io("make", parent))?;
    if closed_to(owner, parent)?.is_some() {
        return Err(PostgresError::Unreachable { directory: closed, user: owner.name.clone() });
    }
    let home = parent.join(format!("postgres-{}", uuid::Uuid::new_v4().simple()));
    make_directory(&home, owner)?;
    warn!(
        home = %home.display(), closed = %closed.display(), user = owner.name,
        "the private Postgres cannot live in the data directory, which its user cannot reach: it lives here instead"
    );
    symlink(&home, link).map_err(io("link", link))
}

fn short_hash(path: &Path) -> String {
    hex::encode(&Sha256::digest(path.as_os_str().as_bytes())[..6])
}

/// Percent-encodes all but the characters of ordinary paths.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
