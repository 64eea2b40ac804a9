//! The user whom the private cluster belongs to, and how the system names users.
#![expect(clippy::disallowed_methods, reason = "users are asked of the system's own program")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

/// The user that the cluster's files and processes belong to.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub uid: u32,
    pub gid: u32,
    pub name: String,
    /// It is not the user who runs Strongroom.
    pub foreign: bool,
}

impl Owner {
    /// May this user pass through the directory? By its mode alone: access lists are not looked at.
    pub fn may_pass(&self, directory: &fs::Metadata) -> bool {
        let bit = match () {
            () if directory.uid() == self.uid => 0o100,
            () if directory.gid() == self.gid => 0o010,
            () => 0o001,
        };
        directory.mode() & bit != 0
    }
}

/// The user to run the cluster as when root runs Strongroom: `postgres`, else `nobody`.
pub(super) fn unprivileged() -> Option<Owner> {
    ["postgres", "nobody"].into_iter().find_map(|name| {
        let number = |flag| id(&[flag, name])?.parse().ok();
        Some(Owner { uid: number("-u")?, gid: number("-g")?, name: name.to_owned(), foreign: true })
    })
}

/// The name of a numeric user id, as Postgres will look it up for peer authentication.
pub(super) fn user_name(uid: u32) -> Option<String> {
    id(&["-un", &uid.to_string()])
}

/// Asked of the system's own program, since users may come from a directory service and not from /etc/passwd.
fn id(arguments: &[&str]) -> Option<String> {
    let output = Command::new("id").args(arguments).output().ok().filter(|output| output.status.success())?;
    let answer = String::from_utf8(output.stdout).ok()?;
    Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty())
}
