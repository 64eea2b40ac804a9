//! Stores that no honest vendor runs: answers without end or sense, names that lead elsewhere, folders without a bottom,
//! and servers that point to other hosts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{Store, names, said};
use crate::support::peers::receiver::{Call, Receiver, Said, UPSTREAM};

const TOKEN: &str = "s.token-canary";

fn store(peer: &Receiver) -> Store {
    let url = peer.url();
    Store::of("vault_kv", &[("address", url.as_str()), ("kv", "2")], "api_token", &[("token", TOKEN)])
}

fn keys(keys: &[&str]) -> Said {
    Said::json(200, &json!({"data": {"keys": keys}}))
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_left_out_and_never_asked_for() {
    let peer = Receiver::start(|call| match call.path() {
        "/v1/secret/metadata" => keys(&["ok", "../sys/seal", "..", "a\nb", "bad/../x/", "/"]),
        _ => Said::json(500, &json!({"errors": [UPSTREAM]})),
    });
    let scan = store(&peer).scan().await.unwrap();
    assert_eq!((names(&scan), scan.gaps.len()), (vec!["secret/ok".to_owned()], 1));
    assert_eq!(peer.calls().len(), 1, "{:?}", peer.calls().iter().map(|call| &call.target).collect::<Vec<_>>());
    for entry in ["secret/../sys/seal", "secret/", "secret/a//b", "/secret/ok", "secret/a?b=c/.."] {
        assert!(said(&store(&peer).read(&[entry]).await.unwrap()[0]).contains("settings don't select"), "{entry}");
    }
    assert_eq!(peer.calls().len(), 1);
    let _ = store(&peer).read(&["secret/a b?list=true#x%2e"]).await;
    assert_eq!(peer.calls()[1].target, "/v1/secret/data/a%20b%3Flist=true%23x%252e");
}

#[tokio::test]
async fn folders_without_a_bottom_end_and_are_said() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let peer = Receiver::start(move |_: &Call| {
        counted.fetch_add(1, Ordering::SeqCst);
        keys(&["deeper/", "entry"])
    });
    let scan = store(&peer).scan().await.unwrap();
    assert_eq!((scan.items.len(), scan.gaps.len(), calls.load(Ordering::SeqCst)), (32, 1, 32));
    assert!(scan.gaps[0].to_string().contains("Choose a narrower Path"), "{}", scan.gaps[0]);
}

#[tokio::test]
async fn nonsense_of_a_store_is_no_entry_and_its_words_stay_out() {
    let peer = Receiver::start(|_| Said::html(200));
    let html = store(&peer);
    assert!(html.scan().await.unwrap_err().to_string().contains("gave an answer that is not understood"));
    assert!(html.read(&["secret/a"]).await.unwrap()[0].is_err());
    for said_instead in [
        Said::Endless,
        Said::Half,
        Said::Gone,
        Said::json(200, &json!({"data": null})),
        Said::json(200, &json!({"data": {"keys": "a", "data": [1], "metadata": {"version": "x"}}})),
        Said::json(503, &json!({"errors": ["Vault is sealed"]})),
        Said::json(400, &json!({"errors": [UPSTREAM, TOKEN]})),
    ] {
        let peer = Receiver::start(|_| Said::html(500));
        peer.say(said_instead);
        let failed = match store(&peer).read(&["secret/a"]).await {
            Ok(read) => said(&read[0]),
            Err(failure) => failure.to_string(),
        };
        let scanned = store(&peer).scan().await.unwrap_err().to_string();
        for text in [failed, scanned] {
            assert!(text.ends_with('.') && !text.contains(UPSTREAM) && !text.contains(TOKEN), "{text}");
        }
    }
}

#[tokio::test]
async fn a_redirect_of_a_store_is_not_followed() {
    let elsewhere = Receiver::start(|_| keys(&["stolen"]));
    let target = format!("{}/v1/secret/metadata?list=true", elsewhere.url());
    let peer = Receiver::start(move |_| Said::json(307, &json!({})).with("Location", target.clone()));
    let failed = store(&peer).scan().await.unwrap_err().to_string();
    assert!(failed.contains("Vault pointed to"), "{failed}");
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn every_call_to_vault_has_its_headers_and_the_token_in_one_of_them_alone() {
    let peer = Receiver::start(|_| keys(&["a"]));
    let url = peer.url();
    let settings = [("address", url.as_str()), ("kv", "2"), ("namespace", "admin/team"), ("path", "x")];
    let store = Store::of("vault_kv", &settings, "api_token", &[("token", TOKEN)]);
    store.scan().await.unwrap();
    let calls = peer.calls();
    assert_eq!((calls.len(), calls[0].target.as_str()), (1, "/v1/secret/metadata/x?list=true"));
    let header = |name: &str| calls[0].header(name);
    assert_eq!((header("x-vault-token"), header("x-vault-namespace")), (Some(TOKEN), Some("admin/team")));
    assert_eq!((header("x-vault-request"), header("authorization")), (Some("true"), None));
}
