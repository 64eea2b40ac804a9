//! Files with secrets: in a folder in memory that only this user enters, readable only, and gone when the program ends.
//! A lock marks the folder as used; what an `exec` that was killed has left is removed by the next one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, StatFs, flock, statfs};

use super::super::environment::variable;
use super::super::trouble::{Result, Trouble};
use super::configuration;
use super::plan::Plan;
use super::program::Environment;

const TMPFS: i64 = 0x0102_1994;
const RAMFS: i64 = 0x8584_58f6;
const PREFIX: &str = "strongroom-";
const LOCK: &str = ".lock";
/// Names gcloud's folder, in which Google's SDKs look for the login of a person.
pub const GCLOUD: &str = "CLOUDSDK_CONFIG";
/// No rule is called so.
const GCLOUD_FOLDER: &str = ".gcloud";

/// Removed with all that is in it when dropped.
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// `None` when no file is wanted. For gcloud's own files a folder is good to have, but not needed.
    pub fn make(plan: &Plan, parent: Option<&Path>) -> Result<Option<Self>> {
        if !plan.has_files() && plan.clouds.google.is_none() {
            return Ok(None);
        }
        let parent = match parent {
            Some(parent) if is_in_memory(parent) => parent.to_owned(),
            Some(parent) => {
                return Err(Trouble::local(format!("{} is not a folder in memory (tmpfs)", parent.display())));
            }
            None => match usual() {
                Some(parent) => parent,
                None if !plan.has_files() => return Ok(None),
                None => {
                    let why = "no folder in memory is writable here: mount a tmpfs and name it with --directory";
                    return Err(Trouble::local(why));
                }
            },
        };
        remove_left_behind(&parent);
        let failed =
            |error: std::io::Error| Trouble::local(format!("cannot make a folder in {}: {error}", parent.display()));
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| Trouble::local(format!("no random numbers: {error}")))?;
        let name = format!("{PREFIX}{}", hex::encode(random));
        let (new, path) = (parent.join(format!(".{name}")), parent.join(name));
        DirBuilder::new().mode(0o700).create(&new).map_err(failed)?;
        let lock = OpenOptions::new().write(true).create_new(true).mode(0o400).open(new.join(LOCK)).map_err(failed)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| failed(error.into()))?;
        // Only now can others take it for one that was left behind.
        fs::rename(&new, &path).map_err(failed)?;
        let folder = Self { path, _lock: lock };
        if plan.clouds.google.is_some() {
            DirBuilder::new().mode(0o700).create(folder.path.join(GCLOUD_FOLDER)).map_err(failed)?;
        }
        folder.write(plan)?;
        Ok(Some(folder))
    }

    pub fn path(&self, rule: &str, field: &str) -> PathBuf {
        self.path.join(rule).join(field)
    }

    /// Each file is replaced as a whole.
    pub fn write(&self, plan: &Plan) -> Result<()> {
        for one in plan.deliveries.iter().filter(|one| one.as_file && one.placed.is_none()) {
            let value = plan.values[&one.rule].needed(&one.rule, &one.field)?;
            let path = self.path(&one.rule, &one.field);
            write(&path, value)?;
        }
        for rule in &plan.configured {
            let fetched = &plan.values[rule];
            let token = self.path(rule, "token");
            if let Some(value) = fetched.field("token") {
                write(&token, value)?;
            }
            if let Some(made) = configuration::of(&fetched.form) {
                write(&self.path(rule, made.name), &configuration::content(rule, fetched, &token)?)?;
            }
        }
        Ok(())
    }

    /// The variables by which tools find their configuration.
    pub fn variables(&self, plan: &Plan) -> Environment {
        let mut environment = Environment::new();
        if plan.clouds.google.is_some() {
            environment.insert(GCLOUD.to_owned(), Some(self.path.join(GCLOUD_FOLDER).into()));
        }
        for rule in &plan.configured {
            let Some(made) = configuration::of(&plan.values[rule].form) else { continue };
            let folder = self.path.join(rule);
            let mut set = |names: &[&str], path: &Path| {
                environment.extend(names.iter().map(|name| ((*name).to_owned(), Some(path.into()))));
            };
            set(made.files, &folder.join(made.name));
            set(made.folders, &folder);
        }
        environment
    }
}

fn write(path: &Path, value: &str) -> Result<()> {
    replace(path, value).map_err(|error| Trouble::local(format!("cannot write {}: {error}", path.display())))
}

fn replace(path: &Path, value: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let new = path.with_file_name(".new");
    let _ = fs::remove_file(&new);
    OpenOptions::new().write(true).create_new(true).mode(0o400).open(&new)?.write_all(value.as_bytes())?;
    fs::rename(&new, path)
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn usual() -> Option<PathBuf> {
    let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    let fits =
        |folder: &PathBuf| is_in_memory(folder) && rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok();
    runtime.into_iter().chain(["/dev/shm".into(), "/run".into()]).find(fits)
}

pub fn is_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|found| is_of_memory(&found))
}

pub fn is_of_memory(found: &StatFs) -> bool {
    [TMPFS, RAMFS].contains(&found.f_type)
}

/// A folder whose lock can be had belongs to nobody any more.
fn remove_left_behind(parent: &Path) {
    let own = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let mine = entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == own);
        let lock = File::open(entry.path().join(LOCK)).ok().filter(|_| named && mine);
        if lock.is_some_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
