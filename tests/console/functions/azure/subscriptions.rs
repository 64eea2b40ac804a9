//! What a scan of function apps reads, subscription by subscription, and what it says of one that it cannot read.

use serde_json::json;
use strongroom::integrations::progress::Step;

use super::{OWN, TEST, scan, sites};
use crate::support::azure_scan::{facts, names};
use crate::support::peers::azure_management::{Management, SETTING, Says};
use crate::support::peers::receiver::UPSTREAM;

fn estate() -> Management {
    let peer = Management::start();
    peer.subscription(OWN, "Production").subscription(TEST, "Test");
    peer.app(OWN, "pay", &json!({"siteConfig": {"linuxFxVersion": "Python|3.9"}}));
    peer.slot(OWN, "pay", "staging", &json!({"state": "Stopped"})).slot(OWN, "pay", "b", &json!({}));
    peer.slot(OWN, "pay", "c", &json!({}));
    let assigned = json!({"type": "UserAssigned", "userAssignedIdentities": {
        "/subscriptions/x/resourcegroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/deployer": {}}});
    let windows = json!({"kind": "functionapp", "reserved": false, "siteConfig": null, "siteProperties": null,
        "location": "northeurope", "identity": assigned});
    peer.app(OWN, "mail", &windows);
    peer.app(OWN, "web", &json!({"kind": "app,linux"})).app(OWN, "flow", &json!({"kind": "functionapp,workflowapp"}));
    let flex = json!({"siteConfig": null, "siteProperties": null,
        "functionAppConfig": {"runtime": {"name": "dotnet-isolated", "version": "8.0"}}});
    peer.app(TEST, "api", &flex);
    peer
}

#[tokio::test]
async fn function_apps_and_their_slots_are_listed_to_their_last_page() {
    let peer = estate();
    let found = scan(&peer).run().await.unwrap();
    let [west, north] = ["westeurope", "northeurope"].map(|region| format!("{OWN}/{region}"));
    let slots = ["", "/b", "/c", "/staging"].map(|slot| format!("{west}/pay{slot}"));
    let expected: Vec<String> = [format!("{north}/mail")].into_iter().chain(slots).collect();
    assert_eq!((names(&found), found.gaps.len()), (expected, 0));
    assert_eq!(peer.asked(&sites(OWN)).len(), 2, "two pages");
    let pay = facts(&found, "pay");
    assert_eq!((&pay["cloud"], &pay["account"]), (&json!("azure"), &json!("Production")));
    assert_eq!(
        (&pay["runtime"], &pay["state"], &pay["system"]),
        (&json!("Python 3.9"), &json!("Running"), &json!("Linux"))
    );
    assert_eq!((&pay["modified"], &pay["size"]), (&json!("2026-03-01T12:00:00.123333300Z"), &json!(null)));
    assert_eq!(pay["role"], "System-assigned identity");
    let mail = facts(&found, "mail");
    assert_eq!((&mail["runtime"], &mail["role"], &mail["system"]), (&json!(""), &json!("deployer"), &json!("Windows")));
    assert_eq!(facts(&found, "pay/staging")["state"], "Stopped");
    assert!(!format!("{found:?}").contains(SETTING));
    assert!(peer.receiver.calls().iter().all(|call| call.method == "GET" && !call.path().contains("config")));
}

#[tokio::test]
async fn the_subscriptions_are_the_credentials_own_chosen_ones_or_all() {
    let peer = estate();
    let chosen = scan(&peer).with("subscriptions", "chosen").with("subscription_ids", TEST);
    assert_eq!(names(&chosen.run().await.unwrap()), [format!("{TEST}/westeurope/api")]);
    assert_eq!(facts(&chosen.run().await.unwrap(), "api")["runtime"], ".NET 8 isolated");
    let all = scan(&peer).with("subscriptions", "all").with("slots", "");
    let found = all.run().await.unwrap();
    assert_eq!(found.items.len(), 3, "without slots: {:?}", names(&found));
    let last = all.progress.lock().unwrap().last().cloned().unwrap();
    assert_eq!((last.done, last.total, last.items), (2, 2, 3));
    let narrow = scan(&peer).with("functions", "p*, m*").with("exclude_functions", "mail");
    assert_eq!(narrow.run().await.unwrap().items.len(), 4, "an app and its slots");
}

#[tokio::test]
async fn a_subscription_that_fails_is_a_gap_with_its_own_way_out() {
    let peer = estate();
    for (id, says) in [
        ("11111111-0b1f-4f2e-9d3c-7a6b5c4d3e2f", Some(Says::Denied)),
        ("22222222-0b1f-4f2e-9d3c-7a6b5c4d3e2f", Some(Says::OtherTenant)),
        ("33333333-0b1f-4f2e-9d3c-7a6b5c4d3e2f", Some(Says::Unregistered)),
        ("44444444-0b1f-4f2e-9d3c-7a6b5c4d3e2f", None),
    ] {
        if let Some(says) = says {
            peer.subscription(id, "Other").says(&sites(id), says);
        }
    }
    let ids = ["1", "2", "3", "4"].map(|digit| format!("{}-0b1f-4f2e-9d3c-7a6b5c4d3e2f", digit.repeat(8)));
    let chosen =
        scan(&peer).with("subscriptions", "chosen").with("subscription_ids", &format!("{TEST}, {}", ids.join(",")));
    let found = chosen.run().await.unwrap();
    assert_eq!(names(&found), [format!("{TEST}/westeurope/api")]);
    let told: Vec<String> = found.gaps.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "one that never used functions has none: {told:?}");
    let of = |words: &str| told.iter().find(|gap| gap.contains(words)).unwrap_or_else(|| panic!("{words} in {told:?}"));
    let denied = of("does not allow Microsoft.Web/sites/read");
    assert!(denied.starts_with(&format!("Listing the function apps of Other ({}) failed", ids[0])), "{denied}");
    assert!(denied.contains("Reader") && denied.contains("credential's page"), "{denied}");
    assert!(of("belongs to another tenant").contains("Choose a credential of that tenant"));
    assert!(of("does not know this subscription").contains(&ids[3]));
    assert!(told.iter().all(|gap| !gap.contains(UPSTREAM)));
    let gap = found.gaps.iter().find(|gap| gap.at.contains(&ids[0])).unwrap();
    assert!(gap.hides.may_be(&format!("{}/westeurope", ids[0]), "x") && !gap.hides.may_be(&sites(TEST), "api"));
}

#[tokio::test]
async fn slots_that_may_not_be_read_are_said_once_and_kept() {
    let peer = estate();
    peer.says(&format!("/subscriptions/{OWN}/resourceGroups"), Says::Denied);
    let found = scan(&peer).run().await.unwrap();
    assert_eq!(found.items.len(), 2);
    let [gap] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
    let told = gap.to_string();
    assert!(told.contains("Microsoft.Web/sites/slots/read") && told.contains("switch Deployment slots off"), "{told}");
    let west = format!("{OWN}/westeurope");
    assert!(gap.hides.may_be(&west, "pay/staging") && !gap.hides.may_be(&west, "pay"), "an app that is gone is gone");
}

#[tokio::test]
async fn a_credential_without_a_subscription_or_with_none_to_see_is_told_so() {
    let peer = Management::start();
    peer.list("/subscriptions");
    let key = crate::support::peers::entra::SECRET;
    let unnamed = scan(&peer).by(key, None).run().await.unwrap_err();
    assert_eq!(unnamed.step, Step::LISTING_SUBSCRIPTIONS);
    assert!(unnamed.to_string().contains("names no subscription"), "{unnamed}");
    let none = scan(&peer).with("subscriptions", "all").run().await.unwrap_err().to_string();
    assert!(none.contains("sees no subscription"), "{none}");
    let wrong = scan(&peer).by("wrong~secret", Some(OWN)).run().await.unwrap_err().to_string();
    assert!(wrong.starts_with("Signing in failed: The client secret is wrong."), "{wrong}");
}

#[tokio::test]
async fn a_throttled_list_is_waited_for_as_asked() {
    let peer = estate();
    peer.says(&sites(OWN), Says::Busy(1));
    let work = scan(&peer);
    let found = work.run().await.unwrap();
    assert_eq!((found.items.len(), found.gaps.len()), (5, 0));
    let progress = work.progress.lock().unwrap().clone();
    assert!(progress.iter().any(|now| now.waits_until.is_some() && now.waits_as_asked), "the page says that it waits");
}

#[tokio::test]
async fn test_connection_of_azure_says_what_it_sees_and_which_right_is_missing() {
    let peer = estate();
    let said = scan(&peer).with("subscriptions", "all").check().await.unwrap();
    let expected = format!(
        "Azure let Strongroom in and lists 2 function apps on its first page of Production ({OWN}). One other \
                            subscription will be read too."
    );
    assert_eq!(said, expected);
    peer.says(&format!("/subscriptions/{OWN}/resourceGroups"), Says::Denied);
    let refused = scan(&peer).check().await.unwrap_err().to_string();
    assert!(refused.contains("does not allow Microsoft.Web/sites/slots/read"), "{refused}");
    peer.says(&sites(OWN), Says::Denied);
    let refused = scan(&peer).check().await.unwrap_err().to_string();
    assert!(refused.contains("does not allow Microsoft.Web/sites/read"), "{refused}");
}
