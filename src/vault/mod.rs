//! The vault: envelope encryption of single columns and the keyed checks over whole rows. Each write gets a fresh data
//! key, wrapped by the active master key (KEK); AES-256-GCM-SIV (RFC 8452) throughout. Here and nowhere else is
//! cryptography on stored data; what calls [`Vault::open`] is the whole answer to "who can see a secret".

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::trail::Trail;

mod context;
pub mod keyring;
mod random;
#[cfg(test)]
mod tests;

pub use context::Context;
pub use keyring::{KeyRing, KeyRingError};
pub use random::random;

/// 32 bytes of key, wiped when dropped.
type Key = Zeroizing<[u8; 32]>;

/// First byte of every envelope.
const ENVELOPE_V1: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
/// A wrapped data key: version, nonce, 32 bytes of key, tag.
pub const WRAPPED_DEK: usize = 1 + NONCE + 32 + TAG;

/// An encrypted value as the database holds it: which master key, the wrapped data key, the sealed payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub kek_id: i32,
    pub wrapped_dek: Vec<u8>,
    pub payload: Vec<u8>,
}

/// The stored bytes are not what this deployment sealed at this place. Deliberately says no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("integrity error: the stored value is not what was saved here")]
pub struct IntegrityError;

/// A value cannot be sealed: the database says that a master key is active which this replica's key ring lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "master key {0} is active but not in this replica's key ring: copy the key ring file from the replica that added it"
)]
pub struct MissingKek(pub i32);

/// The key ring of one deployment, ready for use.
pub struct Vault {
    deployment: Uuid,
    path: Option<PathBuf>,
    keys: RwLock<Arc<Keys>>,
    /// What this process has followed of the audit trail.
    pub trail: Arc<Trail>,
}

/// What the ring's keys become in this deployment, derived once.
struct Keys {
    keks: BTreeMap<i32, Kek>,
    mac: Key,
}

struct Kek {
    wrap: Key,
    check_value: Vec<u8>,
}

impl Keys {
    fn derive(deployment: Uuid, ring: &KeyRing) -> Self {
        let kek = |id: i32| {
            let mut mac = keyed(&*ring.derive(deployment, id, "kcv/v1")?);
            mac.update(deployment.as_bytes());
            mac.update(&id.to_be_bytes());
            let check_value = mac.finalize().into_bytes()[..16].to_vec();
            Some((id, Kek { wrap: ring.derive(deployment, id, "kek/v1")?, check_value }))
        };
        Self { keks: ring.ids().into_iter().filter_map(kek).collect(), mac: ring.mac_key(deployment) }
    }
}

impl Vault {
    /// `path` is where the ring is read again when an unknown key id turns up; `None` in tests.
    pub fn new(deployment: Uuid, ring: KeyRing, path: Option<PathBuf>) -> Self {
        let keys = Keys::derive(deployment, &ring);
        Self { deployment, path, keys: RwLock::new(Arc::new(keys)), trail: Arc::default() }
    }

    pub fn deployment(&self) -> Uuid {
        self.deployment
    }

    /// Encrypts `plaintext` for one place under a fresh data key wrapped by master key `kek_id`.
    pub fn seal(&self, kek_id: i32, context: &Context, plaintext: &[u8]) -> Result<Sealed, MissingKek> {
        let kek = self.kek(kek_id).ok_or(MissingKek(kek_id))?;
        let dek = Zeroizing::new(random::<32>());
        let payload = encrypt(&dek, &context.data_aad(self.deployment), &pad(plaintext));
        let wrapped_dek = encrypt(&kek, &context.wrap_aad(self.deployment, kek_id), &*dek);
        Ok(Sealed { kek_id, wrapped_dek, payload })
    }

    /// Decrypts what [`Vault::seal`] made for the same place. Every failure is the same opaque error.
    pub fn open(&self, context: &Context, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, IntegrityError> {
        let dek = self.unwrap_dek(context, sealed)?;
        let padded = decrypt(&dek, &context.data_aad(self.deployment), &sealed.payload)?;
        unpad(&padded)
    }

    /// The data key wrapped by another master key. The payload stays as it is and is not decrypted.
    pub fn rewrap(&self, context: &Context, sealed: &Sealed, to: i32) -> Result<Vec<u8>, RewrapError> {
        let kek = self.kek(to).ok_or(RewrapError::MissingKek(MissingKek(to)))?;
        let dek = self.unwrap_dek(context, sealed)?;
        Ok(encrypt(&kek, &context.wrap_aad(self.deployment, to), &*dek))
    }

    fn unwrap_dek(&self, context: &Context, sealed: &Sealed) -> Result<Zeroizing<[u8; 32]>, IntegrityError> {
        if sealed.wrapped_dek.len() != WRAPPED_DEK {
            return Err(IntegrityError);
        }
        let kek = self.kek(sealed.kek_id).ok_or(IntegrityError)?;
        let bytes = decrypt(&kek, &context.wrap_aad(self.deployment, sealed.kek_id), &sealed.wrapped_dek)?;
        let mut dek = Zeroizing::new([0; 32]);
        if bytes.len() != dek.len() {
            return Err(IntegrityError);
        }
        dek.copy_from_slice(&bytes);
        Ok(dek)
    }

    /// HMAC-SHA-256 over length-prefixed parts, under the ring's `mac` key and a label that names the use.
    pub fn mac(&self, label: &str, parts: &[&[u8]]) -> Vec<u8> {
        self.hmac(label, parts).finalize().into_bytes().to_vec()
    }

    /// Compares in constant time.
    pub fn check_mac(&self, label: &str, parts: &[&[u8]], mac: &[u8]) -> Result<(), IntegrityError> {
        self.hmac(label, parts).verify_slice(mac).map_err(|_| IntegrityError)
    }

    fn hmac(&self, label: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = keyed(&*self.keys().mac);
        for part in [b"strongroom".as_slice(), label.as_bytes()].iter().chain(parts) {
            mac.update(&(part.len() as u32).to_be_bytes());
            mac.update(part);
        }
        mac
    }

    /// Proves possession of a master key without showing it; kept in the database and compared at boot.
    pub fn key_check_value(&self, kek_id: i32) -> Option<Vec<u8>> {
        self.with_kek(kek_id, |kek| kek.check_value.clone())
    }

    /// Ids of the master keys that this replica holds.
    pub fn kek_ids(&self) -> Vec<i32> {
        self.keys().keks.keys().copied().collect()
    }

    /// Reads the key ring file again, so that a key added on disk becomes usable without a restart.
    pub fn reload(&self) -> Result<(), KeyRingError> {
        if let Some(path) = &self.path {
            let fresh = Arc::new(Keys::derive(self.deployment, &KeyRing::read(path)?));
            *self.keys.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = fresh;
        }
        Ok(())
    }

    fn keys(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// A key that is not known may have been added to the file since it was read: looks once more.
    fn with_kek<T>(&self, kek_id: i32, f: impl Fn(&Kek) -> T) -> Option<T> {
        if let Some(kek) = self.keys().keks.get(&kek_id) {
            return Some(f(kek));
        }
        self.reload().ok()?;
        self.keys().keks.get(&kek_id).map(f)
    }

    fn kek(&self, kek_id: i32) -> Option<Key> {
        self.with_kek(kek_id, |kek| kek.wrap.clone())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("deployment", &self.deployment).field("keks", &self.kek_ids()).finish()
    }
}

/// Why a data key could not be wrapped anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewrapError {
    #[error(transparent)]
    MissingKek(MissingKek),
    #[error(transparent)]
    Integrity(#[from] IntegrityError),
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length (RFC 2104)")
}

fn encrypt(key: &[u8; 32], aad: &[u8], message: &[u8]) -> Vec<u8> {
    let nonce = random::<NONCE>();
    let body = Aes256GcmSiv::new(&(*key).into())
        .encrypt(&Nonce::from(nonce), Payload { msg: message, aad })
        .expect("AES-GCM-SIV refuses only messages above 64 GiB (RFC 8452, section 6)");
    let mut envelope = Vec::with_capacity(1 + NONCE + body.len());
    envelope.push(ENVELOPE_V1);
    envelope.extend_from_slice(&nonce);
    envelope.extend_from_slice(&body);
    envelope
}

fn decrypt(key: &[u8; 32], aad: &[u8], envelope: &[u8]) -> Result<Zeroizing<Vec<u8>>, IntegrityError> {
    let (version, rest) = envelope.split_first().ok_or(IntegrityError)?;
    let (nonce, body) = rest.split_first_chunk::<NONCE>().ok_or(IntegrityError)?;
    if *version != ENVELOPE_V1 {
        return Err(IntegrityError);
    }
    Aes256GcmSiv::new(&(*key).into())
        .decrypt(&Nonce::from(*nonce), Payload { msg: body, aad })
        .map(Zeroizing::new)
        .map_err(|_| IntegrityError)
}

/// Hides the length: a u32 length, the bytes, zeros up to the next 64 bytes (256 above 1 KiB).
fn pad(plaintext: &[u8]) -> Zeroizing<Vec<u8>> {
    let filled = 4 + plaintext.len();
    let step = if filled > 1024 { 256 } else { 64 };
    let mut padded = Zeroizing::new(Vec::with_capacity(filled.next_multiple_of(step)));
    padded.extend_from_slice(&(plaintext.len() as u32).to_be_bytes());
    padded.extend_from_slice(plaintext);
    padded.resize(filled.next_multiple_of(step), 0);
    padded
}

fn unpad(padded: &[u8]) -> Result<Zeroizing<Vec<u8>>, IntegrityError> {
    let (length, rest) = padded.split_first_chunk::<4>().ok_or(IntegrityError)?;
    let plaintext = rest.get(..u32::from_be_bytes(*length) as usize).ok_or(IntegrityError)?;
    Ok(Zeroizing::new(plaintext.to_vec()))
}
