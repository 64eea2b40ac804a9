//! Patience, haste and an end: throttling, requests at once, and *Stop*.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use strongroom::integrations::progress::Step;
use strongroom::providers::ProviderError;
use strongroom::providers::oci_registry::AT_ONCE;
use tokio::sync::Notify;

use super::{Scan, hasty};
use crate::support::peers::scripted::{Reply, Scripted};

/// `GET /v2/` fails that often with that status before it succeeds.
async fn throttling(times: usize, status: u16, retry_after: &'static str) -> (Scripted, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let peer = Scripted::start(move |path| match path {
        "/v2/" if count.fetch_add(1, Ordering::SeqCst) < times => {
            Reply::status(status).with("Retry-After", retry_after)
        }
        "/v2/" => Reply::json(json!({})),
        _ => Reply::json(json!({"repositories": []})),
    })
    .await;
    (peer, asked)
}

#[tokio::test]
async fn a_throttled_scan_waits_as_long_as_it_is_asked_to_and_goes_on() {
    for status in [429, 503] {
        let (peer, asked) = throttling(3, status, "0").await;
        assert!(Scan::of(peer.url()).images().await.is_empty());
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }
}

#[tokio::test]
async fn a_registry_that_keeps_throttling_is_given_up_with_the_reason() {
    let (peer, asked) = throttling(usize::MAX, 429, "0").await;
    let error = Scan::of(peer.url()).run().await.unwrap_err();
    assert_eq!((error.step, error.cause), (Step::SIGNING_IN, ProviderError::Throttled { retry_after: Some(0) }));
    assert_eq!(asked.load(Ordering::SeqCst), 5);
    let (peer, _) = throttling(usize::MAX, 503, "0").await;
    assert_eq!(Scan::of(peer.url()).run().await.unwrap_err().cause, ProviderError::ServerError { status: 503 });
}

#[tokio::test]
async fn a_pause_of_an_hour_is_not_waited_for_but_told() {
    let (peer, asked) = throttling(usize::MAX, 429, "3600").await;
    let error = Scan::of(peer.url()).run().await.unwrap_err();
    assert_eq!(error.cause, ProviderError::Throttled { retry_after: Some(3600) });
    assert!(error.to_string().contains("3600 seconds"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// How many requests to paths with `silent` in them are under way when patience ends, and with it the scan.
async fn under_way(silent: &'static str) -> usize {
    let numbers = |prefix: &str| (0..30).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>();
    let peer = Scripted::start(move |path| match path {
        "/v2/" => Reply::json(json!({})),
        path if path.contains(silent) => Reply::Silent,
        path if path.starts_with("/v2/_catalog") => Reply::json(json!({"repositories": numbers("r")})),
        _ => Reply::json(json!({"tags": numbers("")})),
    })
    .await;
    let error = Scan::of(peer.url()).with("cap", "0").egress(hasty()).run().await.unwrap_err();
    assert!(matches!(error.cause, ProviderError::Timeout { .. }), "{error:?}");
    peer.seen().iter().filter(|seen| seen.line.contains(silent)).count()
}

#[tokio::test]
async fn eight_requests_are_under_way_at_once_and_no_more() {
    assert_eq!(AT_ONCE, 8);
    // One that is given up is a gap, and eight in a row are the end: a few may follow in between.
    for silent in ["/tags/list", "/manifests/"] {
        let asked = under_way(silent).await;
        assert!((8..=16).contains(&asked), "{silent}: {asked}");
    }
}

#[tokio::test]
async fn stopping_ends_a_scan_at_once_even_while_the_registry_is_silent() {
    let reached = Arc::new(Notify::new());
    let signal = Arc::clone(&reached);
    let peer = Scripted::start(move |path| match path {
        "/v2/" => Reply::json(json!({})),
        _ => {
            signal.notify_one();
            Reply::Silent
        }
    })
    .await;
    let scan = Scan::of(peer.url());
    let stop = scan.stop.clone();
    let run = tokio::spawn(async move { scan.run().await });
    reached.notified().await;
    let begun = Instant::now();
    stop.cancel();
    let error = run.await.unwrap().unwrap_err();
    assert_eq!(error.cause, ProviderError::Stopped);
    assert_eq!(error.to_string(), "The scan was stopped.");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn stopping_ends_a_pause_too() {
    let (peer, asked) = throttling(usize::MAX, 429, "20").await;
    let scan = Scan::of(peer.url());
    let stop = scan.stop.clone();
    let run = tokio::spawn(async move { scan.run().await });
    while asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    assert_eq!(run.await.unwrap().unwrap_err().cause, ProviderError::Stopped);
}
