//! Registries that keep their blobs elsewhere and redirect there: what is asked where, and what goes along.

use std::sync::Arc;

use serde_json::json;
use strongroom::credentials::certificate;

use super::Scan;
use crate::support::peers::certificates::Authority;
use crate::support::peers::receiver::{Call, Receiver, Said};
use crate::support::peers::shelf::Shelf;
use crate::support::peers::vendor::{basic, registry_error};

fn shelf() -> Shelf {
    Shelf::default().with("team/app", "1.0")
}

/// A registry for `robot` whose blobs are at `store`.
fn registry(store: String) -> impl Fn(&Call) -> Said + Send + Sync {
    move |call: &Call| {
        if basic(call) != Some(("robot".to_owned(), "SECRET".to_owned())) && call.certificate.is_none() {
            return registry_error(401, "UNAUTHORIZED").with("Www-Authenticate", "Basic realm=\"registry\"");
        }
        match call.path().rsplit_once("/blobs/") {
            Some((_, digest)) => {
                Said::json(307, &json!({})).with("Location", format!("{store}/bucket/{digest}?X-Amz-Signature=1"))
            }
            None => shelf().answer(call),
        }
    }
}

fn stored(call: &Call) -> Said {
    shelf().blob(call.path().strip_prefix("/bucket/").unwrap_or_default())
}

async fn platforms(scan: Scan) -> Vec<String> {
    let images = scan.run().await.unwrap();
    assert_eq!(images.len(), 1);
    images[0].platforms.clone()
}

#[tokio::test]
async fn a_blob_that_is_kept_elsewhere_is_read_there_without_the_password() {
    let store = Receiver::start(stored);
    let peer = Receiver::start(registry(store.url()));
    assert_eq!(platforms(Scan::of(peer.url()).password("robot", "SECRET")).await, ["linux/amd64"]);
    let [call] = &store.calls()[..] else { panic!("one call") };
    assert_eq!((call.header("authorization"), call.query("X-Amz-Signature").as_deref()), (None, Some("1")));
}

#[tokio::test]
async fn the_client_certificate_for_a_registry_is_shown_to_no_store() {
    let authority = Authority::new();
    let store = Receiver::start_tls(&authority, stored);
    let peer = Receiver::start_tls(&authority, registry(store.url()));
    let pem = authority.client("robot");
    let scan = Scan::of(peer.url()).with("ca_certificate", &authority.pem);
    let scan = scan.credential(&certificate::KIND, &[("certificate", pem.as_str())]);
    assert_eq!(platforms(scan).await, ["linux/amd64"]);
    assert!(peer.calls().iter().all(|call| call.certificate.is_some()));
    assert_eq!(store.calls().iter().map(|call| call.certificate.is_some()).collect::<Vec<_>>(), [false]);
}

#[tokio::test]
async fn a_store_that_lies_leads_on_or_is_away_costs_the_platform_alone() {
    let elsewhere = Arc::new(Receiver::start(stored));
    for (what, said) in [
        ("lies", Said::json(200, &json!({"os": "linux", "architecture": "evil"}))),
        ("refuses", Said::html(403)),
        ("leads on", Said::html(307).with("Location", format!("{}/bucket/x", elsewhere.url()))),
        ("never ends", Said::Endless),
    ] {
        let store = Receiver::start(move |_| said.clone());
        let peer = Receiver::start(registry(store.url()));
        assert!(platforms(Scan::of(peer.url()).password("robot", "SECRET")).await.is_empty(), "{what}");
        assert_eq!(store.calls().len(), 1, "{what}");
    }
    assert!(elsewhere.calls().is_empty(), "a second redirect is not followed");
    for address in ["http://127.0.0.1:1", "http://u:p@127.0.0.1:1", "ftp://127.0.0.1", "http://169.254.169.254"] {
        let peer = Receiver::start(registry(address.to_owned()));
        assert!(platforms(Scan::of(peer.url()).password("robot", "SECRET")).await.is_empty(), "{address}");
    }
}

#[tokio::test]
async fn an_encrypted_registry_leads_to_no_store_in_clear() {
    let authority = Authority::new();
    let store = Receiver::start(stored);
    let peer = Receiver::start_tls(&authority, registry(store.url()));
    let scan = Scan::of(peer.url()).with("ca_certificate", &authority.pem).password("robot", "SECRET");
    assert!(platforms(scan).await.is_empty());
    assert!(store.calls().is_empty());
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_given_up_after_a_few_tries() {
    let tags = (0..40).fold(Shelf::default(), |mut shelf, number| {
        let mut image = shelf.image("amd64");
        image["annotations"] = json!({"number": number.to_string()});
        shelf.put("team/app", &format!("1.{number}"), crate::support::peers::shelf::IMAGE, &image);
        shelf
    });
    let store = Receiver::start(|_| Said::Half);
    let address = store.url();
    let peer = Receiver::start(move |call| match call.path().rsplit_once("/blobs/") {
        Some((_, digest)) => Said::html(302).with("Location", format!("{address}/{digest}")),
        None => tags.answer(call),
    });
    let images = Scan::of(peer.url()).with("cap", "0").run().await.unwrap();
    assert_eq!(images.len(), 40);
    assert!(store.calls().len() <= 16, "{} times", store.calls().len());
}
