//! What is kept, for how long, and who waits for whom.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn key(secret_version: i32) -> Key {
    Key { credential: Uuid::nil(), secret_version, scope: "all".to_owned() }
}

#[derive(Default)]
struct Provider {
    cache: Cache<Key, usize, &'static str>,
    calls: AtomicUsize,
}

impl Provider {
    async fn get(&self, version: i32, outcome: Result<Duration, &'static str>) -> Result<usize, &'static str> {
        let call = async {
            let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
            // Lets everyone else come as far as the lock.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            outcome.map(|lifetime| (call, lifetime))
        };
        self.cache.get(key(version), || call).await
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_session_is_kept_until_five_minutes_before_its_end() {
    let provider = Provider::default();
    assert_eq!(provider.get(1, Ok(HOUR)).await, Ok(1));
    assert_eq!(provider.get(1, Ok(HOUR)).await, Ok(1));
    assert_eq!(provider.get(2, Ok(MARGIN)).await, Ok(2));
    assert_eq!(provider.get(2, Ok(HOUR)).await, Ok(3), "its last five minutes had begun");
}

#[tokio::test]
async fn two_hundred_at_once_make_one_call() {
    let provider = Provider::default();
    let all = futures_util::future::join_all((0..200).map(|_| provider.get(1, Ok(HOUR)))).await;
    assert!(all.iter().all(|session| *session == Ok(1)));
    assert_eq!(provider.calls(), 1);
}

#[tokio::test]
async fn a_failure_is_shared_by_those_who_waited_and_not_kept() {
    let provider = Provider::default();
    let all = futures_util::future::join_all((0..200).map(|_| provider.get(1, Err("no")))).await;
    assert!(all.iter().all(|session| *session == Err("no")));
    assert_eq!(provider.calls(), 1);
    assert_eq!(provider.get(1, Ok(HOUR)).await, Ok(2));
}

#[tokio::test]
async fn another_version_of_the_secret_is_another_session() {
    let provider = Provider::default();
    assert_eq!(provider.get(1, Ok(HOUR)).await, Ok(1));
    assert_eq!(provider.get(2, Ok(HOUR)).await, Ok(2));
    provider.cache.retain(|key| key.secret_version == 2);
    assert_eq!(provider.get(2, Ok(HOUR)).await, Ok(2));
    assert_eq!(provider.get(1, Ok(HOUR)).await, Ok(3), "it was dropped");
}

#[tokio::test]
async fn sessions_that_have_run_out_make_room() {
    let provider = Provider::default();
    for version in 0..=i32::try_from(MANY).unwrap_or(i32::MAX) {
        provider.get(version, Ok(MARGIN)).await.expect("a session");
    }
    assert!(provider.cache.slots().len() <= 2);
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_the_call_to_the_next() {
    let provider = Provider::default();
    let given_up = provider.cache.get(key(1), || async {
        std::future::pending::<()>().await;
        Ok((0, HOUR))
    });
    assert!(tokio::time::timeout(Duration::ZERO, given_up).await.is_err());
    assert_eq!(provider.get(1, Ok(HOUR)).await, Ok(1));
}
