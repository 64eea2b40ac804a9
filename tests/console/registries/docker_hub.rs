//! Docker Hub, with an access token and without.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

use strongroom::integrations::progress::{Progress, Step};
use strongroom::providers::endpoints::{Endpoints, Service};
use strongroom::providers::{ProviderError, Sent};

use super::Scan;
use crate::support::peers::docker_hub::{self, IMAGE, INDEX, TOKEN, USER};
use crate::support::peers::receiver::{Receiver, Said};

pub fn anonymous(peer: &Receiver) -> Scan {
    let moved = Endpoints::default().with(Service::DockerHub, peer.url().parse().unwrap());
    Scan::of("").version("docker_hub").endpoints(moved)
}

#[tokio::test]
async fn an_access_token_of_docker_hub_scans_its_namespace_without_a_pull() {
    let peer = Receiver::start(docker_hub::answer);
    let images = anonymous(&peer).password(USER, TOKEN).with("cap", "1").run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["acme/app:1.0", "acme/private:1.0"], "9.9 is the older one");
    assert_eq!((images[0].digest.as_str(), images[0].size_bytes), (INDEX, 10_000));
    assert_eq!(images[0].platforms, ["linux/amd64", "linux/arm64/v8"]);
    assert_eq!(images[0].pushed_at.unwrap().to_rfc3339(), "2026-11-01T10:00:00.500+00:00");
    let spent = peer.calls().into_iter().filter(|call| !call.path().starts_with("/v2/namespaces/"));
    assert!(spent.map(|call| call.target).all(|target| target == "/v2/auth/token"));
}

#[tokio::test]
async fn public_repositories_of_docker_hub_need_no_credential() {
    let peer = Receiver::start(docker_hub::answer);
    let images = anonymous(&peer).with("repository", "nginx").run().await.unwrap();
    assert_eq!((images[1].tag.as_str(), images[1].digest.as_str()), ("9.9", IMAGE));
    assert_eq!(anonymous(&peer).with("repository", "acme/*").images().await, ["acme/app:1.0", "acme/app:9.9"]);
    let error = anonymous(&peer).run().await.unwrap_err();
    assert_eq!(
        (error.step, error.cause),
        (Step::LISTING_REPOSITORIES, ProviderError::Unauthorized { sent: Sent::Nothing })
    );
}

#[tokio::test]
async fn a_wrong_token_of_docker_hub_ends_the_scan_at_the_door() {
    let peer = Receiver::start(docker_hub::answer);
    let error = anonymous(&peer).password(USER, "dckr_pat_WRONG").run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::SIGNING_IN, &ProviderError::Unauthorized { sent: Sent::Password }));
    assert!(!error.to_string().contains("WRONG"));
}

#[tokio::test]
async fn docker_hub_is_waited_for_as_long_as_its_own_header_asks() {
    let refusals = AtomicU32::new(1);
    let peer = Receiver::start(move |call| {
        let lists = call.path().ends_with("/tags");
        if lists && refusals.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            // A moment of the Unix clock, as Docker Hub has it.
            let moment = (call.now + 2).to_string();
            return Said::json(429, &serde_json::json!({"detail": "Rate limit exceeded"}))
                .with("X-Retry-After", moment);
        }
        docker_hub::answer(call)
    });
    let scan = anonymous(&peer).with("repository", "nginx");
    assert_eq!(scan.images().await.len(), 2);
    let waited = |progress: &Progress| progress.waits_until.is_some() && progress.waits_as_asked;
    assert!(scan.progress.lock().unwrap().iter().any(waited));
}

#[tokio::test]
async fn test_connection_of_docker_hub_says_what_is_listed() {
    let peer = Receiver::start(docker_hub::answer);
    let said = anonymous(&peer).password(USER, TOKEN).check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
}
