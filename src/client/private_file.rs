//! Files that only their owner reads: a saved login, a session of a job, the token of the agent's endpoints.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::trouble::{Result, Trouble};

/// `None` where there is none. One that others can read, or that another user made, is not used.
pub fn read(file: &Path) -> Result<Option<Zeroizing<String>>> {
    let wrong = |why: &str| Err(Trouble::Local(format!("{} is not used: {why}", file.display())));
    let how = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut opened = match rustix::fs::open(file, how, Mode::empty()) {
        Ok(opened) => File::from(opened),
        Err(Errno::LOOP) => return wrong("it is a symbolic link"),
        Err(_) => return Ok(None),
    };
    let metadata = opened.metadata().map_err(|error| failed("read", file, &error))?;
    if !metadata.is_file() {
        return wrong("it is not a file");
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return wrong("it belongs to another user");
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(Trouble::Local(format!("others can read {}: run chmod 600 on it", file.display())));
    }
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1));
    match opened.read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::InvalidData => wrong("it is not text"),
        Err(error) => Err(failed("read", file, &error)),
    }
}

/// Replaces it as a whole.
pub fn write(file: &Path, text: &str) -> Result<()> {
    let failed = |error| failed("write", file, &error);
    if let Some(folder) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Trouble::Local(format!("no random numbers: {error}")))?;
    // What somebody who was killed has left bears another name.
    let new = file.with_extension(format!("new-{}", hex::encode(random)));
    let mut options = fs::OpenOptions::new();
    let mut opened = options.write(true).create_new(true).mode(0o600).open(&new).map_err(failed)?;
    let written = opened.write_all(text.as_bytes()).and_then(|()| fs::rename(&new, file));
    written.inspect_err(|_| drop(fs::remove_file(&new))).map_err(failed)
}

/// An error if somebody else could put a file there.
pub fn must_be_in_own_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let metadata = fs::metadata(folder).map_err(|error| failed("read", folder, &error))?;
    if metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(Trouble::Local(format!("others can write to {}: {} is not safe there", folder.display(), file.display())))
}

fn failed(what: &str, file: &Path, error: &std::io::Error) -> Trouble {
    Trouble::Local(format!("cannot {what} {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// Removed when dropped.
    struct Folder(std::path::PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn folder(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("strongroom-client-{name}-{}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
        Folder(folder)
    }

    #[test]
    fn only_a_file_that_is_ours_alone_is_read() {
        let folder = folder("read");
        let file = folder.0.join("login.json");
        assert!(read(&file).unwrap().is_none());
        write(&file, "first").unwrap();
        write(&file, "next").unwrap();
        assert_eq!(read(&file).unwrap().unwrap().as_str(), "next");
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
        let link = folder.0.join("link");
        symlink(&file, &link).unwrap();
        assert!(read(&link).is_err());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read(&file).is_err());
        assert!(read(&folder.0).is_err());
    }

    #[test]
    fn a_folder_that_others_write_to_is_not_ours() {
        let folder = folder("own");
        let file = folder.0.join("agent.token");
        must_be_in_own_folder(&file).unwrap();
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(must_be_in_own_folder(&file).is_err());
    }
}
