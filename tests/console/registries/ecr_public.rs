//! Amazon ECR Public, by an access key and by a role.

use strongroom::credentials::aws::KIND;
use strongroom::integrations::Spec;
use strongroom::integrations::progress::Step;
use strongroom::providers::ProviderError;
use strongroom::providers::aws::{self, Refusal};
use strongroom::providers::endpoints::Endpoints;

use super::Scan;
use crate::support::peers::ecr_public::{self, ALIAS, KEY, LISTER, ROLE, SECRET, digest};
use crate::support::peers::receiver::{Receiver, Said};

pub fn by_key(peer: &Receiver, key: &str, secret: &str) -> Scan {
    let at = aws::Endpoints::new([
        ("AWS_ENDPOINT_URL", peer.url()),
        ("AWS_ENDPOINT_URL_ECR_PUBLIC_REGISTRY", peer.url()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]);
    let scan = Scan::of("").version("ecr_public").endpoints(Endpoints::default().with_aws(at));
    scan.credential(&KIND, &[("method", "access_key"), ("access_key_id", key), ("secret_access_key", secret)])
}

#[tokio::test]
async fn an_access_key_scans_the_accounts_public_repositories_newest_first() {
    let peer = Receiver::start(ecr_public::answer);
    let images = by_key(&peer, KEY, SECRET).with("cap", "2").run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["lab:1.0", "team/app:1.0", "team/app:latest"], "9.9 is the older one");
    assert_eq!((images[1].digest.as_str(), images[1].size_bytes), (digest("team/app", "1.0").as_str(), 5000));
    assert_eq!(images[1].pushed_at.unwrap().timestamp_millis(), 1_793_527_200_500);
    assert_eq!(images[1].platforms, ["linux/amd64"], "its configuration is on another host");
    assert_eq!(images[1].pulled_from, Some(format!("public.ecr.aws/{ALIAS}/team/app")));
    let exact = by_key(&peer, KEY, SECRET).with("repository", "team/app").with("version_pattern", "%d.%d");
    assert_eq!(exact.with("cap", "1").images().await, ["team/app:9.9"]);
}

#[tokio::test]
async fn a_role_reads_the_public_registry_of_its_account() {
    let peer = Receiver::start(ecr_public::answer);
    let scan = by_key(&peer, KEY, SECRET).with("sts", "on").with("role", ROLE);
    assert_eq!(scan.images().await.len(), 4);
    let error = by_key(&peer, KEY, "x".repeat(40).as_str()).run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::SIGNING_IN, &ProviderError::Aws(Refusal::WrongSecret)));
}

#[tokio::test]
async fn without_the_right_to_a_token_the_platforms_alone_are_missing() {
    let peer = Receiver::start(ecr_public::answer);
    let found = by_key(&peer, LISTER.0, LISTER.1).whole().await.unwrap();
    assert_eq!(found.images.len(), 4);
    assert!(found.images.iter().all(|image| image.platforms.is_empty() && image.pushed_at.is_some()));
    let [gap] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
    assert!(gap.to_string().contains("ecr-public:GetAuthorizationToken"), "{gap}");
    let policies = (Spec::find("ecr_public").unwrap().grants)(&Default::default(), "x").policies;
    assert!(policies[0].1.contains("sts:GetServiceBearerToken"), "{policies:?}");
}

#[tokio::test]
async fn the_public_registry_is_asked_again_while_it_is_busy_and_its_tokens_go_in_no_circle() {
    let busy = std::sync::atomic::AtomicU32::new(0);
    let peer = Receiver::start(move |call| {
        let first = call.path() == "/" && busy.fetch_add(1, std::sync::atomic::Ordering::SeqCst).is_multiple_of(2);
        let throttled = serde_json::json!({"__type": "ThrottlingException", "message": "Rate exceeded"});
        if first { Said::json(400, &throttled).with("Retry-After", "0") } else { ecr_public::answer(call) }
    });
    assert_eq!(by_key(&peer, KEY, SECRET).with("repository", "lab").images().await, ["lab:1.0"]);
    let peer = Receiver::start(|call| match (ecr_public::answer(call), call.json()["maxResults"].is_u64()) {
        (Said::Answer { status: 200, headers, body }, true) => {
            let mut body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            body["nextToken"] = "t+/=0".into();
            Said::Answer { status: 200, headers, body: body.to_string().into_bytes() }
        }
        (said, _) => said,
    });
    let found = by_key(&peer, KEY, SECRET).whole().await.unwrap();
    assert!(found.gaps.iter().any(|gap| gap.cause == ProviderError::BadAnswer), "{:?}", found.gaps);
}

#[tokio::test]
async fn test_connection_of_the_public_registry_says_what_the_key_sees() {
    let peer = Receiver::start(ecr_public::answer);
    let said = by_key(&peer, KEY, SECRET).check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
}
