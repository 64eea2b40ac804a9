//! Files where a rule wants them: in a folder of a fixed name, which must be in memory and nobody else's, each for one
//! user only. They are gone when the program ends. The console says the folder, so it must be one that was allowed here.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, fstatfs, openat, renameat, statat, unlinkat};
use rustix::process::geteuid;

use super::super::trouble::{Result, Trouble};
use super::files::{is_in_memory, is_of_memory};
use super::plan::Plan;

/// Where a file goes, and whose it is: user and group, by number.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub folder: PathBuf,
    pub name: String,
    pub owner: Option<(u32, u32)>,
}

impl Place {
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }
}

/// The device and the number of a file.
type Number = (u64, u64);

/// What was written; removed when dropped.
pub struct Placed {
    folders: BTreeMap<PathBuf, OwnedFd>,
    files: BTreeMap<PathBuf, (Place, Number)>,
    /// Folders that were made, the innermost first.
    made: Vec<PathBuf>,
}

impl Placed {
    /// `None` when no rule wants files in a folder of its own.
    pub fn make(plan: &Plan, allowed: &[PathBuf]) -> Result<Option<Self>> {
        let mut placed = Self { folders: BTreeMap::new(), files: BTreeMap::new(), made: Vec::new() };
        for place in plan.deliveries.iter().filter_map(|one| one.placed.as_ref()) {
            if !allowed.iter().any(|above| place.folder.starts_with(above)) {
                return Err(Trouble::local(format!(
                    "the rule wants files in {}: allow it with --allow-folder if that is right",
                    place.folder.display()
                )));
            }
            if !placed.folders.contains_key(&place.folder) {
                placed.make_folder(&place.folder, place.owner.is_some())?;
                placed.folders.insert(place.folder.clone(), open(&place.folder)?);
            }
        }
        placed.write(plan)?;
        Ok((!placed.files.is_empty()).then_some(placed))
    }

    /// Writes each file anew; each is replaced as a whole.
    pub fn write(&mut self, plan: &Plan) -> Result<()> {
        for one in &plan.deliveries {
            let Some(place) = &one.placed else { continue };
            let value = plan.values[&one.rule].needed(&one.rule, &one.field)?;
            let Some(folder) = self.folders.get(&place.folder) else { continue };
            let failed = |error| Trouble::local(format!("cannot write {}: {error}", place.path().display()));
            let number = replace(folder, place, value).map_err(failed)?;
            self.files.insert(place.path(), (place.clone(), number));
        }
        Ok(())
    }

    /// Others may pass through a folder in which somebody else has a file, and see no names.
    fn make_folder(&mut self, folder: &Path, shared: bool) -> Result<()> {
        let there = folder.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/"));
        if !is_in_memory(there) {
            return Err(not_in_memory(folder));
        }
        let missing: Vec<&Path> = folder.ancestors().take_while(|above| *above != there).collect();
        for path in missing.into_iter().rev() {
            let made = DirBuilder::new().mode(if shared { 0o711 } else { 0o700 }).create(path);
            made.map_err(|error| Trouble::local(format!("cannot make {}: {error}", path.display())))?;
            self.made.insert(0, path.to_owned());
        }
        Ok(())
    }
}

fn not_in_memory(folder: &Path) -> Trouble {
    let folder = folder.display();
    Trouble::local(format!(
        "{folder} is not in memory: mount a tmpfs there (docker run --tmpfs {folder}), or name another folder in the rule"
    ))
}

/// A folder in memory that nobody else writes to, held open: what its path leads to later does not matter.
fn open(folder: &Path) -> Result<OwnedFd> {
    let failed = |error: std::io::Error| Trouble::local(format!("cannot open {}: {error}", folder.display()));
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let opened = File::from(rustix::fs::open(folder, flags, Mode::empty()).map_err(|error| failed(error.into()))?);
    let metadata = opened.metadata().map_err(failed)?;
    if ![0, geteuid().as_raw()].contains(&metadata.uid()) || metadata.permissions().mode() & 0o022 != 0 {
        return Err(Trouble::local(format!("others can write to {}: its files would not be safe", folder.display())));
    }
    if !fstatfs(&opened).is_ok_and(|found| is_of_memory(&found)) {
        return Err(not_in_memory(folder));
    }
    Ok(opened.into())
}

fn replace(folder: &OwnedFd, place: &Place, value: &str) -> std::io::Result<Number> {
    if !is_free(folder, place)? {
        return Err(std::io::Error::other("there is a file that strongroom-client did not write"));
    }
    let new = format!(".{}.new", place.name);
    let _ = unlinkat(folder, &new, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(folder, &new, flags, Mode::RUSR)?);
    let written = file.write_all(value.as_bytes()).and_then(|()| match place.owner {
        Some((user, group)) => std::os::unix::fs::fchown(&file, Some(user), Some(group)),
        None => Ok(()),
    });
    let placed = written.and_then(|()| Ok(renameat(folder, &new, folder, &place.name)?));
    if let Err(error) = placed {
        let _ = unlinkat(folder, &new, AtFlags::empty());
        return Err(error);
    }
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Whether nothing is there, or what an `exec` has left that was killed: a file that only its owner reads.
fn is_free(folder: &OwnedFd, place: &Place) -> std::io::Result<bool> {
    let found = match statat(folder, &place.name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(rustix::io::Errno::NOENT) => return Ok(true),
        found => found?,
    };
    let is_file = rustix::fs::FileType::from_raw_mode(found.st_mode) == rustix::fs::FileType::RegularFile;
    let owner = place.owner.map_or(geteuid().as_raw(), |(user, _)| user);
    let ours = [owner, geteuid().as_raw()].contains(&found.st_uid);
    Ok(is_file && ours && found.st_mode & 0o777 == 0o400)
}

impl Drop for Placed {
    fn drop(&mut self) {
        for (place, number) in self.files.values() {
            let Some(folder) = self.folders.get(&place.folder) else { continue };
            let found = statat(folder, &place.name, AtFlags::SYMLINK_NOFOLLOW);
            // Another exec may have replaced it.
            if found.is_ok_and(|found| (found.st_dev, found.st_ino) == *number) {
                let _ = unlinkat(folder, &place.name, AtFlags::empty());
            }
        }
        // One that holds something else stays.
        for folder in &self.made {
            let _ = fs::remove_dir(folder);
        }
    }
}
