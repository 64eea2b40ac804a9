//! An ECR that is busy, broken or somebody else: the scan ends in a sentence that names the step, and shows nothing of
//! what came.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::ecr::Scan;
use super::{at, key};
use crate::support::peers::scripted::{Reply, Scripted};

/// base64 of `AWS:CANARY`.
const TOKEN: &str = "QVdTOkNBTkFSWQ==";

/// What the scan says when ECR signs it in and then answers so.
async fn scanned(reply: impl Fn() -> Reply + Send + Sync + 'static) -> (String, Scripted) {
    let signed_in = serde_json::json!({"authorizationData": [{"authorizationToken": TOKEN, "expiresAt": 4e9}]});
    let calls = AtomicUsize::new(0);
    let peer = Scripted::start(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::json(&signed_in),
        _ => reply(),
    })
    .await;
    let pair = ("AKIAIOSFODNN7EXAMPLE".to_owned(), "CANARYCANARYCANARYCANARYCANARYCANARYCANA".to_owned());
    let error = Scan::new(key(&pair), at(&peer.url())).hasty().run().await.unwrap_err().to_string();
    assert!(error.starts_with("Listing the repositories failed: "), "{error}");
    assert!(!error.contains("CANARY") && !error.contains("REFLECTED"), "{error}");
    assert!(error.ends_with('.'), "{error}");
    (error, peer)
}

fn refusal(status: u16, code: &str) -> Reply {
    let text = format!("{{\"__type\":\"{code}\",\"message\":\"REFLECTED\"}}");
    Reply::status(status).with("Content-Type", "application/x-amz-json-1.1").body(text)
}

#[tokio::test]
async fn a_throttling_registry_is_asked_again_and_then_named() {
    let (error, peer) = scanned(|| refusal(400, "ThrottlingException")).await;
    assert!(error.contains("limits the number of requests"), "{error}");
    // Four times the SDK's three attempts, with a pause between.
    assert_eq!(peer.seen().len(), 1 + 4 * 3);
}

#[tokio::test]
async fn a_throttled_registry_that_recovers_is_scanned() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let (error, _) = scanned(move || match counted.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => refusal(400, "ThrottlingException"),
        _ => refusal(400, "AccessDeniedException"),
    })
    .await;
    assert!(error.contains("does not allow ecr:DescribeRepositories"), "{error}");
}

#[tokio::test]
async fn answers_out_of_form_are_named_and_never_shown() {
    let html = || Reply::status(200).with("Content-Type", "text/html").body("<html>REFLECTED");
    let half = || Reply::status(200).body("{\"repositories\":[{\"repositoryName\":\"REFLECTED");
    let no_list = || Reply::json(serde_json::json!({}));
    for (error, _) in [scanned(html).await, scanned(half).await, scanned(no_list).await] {
        assert!(error.contains("gave an answer that is not understood"), "{error}");
    }
    // A name is a name, as in the inventory.
    let forged = || Reply::json(serde_json::json!({"repositories": [{"repositoryName": "../admin"}]}));
    let (error, _) = scanned(forged).await;
    assert!(error.contains("lists “../admin”, which cannot be a name there"), "{error}");
    let (error, _) = scanned(|| Reply::Endless).await;
    assert!(error.contains("sent more than Strongroom accepts"), "{error}");
    for reply in [|| Reply::Silent, || Reply::Trickle] {
        let (error, _) = scanned(reply).await;
        assert!(error.contains("did not answer in time"), "{error}");
    }
    let (error, _) = scanned(|| Reply::status(502).body("REFLECTED")).await;
    assert!(error.contains("returned an error (502)"), "{error}");
}
