//! Files where a rule wants them: in a folder of a fixed name, which must be in memory, each for one user only. They are
//! gone when the program ends.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::super::trouble::{Result, Trouble};
use super::files::is_in_memory;
use super::plan::Plan;

/// Where a file goes, and whose it is: user and group, by number.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub path: PathBuf,
    pub owner: Option<(u32, u32)>,
}

/// What was written; removed when dropped.
pub struct Placed {
    files: BTreeSet<PathBuf>,
    /// That were made, the innermost first.
    folders: Vec<PathBuf>,
}

impl Placed {
    /// `None` when no rule wants files in a folder of its own.
    pub fn make(plan: &Plan) -> Result<Option<Self>> {
        let mut placed = Self { files: BTreeSet::new(), folders: Vec::new() };
        for place in plan.deliveries.iter().filter_map(|one| one.placed.as_ref()) {
            if let Some(folder) = place.path.parent() {
                placed.make_folder(folder, place.owner.is_some())?;
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
            self.files.insert(place.path.clone());
            let failed = |error| Trouble::local(format!("cannot write {}: {error}", place.path.display()));
            replace(place, value).map_err(failed)?;
        }
        Ok(())
    }

    /// Others may pass through a folder in which somebody else has a file, and see no names.
    fn make_folder(&mut self, folder: &Path, shared: bool) -> Result<()> {
        let there = folder.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/"));
        if !is_in_memory(there) {
            return Err(Trouble::local(format!(
                "{} is not in memory: mount a tmpfs there (docker run --tmpfs {}), or name another folder in the rule",
                folder.display(),
                folder.display()
            )));
        }
        let missing: Vec<&Path> = folder.ancestors().take_while(|above| *above != there).collect();
        for path in missing.into_iter().rev() {
            let made = DirBuilder::new().mode(if shared { 0o711 } else { 0o700 }).create(path);
            made.map_err(|error| Trouble::local(format!("cannot make {}: {error}", path.display())))?;
            self.folders.insert(0, path.to_owned());
        }
        Ok(())
    }
}

fn replace(place: &Place, value: &str) -> std::io::Result<()> {
    let name = place.path.file_name().unwrap_or_default().to_string_lossy();
    let new = place.path.with_file_name(format!(".{name}.new"));
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o400).open(&new)?;
    let written = file.write_all(value.as_bytes()).and_then(|()| match place.owner {
        Some((user, group)) => std::os::unix::fs::fchown(&file, Some(user), Some(group)),
        None => Ok(()),
    });
    if let Err(error) = written.and_then(|()| fs::rename(&new, &place.path)) {
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    Ok(())
}

impl Drop for Placed {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        // One that holds something else stays.
        for folder in &self.folders {
            let _ = fs::remove_dir(folder);
        }
    }
}
