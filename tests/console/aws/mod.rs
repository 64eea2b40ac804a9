//! AWS: sessions, the Test of a credential and the roles of the environment, against moto's server and against small
//! peers that answer as AWS documents it, or as nobody should.

use std::time::Duration;

use strongroom::form::Values;
use strongroom::providers::aws::Endpoints;
use strongroom::providers::aws::probe::probe;
use strongroom::providers::egress::Egress;
use strongroom::providers::probe::{Finding, Verdict};

use crate::support::peers::moto::{ACCOUNT, Moto};

mod at_once;
mod bad_registries;
mod browser;
mod ecr;
mod environment;
mod hostile;
mod iam_keys;
mod platforms;
mod roles;
mod sessions;
mod story;

fn loopback() -> Egress {
    Egress::new(vec!["127.0.0.0/8".parse().unwrap()])
}

/// Gives up sooner than the product, so that a test of giving up is short.
fn hasty() -> Egress {
    loopback().within(Duration::from_millis(500), Duration::from_millis(800))
}

fn at(url: &str) -> Endpoints {
    Endpoints::new([("AWS_ENDPOINT_URL", url), ("AWS_EC2_METADATA_DISABLED", "true")])
}

fn key((id, secret): &(String, String)) -> Values {
    Values::from_iter([("method", "access_key"), ("access_key_id", id), ("secret_access_key", secret)])
}

fn with_role(pair: &(String, String), role: &str) -> Values {
    let mut values = key(pair);
    values.set("role_arn", role);
    values
}

async fn test(moto: &Moto, values: &Values) -> Finding {
    probe(values, &[], &loopback(), &at(&moto.url())).await
}

fn fact<'a>(finding: &'a Finding, label: &str) -> &'a str {
    finding.facts.iter().find(|(name, _)| *name == label).map_or("", |(_, value)| value)
}

fn arn(user: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{user}")
}

#[tokio::test]
async fn a_good_access_key_tells_its_account_and_a_bad_one_what_is_wrong_with_it() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let finding = test(&moto, &key(&pair)).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    assert_eq!((fact(&finding, "Account"), fact(&finding, "ARN")), (ACCOUNT, arn("scanner").as_str()));
    assert_eq!((finding.made_at, finding.used_at), (None, None), "it may not read its own dates");
    assert_eq!(finding.identity, Some(arn("scanner")));

    let wrong = test(&moto, &key(&(pair.0.clone(), "x".repeat(40)))).await;
    assert_eq!(wrong.verdict, Verdict::BadKey);
    assert!(wrong.sentence.contains("secret does not belong"), "{}", wrong.sentence);
    assert!(!wrong.remedy.is_empty());

    let unknown = test(&moto, &key(&("AKIAIOSFODNN7EXAMPLE".into(), pair.1.clone()))).await;
    assert_eq!(unknown.verdict, Verdict::BadKey);
    assert!(unknown.sentence.contains("does not know the access key"), "{}", unknown.sentence);

    moto.allow("scanner", "iam:*", "*").await;
    let dated = test(&moto, &key(&pair)).await;
    assert!(dated.made_at.is_some_and(|at| at.timestamp() > 1_600_000_000), "{dated:?}");
}

#[tokio::test]
async fn a_role_is_assumed_with_the_least_policy_and_a_refusal_shows_the_statements_that_lack() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let role = moto.role("registry-reader", &arn("somebody-else")).await;

    let neither = test(&moto, &with_role(&pair, &role)).await;
    assert!(matches!(neither.verdict, Verdict::Denied | Verdict::NotTrusted), "{neither:?}");
    let [own, trust] = neither.snippets.as_slice() else { panic!("{neither:?}") };
    assert!(own.1.contains(&role) && own.1.contains("sts:AssumeRole"));
    assert!(trust.1.contains(&arn("scanner")));

    moto.allow("scanner", "sts:AssumeRole", &role).await;
    let untrusted = test(&moto, &with_role(&pair, &role)).await;
    assert_ne!(untrusted.verdict, Verdict::Ok);
    moto.trust("registry-reader", &arn("scanner")).await;
    let good = test(&moto, &with_role(&pair, &role)).await;
    assert_eq!(good.verdict, Verdict::Ok, "{good:?}");
    assert!(fact(&good, "Role").contains(":assumed-role/registry-reader/strongroom-test"));
}
