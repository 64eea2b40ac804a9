//! Oracle Cloud Infrastructure Registry, by a user's API key.

use strongroom::credentials::oci::KIND;
use strongroom::integrations::Spec;
use strongroom::integrations::progress::Step;
use strongroom::providers::ProviderError;
use strongroom::providers::endpoints::{Endpoints, Service};

use super::Scan;
use crate::support::peers::oracle_registry::{
    self, CLOSED, COMPARTMENT, TENANCY, USER, digest, fingerprint, key, new_key,
};
use crate::support::peers::receiver::{Receiver, Said, UPSTREAM};

pub fn by_key(peer: &Receiver, pem: &str) -> Scan {
    let at = || peer.url().parse().unwrap();
    let moved = Endpoints::default().with(Service::OciArtifacts, at()).with(Service::OciRegistry, at());
    let scan = Scan::of("").version("oracle").with("region", "eu-frankfurt-1").endpoints(moved);
    let fingerprint = fingerprint(pem);
    scan.credential(
        &KIND,
        &[("user_ocid", USER), ("tenancy_ocid", TENANCY), ("fingerprint", &fingerprint), ("private_key", pem)],
    )
}

#[tokio::test]
async fn an_api_key_of_oracle_scans_the_tenancy_with_every_tag() {
    let peer = Receiver::start(oracle_registry::answer);
    let images = by_key(&peer, key()).with("cap", "2").run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["lab:1.0", "shop/app:1.0", "shop/app:latest"], "9.9 is the older one");
    assert_eq!(images[1].digest, digest("shop/app", "1.0"));
    assert_eq!(images[1].digest, images[2].digest, "a second tag of one image, which no list tells");
    assert!((6..100).contains(&images[1].size_bytes), "what is pulled, with the configuration");
    assert_eq!(images[1].platforms, ["linux/amd64"]);
    assert_eq!(images[1].pushed_at.unwrap().to_rfc3339(), "2026-11-01T10:00:00+00:00");
    assert_eq!(images[1].pulled_from.as_deref(), Some("eu-frankfurt-1.ocir.io/axy0123456bc/shop/app"));
    assert!(!peer.calls().iter().any(|call| call.path().contains("lab-1-0")), "what is known is not read again");
}

#[tokio::test]
async fn one_compartment_of_oracle_and_exact_names_are_read_alone() {
    let peer = Receiver::start(oracle_registry::answer);
    let scan = by_key(&peer, key()).with("compartment", COMPARTMENT);
    assert_eq!(scan.images().await, ["shop/app:1.0", "shop/app:9.9", "shop/app:latest"]);
    assert_eq!(by_key(&peer, key()).with("repository", "lab").images().await, ["lab:1.0"]);
    let gone = by_key(&peer, key()).with("repository", "gone").run().await.unwrap_err();
    assert_eq!((gone.step, gone.cause), (Step::LISTING_TAGS, ProviderError::NotFound));
}

#[tokio::test]
async fn a_wrong_key_and_a_closed_compartment_of_oracle_are_told_apart() {
    let peer = Receiver::start(oracle_registry::answer);
    let error = by_key(&peer, &new_key()).run().await.unwrap_err();
    assert!(error.to_string().contains("Oracle Cloud refused the key, the user or the tenancy."), "{error}");
    let error = by_key(&peer, key()).with("compartment", CLOSED).run().await.unwrap_err();
    assert_eq!(error.step, Step::SIGNING_IN);
    let said = error.to_string();
    assert!(said.contains("does not exist, or that the user may not see it; it does not say which"), "{said}");
    assert!(said.contains("Allow group strongroom to read repos in tenancy") && !said.contains(UPSTREAM), "{said}");
    let settings = [("compartment", COMPARTMENT)].into_iter().collect();
    let policies = (Spec::find("oracle").unwrap().grants)(&settings, "x").policies;
    assert_eq!(policies[0].1, format!("Allow group strongroom to read repos in compartment id {COMPARTMENT}"));
}

#[tokio::test]
async fn without_the_registry_itself_oracles_api_tells_all_but_the_platforms() {
    let peer = Receiver::start(|call| match call.path() {
        "/20180419/docker/token" => Said::json(404, &serde_json::json!({"code": "NotAuthorizedOrNotFound"})),
        _ => oracle_registry::answer(call),
    });
    let found = by_key(&peer, key()).whole().await.unwrap();
    assert_eq!(found.images.len(), 4);
    assert!(found.images.iter().all(|image| image.platforms.is_empty() && image.size_bytes == 5000));
    assert_eq!(found.gaps.len(), 1, "said once: {:?}", found.gaps);
}

#[tokio::test]
async fn a_busy_oracle_is_waited_for_and_test_connection_says_what_the_key_sees() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let peer = Receiver::start(move |call| {
        let busy = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        let refused = serde_json::json!({"code": "TooManyRequests", "message": UPSTREAM});
        if busy { Said::json(429, &refused).with("Retry-After", "0") } else { oracle_registry::answer(call) }
    });
    let said = by_key(&peer, key()).check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
}
