//! What a scan covers is the truth: what it has read with the settings that it has, and nothing else.

use serde_json::json;
use strongroom::integrations::cover::{Cover, Extent};
use strongroom::models::IntegrationId;

use super::{ESTATE, Work, add, ended, store};
use crate::support::app::{Page, TestApp, Visit};
use crate::support::peers::estate::Estate;
use crate::support::peers::lambda::{KEY, SECRET, Says};
use crate::support::peers::moto::{ACCOUNT, Moto};

fn scope(region: &str) -> String {
    format!("functions/aws/{ACCOUNT}/{region}")
}

#[tokio::test]
async fn a_scan_of_functions_covers_the_regions_that_it_has_read() {
    let estate = Estate::start();
    estate.with_region("eu-central-1").with_region("us-east-1");
    estate.lambda.says("us-east-1", Says::Denied);
    let found = Work::of("lambda", &estate.url()).scan().await.unwrap();
    let unread = Cover::unread(scope("us-east-1"));
    assert!(found.covers.contains(&Cover::read(scope("eu-central-1"), true)) && found.covers.contains(&unread));
    let some = Work::of("lambda", &estate.url()).with("exclude_functions", "dev-*").scan().await.unwrap();
    assert!(some.covers.contains(&Cover { scope: scope("eu-central-1"), extent: Extent::Part }));
}

#[tokio::test]
async fn a_scan_of_a_registry_covers_it_by_its_plain_host() {
    let moto = Moto::start().await;
    moto.repository("team/app").await;
    let key = moto.user("scanner").await;
    for action in ["ecr:GetAuthorizationToken", "ecr:DescribeRepositories", "ecr:DescribeImages"] {
        moto.allow("scanner", action, "*").await;
    }
    let host = format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com");
    for (repository, whole) in [("", true), ("team/*", false)] {
        let work = Work::of("ecr", &moto.url()).with("registry", &host).with("repository", repository).by(&key);
        let covers = work.scan().await.unwrap().covers;
        assert_eq!(covers, [Cover::read(format!("registry/{host}"), whole)]);
    }
}

/// What the page says of the functions of a region.
async fn said(visit: &mut Visit, region: &str) -> String {
    let page: Page = visit.get("/discovery").await;
    page.text(&format!("tr[data-thing='{ACCOUNT} lambda/{region}'] td[data-label='Covered by']"))
}

async fn scan_again(app: &TestApp, visit: &mut Visit, id: IntegrationId, number: usize) -> String {
    assert_eq!(visit.post(&format!("/integrations/{id}/runs"), &[]).await.status, 303);
    ended(app, id, number).await.0
}

#[actix_web::test]
async fn covered_is_what_an_active_integration_has_read_with_its_settings() {
    let estate = Estate::start();
    estate.with_region("eu-central-1").with_region("us-east-1");
    estate.lambda.holds("eu-central-1", "pay", &json!({})).holds("us-east-1", "web", &json!({}));
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", estate.url())]);
    let mut visit = app.administrator();
    let credential = store(&mut visit, (KEY, SECRET)).await;
    let found_by = add(&mut visit, credential, &ESTATE).await;
    assert_eq!(ended(&app, found_by, 1).await.0, "succeeded");
    assert!(said(&mut visit, "eu-central-1").await.starts_with("Not covered"));

    // A region that it has never read it does not cover.
    estate.lambda.says("us-east-1", Says::Denied);
    let form = [("name", "Functions"), ("version", "lambda"), ("regions", "aws"), ("versions", "latest")];
    let scan = add(&mut visit, credential, &form).await;
    assert_eq!(ended(&app, scan, 1).await.0, "partly");
    assert_eq!(said(&mut visit, "eu-central-1").await, "Functions");
    assert!(said(&mut visit, "us-east-1").await.starts_with("Not covered"));

    // What it has read once stays covered while it cannot be read: that is a gap of the scan.
    estate.lambda.with_region("us-east-1");
    assert_eq!(scan_again(&app, &mut visit, scan, 2).await, "succeeded");
    estate.lambda.says("us-east-1", Says::Denied);
    assert_eq!(scan_again(&app, &mut visit, scan, 3).await, "partly");
    assert_eq!(said(&mut visit, "us-east-1").await, "Functions");

    // Switched off, it covers nothing; switched on again, what it has read.
    let path = format!("/integrations/{scan}");
    assert_eq!(visit.post(&format!("{path}/activation"), &[("active", "")]).await.status, 303);
    assert!(said(&mut visit, "us-east-1").await.starts_with("Not covered"));
    assert_eq!(visit.post(&format!("{path}/activation"), &[("active", "on")]).await.status, 303);
    assert_eq!(said(&mut visit, "us-east-1").await, "Functions");

    // With other settings it has read nothing yet; then what they select.
    let version = visit.get(&format!("{path}/edit")).await.attributes("input[name=row_version]", "value").remove(0);
    let credential = credential.to_string();
    let edit = [("functions", "web"), ("credential", &credential), ("schedule", "off"), ("row_version", &version)];
    let edited = visit.post(&format!("{path}/edit"), &[&form[..], &edit].concat()).await;
    assert_eq!(edited.status, 303, "{:?}", edited.texts(".error-summary"));
    assert!(said(&mut visit, "eu-central-1").await.starts_with("Not covered"));
    estate.lambda.with_region("us-east-1");
    assert_eq!(scan_again(&app, &mut visit, scan, 4).await, "succeeded");
    assert_eq!(said(&mut visit, "eu-central-1").await, "Functions In part");

    let page = visit.get(&format!("{path}/delete")).await;
    let version = page.attributes("input[name=row_version]", "value").remove(0);
    assert_eq!(visit.post(&format!("{path}/delete"), &[("row_version", &version)]).await.status, 303);
    assert!(said(&mut visit, "eu-central-1").await.starts_with("Not covered"));
}
