//! Registries that lie, lead astray or never end.

use std::sync::{Arc, OnceLock};

use serde_json::json;
use strongroom::integrations::progress::Step;
use strongroom::providers::egress::Egress;
use strongroom::providers::{ProviderError, Sent};

use super::{Scan, hasty};
use crate::support::peers::scripted::{Reply, Scripted};

/// A registry of one repository that answers `list` to the catalogue and `tags` to the tag list.
async fn peer(list: impl Fn() -> Reply + Send + Sync + 'static, tags: fn() -> Reply) -> Scripted {
    Scripted::start(move |path| match path {
        "/v2/" => Reply::json(json!({})),
        path if path.starts_with("/v2/_catalog") => list(),
        path if path.contains("/tags/list") => tags(),
        _ => Reply::status(404),
    })
    .await
}

fn one_repository() -> Reply {
    Reply::json(json!({"repositories": ["app"]}))
}

async fn catalogue_error(list: impl Fn() -> Reply + Send + Sync + 'static) -> ProviderError {
    let peer = peer(list, || Reply::status(404)).await;
    let error = Scan::of(peer.url()).egress(hasty()).run().await.unwrap_err();
    assert_eq!(error.step, Step::LISTING_REPOSITORIES);
    error.cause
}

#[tokio::test]
async fn a_redirect_is_refused_names_its_host_and_sends_nothing_there() {
    let sink = Scripted::start(|_| Reply::status(200)).await;
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/v2/", sink.url());
        let peer = Scripted::start(move |_| Reply::status(status).with("Location", target.clone())).await;
        let error = Scan::of(peer.url()).password("robot", "SECRET").run().await.unwrap_err();
        assert_eq!(error.cause, ProviderError::Redirected { host: sink.address.to_string() });
    }
    assert!(sink.seen().is_empty());
}

#[tokio::test]
async fn a_next_page_on_another_origin_is_not_asked_for() {
    let link = || one_repository().with("Link", r#"<http://169.254.169.254/v2/_catalog?last=a>; rel="next""#);
    assert_eq!(catalogue_error(link).await, ProviderError::Redirected { host: "169.254.169.254".to_owned() });
    let disguised = || one_repository().with("Link", r#"</\@evil.example/>; rel="next""#);
    assert_eq!(catalogue_error(disguised).await, ProviderError::Redirected { host: "evil.example".to_owned() });
}

#[tokio::test]
async fn a_list_that_leads_back_into_itself_ends_in_an_error() {
    let link = || one_repository().with("Link", r#"</v2/_catalog?n=1000>; rel="next""#);
    assert_eq!(catalogue_error(link).await, ProviderError::BadAnswer);
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    assert_eq!(catalogue_error(|| Reply::Endless).await, ProviderError::TooLarge);
}

#[tokio::test]
async fn a_head_without_end_is_cut_off() {
    let cause = catalogue_error(|| Reply::EndlessHead).await;
    let said = cause.sentence("the registry");
    assert!(said.contains("answered with more headers than Strongroom reads"), "{said}");
}

#[tokio::test]
async fn an_answer_that_is_broken_is_called_that_and_not_unreachable() {
    let answers = [
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", "cut off or garbled"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", "cut off or garbled"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "cut off or garbled"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "something that is not HTTP"),
        ("", "closed the connection without an answer"),
    ];
    for (answer, words) in answers {
        let said = catalogue_error(move || Reply::Raw(answer)).await.sentence("the registry");
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_registry_that_is_silent_or_trickles_is_given_up() {
    for reply in [|| Reply::Silent, || Reply::Trickle] {
        let cause = catalogue_error(reply).await;
        assert!(matches!(cause, ProviderError::Timeout { .. }), "{cause:?}");
    }
}

#[tokio::test]
async fn anything_but_the_json_of_the_protocol_is_not_understood() {
    let answers: [fn() -> Reply; 5] = [
        || Reply::Answer { status: 200, headers: vec![], body: b"<html>SECRET</html>".to_vec() },
        || Reply::json(json!({"repositories": [1, 2]})),
        || Reply::json(json!(["app"])),
        || Reply::json(json!({})),
        || Reply::json(json!({"errors": [{"code": "DENIED"}]})),
    ];
    for answer in answers {
        assert_eq!(catalogue_error(answer).await, ProviderError::BadAnswer);
    }
    let forged = || Reply::json(json!({"repositories": ["../../admin"]}));
    assert_eq!(catalogue_error(forged).await, ProviderError::OddName { name: "../../admin".to_owned() });
}

#[tokio::test]
async fn a_repository_without_tags_is_empty_and_not_an_error() {
    let peer = peer(one_repository, || Reply::json(json!({"name": "app", "tags": null}))).await;
    assert!(Scan::of(peer.url()).images().await.is_empty());
    let peer = self::peer(one_repository, || Reply::status(404)).await;
    assert!(Scan::of(peer.url()).images().await.is_empty());
    let peer = self::peer(one_repository, || Reply::json(json!({"name": "app"}))).await;
    let error = Scan::of(peer.url()).run().await.unwrap_err();
    assert_eq!((error.step, error.cause), (Step::LISTING_TAGS, ProviderError::BadAnswer), "no list is no empty list");
}

#[tokio::test]
async fn a_manifest_with_another_digest_than_promised_is_refused() {
    let peer = Scripted::start(|path| match path {
        "/v2/" => Reply::json(json!({})),
        path if path.contains("/tags/list") => Reply::json(json!({"tags": ["1"]})),
        _ => Reply::json(json!({"manifests": []})).with("Docker-Content-Digest", format!("sha256:{}", "0".repeat(64))),
    })
    .await;
    let error = Scan::of(peer.url()).with("repository", "app").run().await.unwrap_err();
    assert_eq!(
        (error.step, error.at.as_str(), error.cause),
        (Step::READING_MANIFESTS, "app:1", ProviderError::BadAnswer)
    );
}

#[tokio::test]
async fn a_password_does_not_follow_a_realm_onto_another_plain_host() {
    let thief = Scripted::start(|_| Reply::json(json!({"token": "x"}))).await;
    let port = thief.address.port();
    // The same machine by another name, the same host at another port, and what is no http at all.
    for address in
        [format!("http://localhost:{port}"), format!("http://127.0.0.1:{port}"), "ftp://127.0.0.1".to_owned()]
    {
        let realm = format!(r#"Bearer realm="{address}/token",service="x""#);
        let peer = Scripted::start(move |_| Reply::status(401).with("WWW-Authenticate", realm.clone())).await;
        let scan = Scan::of(peer.url()).password("robot", "SECRET");
        let error = scan.run().await.unwrap_err();
        assert!(error.to_string().contains(&address), "it names what was announced: {error}");
        assert_eq!(error.cause, ProviderError::RealmRefused { realm: address });
        assert_eq!(scan.sent_to.hosts(), Vec::<String>::new());
    }
    assert!(thief.seen().is_empty());
}

#[tokio::test]
async fn a_plain_registry_may_hand_out_tokens_at_its_own_address() {
    let address = Arc::new(OnceLock::<String>::new());
    let own = Arc::clone(&address);
    let peer = Scripted::start(move |path| match path {
        path if path.starts_with("/token") => Reply::json(json!({"token": "x"})),
        "/v2/" => {
            let realm = format!(r#"Bearer realm="{}/token",service="x""#, own.get().unwrap());
            Reply::status(401).with("WWW-Authenticate", realm)
        }
        _ => Reply::json(json!({"repositories": []})),
    })
    .await;
    address.set(peer.url()).unwrap();
    let scan = Scan::of(peer.url()).password("robot", "SECRET");
    scan.run().await.unwrap();
    assert!(peer.seen().iter().any(|seen| seen.line.contains("/token") && seen.authorization.is_some()));
    assert_eq!(scan.sent_to.hosts(), Vec::<String>::new());
}

#[tokio::test]
async fn a_plain_http_answer_on_an_https_address_is_called_that() {
    let answers = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = answers.local_addr().unwrap().port();
    // As nginx and Go do: they notice the TLS hello and answer in the clear.
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = answers.accept().await {
            let mut hello = [0; 1024];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut hello).await;
            let text = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, text).await;
        }
    });
    let error = Scan::of(format!("https://127.0.0.1:{port}")).run().await.unwrap_err();
    assert_eq!(error.cause, ProviderError::NotTls { host: format!("127.0.0.1:{port}") });
    assert!(error.to_string().contains("answered with plain http"), "{error}");
}

#[tokio::test]
async fn a_realm_at_a_metadata_address_is_refused() {
    let realm = r#"Bearer realm="https://169.254.169.254/token",service="x""#;
    let peer = Scripted::start(move |_| Reply::status(401).with("WWW-Authenticate", realm)).await;
    let error = Scan::of(peer.url()).password("robot", "SECRET").run().await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("the registry asks for a token of 169.254.169.254, which isn't allowed"), "{said}");
    assert!(said.contains("Have the registry's administrator correct the address"), "{said}");
}

#[tokio::test]
async fn a_token_server_out_of_reach_is_named_as_the_registrys() {
    let cases = [
        ("https://10.1.2.3/token", "where Strongroom may not connect. Private addresses"),
        ("https://127.0.0.2:1/token", "may not connect: 127.0.0.2 is the machine or container"),
        ("https://127.0.0.1:1/token", "the token server 127.0.0.1:1, which the registry names, could not be reached"),
    ];
    for (realm, says) in cases {
        let asked = format!(r#"Bearer realm="{realm}",service="x""#);
        let peer = Scripted::start(move |_| Reply::status(401).with("WWW-Authenticate", asked.clone())).await;
        let egress = Egress::new(vec!["127.0.0.1/32".parse().unwrap()]);
        let error =
            Scan::of(peer.url()).password("robot", "SECRET").egress(egress).run().await.unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("Enter "), "{realm}: {error}");
    }
}

#[tokio::test]
async fn a_registry_that_echoes_the_secret_does_not_get_it_shown() {
    let peer = Scripted::start(|_| Reply::Answer {
        status: 401,
        headers: vec![("WWW-Authenticate", r#"Basic realm="CANARY-5f2c""#.to_owned())],
        body: b"you sent CANARY-5f2c".to_vec(),
    })
    .await;
    let error = Scan::of(peer.url()).password("robot", "CANARY-5f2c").run().await.unwrap_err();
    assert_eq!(error.cause, ProviderError::Unauthorized { sent: Sent::Password });
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}
