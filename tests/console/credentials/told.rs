//! What a provider tells of a key: the second age, whose it is, and the policies with real names that follow from it.

use chrono::Duration;
use strongroom::models::CredentialId;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::transaction;
use strongroom::providers::probe::Finding;
use strongroom::{alerting, checkup};

use super::{add_of, row, version};
use crate::support::app::{TestApp, Visit};

const CALLER: &str = "arn:aws:iam::210987654321:user/scanner";
const KEY: [(&str, &str); 5] = [
    ("kind", "aws"),
    ("name", "ci deploy"),
    ("method", "access_key"),
    ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
    ("secret_access_key", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00"),
];

/// As AWS tells of a key that was made so many days ago and used yesterday.
fn finding(app: &TestApp, id: CredentialId, days: i64) -> Finding {
    let now = row(app, id).created_at;
    let mut found = Finding::ok("AWS knows the access key.");
    found.made_at = Some(now - Duration::days(days));
    found.used_at = Some(now - Duration::days(1));
    found.identity = Some(CALLER.to_owned());
    found
}

async fn told(app: &TestApp, visit: &mut Visit, days: i64) -> CredentialId {
    let id = add_of(visit, &KEY).await;
    let found = finding(app, id, days);
    checkup::record(&app.services, Actor::system(), id, 1, &found).await.expect("recorded");
    id
}

#[actix_web::test]
async fn a_key_is_as_old_as_its_provider_says_in_every_place() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = told(&app, &mut visit, 140).await;
    let page = visit.get(&format!("/credentials/{id}")).await;
    let facts = page.texts(".facts > div").join("\n");
    assert!(facts.contains("created in AWS 140 days ago, last used in AWS 1 day ago"), "{facts}");
    assert!(page.text("[data-age]").contains("140 days") && page.text("h1").contains("Stale"), "{facts}");
    let table = visit.get("/credentials?state=stale").await;
    let age = table.text(&format!("tbody:has(a[href='/credentials/{id}']) .age"));
    let note = table.attributes(".age[title]", "title");
    assert!(age == "140 d" && note == ["stored today"], "{age} {note:?}");
    let dashboard = visit.get("/").await;
    assert_eq!(dashboard.text("[data-need=stale] .need__amount"), "140 days");
    assert_eq!(dashboard.text("[data-stored] li:nth-child(8) strong"), "1");
    while alerting::find_due(&app.services).await.expect("decided").is_none() {}
    let alerts = visit.get("/alerts?trigger=stale").await;
    assert!(alerts.text("#results").contains("140 days"), "{}", alerts.text("#results"));
}

#[actix_web::test]
async fn a_replaced_key_leaves_none_of_its_dates_behind() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = told(&app, &mut visit, 140).await;
    let version = version(&mut visit, id).await;
    let mut fields = KEY.to_vec();
    fields.retain(|(name, _)| *name != "kind");
    fields.push(("row_version", &version));
    fields.iter_mut().filter(|(name, _)| *name == "access_key_id").for_each(|field| field.1 = "AKIAI44QH8DHBEXAMPLE");
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &fields).await.status, 303);
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert!(!page.body.contains("created in AWS") && !page.text("h1").contains("Stale"));
    assert!(!visit.get("/credentials").await.has(".age[title]"));

    // A test of the old values that ends only now says nothing of the new ones.
    let late = finding(&app, id, 140);
    checkup::record(&app.services, Actor::system(), id, 1, &late).await.expect("recorded");
    assert!(!visit.get(&format!("/credentials/{id}")).await.body.contains("created in AWS"));
    // What one test is not told, an earlier one of the same values was.
    let current = row(&app, id).secret_version;
    checkup::record(&app.services, Actor::system(), id, current, &finding(&app, id, 3)).await.expect("recorded");
    checkup::record(&app.services, Actor::system(), id, current, &Finding::ok("Again.")).await.expect("recorded");
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert!(page.body.contains("created in AWS 3 days ago") && page.text("[data-age]").contains("3 days"));
}

#[actix_web::test]
async fn the_least_policies_are_those_that_the_integrations_need_with_the_real_names() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add_of(&mut visit, &KEY).await;
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert!(!page.has("[aria-labelledby=policies]"), "nothing is needed yet");
    let registry = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
    let settings = [
        format!("{{\"registry\":\"{registry}\",\"role\":\"reader\",\"external_id\":\"tenant-7\",\"sts\":\"on\"}}"),
        format!("{{\"registry\":\"{registry}\"}}"),
    ];
    for (name, settings) in ["through a role", "directly"].into_iter().zip(&settings) {
        let new = NewIntegration {
            family: "registry_scan",
            version: "ecr",
            name,
            credential_id: Some(id),
            host: registry,
            further: &[],
            settings,
            every_hours: None,
        };
        let actor = Actor::command_line();
        transaction(&mut app.connect(), &|conn| integrations::create(conn, &app.services.vault, &actor, &new))
            .expect("an integration");
    }
    let role = "arn:aws:iam::123456789012:role/reader";
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert!(page.has("[aria-labelledby=policies] [data-wants-test]"));
    assert!(page.texts("[aria-labelledby=policies] pre")[1].contains("arn:aws:iam::ACCOUNT:user/USER"));

    checkup::record(&app.services, Actor::system(), id, 1, &finding(&app, id, 1)).await.expect("recorded");
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert!(!page.has("[data-wants-test]"));
    let captions = page.texts("[aria-labelledby=policies] figcaption > span");
    assert_eq!(
        captions,
        [
            format!("Policy of {CALLER}: may assume the role"),
            format!("Trust policy of {role}: who may assume it"),
            format!("Policy of the credential's user or role, {role}: may read the registry"),
        ],
        "what both need stands there once"
    );
    let policies = page.texts("[aria-labelledby=policies] pre");
    assert!(policies[0].contains(role) && policies[1].contains(CALLER) && policies[1].contains("tenant-7"));
    assert!(policies[2].contains("ecr:GetAuthorizationToken") && policies[2].contains("ecr:BatchGetImage"));
    assert!(policies[2].contains("arn:aws:ecr:eu-central-1:123456789012:repository/*"), "{}", policies[2]);
    for policy in policies {
        serde_json::from_str::<serde_json::Value>(&policy).expect("a policy is JSON");
    }
}
