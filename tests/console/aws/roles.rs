//! The roles that integrations name, tried when the credential that they use is tested.

use strongroom::credentials::aws::RoleArn;
use strongroom::providers::aws::roles::{MOST, Wanted};
use strongroom::providers::aws::{Assume, Region};

use super::*;
use crate::support::peers::scripted::{Reply, Scripted};

fn wanted(used_by: &str, role: &str) -> Wanted {
    let assume = Assume::new(&RoleArn::parse(role).unwrap(), "", used_by);
    Wanted { used_by: used_by.to_owned(), region: Region::parse("eu-central-1").unwrap(), assume }
}

async fn tried(moto: &Moto, pair: &(String, String), roles: &[Wanted]) -> Finding {
    probe(&key(pair), roles, &loopback(), &at(&moto.url())).await
}

fn assumed(moto: &Moto) -> usize {
    moto.actions().iter().filter(|action| *action == "AssumeRole").count()
}

#[tokio::test]
async fn each_role_has_its_line_and_the_statements_that_lack_are_there_to_copy() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let good = moto.role("registry-reader", &arn("scanner")).await;
    let bad = moto.role("lambda-reader", &arn("somebody-else")).await;
    moto.allow("scanner", "sts:AssumeRole", &good).await;

    let all = [wanted("Prod", &good), wanted("Staging", &good), wanted("Functions", &bad)];
    let finding = tried(&moto, &pair, &all).await;
    assert_eq!(finding.verdict, Verdict::Denied, "{finding:?}");
    assert!(finding.sentence.contains("1 of the 2 roles"), "{}", finding.sentence);
    let [first, second] = finding.roles.as_slice() else { panic!("{finding:?}") };
    assert_eq!((first.used_by.join("+"), first.verdict), ("Prod+Staging".to_owned(), Verdict::Ok));
    assert_eq!((second.role.as_str(), second.verdict), (bad.as_str(), Verdict::Denied));
    assert_eq!(assumed(&moto), 2, "a role that two integrations share is asked for once");
    let [own, trust] = finding.snippets.as_slice() else { panic!("{finding:?}") };
    assert!(own.0.contains(&arn("scanner")) && own.1.contains(&bad) && !own.1.contains(&good), "{own:?}");
    assert!(trust.0.contains(&bad) && trust.1.contains(&arn("scanner")), "{trust:?}");

    moto.allow("scanner", "sts:AssumeRole", "*").await;
    moto.trust("lambda-reader", &arn("scanner")).await;
    let finding = tried(&moto, &pair, &all).await;
    assert_eq!((finding.verdict, finding.snippets.len()), (Verdict::Ok, 0), "{finding:?}");
    assert!(finding.sentence.ends_with("All 2 roles that its integrations name may be assumed."), "{finding:?}");
}

#[tokio::test]
async fn what_aws_tells_of_a_refusal_decides_which_policy_is_shown() {
    let identity = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn>\
                    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let role = "arn:aws:iam::123456789012:role/reader";
    for (said, verdict, whose) in [
        ("because no identity-based policy allows the sts:AssumeRole action", Verdict::Denied, "Policy of "),
        ("because no resource-based policy allows the sts:AssumeRole action", Verdict::NotTrusted, "Trust policy of "),
    ] {
        let refusal = format!(
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: u is not authorized to perform: \
             sts:AssumeRole {said}</Message></Error></ErrorResponse>"
        );
        let peer = Scripted::answering(move |body| match body {
            body if body.contains("Action=GetCallerIdentity") => Reply::status(200).body(identity),
            _ => Reply::status(403).body(refusal.clone()),
        })
        .await;
        let pair = ("AKIAIOSFODNN7EXAMPLE".to_owned(), "x".repeat(40));
        let finding = probe(&key(&pair), &[wanted("Prod", role)], &loopback(), &at(&peer.url())).await;
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        let [only] = finding.snippets.as_slice() else { panic!("{finding:?}") };
        assert!(only.0.starts_with(whose) && only.1.contains("sts:AssumeRole"), "{only:?}");
        assert!(!finding.remedy.is_empty());
    }
}

#[tokio::test]
async fn of_many_roles_the_first_twenty_are_tried_and_that_is_said() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let roles: Vec<Wanted> =
        (0..=MOST).map(|number| wanted("Prod", &format!("arn:aws:iam::{ACCOUNT}:role/reader-{number}"))).collect();
    let finding = tried(&moto, &pair, &roles).await;
    assert_eq!((finding.roles.len(), assumed(&moto)), (MOST, MOST));
    assert!(finding.sentence.ends_with("Only the first 20 of 21 roles were tried."), "{}", finding.sentence);
}

#[tokio::test]
async fn a_bad_key_is_said_before_any_role_is_tried() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let wrong = (pair.0, "x".repeat(40));
    let finding = tried(&moto, &wrong, &[wanted("Prod", &format!("arn:aws:iam::{ACCOUNT}:role/reader"))]).await;
    assert_eq!((finding.verdict, finding.roles.len(), assumed(&moto)), (Verdict::BadKey, 0, 0), "{finding:?}");
}
