//! Answers that AWS would not give: each costs its region, or one function of it, and nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use strongroom::providers::ProviderError;

use super::{Scan, names};
use crate::support::peers::lambda::{Lambda, Says};
use crate::support::peers::receiver::{Said, UPSTREAM};
use crate::support::wait::until;

fn says(peer: &Lambda, region: &str, body: &Value) {
    peer.says(region, Says::Raw(Said::json(200, body)));
}

#[tokio::test]
async fn lists_without_end_and_wrong_answers_cost_their_own_region() {
    let peer = Lambda::start();
    peer.holds("eu-central-1", "pay", &json!({}));
    says(&peer, "eu-west-1", &json!({"Functions": [], "NextMarker": "round and round"}));
    says(&peer, "eu-west-2", &json!({"Functions": [], "NextMarker": "m".repeat(10_000)}));
    says(&peer, "eu-west-3", &json!({"Functions": "none"}));
    says(&peer, "eu-north-1", &json!({"NextMarker": null}));
    peer.says("us-east-1", Says::Raw(Said::html(200))).says("us-east-2", Says::Raw(Said::Endless));
    peer.says("us-west-1", Says::Raw(Said::Half));
    let regions = "eu-central-1, eu-west-1, eu-west-2, eu-west-3, eu-north-1, us-east-1, us-east-2, us-west-1";
    let found = Scan::of(&peer.url()).in_regions(regions).run().await.unwrap();
    assert_eq!(names(&found), ["eu-central-1/pay"]);
    let cause = |region: &str| found.gaps.iter().find(|gap| gap.at == region).map(|gap| gap.cause.clone());
    for region in ["eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "us-east-1"] {
        assert_eq!(cause(region), Some(ProviderError::BadAnswer), "{region}");
    }
    assert_eq!(peer.asked("eu-west-1").len(), 2, "a circle is noticed");
    assert_eq!(cause("us-east-2"), Some(ProviderError::TooLarge));
    assert!(matches!(cause("us-west-1"), Some(ProviderError::Broken { .. })), "{:?}", cause("us-west-1"));
    assert!(found.gaps.iter().all(|gap| !gap.to_string().contains(UPSTREAM)));
}

#[tokio::test]
async fn a_function_that_cannot_be_read_is_left_out_and_named() {
    let peer = Lambda::start();
    peer.holds("eu-central-1", "good", &json!({})).holds("eu-central-1", "odd", &json!({"Runtime": "x".repeat(100)}));
    peer.holds("eu-central-1", "<script>", &json!({})).holds("eu-central-1", "good", &json!({}));
    let found = Scan::of(&peer.url()).in_regions("eu-central-1").run().await.unwrap();
    assert_eq!(names(&found), ["eu-central-1/good"], "one that is listed twice is there once");
    let gaps: Vec<&str> = found.gaps.iter().map(|gap| gap.at.as_str()).collect();
    assert_eq!(gaps, ["eu-central-1", "eu-central-1/odd"]);
    assert!(found.gaps[1].to_string().contains("Functions to exclude"));
    assert!(found.gaps[1].hides.may_be("eu-central-1", "odd") && !found.gaps[1].hides.may_be("eu-central-1", "good"));
}

#[tokio::test]
async fn regions_that_are_not_regions_end_the_scan() {
    let peer = Lambda::start();
    for odd in ["x.evil.example/#", "cn-north-1"] {
        let peer = Lambda::start();
        peer.with_region(odd);
        let failed = Scan::of(&peer.url()).run().await.unwrap_err();
        assert_eq!(failed.cause, ProviderError::BadAnswer, "{odd}");
    }
    let none = Scan::of(&peer.url()).run().await.unwrap_err();
    assert_eq!(none.cause, ProviderError::BadAnswer, "every account has regions");
}

#[tokio::test]
async fn a_silent_region_ends_with_its_time_and_the_scan_with_stop() {
    let peer = Lambda::start();
    peer.holds("eu-central-1", "pay", &json!({})).says("us-east-1", Says::Raw(Said::Silent));
    let hasty = Scan::of(&peer.url()).hasty().in_regions("eu-central-1, us-east-1").run().await.unwrap();
    assert!(matches!(hasty.gaps[..], [ref gap] if matches!(gap.cause, ProviderError::Timeout { .. })), "{hasty:?}");

    let asked = peer.asked("us-east-1").len();
    let scan = Scan::of(&peer.url()).in_regions("us-east-1");
    let stop = async {
        until("the region is asked", || (peer.asked("us-east-1").len() > asked).then_some(())).await;
        scan.stop.cancel();
        Instant::now()
    };
    let (result, stopped) = tokio::join!(scan.run(), stop);
    assert_eq!(result.unwrap_err().cause, ProviderError::Stopped);
    assert!(stopped.elapsed() < Duration::from_secs(2));
}
