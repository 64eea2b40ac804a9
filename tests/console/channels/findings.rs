//! Findings in the clouds' own consoles: AWS Security Hub, against moto too, and IBM Cloud.

use strongroom::integrations::alerts::Retry;

use super::*;
use crate::support::peers::moto::{self, Moto};
use crate::support::peers::receiver::Said;

#[tokio::test]
async fn security_hub_keeps_a_finding_for_each_alert_and_archives_it() {
    let moto = Moto::start().await;
    let pair = moto.user("alerter").await;
    let role = moto.role("hub", &format!("arn:aws:iam::{}:user/alerter", moto::ACCOUNT)).await;
    moto.allow("alerter", "sts:AssumeRole", &role).await;
    let mut stand =
        stand("security_hub").with_secret("access_key_id", &pair.0).with_secret("secret_access_key", &pair.1);
    let endpoints = [("AWS_ENDPOINT_URL", moto.url()), ("AWS_EC2_METADATA_DISABLED", "true".to_owned())];
    stand.aws = Sessions::new(loopback(), aws::Endpoints::new(endpoints));
    let raised = one("prod-ci");

    let denied = stand.send(&raised).await.unwrap_err();
    assert!(denied.to_string().contains("securityhub:BatchImportFindings"), "{denied:?}");
    moto.allow_role("hub", "securityhub:BatchImportFindings").await;
    let stand = stand.with_setting("sts", "on").with_setting("role", &role);
    let receipt = stand.send(&raised).await.unwrap();
    stand.attempt(&raised, true).await.unwrap();
    let found = moto.findings("eu-central-1").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["RecordState"], &found[0]["AwsAccountId"]), (&json!("ACTIVE"), &json!(moto::ACCOUNT)));
    assert_eq!(found[0]["Id"], format!("strongroom/{}", raised.lines[0].alert));
    let mut closed = later(&raised, Event::Closed, &receipt);
    closed.at += chrono::Duration::days(1);
    stand.send(&closed).await.unwrap();
    let found = moto.findings("eu-central-1").await;
    assert_eq!((found.len(), &found[0]["RecordState"]), (1, &json!("ARCHIVED")));

    let wrong = stand.with_setting("sts", "").with_secret("secret_access_key", &"x".repeat(40)).send(&raised).await;
    assert!(wrong.unwrap_err().to_string().contains("secret does not belong"));
}

#[tokio::test]
async fn a_finding_that_is_refused_in_a_200_is_no_delivery() {
    let stand = stand("security_hub");
    let mut bad = one("a");
    bad.lines[0].url = format!("{CONSOLE}{}", "x".repeat(600)).parse().unwrap();
    bad.lines[0].subject_url = bad.lines[0].url.clone();
    let error = stand.send(&bad).await.unwrap_err();
    assert_eq!(error.retry, Retry::ChannelRejected);
    assert!(error.to_string().contains("not 1 of its 1 findings"), "{error:?}");
}

#[tokio::test]
async fn a_finding_of_ibm_cloud_is_made_with_its_note_replaced_and_taken_away() {
    let (peer, provider) = ibm_findings::start(ACCOUNT);
    let stand = at_ibm(peer);
    let raised = one("prod-ci");
    let receipt = stand.send(&raised).await.unwrap();
    stand.attempt(&raised, true).await.unwrap();
    let id = format!("strongroom-{}", raised.lines[0].alert);
    {
        let provider = provider.lock().unwrap();
        assert_eq!((provider.notes.as_slice(), provider.occurrences.len()), (&["strongroom-stale".to_owned()][..], 1));
        let finding = &provider.occurrences[&id];
        assert_eq!(
            (&finding["finding"]["severity"], &finding["context"]["resource_name"]),
            (&json!("MEDIUM"), &json!("prod-ci"))
        );
    }
    let mut second = one("other");
    second.lines[0].trigger = Trigger::FailedScan;
    stand.send(&second).await.unwrap();
    assert_eq!(provider.lock().unwrap().notes.len(), 2);
    stand.send(&later(&raised, Event::Closed, &receipt)).await.unwrap();
    stand.attempt(&later(&raised, Event::Closed, &receipt), true).await.unwrap();
    assert!(!provider.lock().unwrap().occurrences.contains_key(&id));
}

#[tokio::test]
async fn an_account_without_findings_is_told_where_to_look() {
    let stand = stand("ibm_findings");
    let url = stand.settings.get("url").replace("/findings", "/elsewhere");
    let error = stand.with_setting("url", &url).send(&one("a")).await.unwrap_err();
    assert_eq!(error.retry, Retry::ChannelRejected);
    assert!(error.to_string().contains("Check the findings URL"), "{error:?}");
    let stand = super::stand("ibm_findings");
    stand.peer.say(Said::json(403, &json!({"message": UPSTREAM})));
    let error = stand.send(&one("a")).await.unwrap_err();
    assert!(error.to_string().contains("role Writer"), "{error:?}");
}
