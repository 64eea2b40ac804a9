//! The v2 side of an ECR registry: moto has none, so a real registry stands in, which takes the user `AWS` with the
//! password of moto's authorization token, and nobody else.

use std::sync::{Arc, OnceLock};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::at;
use super::ecr::Scan;
use super::key;
use crate::support::images::{Image, Scanned};
use crate::support::peers::moto::Moto;
use crate::support::peers::registry::{Auth, LAYER, Registry};
use crate::support::peers::scripted::{Reply, Scripted};

/// What moto's GetAuthorizationToken gives, whatever the time.
const PASSWORD: &str = "123456789012-auth-token";

/// The same images in ECR's own API and in its registry.
async fn scanned(password: &'static str) -> (Scanned, Registry) {
    let (moto, registry) = (Moto::start().await, Registry::start(Auth::Htpasswd { user: "AWS", password }).await);
    registry.push_image("team/app", &["1.0"]).await;
    registry.push_index("team/app", "2.0", &[("amd64", ""), ("arm64", "v8")]).await;
    moto.repository("team/app").await;
    for tag in ["1.0", "2.0", "3.0"] {
        moto.image("team/app", tag).await;
    }
    let pair = moto.user("scanner").await;
    moto.allow("scanner", "ecr:*", "*").await;
    let endpoints = at(&moto.url()).with("AWS_ENDPOINT_URL_ECR_REGISTRY", &registry.url());
    (Scan::new(key(&pair), endpoints).whole().await.expect("a scan"), registry)
}

fn platforms(images: &[Image]) -> Vec<(&str, String)> {
    images.iter().map(|image| (image.tag.as_str(), image.platforms.join(" "))).collect()
}

#[tokio::test]
async fn platforms_come_from_the_registry_and_everything_else_from_ecrs_own_api() {
    let (Scanned { images, gaps }, registry) = scanned(PASSWORD).await;
    // Known to the one and not to the other.
    assert_eq!(gaps.iter().map(|gap| gap.at.as_str()).collect::<Vec<_>>(), ["team/app:3.0"]);
    let expected = [("1.0", "linux/amd64"), ("2.0", "linux/amd64 linux/arm64/v8"), ("3.0", "")];
    assert_eq!(platforms(&images), expected.map(|(tag, platforms)| (tag, platforms.to_owned())));
    assert!(images.iter().all(|image| image.pushed_at.is_some() && image.size_bytes > 0), "{images:?}");
    assert!(!registry.authorizations().is_empty(), "the token was shown");
    let layers = registry.seen().into_iter().filter(|seen| seen.line.contains("/blobs/")).count();
    assert!(layers <= 3, "configurations are read and layers of {LAYER} bytes are not: {layers}");
}

#[tokio::test]
async fn a_registry_that_does_not_take_the_token_costs_the_platforms_and_not_the_scan() {
    let (Scanned { images, gaps }, registry) = scanned("another password").await;
    let [gap] = &gaps[..] else { panic!("{gaps:?}") };
    assert!(gap.at == "all platforms" && gap.reason().contains("refused the user name or password"), "{gap}");
    assert_eq!(images.len(), 3);
    assert!(images.iter().all(|image| image.platforms.is_empty() && image.digest.starts_with("sha256:")));
    assert!(registry.seen().len() <= 3, "it is not asked again for each image: {}", registry.seen().len());
}

fn sha256(text: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(text)))
}

/// ECR as it is: one image, whose blobs it redirects to a bucket; their addresses are also given for the asking.
async fn redirecting(bucket: &Scripted, given: &'static str) -> Scripted {
    let config = json!({"os": "linux", "architecture": "arm64", "variant": "v8"}).to_string();
    let digest = sha256(&config);
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [],
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": config.len()}});
    let (bucket, own) = (bucket.url(), Arc::new(OnceLock::<String>::new()));
    let known = Arc::clone(&own);
    let peer = Scripted::scripted(move |path, body| match path {
        "/" if body.contains("layerDigest") => {
            let address = if given == "own" { known.get().unwrap().clone() } else { given.to_owned() };
            Reply::json(json!({"downloadUrl": format!("{address}/layer?X-Amz-Signature=1"), "layerDigest": digest}))
        }
        "/" if body.contains("repositoryName") => Reply::json(json!({"imageDetails": [
            {"imageDigest": sha256(&manifest.to_string()), "imageTags": ["1.0"], "imageSizeInBytes": 7}]})),
        "/" if body.contains("maxResults") => Reply::json(json!({"repositories": [{"repositoryName": "team/app"}]})),
        // base64 of AWS:password
        "/" => Reply::json(json!({"authorizationData": [{"authorizationToken": "QVdTOnBhc3N3b3Jk"}]})),
        path if path.contains("/manifests/") => Reply::json(&manifest),
        path if path.contains("/blobs/") => Reply::status(307).with("Location", format!("{bucket}/layer")),
        path if path.starts_with("/layer?") => Reply::status(200).body(config.clone()),
        _ => Reply::status(200),
    })
    .await;
    own.set(peer.url()).unwrap();
    peer
}

#[tokio::test]
async fn a_configuration_that_ecr_keeps_elsewhere_is_read_from_where_its_own_api_says_and_from_nowhere_else() {
    for (given, expected) in [("own", "linux/arm64/v8"), ("http://127.0.0.1:1", ""), ("https://evil.example.com", "")] {
        let bucket = Scripted::start(|_| Reply::status(200)).await;
        let peer = redirecting(&bucket, given).await;
        let endpoints = at(&peer.url()).with("AWS_ENDPOINT_URL_ECR_REGISTRY", &peer.url());
        let pair = ("AKIAIOSFODNN7EXAMPLE".to_owned(), "x".repeat(40));
        let images = Scan::new(key(&pair), endpoints).run().await.expect("a scan");
        assert_eq!(platforms(&images), [("1.0", expected.to_owned())], "{given}");
        assert!(bucket.seen().is_empty(), "no redirect is followed");
        let layer = peer.seen().into_iter().find(|seen| seen.line.contains("/layer?"));
        assert_eq!(layer.is_some(), given == "own");
        assert!(layer.is_none_or(|seen| seen.authorization.is_none()), "the password stays with the registry");
    }
}
