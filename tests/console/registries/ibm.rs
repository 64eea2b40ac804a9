//! IBM Cloud Container Registry, by an API key.

use strongroom::credentials::ibm_cloud;
use strongroom::integrations::progress::Step;
use strongroom::providers::ProviderError;
use strongroom::providers::endpoints::{Endpoints, Service};

use super::Scan;
use crate::support::peers::ibm_registry::{self, ACCOUNT, API_KEY, digest};
use crate::support::peers::receiver::{Receiver, Said};

pub fn by_key(peer: &Receiver, account: &str, key: &str) -> Scan {
    let at = || peer.url().parse().unwrap();
    let moved = Endpoints::default().with(Service::IbmIam, at()).with(Service::IbmRegistry, at());
    let scan = Scan::of("us.icr.io").version("ibm").endpoints(moved);
    scan.credential(&ibm_cloud::KIND, &[("account_guid", account), ("api_key", key)])
}

#[tokio::test]
async fn an_api_key_of_ibm_scans_all_namespaces_with_indexes() {
    let peer = Receiver::start(ibm_registry::answer);
    let images = by_key(&peer, ACCOUNT, API_KEY).run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["birds/finch:1.0", "birds/finch:9.9", "fish/cod:1", "fish/cod:multi"]);
    assert_eq!(images[0].digest, digest("birds/finch", "1.0"));
    assert_eq!((images[0].platforms[0].as_str(), images[3].platforms[0].as_str()), ("linux/amd64", "linux/s390x"));
    assert_eq!(images[0].pushed_at.unwrap().timestamp(), 1_793_527_200);
    assert_eq!(images[2].pushed_at, None, "a build without a date");
    let lists = peer.calls().iter().filter(|call| call.path() == "/api/v1/images").count();
    assert_eq!(lists, 1, "one list has it all");
}

#[tokio::test]
async fn patterns_with_a_namespace_in_front_list_that_of_ibm_alone() {
    let peer = Receiver::start(ibm_registry::answer);
    let scan = by_key(&peer, ACCOUNT, API_KEY).with("repository", "birds/*").with("cap", "1");
    assert_eq!(scan.images().await, ["birds/finch:1.0"], "9.9 is the older one");
    let exact = by_key(&peer, ACCOUNT, API_KEY).with("repository", "birds/finch");
    assert_eq!(exact.images().await.len(), 2);
    let asked = peer.calls().into_iter().filter(|call| call.path() == "/api/v1/images");
    assert!(asked.map(|call| call.query("namespace")).all(|namespace| namespace.as_deref() == Some("birds")));
}

#[tokio::test]
async fn an_account_of_ibm_too_large_for_one_answer_is_read_by_namespaces() {
    let peer = Receiver::start(|call| match (call.path(), call.query("namespace")) {
        ("/api/v1/images", None) => Said::Endless,
        _ => ibm_registry::answer(call),
    });
    assert_eq!(by_key(&peer, ACCOUNT, API_KEY).images().await.len(), 4);
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_account_of_ibm_are_told_apart() {
    let peer = Receiver::start(ibm_registry::answer);
    let error = by_key(&peer, ACCOUNT, "wrong").run().await.unwrap_err();
    assert_eq!(error.step, Step::SIGNING_IN);
    assert!(error.to_string().contains("IBM Cloud does not know this API key."), "{error}");
    let error = by_key(&peer, "00000000000000000000000000000001", API_KEY).run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::LISTING_REPOSITORIES, &ProviderError::Forbidden));
}

#[tokio::test]
async fn test_connection_of_ibm_says_what_the_key_sees() {
    let peer = Receiver::start(ibm_registry::answer);
    let said = by_key(&peer, ACCOUNT, API_KEY).check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 2 repositories on its first page.");
}
