//! The key/value engine: which version a mount has, the names below a path, and the value of one.

use serde::Deserialize;
use serde_json::Value;

use super::{Session, wiped};
use crate::providers::ProviderError;

/// Of the engine. The second keeps earlier versions of every entry, and has paths of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    One,
    Two,
}

impl Version {
    pub fn label(self) -> &'static str {
        match self {
            Self::One => "KV version 1",
            Self::Two => "KV version 2",
        }
    }
}

/// A mount of the engine, for one signed-in session.
pub struct Kv<'a> {
    session: &'a Session,
    /// Without slashes around it: `secret`, `team/kv`.
    mount: String,
    pub version: Version,
}

/// The names in one folder; those that end with a slash are folders.
pub type List = Vec<String>;

/// The value of an entry, and its version.
pub struct Read {
    pub data: Value,
    pub version: Option<u64>,
}

impl<'a> Kv<'a> {
    /// Asks for the version of the mount where it is not known.
    pub async fn open(session: &'a Session, mount: &str, version: Option<Version>) -> Result<Self, ProviderError> {
        let version = match version {
            Some(version) => version,
            None => version_of(session, mount).await?,
        };
        Ok(Self { session, mount: mount.to_owned(), version })
    }

    /// The names in a folder; blank is the mount itself. What is not there has none.
    pub async fn list(&self, folder: &str) -> Result<List, ProviderError> {
        let answer = match self.version {
            Version::One => self.session.get(&[&self.mount, folder], true).await?,
            Version::Two => self.session.get(&[&self.mount, "metadata", folder], true).await?,
        };
        if answer.status == 404 {
            return Ok(Vec::new());
        }
        Ok(self.session.told(answer).await?.json::<Data<Keys>>()?.data.keys)
    }

    /// [`ProviderError::NotFound`] for one that is deleted, too.
    pub async fn read(&self, name: &str) -> Result<Read, ProviderError> {
        match self.version {
            Version::One => {
                let answer = self.session.get(&[&self.mount, name], false).await?;
                Ok(Read { data: wiped::<Data<Value>>(self.session.told(answer).await?)?.data, version: None })
            }
            Version::Two => {
                let answer = self.session.get(&[&self.mount, "data", name], false).await?;
                let found = wiped::<Data<Versioned>>(self.session.told(answer).await?)?.data;
                Ok(Read { data: found.data, version: Some(found.metadata.version) })
            }
        }
    }
}

/// What the user interface asks for, which every token may that has a right below the mount.
/// <https://developer.hashicorp.com/vault/api-docs/system/internal-ui-mounts#get-single-mount-details>
async fn version_of(session: &Session, mount: &str) -> Result<Version, ProviderError> {
    let answer = session.get(&["sys/internal/ui/mounts", mount], false).await?;
    let found = session.told(answer).await?.json::<Data<Mount>>()?.data;
    let version = found.options.and_then(|options| options.version);
    match (found.kind.as_str(), version.as_deref()) {
        ("kv" | "generic", None | Some("1")) => Ok(Version::One),
        ("kv", Some("2")) => Ok(Version::Two),
        // Another engine, or a version that is not known yet.
        _ => Err(ProviderError::NoInterface { of: "the key/value engine" }),
    }
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct Versioned {
    data: Value,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
}

#[derive(Deserialize)]
struct Mount {
    #[serde(rename = "type")]
    kind: String,
    options: Option<Options>,
}

#[derive(Deserialize)]
struct Options {
    version: Option<String>,
}
