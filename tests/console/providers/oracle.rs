//! Oracle Cloud: a user's API signing key.

use super::*;
use crate::support::peers::clouds;

fn peer(key: &str, allowed: bool) -> Receiver {
    clouds::oracle(format!("{TENANCY}/{USER}/{}", fingerprint(rsa_pem())), public(key), allowed)
}

async fn by_key(peer: &Receiver) -> Finding {
    let fingerprint = fingerprint(rsa_pem());
    let posted = [
        ("user_ocid", USER),
        ("tenancy_ocid", TENANCY),
        ("fingerprint", fingerprint.as_str()),
        ("private_key", rsa_pem()),
    ];
    test("oci", &posted, &moved(Service::OciIdentity, peer)).await
}

#[tokio::test]
async fn a_signed_request_is_verified_and_says_whose_key_it_is() {
    let finding = by_key(&peer(rsa_pem(), true)).await;
    assert_eq!((finding.verdict, fact(&finding, "User")), (Verdict::Ok, "strongroom@example.com"), "{finding:?}");
}

#[tokio::test]
async fn a_key_that_oracle_does_not_know_is_told_from_a_user_that_may_not_read_itself() {
    let unknown = by_key(&peer(&new_rsa_pem(), true)).await;
    assert_eq!(unknown.verdict, Verdict::BadKey, "{unknown:?}");
    let denied = by_key(&peer(rsa_pem(), false)).await;
    assert_eq!(denied.verdict, Verdict::Denied);
    assert!(denied.snippets[0].1.starts_with("Allow group"));
}

#[tokio::test]
async fn a_wrong_clock_is_the_first_thing_said() {
    let peer = peer(rsa_pem(), true);
    peer.set_clock_ahead(3600);
    let finding = by_key(&peer).await;
    assert!(finding.sentence.starts_with("The clock of the machine"), "{finding:?}");
}
