//! How often a user may do what costs others something: a test, an invitation, a test of a channel. Held in memory, a
//! count a replica: a test before saving then writes nothing at all, and a number of replicas times ten is still too
//! few to look through a network with. The throttle of logins is beside this file, and is stored.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::models::UserId;

const MINUTE: Duration = Duration::from_secs(60);

/// Why somebody must wait, as a sentence, and for how many seconds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct TooOften {
    pub text: String,
    pub seconds: i64,
}

/// When each user, or each address, did one kind of thing of late.
#[derive(Debug)]
pub struct Limiter<K = UserId> {
    most: usize,
    what: &'static str,
    users: Mutex<HashMap<K, Vec<Instant>>>,
}

impl<K: Eq + Hash> Limiter<K> {
    /// `most`: how many of one user within a minute; `what`: how a sentence calls them.
    pub fn new(most: usize, what: &'static str) -> Self {
        Self { most, what, users: Mutex::default() }
    }

    /// Counts one, or refuses it.
    pub fn take(&self, user: K, now: Instant) -> Result<(), TooOften> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.retain(|_, times| {
            times.retain(|at| now.duration_since(*at) < MINUTE);
            !times.is_empty()
        });
        let times = users.entry(user).or_default();
        if let Some(oldest) = times.first().filter(|_| times.len() >= self.most) {
            let seconds = (MINUTE - now.duration_since(*oldest)).as_secs() as i64 + 1;
            let Self { most, what, .. } = self;
            let text = format!("Up to {most} {what} a minute are possible. Try again in {seconds} seconds.");
            return Err(TooOften { text, seconds });
        }
        times.push(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn ten_tests_a_minute_are_let_through_and_then_a_pause_is_asked_for() {
        let (limiter, start) = (Limiter::new(10, "tests"), Instant::now());
        let (ada, olga) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        for _ in 0..10 {
            assert!(limiter.take(ada, start).is_ok());
        }
        let refused = limiter.take(ada, start + Duration::from_secs(20));
        assert!(matches!(refused, Err(TooOften { seconds: 41, .. })), "{refused:?}");
        assert!(limiter.take(olga, start).is_ok(), "others are not held up");
        assert!(limiter.take(ada, start + MINUTE).is_ok());
    }
}
