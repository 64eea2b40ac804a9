//! What registries do differently, within what the protocol allows or a little beyond.

use std::sync::Arc;

use serde_json::json;

use super::Scan;
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::peers::token_issuer::TokenIssuer;

fn index() -> Reply {
    Reply::json(json!({"schemaVersion": 2, "manifests": []}))
}

#[tokio::test]
async fn thousands_of_tags_come_in_small_pages() {
    let peer = Scripted::start(|path| match path {
        "/v2/" => Reply::json(json!({})),
        path if path.contains("/tags/list") => {
            let last = path.split("last=").nth(1).map_or(0, |last| last.parse().unwrap());
            let page: Vec<String> = (last..last + 10).map(|n| format!("1.{n}")).collect();
            let reply = Reply::json(json!({"name": "app", "tags": page}));
            let next = format!("</v2/app/tags/list?n=10&last={}>; rel=\"next\"", last + 10);
            if last + 10 < 3000 { reply.with("Link", next) } else { reply }
        }
        _ => index(),
    })
    .await;
    let scan = Scan::of(peer.url()).with("repository", "app").with("cap", "1");
    assert_eq!(scan.images().await, ["app:1.2999"]);
    assert_eq!(peer.seen().iter().filter(|seen| seen.line.contains("/tags/list")).count(), 300);
}

#[tokio::test]
async fn a_registry_behind_a_path_is_asked_behind_that_path() {
    let peer = Scripted::start(|path| match path {
        "/artifactory/api/docker/key/v2/" => Reply::json(json!({})),
        "/artifactory/api/docker/key/v2/_catalog?n=1000" => Reply::json(json!({"repositories": ["app"]})),
        "/artifactory/api/docker/key/v2/app/tags/list?n=1000" => Reply::json(json!({"tags": ["1"]})),
        "/artifactory/api/docker/key/v2/app/manifests/1" => index(),
        _ => Reply::status(404),
    })
    .await;
    assert_eq!(Scan::of(format!("{}/artifactory/api/docker/key", peer.url())).images().await, ["app:1"]);
}

#[tokio::test]
async fn a_registry_that_refuses_large_pages_is_asked_for_small_ones() {
    let peer = Scripted::start(|path| match path {
        "/v2/" => Reply::json(json!({})),
        "/v2/_catalog?n=100" => Reply::json(json!({"repositories": ["app"]})),
        "/v2/app/tags/list?n=100" => Reply::json(json!({"tags": ["1"]})),
        "/v2/app/manifests/1" => index(),
        _ => Reply::status(400),
    })
    .await;
    assert_eq!(Scan::of(peer.url()).images().await, ["app:1"]);
}

#[tokio::test]
async fn a_blob_that_is_kept_elsewhere_costs_the_platform_and_nothing_else() {
    let sink = Scripted::start(|_| Reply::status(200)).await;
    let target = sink.url();
    let peer = Scripted::start(move |path| match path {
        "/v2/" => Reply::json(json!({})),
        path if path.contains("/tags/list") => Reply::json(json!({"tags": ["1"]})),
        path if path.contains("/manifests/") => {
            let media = "application/vnd.oci.image.config.v1+json";
            let config = json!({"mediaType": media, "digest": format!("sha256:{}", "a".repeat(64)), "size": 7});
            Reply::json(json!({"schemaVersion": 2, "config": config, "layers": []}))
        }
        _ => Reply::status(307).with("Location", target.clone()),
    })
    .await;
    let images = Scan::of(peer.url()).with("repository", "app").password("a", "b").run().await.unwrap();
    assert_eq!((images[0].size_bytes, images[0].platforms.len()), (7, 0), "what came is not what the digest promises");
    assert_eq!(sink.seen().into_iter().map(|seen| seen.authorization).collect::<Vec<_>>(), [None]);
}

#[tokio::test]
async fn a_password_is_used_also_where_the_front_door_is_open() {
    let peer = Scripted::start(|path| match path {
        "/v2/" => Reply::json(json!({})),
        _ => Reply::json(json!({"repositories": []})),
    })
    .await;
    Scan::of(peer.url()).password("a", "b").run().await.unwrap();
    let headers: Vec<Option<String>> = peer.seen().into_iter().map(|seen| seen.authorization).collect();
    let sent = Some("Basic YTpi".to_owned());
    assert_eq!(headers, [None, sent.clone(), sent]);
}

/// Open at the front, and with a scope of its own wording behind.
#[tokio::test]
async fn a_registry_that_asks_for_a_token_only_later_gets_one_for_the_scope_it_names() {
    let issuer = Arc::new(TokenIssuer::start("robot", "pw").await);
    let challenge = format!(r#"Bearer realm="{}",service="s",scope="aliyun:catalog:pull""#, issuer.realm());
    let door = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let peer = Scripted::start(move |path| match path {
        "/v2/" => Reply::json(json!({})),
        _ if !door.swap(true, std::sync::atomic::Ordering::SeqCst) => {
            Reply::status(401).with("WWW-Authenticate", challenge.clone())
        }
        _ => Reply::json(json!({"repositories": []})),
    })
    .await;
    let scan = Scan::of(peer.url()).with("ca_certificate", &issuer.authority.pem).password("robot", "pw");
    scan.run().await.unwrap();
    assert_eq!(issuer.authorizations().len(), 1);
    assert!(peer.seen().last().unwrap().authorization.as_ref().unwrap().starts_with("Bearer "));
}
