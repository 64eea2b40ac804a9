//! The key ring file: one JSON object a line, `{"use":"wrap","id":1,"created":"…","key":"<base64>"}`, and one line with
//! `"use":"mac"`. Readable by this process, and writable by nobody but its user or root: mode 0600 as we make it, or as
//! orchestrators mount a secret. The only place where master keys exist.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::random::random;

/// Why a key ring cannot be used. Names the file and the remedy, never a byte of a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    #[error(
        "the key ring {0} does not exist: restore it from your escrow, or name it with STRONGROOM_KEYRING_FILE. It has to \
         be a file: a variable with the keys themselves would be inherited by every child process, and be shown by \
         tools such as `docker inspect`"
    )]
    Missing(String),
    #[error("the key ring {0} exists already")]
    Exists(String),
    #[error(
        "the key ring {path} cannot be read ({cause}): let the user id {user} read it (in Kubernetes by fsGroup and \
         defaultMode 0440), or name another file with STRONGROOM_KEYRING_FILE"
    )]
    Unreadable { path: String, cause: std::io::ErrorKind, user: u32 },
    #[error(
        "the key ring {path} cannot be made ({cause}): name a directory that Strongroom may write to with \
         STRONGROOM_DATA_DIR, or a key ring that exists with STRONGROOM_KEYRING_FILE"
    )]
    NotMade { path: String, cause: std::io::ErrorKind },
    #[error(
        "the key ring {path} cannot be written ({cause}): add the key to a copy that can be written, named by \
         STRONGROOM_KEYRING_FILE, and put that copy in its place"
    )]
    NotWritten { path: String, cause: std::io::ErrorKind },
    #[error(
        "the key ring {0} can be written by others: run `chmod 600` on it, or name another file with \
         STRONGROOM_KEYRING_FILE"
    )]
    Mode(String),
    #[error(
        "the key ring {0} belongs to another user: it must belong to the user that runs Strongroom, or to root. Name \
         another file with STRONGROOM_KEYRING_FILE"
    )]
    Owner(String),
    #[error("line {line} of the key ring {path} is not a key ring entry: restore the file from your escrow")]
    Malformed { path: String, line: usize },
    #[error("line {line} of the key ring {path} holds a key that is no random key: make one with `strongroom key add`")]
    Weak { path: String, line: usize },
    #[error("the key ring {0} lacks its `mac` key or every `wrap` key: restore the file from your escrow")]
    Incomplete(String),
}

/// Master keys by id, and the key of the row checks.
pub struct KeyRing {
    wrap: BTreeMap<i32, Zeroizing<[u8; 32]>>,
    mac: Zeroizing<[u8; 32]>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    r#use: Use,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<i32>,
    created: String,
    key: Zeroizing<String>,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Use {
    Wrap,
    Mac,
}

impl Line {
    fn fresh(r#use: Use, id: Option<i32>) -> Self {
        let key = Zeroizing::new(random::<32>());
        #[expect(clippy::disallowed_methods, reason = "a note for people who read the file; nothing is measured by it")]
        let created = Utc::now().to_rfc3339();
        Self { r#use, id, created, key: Zeroizing::new(STANDARD.encode(*key)) }
    }

    fn text(&self) -> Zeroizing<String> {
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        Zeroizing::new(text)
    }

    fn bytes(&self) -> Option<Zeroizing<[u8; 32]>> {
        let decoded = Zeroizing::new(STANDARD.decode(self.key.as_bytes()).ok()?);
        Some(Zeroizing::new(decoded.as_slice().try_into().ok()?))
    }
}

impl KeyRing {
    /// Writes a new ring with master key 1, mode 0600, and returns it. Refuses to replace a file. The file appears with
    /// all its lines, so that whoever else starts at this moment reads a whole ring.
    pub fn create(path: &Path) -> Result<Self, KeyRingError> {
        let shown = shown(path);
        let io = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => KeyRingError::Exists(shown.clone()),
            cause => KeyRingError::NotMade { path: shown.clone(), cause },
        };
        // Asked first: where a ring was mounted, nothing may be writable.
        if fs::symlink_metadata(path).is_ok() {
            return Err(KeyRingError::Exists(shown));
        }
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(io)?;
        let fresh = directory.join(format!(".keyring-{}", hex::encode(random::<8>())));
        let lines = [Line::fresh(Use::Mac, None), Line::fresh(Use::Wrap, Some(1))];
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).and_then(|mut file| {
            for line in &lines {
                file.write_all(line.text().as_bytes())?;
            }
            file.sync_all()?;
            // Unlike a rename, a link replaces nothing.
            fs::hard_link(&fresh, path)
        });
        let removed = fs::remove_file(&fresh);
        written.and(removed).and_then(|()| File::open(directory)?.sync_all()).map_err(io)?;
        Self::read(path)
    }

    /// Appends a new master key and returns its id, which is above `above` and all ids of the ring.
    pub fn add(path: &Path, above: i32) -> Result<i32, KeyRingError> {
        let shown = shown(path);
        let io = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => KeyRingError::Missing(shown.clone()),
            cause => KeyRingError::NotWritten { path: shown.clone(), cause },
        };
        let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(io)?;
        // Given back when the file is closed.
        file.lock().map_err(io)?;
        let id = Self::read(path)?.ids().into_iter().max().unwrap_or(0).max(above) + 1;
        let (line, mut end) = (Line::fresh(Use::Wrap, Some(id)).text(), [0]);
        file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut end)).map_err(io)?;
        // An editor may have left the last line open.
        let text = Zeroizing::new(format!("{}{}", if end == *b"\n" { "" } else { "\n" }, *line));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        Ok(id)
    }

    pub fn read(path: &Path) -> Result<Self, KeyRingError> {
        let (shown, user) = (shown(path), rustix::process::geteuid().as_raw());
        let io = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => KeyRingError::Missing(shown.clone()),
            cause => KeyRingError::Unreadable { path: shown.clone(), cause, user },
        };
        let mut file = File::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if metadata.mode() & 0o022 != 0 {
            return Err(KeyRingError::Mode(shown));
        }
        // The owner may change the mode, and so write.
        if metadata.uid() != 0 && metadata.uid() != user {
            return Err(KeyRingError::Owner(shown));
        }
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(io)?;
        Self::parse(&text, &shown)
    }

    fn parse(text: &str, path: &str) -> Result<Self, KeyRingError> {
        let (mut wrap, mut mac) = (BTreeMap::new(), None);
        for (index, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let malformed = || KeyRingError::Malformed { path: path.to_owned(), line: index + 1 };
            let line: Line = serde_json::from_str(text).map_err(|_| malformed())?;
            let key = line.bytes().ok_or_else(malformed)?;
            if is_weak(&key) {
                return Err(KeyRingError::Weak { path: path.to_owned(), line: index + 1 });
            }
            let earlier = match (line.r#use, line.id) {
                (Use::Mac, None) => mac.replace(key),
                (Use::Wrap, Some(id)) if id > 0 => wrap.insert(id, key),
                _ => return Err(malformed()),
            };
            if earlier.is_some() {
                return Err(malformed());
            }
        }
        match mac {
            Some(mac) if !wrap.is_empty() => Ok(Self { wrap, mac }),
            _ => Err(KeyRingError::Incomplete(path.to_owned())),
        }
    }

    pub fn ids(&self) -> Vec<i32> {
        self.wrap.keys().copied().collect()
    }

    pub fn has(&self, id: i32) -> bool {
        self.wrap.contains_key(&id)
    }

    /// HKDF-SHA-256 (RFC 5869), salted with the deployment, so that one ring in two deployments gives unrelated keys.
    pub(super) fn derive(&self, deployment: Uuid, id: i32, label: &str) -> Option<Zeroizing<[u8; 32]>> {
        Some(expand(deployment, &**self.wrap.get(&id)?, label))
    }

    pub(super) fn mac_key(&self, deployment: Uuid) -> Zeroizing<[u8; 32]> {
        expand(deployment, &self.mac, "mac/v1")
    }
}

/// The whole path: a relative one means nothing to who reads a log.
fn shown(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

fn expand(deployment: Uuid, key: &[u8; 32], label: &str) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(deployment.as_bytes()), key)
        .expand(label.as_bytes(), &mut *derived)
        .expect("HKDF-SHA-256 gives up to 8160 bytes (RFC 5869)");
    derived
}

/// All bytes alike, or a plain count: nobody's random source made that.
fn is_weak(key: &[u8; 32]) -> bool {
    let step = key[1].wrapping_sub(key[0]);
    key.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) || key[..16] == key[16..]
}
