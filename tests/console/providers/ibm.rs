//! IBM Cloud: an API key and its account.

use super::*;
use crate::support::peers::clouds;

async fn by_key(account: &str, key: &str, peer: &Receiver) -> Finding {
    test("ibm_cloud", &[("account_guid", account), ("api_key", key)], &moved(Service::IbmIam, peer)).await
}

#[tokio::test]
async fn an_api_key_gives_a_token_and_says_whose_it_is() {
    let finding = by_key(ACCOUNT, API_KEY, &clouds::ibm(API_KEY, ACCOUNT)).await;
    assert_eq!((finding.verdict, finding.remedy.as_str()), (Verdict::Ok, ""), "{finding:?}");
    assert_eq!((fact(&finding, "Account"), fact(&finding, "Name")), (ACCOUNT, "strongroom"));
}

#[tokio::test]
async fn a_key_of_another_account_works_and_is_warned_of() {
    let finding = by_key("00000000000000000000000000000001", API_KEY, &clouds::ibm(API_KEY, ACCOUNT)).await;
    assert_eq!(finding.verdict, Verdict::Ok);
    assert!(finding.sentence.contains("another account") && !finding.remedy.is_empty(), "{finding:?}");
}

#[tokio::test]
async fn an_unknown_api_key_is_a_bad_key() {
    let finding = by_key(ACCOUNT, "not-that-one", &clouds::ibm(API_KEY, ACCOUNT)).await;
    assert_eq!(finding.verdict, Verdict::BadKey);
    assert_eq!(finding.sentence, "IBM Cloud does not know this API key.");
}
