//! Sonatype Nexus, by an account.

use strongroom::integrations::progress::Step;
use strongroom::providers::{ProviderError, Sent};

use super::Scan;
use crate::support::peers::nexus::{self, USER, shelf};
use crate::support::peers::receiver::{Receiver, Said};

pub fn by_user(peer: &Receiver, password: &str) -> Scan {
    Scan::of(peer.url()).version("nexus").password(USER.0, password)
}

#[tokio::test]
async fn an_account_of_nexus_scans_what_its_repositories_hold_newest_first() {
    let peer = Receiver::start(nexus::answer);
    let images = by_user(&peer, USER.1).with("cap", "1").run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["docker-hosted/team/app:1.0"], "9.9 is the older one");
    assert_eq!(Some(&images[0].digest), shelf().digest("team/app", "1.0").as_ref());
    assert_eq!(images[0].platforms, ["linux/arm64"]);
    assert_eq!(images[0].pushed_at.unwrap().date_naive().to_string(), "2026-11-01");
    let exact = by_user(&peer, USER.1).with("repository", "docker-hosted/team/app");
    assert_eq!(exact.images().await.len(), 2);
}

#[tokio::test]
async fn a_tag_of_nexus_whose_manifest_cannot_be_read_stays_with_a_gap() {
    let peer =
        Receiver::start(
            |call| {
                if call.path().starts_with("/repository/") { Said::html(403) } else { nexus::answer(call) }
            },
        );
    let found = by_user(&peer, USER.1).whole().await.unwrap();
    assert_eq!(found.images.len(), 2);
    assert!(found.images.iter().all(|image| !image.digest.is_empty() && image.pushed_at.is_some()));
    assert!(found.gaps.iter().all(|gap| gap.cause == ProviderError::Forbidden) && found.gaps.len() == 2);
}

#[tokio::test]
async fn a_wrong_password_of_nexus_ends_the_scan_at_the_door() {
    let peer = Receiver::start(nexus::answer);
    let error = by_user(&peer, "WRONG").run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::SIGNING_IN, &ProviderError::Unauthorized { sent: Sent::Password }));
    let other = Receiver::start(|_| Said::html(404));
    let error = by_user(&other, USER.1).run().await.unwrap_err();
    assert_eq!(error.cause, ProviderError::NoInterface { of: "Sonatype Nexus" });
}

#[tokio::test]
async fn test_connection_of_nexus_says_what_the_account_sees() {
    let peer = Receiver::start(nexus::answer);
    let said = by_user(&peer, USER.1).check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
}
