//! The environment that the program was started in.

use std::path::PathBuf;

/// `None` also for one that is blank.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The program's own folder in the user's configuration.
pub fn folder() -> Option<PathBuf> {
    let base = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    Some(base.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")))?.join("strongroom"))
}
