//! Passwords: what is accepted and how it is hashed. argon2id (RFC 9106) with 64 MiB, 3 passes, 1 lane, one at a time
//! on a thread of its own, so that logins can slow each other but not the console.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::names;

const MEMORY_KIB: u32 = 65_536;
const PASSES: u32 = 3;
/// One, though the machine could do two: a second 64 MiB would be half of all the memory that the console may take.
const AT_ONCE: usize = 1;
const QUEUE: usize = 16;
/// Bytes beyond which nothing is hashed.
const LONGEST: usize = 1024;

/// A hash for nobody's password: unknown users take as long as known ones.
const NOBODY: &str =
    "$argon2id$v=19$m=65536,t=3,p=1$c3Ryb25ncm9vbS1ub2JvZHk$iYi3RT9BSpVp0Yq0BTMQB52cLxnmfHk3a1oLsEVZpFM";

/// Too many logins wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Many people are logging in at the moment. Try again in a few seconds.")]
pub struct Busy;

/// Hashes and verifies, in turn.
#[derive(Clone)]
pub struct Hasher {
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::new(AtomicUsize::new(0)) }
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("constants within argon2's limits (RFC 9106, 3.1)");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

impl Hasher {
    /// The PHC string of a password, with a fresh salt.
    pub async fn hash(&self, password: &str) -> Result<String, Busy> {
        let password = Zeroizing::new(password.to_owned());
        self.in_turn(move || argon2().hash_password(password.as_bytes()).map(|hash| hash.to_string()).ok())
            .await?
            .ok_or(Busy)
    }

    /// Whether the password is the one of the PHC string. Takes the same time without a string.
    pub async fn verify(&self, hash: Option<String>, password: &str) -> Result<bool, Busy> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let password = Zeroizing::new(password.bytes().take(LONGEST + 1).collect::<Vec<u8>>());
        let matches = self
            .in_turn(move || {
                let parsed = PasswordHash::new(&hash).ok()?;
                Some(argon2().verify_password(&password, &parsed).is_ok() && password.len() <= LONGEST)
            })
            .await?;
        Ok(known && matches.unwrap_or(false))
    }

    /// Whether a PHC string was made at less than today's cost.
    pub fn is_weak(hash: &str) -> bool {
        let params = PasswordHash::new(hash).ok().filter(|hash| hash.algorithm.as_str() == "argon2id");
        let params = params.and_then(|hash| Params::try_from(&hash).ok());
        params.is_none_or(|params| params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let place = Place::take(&self.waiting).ok_or(Busy)?;
        let permit = self.slots.clone().acquire_owned().await.map_err(|_| Busy)?;
        drop(place);
        let (done, result) = tokio::sync::oneshot::channel();
        // A thread of its own: 64 MiB and a quarter of a second do not belong on the threads that wait for the
        // database.
        std::thread::Builder::new()
            .name("password".to_owned())
            .spawn(move || {
                // A visitor who has gone is no error.
                let _ = done.send(work());
                drop(permit);
            })
            .map_err(|_| Busy)?;
        result.await.map_err(|_| Busy)
    }
}

/// A place in the queue, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(waiting.clone());
        (waiting.fetch_add(1, Ordering::Relaxed) < QUEUE + AT_ONCE).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Words that everybody tries first on this product, and the commonest of the long passwords.
const GUESSES: &[&str] = &[
    "strongroom",
    "prisma",
    "credential",
    "password",
    "passwort",
    "administrator",
    "admin",
    "secret",
    "welcome",
    "letmein",
    "changeme",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "iloveyou",
    "sunshine",
    "football",
    "baseball",
    "trustno1",
    "default",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "0123456789",
    "1234567890",
    "123456789",
    "12345678",
    "1234567",
    "123456",
    "12345",
    "abc123",
];

/// Whether a password may be set: 12 characters or more, no more than 256, and more than a word that is tried first.
/// No rules of composition (NIST SP 800-63B, 3.1.1.2).
pub fn acceptable(password: &str, user: &str) -> Result<(), String> {
    let length = password.chars().count();
    if length < 12 {
        return Err("Use at least 12 characters; a few words in a row are easy to remember.".to_owned());
    }
    if length > 256 || password.len() > LONGEST {
        return Err("Use at most 256 characters.".to_owned());
    }
    let mut rest = password.to_lowercase();
    let name = names::key(user);
    for guess in GUESSES.iter().copied().chain([name.as_str()]).filter(|guess| guess.len() > 2) {
        rest = rest.replace(guess, "");
    }
    let different = rest.chars().collect::<std::collections::BTreeSet<_>>().len();
    if different < 5 {
        return Err("That is one of the first things to be tried. Use something less common.".to_owned());
    }
    Ok(())
}

/// A password to hand over: 20 letters and digits that cannot be mistaken for each other, 96 bits.
pub fn generated() -> String {
    let letters = super::totp::letters::<20>();
    let groups: Vec<&str> = (0..letters.len()).step_by(5).filter_map(|at| letters.get(at..at + 5)).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_unusual_passwords_are_accepted_and_obvious_ones_are_not() {
        for good in ["correct horse battery", "Tr0ub4dor&3xyz", "ein langer satz", "ÄÖÜ äöü ß 漢字 かな"] {
            assert_eq!(acceptable(good, "alice"), Ok(()), "{good}");
        }
        for bad in
            ["short", "prismastrongroom1", "aaaaaaaaaaaaaaaa", "password123456", "alicealicealice1", "adminadminadmin"]
        {
            assert!(acceptable(bad, "alice").is_err(), "{bad}");
        }
        assert!(acceptable(&"ab1cd2".repeat(50), "alice").is_err());
    }

    #[tokio::test]
    async fn a_hash_has_the_declared_cost_and_knows_its_password_only() {
        let hasher = Hasher::default();
        let long = format!("{}b", "a".repeat(128));
        let hash = hasher.hash(&long).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{hash}");
        assert!(hasher.verify(Some(hash.clone()), &long).await.unwrap());
        assert!(!hasher.verify(Some(hash), &"a".repeat(128)).await.unwrap());
        assert!(!hasher.verify(None, &long).await.unwrap());
        assert!(!Hasher::is_weak(NOBODY));
        for weak in
            [NOBODY.replace("m=65536", "m=19456"), NOBODY.replace("t=3", "t=2"), NOBODY.replace("argon2id", "argon2i")]
        {
            assert!(Hasher::is_weak(&weak), "{weak}");
        }
    }

    #[test]
    fn the_hash_of_nobody_costs_what_a_real_one_costs() {
        let parsed = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&parsed).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, 1));
    }

    #[test]
    fn a_generated_password_is_acceptable_and_never_the_same() {
        let (one, other) = (generated(), generated());
        assert_eq!(one.len(), 23, "{one}");
        assert_eq!(acceptable(&one, "alice"), Ok(()));
        assert_ne!(one, other);
    }

    #[tokio::test]
    async fn more_than_the_queue_are_told_to_come_back() {
        let hasher = Hasher::default();
        let held: Vec<_> = (0..QUEUE + AT_ONCE).map(|_| Place::take(&hasher.waiting).unwrap()).collect();
        assert_eq!(hasher.verify(None, "x").await, Err(Busy));
        drop(held);
        assert_eq!(hasher.waiting.load(Ordering::Relaxed), 0);
    }
}
