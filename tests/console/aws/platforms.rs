//! The v2 side of an ECR registry: moto has none, so a real registry stands in, which takes the user `AWS` with the password
//! of moto's authorization token, and nobody else.

use strongroom::integrations::registries::Image;

use super::at;
use super::ecr::Scan;
use super::key;
use crate::support::peers::moto::Moto;
use crate::support::peers::registry::{Auth, LAYER, Registry};

/// What moto's GetAuthorizationToken gives, whatever the time.
const PASSWORD: &str = "123456789012-auth-token";

/// The same images in ECR's own API and in its registry.
async fn scanned(password: &'static str) -> (Vec<Image>, Registry) {
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
    (Scan::new(key(&pair), endpoints).run().await.expect("a scan"), registry)
}

fn platforms(images: &[Image]) -> Vec<(&str, String)> {
    images.iter().map(|image| (image.tag.as_str(), image.platforms.join(" "))).collect()
}

#[tokio::test]
async fn platforms_come_from_the_registry_and_everything_else_from_ecrs_own_api() {
    let (images, registry) = scanned(PASSWORD).await;
    let expected = [("1.0", "linux/amd64"), ("2.0", "linux/amd64 linux/arm64/v8"), ("3.0", "")];
    assert_eq!(platforms(&images), expected.map(|(tag, platforms)| (tag, platforms.to_owned())));
    assert!(images.iter().all(|image| image.pushed_at.is_some() && image.size_bytes > 0), "{images:?}");
    assert!(!registry.authorizations().is_empty(), "the token was shown");
    let layers = registry.seen().into_iter().filter(|seen| seen.line.contains("/blobs/")).count();
    assert!(layers <= 3, "configurations are read and layers of {LAYER} bytes are not: {layers}");
}

#[tokio::test]
async fn a_registry_that_does_not_take_the_token_costs_the_platforms_and_not_the_scan() {
    let (images, registry) = scanned("another password").await;
    assert_eq!(images.len(), 3);
    assert!(images.iter().all(|image| image.platforms.is_empty() && image.digest.starts_with("sha256:")));
    assert!(registry.seen().len() <= 3, "it is not asked again for each image: {}", registry.seen().len());
}
