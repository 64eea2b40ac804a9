//! Google's Secret Manager: lists, values, and the permission that lacks.

use super::{Store, keys, names, said};
use crate::support::google_scan::moved;
use crate::support::peers::google::account;
use crate::support::peers::google_world::{Api, Google, Says};

fn store(peer: &Google, settings: &[(&str, &str)]) -> Store {
    let account = account();
    let secret = [("service_account", account.as_str()), ("level", "project")];
    Store::of("google_secrets", settings, "gcp", &secret).at(moved(&peer.url()))
}

fn two_projects() -> Google {
    let peer = Google::start();
    peer.with_project("shop").with_project("bank");
    peer.secret("shop", "db", Some(br#"{"user":"ada","password":"canary-1"}"#));
    peer.secret("shop", "plain", Some(b"canary-2")).secret("shop", "bytes", Some(&[0xff, 0xee]));
    peer.secret("bank", "vault", Some(b"canary-3")).secret("shop", "off", None);
    peer
}

#[tokio::test]
async fn secrets_of_projects_are_listed_and_their_latest_versions_read() {
    let peer = two_projects();
    let store = store(&peer, &[("projects", "chosen"), ("project_ids", "shop, bank")]);
    let scan = store.scan().await.unwrap();
    assert_eq!(names(&scan), ["bank/vault", "shop/bytes", "shop/db", "shop/off", "shop/plain"]);
    assert!(scan.gaps.is_empty() && !format!("{scan:?}").contains("canary"));
    assert!(store.check().await.unwrap().contains("lists 1 secret in shop. One other project"));
    let read =
        store.read(&["shop/db", "shop/plain", "shop/bytes", "bank/vault", "shop/off", "shop/none"]).await.unwrap();
    let db = read[0].as_ref().unwrap();
    assert_eq!((keys(db), db.version.as_str()), (vec![("password", "canary-1"), ("user", "ada")], "7"));
    assert_eq!(keys(read[1].as_ref().unwrap()), [("value", "canary-2")]);
    assert_eq!(keys(read[2].as_ref().unwrap()), [("value", "/+4=")]);
    assert_eq!(keys(read[3].as_ref().unwrap()), [("value", "canary-3")]);
    assert!(said(&read[4]).contains("its latest version is disabled or destroyed"));
    assert!(said(&read[5]).contains("Google doesn't have it"));
}

#[tokio::test]
async fn the_own_project_alone_is_read_unless_others_are_chosen() {
    let peer = two_projects();
    let store = store(&peer, &[("exclude_entries", "plain")]);
    assert_eq!(names(&store.scan().await.unwrap()), ["shop/bytes", "shop/db", "shop/off"]);
    for other in ["bank/vault", "shop/plain", "shop/../bank", "shop/db/versions/1"] {
        assert!(said(&store.read(&[other]).await.unwrap()[0]).contains("settings don't select"), "{other}");
    }
}

#[tokio::test]
async fn a_missing_permission_of_google_is_named() {
    let peer = two_projects();
    peer.says(Api::Secrets, "shop", Says::Denied);
    let store = store(&peer, &[]);
    let failed = store.scan().await.unwrap_err().to_string();
    assert!(failed.contains("lacks the permission secretmanager.secrets.list"), "{failed}");
    peer.keeps_values();
    let read = store.read(&["shop/db"]).await.unwrap();
    assert!(said(&read[0]).contains("secretmanager.versions.access") && !said(&read[0]).contains("UPSTREAM"));
    let policy = (store.spec.grants)(&store.settings, "").policies.remove(0).1;
    assert!(policy.contains("--permissions secretmanager.secrets.list,secretmanager.versions.access"), "{policy}");
    peer.says(Api::Secrets, "shop", Says::Off("projects/1"));
    assert!(store.scan().await.unwrap_err().to_string().contains("Secret Manager API is switched off"));
}
