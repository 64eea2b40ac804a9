//! Peers that answer as AWS never would, or as it does on a bad day: each ends in a sentence of ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use strongroom::form::Values;
use strongroom::providers::aws::probe::probe;
use strongroom::providers::egress::Egress;
use strongroom::providers::probe::{Finding, LIMIT, Verdict};

use super::{at, hasty, key, loopback};
use crate::support::peers::scripted::{Reply, Scripted};

fn pair() -> Values {
    key(&("AKIAIOSFODNN7EXAMPLE".into(), "CANARYCANARYCANARYCANARYCANARYCANARYCANA".into()))
}

async fn tested(reply: impl Fn(&str) -> Reply + Send + Sync + 'static, egress: &Egress) -> Finding {
    let peer = Scripted::start(reply).await;
    let start = Instant::now();
    let finding = probe(&pair(), &[], egress, &at(&peer.url())).await;
    assert!(start.elapsed() < LIMIT + LIMIT / 10);
    let all = format!("{finding:?}");
    assert!(!all.contains("CANARY") && !all.contains("REFLECTED"), "{all}");
    assert_ne!(finding.verdict, Verdict::Ok);
    finding
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let text = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>REFLECTED {message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    );
    Reply::status(status).with("Content-Type", "text/xml").body(text)
}

#[tokio::test]
async fn a_wrong_clock_is_told_from_a_wrong_secret() {
    let late = "Signature expired: 20200101T000000Z is now earlier than 20200101T001000Z";
    let finding = tested(move |_| refusal(403, "SignatureDoesNotMatch", late), &loopback()).await;
    assert!(finding.sentence.contains("clock"), "{finding:?}");
    let wrong = tested(|_| refusal(403, "SignatureDoesNotMatch", "The request signature"), &loopback()).await;
    assert_eq!(wrong.verdict, Verdict::BadKey);
}

#[tokio::test]
async fn an_inactive_or_deleted_key_and_an_expired_token_are_told_apart() {
    let inactive =
        tested(|_| refusal(403, "InvalidClientTokenId", "The security token is invalid."), &loopback()).await;
    assert_eq!(inactive.verdict, Verdict::BadKey);
    assert!(inactive.remedy.contains("inactive"), "{inactive:?}");
    let expired = tested(|_| refusal(403, "ExpiredToken", "The security token is expired"), &loopback()).await;
    assert_eq!(expired.verdict, Verdict::Expired);
}

#[tokio::test]
async fn a_throttled_call_is_made_again_and_then_said_so() {
    let peer = Scripted::start(|_| refusal(400, "Throttling", "Rate exceeded")).await;
    let finding = probe(&pair(), &[], &loopback(), &at(&peer.url())).await;
    assert_eq!(finding.verdict, Verdict::Throttled, "{finding:?}");
    assert!(peer.seen().len() >= 3);
}

#[tokio::test]
async fn answers_out_of_form_are_named_and_never_shown() {
    let html = |status| move |_: &str| Reply::status(status).with("Content-Type", "text/html").body("<html>REFLECTED");
    assert_eq!(tested(html(200), &loopback()).await.verdict, Verdict::Unreachable);
    assert_ne!(tested(html(403), &loopback()).await.verdict, Verdict::BadKey);
    assert_eq!(tested(html(502), &loopback()).await.verdict, Verdict::Unreachable);
    let half = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:us";
    assert_eq!(tested(move |_| Reply::status(200).body(half), &loopback()).await.verdict, Verdict::Unreachable);
    let forged = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>REFLECTED &lt;b&gt;</Arn>\
                  <Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    assert_eq!(tested(move |_| Reply::status(200).body(forged), &loopback()).await.verdict, Verdict::Unreachable);
}

#[tokio::test]
async fn a_session_longer_than_the_role_allows_is_said_with_its_length() {
    let identity = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn>\
                    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let long = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    let calls = Arc::new(AtomicUsize::new(0));
    let peer = Scripted::start(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::status(200).body(identity),
        _ => refusal(400, "ValidationError", long),
    })
    .await;
    let mut values = pair();
    values.set("role_arn", "arn:aws:iam::123456789012:role/reader");
    let finding = probe(&values, &[], &loopback(), &at(&peer.url())).await;
    assert_eq!(finding.verdict, Verdict::Denied, "{finding:?}");
    assert!(finding.sentence.ends_with("does not allow sessions of 60 minutes."), "{finding:?}");
    assert!(finding.remedy.contains("maximum session duration"), "{finding:?}");
}

#[tokio::test]
async fn endless_and_silent_answers_end_in_time() {
    assert_eq!(tested(|_| Reply::Endless, &loopback()).await.verdict, Verdict::Unreachable);
    assert_eq!(tested(|_| Reply::Silent, &hasty()).await.verdict, Verdict::Unreachable);
    assert_eq!(tested(|_| Reply::Trickle, &hasty()).await.verdict, Verdict::Unreachable);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_private_endpoint_needs_the_operators_leave() {
    let sink = Scripted::start(|_| Reply::status(200)).await;
    let url = sink.url();
    let finding = tested(move |_| Reply::status(307).with("Location", url.clone()), &loopback()).await;
    assert_eq!(finding.verdict, Verdict::Unreachable);
    assert!(sink.seen().is_empty());
    let refused = probe(&pair(), &[], &Egress::new(Vec::new()), &at(&sink.url())).await;
    assert_eq!(refused.verdict, Verdict::RefusedByPolicy, "{refused:?}");
    assert!(sink.seen().is_empty());
}
