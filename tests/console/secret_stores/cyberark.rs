//! CyberArk's Central Credential Provider, by client certificate over TLS.

use super::{Store, keys, names, said};
use crate::support::peers::certificates::Authority;
use crate::support::peers::cyberark::{APPLICATION, CyberArk, SAFE};

fn store(peer: &CyberArk, by: &Authority, more: &[(&str, &str)]) -> Store {
    let (url, trusted, pair) = (peer.receiver.url(), peer.authority.pem.clone(), by.client("strongroom"));
    let settings = [("address", url.as_str()), ("application", APPLICATION), ("safe", SAFE)];
    let settings = [&settings[..], &[("ca_certificate", trusted.as_str())], more].concat();
    Store::of("cyberark_ccp", &settings, "certificate", &[("certificate", pair.as_str())])
}

#[tokio::test]
async fn named_accounts_are_read_and_others_never_asked_for() {
    let peer = CyberArk::start();
    peer.holds("db prod", "ada", "canary-1").holds("web", "bob", "canary-2").holds("busy", "changing", "x");
    let store = store(&peer, &peer.authority, &[("objects", "db prod, web, busy, gone")]);
    let scan = store.scan().await.unwrap();
    assert_eq!(names(&scan), ["Team Safe/db prod", "Team Safe/web"]);
    let gaps: Vec<_> = scan.gaps.iter().map(|gap| (gap.at.as_str(), gap.to_string())).collect();
    assert_eq!(gaps.iter().map(|(at, _)| *at).collect::<Vec<_>>(), ["Team Safe/busy", "Team Safe/gone"]);
    assert!(gaps[0].1.contains("is changing its password") && gaps[1].1.contains("finds no such account"));
    assert!(!format!("{scan:?}").contains("canary") && !format!("{scan:?}").contains("UPSTREAM"));
    assert!(store.check().await.unwrap().contains("read db prod of Team Safe. 3 other accounts"));
    let before = peer.receiver.calls().len();
    let read = store.read(&["Team Safe/db prod", "Team Safe/other", "Team Safe/gone"]).await.unwrap();
    let wanted = [("address", "db.example.com"), ("password", "canary-1"), ("username", "ada")];
    assert_eq!(keys(read[0].as_ref().unwrap()), wanted);
    assert!(said(&read[1]).contains("settings don't select") && said(&read[2]).contains("finds no such account"));
    assert_eq!(peer.receiver.calls().len() - before, 2);
}

#[tokio::test]
async fn another_application_or_certificate_is_told_apart() {
    let peer = CyberArk::start();
    peer.holds("db", "ada", "canary").holds("twice", "a", "b").holds("twice", "c", "d");
    let other = store(&peer, &peer.authority, &[("objects", "db"), ("application", "Unknown")]);
    let failed = other.check().await.unwrap_err().to_string();
    assert!(failed.contains("doesn't let the application Unknown in"), "{failed}");
    let several = store(&peer, &peer.authority, &[("objects", "twice")]);
    assert!(several.scan().await.unwrap_err().to_string().contains("finds several accounts"));
    let stranger = store(&peer, &Authority::new(), &[("objects", "db")]);
    let failed = stranger.check().await.unwrap_err().to_string();
    assert!(failed.contains("certificate"), "{failed}");
}
