//! Registries behind proxies that do not tell them their own address, and their token servers.

use std::sync::{Arc, OnceLock};

use serde_json::json;
use strongroom::credentials::api_token;
use strongroom::providers::ProviderError;

use super::Scan;
use crate::support::peers::certificates::Authority;
use crate::support::peers::receiver::{Receiver, Said};
use crate::support::peers::shelf::Shelf;

/// An https registry that gives its own address as http wherever it names one, and wants a token where `signs`.
fn behind_a_proxy(authority: &Authority, signs: bool) -> Receiver {
    let (shelf, own) = (Shelf::default().with("a/one", "1").with("b/two", "1"), Arc::new(OnceLock::<String>::new()));
    let known = Arc::clone(&own);
    let peer = Receiver::start_tls(authority, move |call| {
        let address = known.get().unwrap();
        let signed = call.header("authorization") == Some("Bearer t");
        match (call.path(), call.query("last")) {
            ("/service/token", _) => Said::json(200, &json!({"token": "t", "expires_in": 300})),
            _ if signs && !signed => {
                let asked = format!("Bearer realm=\"{address}/service/token\",service=\"harbor-registry\"");
                Said::json(401, &json!({})).with("WWW-Authenticate", asked)
            }
            ("/v2/_catalog", None) => {
                let next = format!("<{address}/v2/_catalog?last=a%2Fone&n=1000>; rel=\"next\"");
                Said::json(200, &json!({"repositories": ["a/one"]})).with("Link", next)
            }
            ("/v2/_catalog", Some(_)) => Said::json(200, &json!({"repositories": ["b/two"]})),
            _ => shelf.answer(call),
        }
    });
    own.set(peer.url().replace("https://", "http://")).unwrap();
    peer
}

#[tokio::test]
async fn field_r04_the_next_page_of_a_registry_behind_a_proxy_is_read() {
    let authority = Authority::new();
    let peer = behind_a_proxy(&authority, false);
    let scan = Scan::of(peer.url()).with("ca_certificate", &authority.pem);
    assert_eq!(scan.images().await, ["a/one:1", "b/two:1"]);
}

#[tokio::test]
async fn field_r05_a_realm_on_the_registrys_own_host_is_asked_by_https() {
    let authority = Authority::new();
    let peer = behind_a_proxy(&authority, true);
    let scan = Scan::of(peer.url()).with("ca_certificate", &authority.pem).password("robot", "pw");
    assert_eq!(scan.images().await, ["a/one:1", "b/two:1"]);
    assert!(peer.calls().iter().any(|call| call.path() == "/service/token" && call.header("authorization").is_some()));
    assert_eq!(scan.sent_to.hosts(), Vec::<String>::new());
}

#[tokio::test]
async fn field_r05_a_plain_realm_elsewhere_is_refused_and_named() {
    let (authority, thief) = (Authority::new(), Receiver::start(|_| Said::json(200, &json!({"token": "t"}))));
    let realm = thief.url().replace("127.0.0.1", "localhost");
    let asked = format!("Bearer realm=\"{realm}/token\"");
    let peer =
        Receiver::start_tls(&authority, move |_| Said::json(401, &json!({})).with("WWW-Authenticate", asked.clone()));
    let scan = Scan::of(peer.url()).with("ca_certificate", &authority.pem).password("robot", "SECRET");
    let error = scan.run().await.unwrap_err();
    assert_eq!(error.cause, ProviderError::RealmRefused { realm: realm.clone() });
    assert!(error.to_string().contains(&realm), "{error}");
    assert!(thief.calls().is_empty());
}

/// A plain registry that hands out tokens with such an answer.
fn issuing(answer: serde_json::Value) -> Receiver {
    let (shelf, own) = (Shelf::default().with("a/one", "1"), Arc::new(OnceLock::<String>::new()));
    let known = Arc::clone(&own);
    let peer = Receiver::start(move |call| match call.path() {
        "/token" if answer.is_null() => Said::html(200),
        "/token" => Said::json(200, &answer),
        _ if call.header("authorization") == Some("Bearer t") => shelf.answer(call),
        _ => {
            let asked = format!("Bearer realm=\"{}/token\",service=\"r\"", known.get().unwrap());
            Said::json(401, &json!({})).with("WWW-Authenticate", asked)
        }
    });
    own.set(peer.url()).unwrap();
    peer
}

#[tokio::test]
async fn field_r12_a_lifetime_written_as_text_is_read_and_an_odd_one_ignored() {
    for life in [json!("300"), json!(300), json!(null), json!("soon"), json!(-1), json!(2.5)] {
        let peer = issuing(json!({"token": "t", "expires_in": life}));
        assert_eq!(Scan::of(peer.url()).password("a", "b").images().await, ["a/one:1"], "{life}");
    }
}

#[tokio::test]
async fn field_r12_a_token_server_that_is_not_understood_is_named() {
    for answer in [json!(null), json!({"access": "t"}), json!({"token": 7})] {
        let peer = issuing(answer);
        let error = Scan::of(peer.url()).password("a", "b").run().await.unwrap_err().to_string();
        let named = format!("Signing in failed: the token server {}, which the registry names, gave", peer.address);
        assert!(error.starts_with(&named), "{error}");
    }
}

#[tokio::test]
async fn field_r15_an_access_token_that_must_be_exchanged_is_called_that() {
    let peer = issuing(json!({"token": "t"}));
    let scan = Scan::of(peer.url()).credential(&api_token::KIND, &[("token", "glpat-secret")]);
    let error = scan.run().await.unwrap_err().to_string();
    assert!(error.contains("exchanges a user name and password for tokens of its own"), "{error}");
    assert!(error.contains("Basic authentication, with the access token as its password"), "{error}");
    assert!(error.contains(&peer.address.to_string()) && !error.contains("glpat"), "{error}");
}

#[tokio::test]
async fn field_r21_every_refusal_of_the_catalogue_names_the_way_out() {
    for status in [401, 403, 404, 405, 500, 501] {
        let peer = Receiver::start(move |call| match call.path() {
            "/v2/" => Said::json(200, &json!({})),
            _ => Said::json(status, &json!({"errors": [{"code": "UNSUPPORTED"}]})),
        });
        let error = Scan::of(peer.url()).run().await.unwrap_err().to_string();
        assert!(error.starts_with("Listing the repositories failed: "), "{status}: {error}");
        assert!(error.ends_with("enter their names under Repository."), "{status}: {error}");
    }
}
