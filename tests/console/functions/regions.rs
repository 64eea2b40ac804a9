//! What a scan of AWS Lambda reads, region by region, and what it says of a region that it cannot read.

use serde_json::json;
use strongroom::integrations::scan::Hides;

use super::{Scan, gaps, names};
use crate::support::peers::lambda::{ENVIRONMENT, KEY, Lambda, ROLE, Says};

#[tokio::test]
async fn all_enabled_regions_are_listed_to_their_last_page() {
    let peer = Lambda::start();
    for name in ["pay", "pay-out", "mail"] {
        peer.holds("eu-central-1", name, &json!({}));
    }
    peer.with_region("eu-west-1").with_region("ap-south-1").holds("us-east-1", "web", &json!({"Runtime": null}));
    let scan = Scan::of(&peer.url());
    let found = scan.run().await.unwrap();
    let all = ["eu-central-1/mail", "eu-central-1/pay", "eu-central-1/pay-out", "us-east-1/web"];
    assert_eq!((names(&found), found.gaps.len()), (all.map(str::to_owned).to_vec(), 0));
    assert_eq!(peer.asked("eu-central-1").len(), 2, "two pages");
    assert_eq!(found.items[1].fingerprint, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    let facts: serde_json::Value = serde_json::from_str(&found.items[1].facts).unwrap();
    assert_eq!(facts["runtime"], "nodejs24.x");
    assert_eq!(facts["modified"], "2026-03-01T12:00:00Z");
    assert!(found.items.iter().all(|item| !item.facts.contains(ENVIRONMENT)));
    let progress = scan.progress.lock().unwrap().clone();
    let last = progress.last().unwrap();
    assert_eq!((last.done, last.total, last.items), (4, 4, 4));
}

#[tokio::test]
async fn a_role_is_assumed_once_for_all_regions() {
    let peer = Lambda::start();
    peer.holds("eu-central-1", "pay", &json!({})).holds("us-east-1", "web", &json!({}));
    let scan = Scan::of(&peer.url()).with("sts", "on").with("role", ROLE);
    assert_eq!(scan.run().await.unwrap().items.len(), 2);
    let signed = |call: &&crate::support::peers::receiver::Call| call.header("authorization").unwrap().contains(KEY);
    let calls = peer.receiver.calls();
    let by_key: Vec<_> = calls.iter().filter(signed).collect();
    assert_eq!(by_key.len(), 1, "all but AssumeRole is signed by the session");
    assert_eq!(by_key[0].field("Action").as_deref(), Some("AssumeRole"));

    let other = Scan::of(&peer.url()).with("sts", "on").with("role", "arn:aws:iam::123456789012:role/other");
    let refused = other.run().await.unwrap_err().to_string();
    assert!(refused.starts_with("Signing in failed") && refused.contains("role/other"), "{refused}");
}

#[tokio::test]
async fn a_region_that_fails_is_a_gap_with_its_own_way_out() {
    let peer = Lambda::start();
    peer.holds("eu-central-1", "pay", &json!({}));
    peer.says("us-east-1", Says::Denied).says("eu-west-1", Says::DeniedByOrganization).says("ap-south-1", Says::Off);
    let scan = Scan::of(&peer.url()).in_regions("eu-central-1, us-east-1, eu-west-1, ap-south-1, eu-north-1");
    let found = scan.run().await.unwrap();
    assert_eq!(names(&found), ["eu-central-1/pay"]);
    let gaps = gaps(&found);
    let places: Vec<&str> = gaps.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(places, ["ap-south-1", "eu-north-1", "eu-west-1", "us-east-1"]);
    for off in &gaps[..2] {
        assert!(off.1.contains("is not switched on for this account"), "{off:?}");
    }
    assert!(gaps[2].1.contains("a service control policy of the AWS organization denies lambda:ListFunctions"));
    assert!(gaps[3].1.contains("does not allow lambda:ListFunctions"), "{gaps:?}");
    assert!(found.gaps.iter().all(|gap| gap.hides == Hides::Place(gap.at.clone())));
}

#[tokio::test]
async fn a_key_that_aws_does_not_know_is_not_taken_for_a_region() {
    let peer = Lambda::start();
    peer.holds("eu-central-1", "pay", &json!({}));
    let scan = Scan::of(&peer.url()).in_regions("eu-central-1").by("AKIAUNKNOWNUNKNOWN00", &"x".repeat(40));
    let failed = scan.run().await.unwrap_err().to_string();
    assert!(failed.contains("AWS does not know the access key"), "{failed}");
    let scan = Scan::of(&peer.url()).in_regions("eu-central-1").by(KEY, &"x".repeat(40));
    let failed = scan.run().await.unwrap_err().to_string();
    assert!(failed.contains("secret does not belong to the access key"), "{failed}");
}

#[tokio::test]
async fn an_account_without_functions_is_no_failure_beside_a_gap() {
    let peer = Lambda::start();
    peer.with_region("eu-central-1").says("us-east-1", Says::Denied);
    let found = Scan::of(&peer.url()).run().await.unwrap();
    assert_eq!((found.items.len(), found.gaps.len()), (0, 1));
    peer.says("eu-central-1", Says::Denied);
    let failed = Scan::of(&peer.url()).run().await.unwrap_err();
    assert_eq!(failed.others, 1);
}

#[tokio::test]
async fn a_region_that_is_busy_is_asked_again_until_it_answers() {
    let peer = Lambda::start();
    peer.holds("eu-central-1", "pay", &json!({})).says("eu-central-1", Says::Busy(3));
    let found = Scan::of(&peer.url()).in_regions("eu-central-1").run().await.unwrap();
    assert_eq!((names(&found), peer.asked("eu-central-1").len()), (vec!["eu-central-1/pay".to_owned()], 4));
}

#[tokio::test]
async fn versions_and_patterns_select_what_is_listed() {
    let peer = Lambda::start();
    peer.holds("eu-central-1", "pay", &json!({})).holds("eu-central-1", "pay", &json!({"Version": "1"}));
    peer.holds("eu-central-1", "pay", &json!({"Version": "2"})).holds("eu-central-1", "dev-pay", &json!({}));
    peer.holds("eu-central-1", "mail", &json!({}));
    let all =
        Scan::of(&peer.url()).with("versions", "all").with("functions", "*pay").with("exclude_functions", "dev-*");
    let found = all.run().await.unwrap();
    assert_eq!(names(&found), ["eu-central-1/pay:$LATEST", "eu-central-1/pay:1", "eu-central-1/pay:2"]);
    let latest = Scan::of(&peer.url()).with("functions", "mail, pay").run().await.unwrap();
    assert_eq!(names(&latest), ["eu-central-1/mail", "eu-central-1/pay"]);
}

#[tokio::test]
async fn the_connection_test_says_which_right_is_missing() {
    let peer = Lambda::start();
    peer.holds("us-east-1", "web", &json!({})).with_region("eu-west-1");
    let scan = || Scan::of(&peer.url());
    let good = scan().check().await.unwrap();
    assert_eq!(good, "AWS let Strongroom in and lists 1 function in us-east-1. One other region will be read too.");
    assert_eq!(peer.asked("eu-west-1").len(), 0, "one page of one region");
    let one = scan().in_regions("eu-west-1").check().await.unwrap();
    assert_eq!(one, "AWS let Strongroom in and lists no functions in eu-west-1.");
    peer.says("us-east-1", Says::Denied);
    let denied = scan().check().await.unwrap_err().to_string();
    assert!(denied.contains("lambda:ListFunctions") && denied.contains("policy of the role or user"), "{denied}");
    peer.lists_no_regions();
    let denied = scan().check().await.unwrap_err().to_string();
    assert!(denied.contains("account:ListRegions") && denied.contains("choose the regions"), "{denied}");
}
