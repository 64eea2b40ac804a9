//! Files that only their owner reads: a saved login, a session of a job.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::trouble::{Result, Trouble};

/// `None` where there is none. One that others can read is not used.
pub fn read(file: &Path) -> Result<Option<Zeroizing<String>>> {
    let Ok(text) = fs::read_to_string(file).map(Zeroizing::new) else { return Ok(None) };
    if fs::metadata(file).is_ok_and(|metadata| metadata.mode() & 0o077 != 0) {
        return Err(Trouble::Local(format!("others can read {}: run chmod 600 on it", file.display())));
    }
    Ok(Some(text))
}

/// Replaces it as a whole.
pub fn write(file: &Path, text: &str) -> Result<()> {
    let failed = |error| Trouble::Local(format!("cannot write {}: {error}", file.display()));
    if let Some(folder) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let new = file.with_extension(format!("new-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    let mut opened = options.write(true).create_new(true).mode(0o600).open(&new).map_err(failed)?;
    let written = opened.write_all(text.as_bytes()).and_then(|()| fs::rename(&new, file));
    written.inspect_err(|_| drop(fs::remove_file(&new))).map_err(failed)
}
