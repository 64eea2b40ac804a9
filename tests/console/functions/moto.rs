//! The same against moto, which nobody wrote for this: open, since it refuses right signatures for Lambda.

use super::{Scan, names};
use crate::support::peers::moto::Moto;

#[tokio::test]
async fn the_functions_of_moto_are_listed_without_their_environment() {
    let moto = Moto::start().await;
    moto.function("pay", "environment-canary").await;
    moto.function("mail", "environment-canary").await;
    let scan = Scan::of(&moto.url()).in_regions("us-east-1, eu-west-1");
    let found = scan.run().await.unwrap();
    assert_eq!((names(&found), found.gaps.len()), (vec!["us-east-1/mail".to_owned(), "us-east-1/pay".to_owned()], 0));
    let facts: serde_json::Value = serde_json::from_str(&found.items[1].facts).unwrap();
    assert_eq!(facts["runtime"], "python3.12");
    assert!(facts["modified"].as_str().is_some_and(|at| at.ends_with('Z')), "{facts}");
    assert!(found.items.iter().all(|item| !item.facts.contains("environment-canary") && !item.fingerprint.is_empty()));
    let said = scan.check().await.unwrap();
    assert!(said.contains("lists 2 functions on the first page in us-east-1"), "{said}");
}
