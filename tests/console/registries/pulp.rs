//! Pulp: a second real registry behind the generic version, with a token server of its own.

use strongroom::integrations::progress::Step;
use strongroom::providers::{ProviderError, Sent};

use super::Scan;
use crate::support::pulp::{PASSWORD, Pulp, USER};

#[tokio::test]
async fn pulp_is_scanned_by_the_generic_version_through_its_token_server() {
    let Some(peer) = Pulp::start().await else {
        eprintln!("left out: Pulp is not installed");
        return;
    };
    let digest = peer.push_image("team/app", &["1.0", "1.1"]).await;
    peer.push_image("web", &["latest"]).await;
    let scan = Scan::of(peer.url()).password(USER, PASSWORD);
    let images = scan.run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["team/app:1.0", "team/app:1.1", "web:latest"]);
    assert_eq!(images[0].digest, digest);
    assert!(images[0].size_bytes > 1000);
    let said = scan.check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 2 repositories on its first page.");
    let error = Scan::of(peer.url()).password(USER, "WRONG-SECRET").run().await.unwrap_err();
    assert_eq!((error.step, error.cause), (Step::SIGNING_IN, ProviderError::Unauthorized { sent: Sent::Password }));
}
