//! The login that a person has saved for the tools of a machine.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use super::environment::folder;
use super::private_file;
use super::trouble::{Result, Trouble};

#[derive(Deserialize, Serialize)]
pub struct Saved {
    pub url: Url,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// Where it is.
pub fn file() -> Option<PathBuf> {
    Some(folder()?.join("login.json"))
}

impl Saved {
    /// `None` where nothing is saved.
    pub fn read() -> Result<Option<Self>> {
        let Some(file) = file() else { return Ok(None) };
        let Some(text) = private_file::read(&file)? else { return Ok(None) };
        let unreadable = |_| Trouble::Local(format!("{} cannot be read: log in again", file.display()));
        serde_json::from_str(&text).map(Some).map_err(unreadable)
    }

    pub fn write(&self) -> Result<PathBuf> {
        let file = file().ok_or_else(|| Trouble::local("where to save? Set HOME or XDG_CONFIG_HOME"))?;
        private_file::write(&file, &Zeroizing::new(serde_json::to_string(self).unwrap_or_default()))?;
        Ok(file)
    }
}
