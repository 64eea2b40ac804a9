//! Throttling and passing faults: waited for as long as the registry asks, and told meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use strongroom::integrations::progress::Step;
use strongroom::providers::ProviderError;

use super::{Scan, hasty, loopback};
use crate::support::peers::receiver::{Call, Receiver, Said};
use crate::support::peers::shelf::Shelf;

/// A registry of 20 tags that says something else to the first few requests for a manifest from the tenth on.
fn interrupted(times: usize, said: impl Fn(&Call) -> Said + Send + Sync + 'static) -> (Receiver, Arc<AtomicUsize>) {
    let mut shelf = Shelf::default();
    (0..20).for_each(|number| shelf = std::mem::take(&mut shelf).with("team/app", &format!("1.{number:02}")));
    let (asked, count) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    let peer = Receiver::start(move |call| {
        let number = if call.path().contains("/manifests/") { asked.fetch_add(1, Ordering::SeqCst) } else { 0 };
        if number < 10 || counted.fetch_add(1, Ordering::SeqCst) >= times { shelf.answer(call) } else { said(call) }
    });
    (peer, count)
}

fn throttled(retry_after: String) -> Said {
    Said::json(429, &json!({"errors": [{"code": "TOOMANYREQUESTS"}]})).with("Retry-After", retry_after)
}

#[tokio::test]
async fn field_r07_a_pause_that_is_asked_for_is_waited_for_and_told() {
    let (peer, _) = interrupted(1, |_| throttled("2".to_owned()));
    let scan = Scan::of(peer.url()).with("cap", "0");
    let begun = Instant::now();
    assert_eq!(scan.run().await.unwrap().len(), 20);
    assert!(begun.elapsed() >= Duration::from_secs(2));
    let told = scan.progress.lock().unwrap();
    let waits: Vec<bool> = told.iter().map(|progress| progress.waits_until.is_some()).collect();
    assert!(waits.contains(&true), "the page is told that the registry asks for a pause");
    assert!(told.iter().all(|progress| progress.waits_until.is_some() == progress.waits_as_asked));
    assert_eq!(waits.last(), Some(&false), "and that it is over");
}

#[tokio::test]
async fn field_r07_nobody_asks_while_the_registry_wants_a_pause() {
    let at = Arc::new(std::sync::Mutex::new(None::<Instant>));
    let (begun, early) = (Arc::clone(&at), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&early);
    let (peer, _) = interrupted(1, move |_| {
        *begun.lock().unwrap() = Some(Instant::now());
        throttled("2".to_owned())
    });
    let scan = Scan::of(peer.url()).with("cap", "0");
    let watching = async {
        loop {
            let since = *at.lock().unwrap();
            // What was under way already is answered within half a second.
            if since.is_some_and(|at| (500..1_900).contains(&at.elapsed().as_millis())) {
                let before = peer.calls().len();
                tokio::time::sleep(Duration::from_millis(1_000)).await;
                counted.fetch_add(peer.calls().len() - before, Ordering::SeqCst);
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (scanned, ()) = tokio::join!(scan.run(), watching);
    assert_eq!((scanned.unwrap().len(), early.load(Ordering::SeqCst)), (20, 0));
}

#[tokio::test]
async fn field_r06_a_pause_given_as_a_unix_time_or_a_date_is_read() {
    for date in [false, true] {
        let (peer, _) = interrupted(1, move |call| {
            let at = chrono::DateTime::from_timestamp(call.now + 1, 0).unwrap();
            throttled(if date { at.to_rfc2822() } else { at.timestamp().to_string() })
        });
        assert_eq!(Scan::of(peer.url()).with("cap", "0").run().await.unwrap().len(), 20);
    }
}

#[tokio::test]
async fn a_pause_beyond_the_patience_of_a_scan_makes_the_rest_gaps() {
    let (peer, asked) = interrupted(usize::MAX, |_| throttled("901".to_owned()));
    let found = Scan::of(peer.url()).with("cap", "0").whole().await.unwrap();
    assert_eq!((found.images.len(), found.gaps.len()), (10, 10));
    assert!(found.gaps.iter().all(|gap| gap.cause == ProviderError::Throttled { retry_after: Some(901) }));
    assert!(asked.load(Ordering::SeqCst) <= 8, "it is asked no further");
}

#[tokio::test]
async fn passing_faults_are_tried_again() {
    for said in [Said::html(502), Said::html(503), Said::html(504), Said::Half] {
        let (peer, _) = interrupted(2, move |_| said.clone());
        assert_eq!(Scan::of(peer.url()).with("cap", "0").run().await.unwrap().len(), 20);
    }
}

#[tokio::test]
async fn a_token_server_that_is_busy_is_waited_for() {
    let (shelf, asked) = (Shelf::default().with("a/one", "1"), AtomicUsize::new(0));
    let address = Arc::new(std::sync::OnceLock::<String>::new());
    let own = Arc::clone(&address);
    let peer = Receiver::start(move |call| match call.path() {
        "/token" if asked.fetch_add(1, Ordering::SeqCst) == 1 => throttled("1".to_owned()),
        "/token" => Said::json(200, &json!({"token": "t"})),
        _ if call.header("authorization") == Some("Bearer t") => shelf.answer(call),
        _ => {
            let asked = format!("Bearer realm=\"{}/token\"", own.get().unwrap());
            Said::json(401, &json!({})).with("WWW-Authenticate", asked)
        }
    });
    address.set(peer.url()).unwrap();
    assert_eq!(Scan::of(peer.url()).images().await, ["a/one:1"]);
}

#[tokio::test]
async fn field_r22_a_list_may_take_longer_than_a_single_answer() {
    let shelf = Shelf::default().with("a/one", "1");
    let slow = |path: &'static str| {
        let shelf = shelf.clone();
        Receiver::start(move |call| {
            if call.path().contains(path) {
                std::thread::sleep(Duration::from_millis(1_600));
            }
            shelf.answer(call)
        })
    };
    // Twice as long as a hasty scan waits for one answer.
    assert_eq!(Scan::of(slow("_catalog").url()).egress(hasty()).images().await, ["a/one:1"]);
    assert_eq!(Scan::of(slow("/tags/list").url()).egress(hasty()).images().await, ["a/one:1"]);
    let error = Scan::of(slow("/manifests/").url()).egress(hasty()).run().await.unwrap_err();
    assert_eq!(error.step, Step::READING_MANIFESTS);
    let silent = Receiver::start(|call| match call.path() {
        "/v2/" => Said::json(200, &json!({})),
        _ => Said::Silent,
    });
    let egress = loopback().within(Duration::from_millis(100), Duration::from_millis(100));
    let error = Scan::of(silent.url()).egress(egress).run().await.unwrap_err().to_string();
    assert!(error.contains("enter their names under Repository"), "{error}");
}

#[tokio::test]
async fn a_pause_that_cannot_be_read_is_not_told_as_the_registrys_wish() {
    for nonsense in ["-1", "soon", "1.5", "5000000000"] {
        let (peer, _) = interrupted(1, move |_| throttled(nonsense.to_owned()));
        let scan = Scan::of(peer.url()).with("cap", "0");
        assert_eq!(scan.run().await.unwrap().len(), 20, "{nonsense}");
        let told = scan.progress.lock().unwrap();
        assert!(told.iter().any(|progress| progress.waits_until.is_some()), "{nonsense}: it waits by itself");
        assert!(!told.iter().any(|progress| progress.waits_as_asked), "{nonsense}");
    }
}
