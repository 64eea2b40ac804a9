//! The keys of service accounts: which, how old, last used when, and what is said where they cannot be read.

use serde_json::json;
use strongroom::integrations::scan::Scan;

use super::{PAY, facts, of, part};
use crate::support::google_scan::{gaps, names};
use crate::support::peers::google_world::{Api, Google, Says};

const MAIL: &str = "mail@shop.iam.gserviceaccount.com";

/// An old key, one that has ended, one that is switched off, and one of an account that is.
fn estate() -> Google {
    let peer = Google::start();
    peer.with_project("shop").account("shop", PAY, &json!({})).account("shop", MAIL, &json!({"disabled": true}));
    peer.key("shop", PAY, "0a01", &json!({"validAfterTime": "2019-03-01T10:00:00Z"}));
    peer.key("shop", PAY, "0b02", &json!({"validBeforeTime": "2025-01-01T00:00:00Z"}));
    peer.key("shop", PAY, "0c03", &json!({"disabled": true}));
    peer.key("shop", MAIL, "0d04", &json!({"validBeforeTime": "2099-01-01T00:00:00Z", "keyOrigin": "USER_PROVIDED"}));
    peer.used("shop", PAY, "0a01", Some("2026-11-01")).used("shop", PAY, "0b02", None).used("shop", MAIL, "0d04", None);
    peer
}

fn active(scan: &Scan) -> Vec<bool> {
    scan.items.iter().map(|item| facts(item)["active"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn keys_that_people_made_are_listed_and_not_those_of_google() {
    let peer = estate();
    let found = part(&peer, "keys").run().await.unwrap();
    assert_eq!(names(&found), ["shop/0a01", "shop/0b02", "shop/0c03", "shop/0d04"]);
    assert_eq!((found.gaps.len(), active(&found)), (0, vec![true, false, false, false]));
    let old = of(&found, "0a01");
    assert_eq!(
        (old["owner"].as_str(), old["kind"].as_str(), old["sort"].as_str()),
        (Some(PAY), Some("gcp"), Some("key"))
    );
    assert_eq!((old["made"].as_i64(), old["used"].as_i64()), (Some(1_551_434_400), Some(1_793_516_400)));
    assert!(old.get("expires").is_none(), "9999 is no end");
    let ended = of(&found, "0b02");
    assert_eq!((ended["expires"].as_i64(), ended["never"].as_bool()), (Some(1_735_689_600), Some(true)));
    assert_eq!(of(&found, "0c03")["never"], false, "nothing is known of it");
}

#[tokio::test]
async fn the_last_use_takes_a_further_right_and_nothing_else_does() {
    let peer = estate();
    for says in [Says::Denied, Says::Off("projects/1")] {
        peer.says(Api::Activities, "shop", says);
        let found = part(&peer, "keys").run().await.unwrap();
        assert_eq!((found.items.len(), found.gaps.len()), (4, 0));
        let old = of(&found, "0a01");
        assert!(old.get("used").is_none() && old["never"] == false);
        let said = part(&peer, "keys").check().await.unwrap();
        assert!(said.contains("in shop: 1 service account (without the last use of their keys"), "{said}");
    }
    peer.says(Api::Activities, "shop", Says::Busy(1));
    let found = part(&peer, "keys").run().await.unwrap();
    assert_eq!(of(&found, "0a01")["used"], 1_793_516_400);
}

#[tokio::test]
async fn a_project_whose_keys_cannot_be_read_keeps_those_of_before() {
    let peer = estate();
    let other = "a@bank.iam.gserviceaccount.com";
    peer.with_project("bank").account("bank", other, &json!({})).key("bank", other, "0e05", &json!({}));
    peer.with_project("zoo").says(Api::Accounts, "zoo", Says::Off("projects/9"));
    peer.says(Api::Keys, "bank", Says::Denied);
    let found = part(&peer, "keys").of_all_projects().run().await.unwrap();
    assert_eq!(found.items.len(), 4);
    let gaps = gaps(&found);
    assert_eq!(gaps.iter().map(|(at, _)| at.as_str()).collect::<Vec<_>>(), ["bank", "zoo"]);
    assert!(gaps[0].1.contains("lacks the permission iam.serviceAccountKeys.list"), "{gaps:?}");
    assert!(gaps[0].1.contains("View Service Accounts (roles/iam.serviceAccountViewer)"), "{gaps:?}");
    assert!(gaps[1].1.contains("the Identity and Access Management API is switched off in the project"), "{gaps:?}");
    assert!(found.gaps.iter().all(|gap| gap.hides.may_be(&gap.at, "0e05") && !gap.hides.may_be(&gap.at, "gke/x/y")));
    let denied = part(&peer, "keys").of_projects("bank").check().await.unwrap_err().to_string();
    assert!(denied.contains("In the project bank: the service account lacks"), "{denied}");
}
